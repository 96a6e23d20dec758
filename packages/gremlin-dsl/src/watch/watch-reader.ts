import { CancelledError } from '@skydive/contracts'
import type { WatchDelta, WatchPlan } from './delta.ts'
import { lostError, type OverflowPolicy } from './delta-log.ts'
import type { WatchEntry } from './entry.ts'

/** How a continuous query is read. */
export interface WatchOptions {
  /** Ends the watch: the iteration is done, without an error. */
  readonly signal?: AbortSignal
  /** For a reader that falls behind by more deltas than are kept; `resync` by default. */
  readonly overflow?: OverflowPolicy
}

/**
 * The result of a query as it changes. Iterate it once: the first delta is the whole result (`reset: true`), each later one what has changed
 * since the one before. Leaving the loop ends the watch.
 */
export interface Watch extends AsyncIterable<WatchDelta> {
  /** Resolves when the query is compiled and its first result is known. @throws GremlinError, ERR_LIMIT. */
  readonly ready: Promise<WatchPlan>
  /** Ends the watch. Calling it twice is a no-op. */
  close(): void
}

/** What a reader needs of those who keep the queries. */
export interface WatchSource {
  open(): Promise<WatchEntry>
  release(entry: WatchEntry): void
  /** Called outside of every transaction. */
  whole(entry: WatchEntry): WatchDelta
}

/** One reader of one query. */
export class WatchReader implements Watch, AsyncIterator<WatchDelta> {
  readonly ready: Promise<WatchPlan>
  private readonly source: WatchSource
  private readonly overflow: OverflowPolicy
  private readonly signal: AbortSignal | undefined
  private readonly opening: Promise<WatchEntry>
  private entry: WatchEntry | undefined
  private place = -1
  private closed = false
  private readonly abort = (): void => this.close()

  constructor(source: WatchSource, { signal, overflow = 'resync' }: WatchOptions) {
    this.source = source
    this.overflow = overflow
    this.signal = signal
    this.opening = source.open().then((entry) => this.opened(entry))
    this.ready = this.opening.then(({ plan }) => plan)
    // Whoever iterates gets the error there.
    this.ready.catch(() => undefined)
    if (signal?.aborted) this.closed = true
    else signal?.addEventListener('abort', this.abort, { once: true })
  }

  [Symbol.asyncIterator](): AsyncIterator<WatchDelta> {
    return this
  }

  async next(): Promise<IteratorResult<WatchDelta>> {
    try {
      const entry = this.entry ?? (await this.opening)
      for (;;) {
        if (this.closed) return { done: true, value: undefined }
        const delta = this.place < 0 ? 'lost' : entry.log.read(this.place)
        if (delta === 'ended') return await this.return()
        if (delta === 'lost') return await this.fromWhole(entry)
        if (delta) {
          this.place++
          return { done: false, value: delta }
        }
        await entry.log.changed()
      }
    } catch (error) {
      if (this.closed && error instanceof CancelledError) return { done: true, value: undefined }
      this.close()
      throw error
    }
  }

  async return(): Promise<IteratorResult<WatchDelta>> {
    this.close()
    return { done: true, value: undefined }
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    this.signal?.removeEventListener('abort', this.abort)
    if (this.entry) this.letGo(this.entry)
  }

  private opened(entry: WatchEntry): WatchEntry {
    this.entry = entry
    if (this.closed) this.letGo(entry)
    return entry
  }

  private letGo(entry: WatchEntry): void {
    this.source.release(entry)
    entry.log.wake()
  }

  /** The first time, or after a loss. */
  private async fromWhole(entry: WatchEntry): Promise<IteratorResult<WatchDelta>> {
    if (this.place >= 0 && this.overflow === 'error') throw lostError(entry.log.head - this.place)
    // Never in the midst of a transaction or of its delivery.
    await undefined
    const value = this.source.whole(entry)
    this.place = entry.log.head
    return { done: false, value }
  }
}
