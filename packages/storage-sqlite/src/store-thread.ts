import { Worker } from 'node:worker_threads'
import { InvalidArgumentError, UnavailableError } from '@skydive/contracts'
import type { StoreOperation, StoreOperations, StoreReply } from './messages.ts'

interface Waiting {
  resolve(reply: never): void
  reject(error: Error): void
}

/** The worker script beside this module: the built one, or in the sources a bootstrap for TypeScript. */
function defaultWorkerUrl(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './worker-source.mjs' : './worker.js', import.meta.url)
}

/** The store's thread, seen from outside: numbered requests and their answers. */
export class StoreThread {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  #number = 0
  #ended: Error | undefined

  constructor(workerUrl: URL = defaultWorkerUrl()) {
    this.#worker = new Worker(workerUrl, {
      name: 'skydive-store',
      execArgv: workerUrl.href.endsWith('.mjs') ? ['--conditions=@skydive/source'] : [],
    })
    this.#worker.on('message', (answer: StoreReply) => this.#settle(answer))
    this.#worker.on('error', (error) => this.#fail(error))
    this.#worker.on('exit', () => this.#fail(new Error('the store thread has ended')))
    // Requests keep the process alive, an idle store does not.
    this.#worker.unref()
  }

  #settle(answer: StoreReply): void {
    const waiting = this.#waiting.get(answer.number)
    this.#waiting.delete(answer.number)
    if (this.#waiting.size === 0) this.#worker.unref()
    if (!waiting) return
    if ('reply' in answer) waiting.resolve(answer.reply as never)
    else if (answer.error.code === 'ERR_INVALID_ARGUMENT') waiting.reject(new InvalidArgumentError(answer.error.message))
    else waiting.reject(new UnavailableError(answer.error.message, { retryable: true }))
  }

  #fail(cause: Error): void {
    this.#ended ??= cause
    for (const { reject } of this.#waiting.values())
      reject(new UnavailableError(`the store stopped: ${cause.message}`, { retryable: false, cause }))
    this.#waiting.clear()
  }

  /** Asks the worker; answers come in the order of the requests. */
  ask<Operation extends StoreOperation>(
    operation: Operation,
    request: StoreOperations[Operation]['request'],
  ): Promise<StoreOperations[Operation]['reply']> {
    if (this.#ended) return Promise.reject(new UnavailableError('the store is closed', { retryable: false, cause: this.#ended }))
    this.#number += 1
    const number = this.#number
    return new Promise((resolve, reject) => {
      this.#worker.ref()
      this.#waiting.set(number, { resolve, reject })
      this.#worker.postMessage({ number, operation, request })
    })
  }

  /** Closes the files and ends the thread. */
  async close(): Promise<void> {
    if (this.#ended) return
    const exited = new Promise((resolve) => this.#worker.once('exit', resolve))
    await this.ask('close', undefined)
    // Its end is waited for: without this the process could end first, with the promise open.
    this.#worker.ref()
    await exited
  }
}
