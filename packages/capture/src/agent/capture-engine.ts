import { type CaptureSource, type CaptureSourceModule, type Clock, InvalidArgumentError, SkydiveError } from '@skydive/contracts'
import { analyzerOutput, answerTableQuery } from './analyzer-messages.ts'
import type { FlowOutput } from './capture-feed.ts'
import { openParts } from './capture-parts.ts'
import { shareOf } from './capture-share.ts'
import type { CaptureStart, FromCaptureThread, PlainError, ToCaptureThread } from './messages.ts'
import { RunningCapture } from './running-capture.ts'
import type { OpenSender } from './target/open-target.ts'

/** What the engine stands on; the thread gives the real things. */
export interface CaptureEngineOptions {
  /** Loads a source's module by its name. */
  loadModule(name: string): Promise<{ readonly captureSource?: CaptureSourceModule }>
  /** Handed to the sources. */
  readonly ledger?: SharedArrayBuffer
  /** Calls back again and again for as long as a descriptor can be read; answers how to stop. */
  watch(fd: number, listener: () => void): () => void
  /** Opens a socket to a target. */
  readonly openSender: OpenSender
  /** Lets whatever else is due run first. */
  yieldTurn(): Promise<void>
  readonly clock: Clock
  emit(message: FromCaptureThread): void
}

/**
 * Runs captures: many sources and their flow tables in one thread. Blocks are fed to the tables in place; flows leave as encoded messages.
 */
export class CaptureEngine {
  readonly #options: CaptureEngineOptions
  readonly #captures = new Map<number, RunningCapture>()
  /** Stops that came while a capture was still being opened. */
  readonly #cancelled = new Set<number>()
  readonly #opening = new Set<number>()
  readonly #toAnalyzer: FlowOutput

  constructor(options: CaptureEngineOptions) {
    this.#options = options
    this.#toAnalyzer = analyzerOutput((message) => options.emit(message))
  }

  /** Whether flows are being taken out of a table, which goes on in turns of the event loop. */
  get isWalking(): boolean {
    for (const capture of this.#captures.values()) if (capture.isWalking) return true
    return false
  }

  /** Does what a message asks. Never throws: what goes wrong is told by a message. */
  async handle(message: ToCaptureThread): Promise<void> {
    switch (message.kind) {
      case 'start':
        await this.#start(message.start)
        break
      case 'stop':
        await this.#stop(message.taskId)
        break
      case 'query':
        await this.#query(message.requestId, message.query)
        break
      case 'figures':
        this.#options.emit({ kind: 'figures', figures: [...this.#captures.values()].map((capture) => capture.figures()) })
        break
      case 'close':
        await Promise.all([...this.#captures.keys()].map((taskId) => this.#stop(taskId)))
        this.#options.emit({ kind: 'closed' })
        break
    }
  }

  async #start(start: CaptureStart): Promise<void> {
    const { taskId } = start
    this.#opening.add(taskId)
    try {
      const source = await this.#open(start)
      if (this.#cancelled.delete(taskId)) {
        source.close()
        this.#options.emit({ kind: 'stopped', taskId })
        return
      }
      const { members = [], warning } = source.kind === 'packets' ? source : {}
      const figures = this.#run(shareOf(start, members.length), source).figures()
      this.#options.emit({ kind: 'started', taskId, figures, members, ...(warning !== undefined && { warning }) })
    } catch (error) {
      this.#cancelled.delete(taskId)
      this.#options.emit({ kind: 'start-failed', taskId, error: plain(error) })
    } finally {
      this.#opening.delete(taskId)
    }
  }

  async #open({ module, moduleOptions, target }: CaptureStart): Promise<CaptureSource> {
    const { captureSource } = await this.#options.loadModule(module)
    if (!captureSource) {
      throw new InvalidArgumentError(`capture source "${module}": the module does not export captureSource`, { module })
    }
    return captureSource.open(target, moduleOptions, this.#options.ledger)
  }

  #run(start: CaptureStart, source: CaptureSource): RunningCapture {
    const { taskId } = start
    const { clock, emit, watch, yieldTurn } = this.#options
    const parts = openParts(start, source, this.#toAnalyzer, this.#options)
    const capture = new RunningCapture(start, parts, {
      ...{ clock, emit, watch, yieldTurn },
      onBroken: (error) => {
        emit({ kind: 'failed', taskId, error: plain(error) })
        void this.#stop(taskId)
      },
    })
    this.#captures.set(taskId, capture)
    capture.poll()
    return capture
  }

  async #stop(taskId: number): Promise<void> {
    const capture = this.#captures.get(taskId)
    if (!capture) {
      if (this.#opening.has(taskId)) this.#cancelled.add(taskId)
      else this.#options.emit({ kind: 'stopped', taskId })
      return
    }
    if (capture.isStopping) return
    await capture.stop()
    this.#captures.delete(taskId)
    this.#options.emit({ kind: 'stopped', taskId })
  }

  async #query(requestId: number, query: Uint8Array): Promise<void> {
    try {
      const feeds = [...this.#captures.values()].flatMap((capture) => capture.searched ?? [])
      this.#options.emit({ kind: 'answer', requestId, reply: await answerTableQuery(query, feeds) })
    } catch (error) {
      this.#options.emit({ kind: 'refused', requestId, error: plain(error) })
    }
  }
}

function plain(error: unknown): PlainError {
  if (SkydiveError.isInstance(error)) return { message: error.message, code: error.code, fault: error.fault }
  return { message: error instanceof Error ? error.message : String(error), code: 'ERR_INVARIANT', fault: 'ours' }
}
