import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { type Logger, SILENT_LOGGER, SkydiveError, UnavailableError } from '@skydive/contracts'
import { createLedger, openKernel } from '@skydive/kernel'
import type {
  CaptureFigures,
  CaptureStart,
  CaptureStarted,
  CaptureThreadData,
  FromCaptureThread,
  PlainError,
  ToCaptureThread,
} from './messages.ts'

/** What the main thread hears of captures. */
export interface CaptureThreadEvents {
  onBatch(payload: Uint8Array, flows: number): void
  /** A capture that ran ended by itself. */
  onFailed(taskId: number, error: Error): void
  onFigures(figures: readonly CaptureFigures[]): void
  /** The thread itself broke, or ended without being asked: every capture is gone. */
  onCrash(error: Error): void
}

/** The main thread's handle of the capture thread. Everything goes by message; nothing here blocks. */
export interface CaptureThread {
  /** Resolves when the source is open. */
  start(start: CaptureStart): Promise<CaptureStarted>
  /** Resolves when the last flows of the capture came out. */
  stop(taskId: number): Promise<void>
  /** Protobuf `TableQuery` in, `TableReply` out. */
  query(query: Uint8Array): Promise<Uint8Array>
  askFigures(): void
  close(): Promise<void>
}

interface Waiting<T> {
  resolve(value: T): void
  reject(error: Error): void
}

/** Starts the thread. `workerUrl` is where its script lies in a bundle. */
export function openCaptureThread(events: CaptureThreadEvents, workerUrl?: URL, logger: Logger = SILENT_LOGGER): CaptureThread {
  const starting = new Map<number, Waiting<CaptureStarted>>()
  const stopping = new Map<number, Waiting<void>>()
  const asking = new Map<number, Waiting<Uint8Array>>()
  let requests = 0
  let isOpen = true

  // The thread sleeps in the kernel: this descriptor wakes it.
  const kernel = openKernel()
  const signalFd = kernel.eventDescriptor()
  const ledger = createLedger()
  const workerData: CaptureThreadData = { signalFd, ledger: ledger.shared }
  const worker = new Worker(workerUrl ?? defaultWorkerUrl(), {
    name: 'skydive-capture',
    workerData,
    ...(workerUrl === undefined && isFromSource() && { execArgv: [...process.execArgv, '--conditions=@skydive/source'] }),
  })
  worker.unref()
  const post = (message: ToCaptureThread) => {
    worker.postMessage(message)
    kernel.signal(signalFd)
  }
  const end = (error: Error) => {
    isOpen = false
    for (const waiting of [...starting.values(), ...asking.values()]) waiting.reject(error)
    // What was to be stopped is stopped.
    for (const waiting of stopping.values()) waiting.resolve()
  }
  worker.on('error', (error) => {
    logger.error({ reason: error.message }, 'capture thread broke')
    end(error)
    events.onCrash(error)
  })
  // The end of a process joins its workers, and this one may be asleep.
  const wake = () => kernel.signal(signalFd)
  process.once('exit', wake)
  worker.on('exit', () => {
    process.removeListener('exit', wake)
    const left = ledger.release()
    if (left.descriptors + left.mappings + left.pcapHandles > 0) {
      logger.warn({ ...left }, 'what the capture thread left open is closed')
    }
    kernel.close(signalFd)
    kernel.dispose()
    if (!isOpen) return
    const error = new UnavailableError('the capture thread has ended', { retryable: false })
    end(error)
    events.onCrash(error)
  })
  worker.on('message', (message: FromCaptureThread) => {
    switch (message.kind) {
      case 'batch':
        events.onBatch(message.payload, message.flows)
        break
      case 'figures':
        events.onFigures(message.figures)
        break
      case 'failed':
        events.onFailed(message.taskId, revive(message.error))
        break
      case 'started':
        if (message.warning !== undefined) logger.warn({}, message.warning)
        settle(starting, message.taskId)?.resolve(message)
        break
      case 'start-failed':
        settle(starting, message.taskId)?.reject(revive(message.error))
        break
      case 'stopped':
        settle(starting, message.taskId)?.reject(
          new UnavailableError('the capture was stopped before it ran', { retryable: false }),
        )
        settle(stopping, message.taskId)?.resolve()
        break
      case 'answer':
        settle(asking, message.requestId)?.resolve(message.reply)
        break
      case 'refused':
        settle(asking, message.requestId)?.reject(revive(message.error))
        break
      case 'closed':
        isOpen = false
        break
    }
  })

  const wait = <T>(waiters: Map<number, Waiting<T>>, key: number, message: ToCaptureThread) =>
    new Promise<T>((resolve, reject) => {
      if (!isOpen) {
        reject(new UnavailableError('the capture thread has ended', { retryable: false }))
        return
      }
      waiters.set(key, { resolve, reject })
      post(message)
    })

  return {
    start: (start) => wait(starting, start.taskId, { kind: 'start', start }),
    stop: (taskId) => (isOpen ? wait(stopping, taskId, { kind: 'stop', taskId }) : Promise.resolve()),
    query(query) {
      requests++
      return wait(asking, requests, { kind: 'query', requestId: requests, query })
    },
    askFigures() {
      if (isOpen) post({ kind: 'figures' })
    },
    async close() {
      if (!isOpen) return
      const ended = once(worker, 'exit')
      worker.ref()
      post({ kind: 'close' })
      await ended
    },
  }
}

function settle<T>(waiters: Map<number, Waiting<T>>, key: number): Waiting<T> | undefined {
  const waiting = waiters.get(key)
  waiters.delete(key)
  return waiting
}

function revive({ message, code, fault }: PlainError): Error {
  return new SkydiveError(message, { code, fault })
}

function isFromSource(): boolean {
  return import.meta.url.endsWith('.ts')
}

function defaultWorkerUrl(): URL {
  return new URL(isFromSource() ? './capture-worker-source.mjs' : './capture-worker.js', import.meta.url)
}
