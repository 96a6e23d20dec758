import { UnavailableError } from '@skydive/contracts'
import { decodeTableReply, encodeTableReply } from '@skydive/protocol/flow'
import { sumFigures } from './capture-figures.ts'
import { shareOf } from './capture-share.ts'
import type { CaptureThread, CaptureThreadEvents } from './capture-thread.ts'
import type { CaptureFigures, CaptureStart } from './messages.ts'

/** What the agent hears of captures; a thread that breaks is told as the failure of each of its captures. */
export type CapturePoolEvents = Omit<CaptureThreadEvents, 'onCrash'>

/** Starts a thread; the pool gives the real thing what it is told. */
export type OpenThread = (events: CaptureThreadEvents) => CaptureThread

/** A capture that runs, in the threads 0 to `threads - 1`. */
interface RunningCapture {
  readonly threads: number
  /** By thread. */
  readonly figures: Map<number, CaptureFigures>
}

/**
 * The capture threads of an agent: the first runs all captures; a capture whose source spreads its packets over several is in as many threads,
 * each with a flow table of its own, and is one to the outside: figures are sums, answers have the flows of all tables. Threads start when
 * they are first needed.
 */
export class CapturePool {
  readonly #events: CapturePoolEvents
  readonly #openThread: OpenThread
  readonly #threads = new Map<number, CaptureThread>()
  readonly #running = new Map<number, RunningCapture>()
  /** Threads that have not told their figures yet. */
  readonly #asked = new Set<number>()

  constructor(events: CapturePoolEvents, openThread: OpenThread) {
    this.#events = events
    this.#openThread = openThread
  }

  /** Resolves with the first figures when all sources are open; where one can't be, none stays open. */
  async start(start: CaptureStart): Promise<CaptureFigures> {
    const { taskId } = start
    const { figures, members } = await this.#thread(0).start(start)
    const running: RunningCapture = { threads: members.length + 1, figures: new Map([[0, figures]]) }
    this.#running.set(taskId, running)
    const share = shareOf(start, members.length)
    const others = await Promise.allSettled(
      members.map(async (moduleOptions, index) => {
        const other = await this.#thread(index + 1).start({ ...share, moduleOptions })
        running.figures.set(index + 1, other.figures)
      }),
    )
    const refused = others.find((result) => result.status === 'rejected')
    if (refused) {
      await this.stop(taskId)
      throw refused.reason
    }
    if (this.#running.get(taskId) !== running) {
      throw new UnavailableError('the capture was stopped before it ran', { retryable: false })
    }
    return total(running)
  }

  /** Resolves when the last flows of the capture came out. */
  async stop(taskId: number): Promise<void> {
    const threads = this.#running.get(taskId)?.threads ?? 1
    this.#running.delete(taskId)
    // The first halts all sources before one of them goes: else the rest would get packets of its flows.
    await this.#threads.get(0)?.stop(taskId)
    await Promise.all(Array.from({ length: threads - 1 }, (_, index) => this.#threads.get(index + 1)?.stop(taskId)))
  }

  /** Protobuf `TableQuery` in, `TableReply` out: the tables of all threads. */
  async query(query: Uint8Array): Promise<Uint8Array> {
    const replies = await Promise.all([...this.#threads.values()].map((thread) => thread.query(query)))
    if (replies.length === 1) return replies[0]!
    return encodeTableReply({ Status: 200, FlowSetBytes: replies.flatMap((reply) => decodeTableReply(reply).FlowSetBytes) })
  }

  /** Asks for the figures of all captures, which are told when every thread has answered, or at the next time of asking. */
  askFigures(): void {
    if (this.#asked.size > 0) this.#tellFigures()
    for (const [index, thread] of this.#threads) {
      this.#asked.add(index)
      thread.askFigures()
    }
  }

  async close(): Promise<void> {
    this.#running.clear()
    const { 0: first, ...others } = Object.fromEntries(this.#threads)
    this.#threads.clear()
    await first?.close()
    await Promise.all(Object.values(others).map((thread) => thread.close()))
  }

  #thread(index: number): CaptureThread {
    const known = this.#threads.get(index)
    if (known) return known
    const opened = this.#openThread({
      onBatch: (payload, flows) => this.#events.onBatch(payload, flows),
      onFailed: (taskId, error) => this.#fail(taskId, error),
      onFigures: (figures) => this.#keepFigures(index, figures),
      onCrash: (error) => this.#forgetThread(index, error),
    })
    this.#threads.set(index, opened)
    return opened
  }

  #fail(taskId: number, error: Error): void {
    if (!this.#running.has(taskId)) return
    void this.stop(taskId)
    this.#events.onFailed(taskId, error)
  }

  #forgetThread(index: number, error: Error): void {
    this.#threads.delete(index)
    for (const [taskId, { threads }] of [...this.#running]) if (threads > index) this.#fail(taskId, error)
    this.#answered(index)
  }

  #keepFigures(index: number, figures: readonly CaptureFigures[]): void {
    for (const one of figures) this.#running.get(one.taskId)?.figures.set(index, one)
    this.#answered(index)
  }

  #answered(index: number): void {
    if (this.#asked.delete(index) && this.#asked.size === 0) this.#tellFigures()
  }

  #tellFigures(): void {
    this.#asked.clear()
    this.#events.onFigures([...this.#running.values()].map(total))
  }
}

function total({ figures }: RunningCapture): CaptureFigures {
  return [...figures.values()].reduce(sumFigures)
}
