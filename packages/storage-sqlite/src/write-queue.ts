import type { Clock, Logger, StoreStatus } from '@skydive/contracts'

/** How long accepted items may wait before they are written: what a killed process may lose, and what one transaction shares. */
const WRITE_EVERY_MS = 200
const RETRY_FIRST_MS = 500
const RETRY_MOST_MS = 30_000
/** A write that takes so long is told: a medium that hangs neither takes nor refuses. */
const SLOW_WRITE_MS = 10_000

/** What a queue needs of its surroundings. */
export interface WriteQueueOptions<Item> {
  readonly name: string
  /** The most items held while the medium refuses; what comes beyond is dropped and counted. */
  readonly capacity: number
  /** Writes durably, all or nothing. */
  write(items: readonly Item[]): Promise<void>
  /** Called when writing works again after items were dropped: the store knows less than it should. */
  onGap?(): void
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Items on their way to the medium: grouped, written in order, kept and retried while the medium refuses, dropped and counted when too many
 * wait. `push` never blocks and never throws.
 */
export class WriteQueue<Item> {
  readonly #options: WriteQueueOptions<Item>
  #pending: Item[] = []
  /** What the write under way carries, and when it began, ms. */
  #inFlight = 0
  #writingSinceMs = 0
  #timer: unknown
  #writing: Promise<void> | undefined
  #retryMs = RETRY_FIRST_MS
  #reason: string | undefined
  #written = 0
  #dropped = 0
  #droppedInBurst = 0
  #closed = false

  constructor(options: WriteQueueOptions<Item>) {
    this.#options = options
  }

  /** Accepted and not durable yet: what waits and what is being written, which comes back when it is refused. */
  get #queued(): number {
    return this.#pending.length + this.#inFlight
  }

  push(items: readonly Item[]): void {
    const room = this.#closed ? 0 : this.#options.capacity - this.#queued
    const taken = items.length <= room ? items : items.slice(0, room)
    for (const item of taken) this.#pending.push(item)
    this.#dropped += items.length - taken.length
    this.#droppedInBurst += items.length - taken.length
    if (this.#pending.length > 0) this.#schedule(WRITE_EVERY_MS)
  }

  #schedule(delayMs: number): void {
    if (this.#timer !== undefined || this.#writing) return
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#timer = undefined
      void this.#writeOnce()
    }, delayMs)
  }

  /** Writes what is pending; on failure keeps it, in order, for the next try. */
  #writeOnce(): Promise<void> {
    this.#writing ??= this.#attempt().finally(() => {
      this.#writing = undefined
      if (this.#pending.length > 0 && !this.#closed) this.#schedule(this.#reason === undefined ? WRITE_EVERY_MS : this.#retryMs)
    })
    return this.#writing
  }

  async #attempt(): Promise<void> {
    const items = this.#pending
    if (items.length === 0) return
    this.#pending = []
    this.#inFlight = items.length
    this.#writingSinceMs = this.#options.clock.now()
    try {
      await this.#options.write(items)
    } catch (error) {
      this.#inFlight = 0
      this.#pending = items.concat(this.#pending)
      this.#failed(error as Error)
      return
    }
    this.#inFlight = 0
    this.#written += items.length
    this.#recovered()
  }

  #recovered(): void {
    if (this.#reason !== undefined)
      this.#options.logger.info({ store: this.#options.name, dropped: this.#droppedInBurst }, 'store accepts writes again')
    this.#reason = undefined
    this.#retryMs = RETRY_FIRST_MS
    if (this.#droppedInBurst > 0) {
      this.#droppedInBurst = 0
      this.#options.onGap?.()
    }
  }

  #failed(error: Error): void {
    const isFirst = this.#reason === undefined
    this.#reason = error.message
    if (!isFirst) {
      this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MOST_MS)
      return
    }
    this.#options.logger.error(
      { store: this.#options.name, error: error.message },
      'store refuses writes; they are kept and retried',
    )
  }

  /** Resolves when everything pushed so far is durable, or rejects with why it can't be now. */
  async flush(): Promise<void> {
    while (this.#writing || this.#pending.length > 0) {
      await this.#writeOnce()
      if (this.#reason !== undefined) throw new Error(this.#reason)
    }
  }

  /** Writes what is left, once, and takes nothing more. What the medium refuses now is dropped and counted. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#timer !== undefined) this.#options.clock.clearTimeout(this.#timer)
    this.#timer = undefined
    await this.#writing
    await this.#writeOnce()
    this.#dropped += this.#pending.length
    this.#pending = []
  }

  status(): Omit<StoreStatus, 'bytes'> {
    const counts = { queued: this.#queued, written: this.#written, dropped: this.#dropped }
    if (this.#closed) return { state: 'closed', ...counts }
    const reason = this.#reason ?? this.#slowness() ?? this.#loss()
    return reason === undefined ? { state: 'ok', ...counts } : { state: 'degraded', reason, ...counts }
  }

  #slowness(): string | undefined {
    const tookMs = this.#inFlight === 0 ? 0 : this.#options.clock.now() - this.#writingSinceMs
    return tookMs < SLOW_WRITE_MS ? undefined : `a write takes ${Math.floor(tookMs / 1000)} s: the disk hangs or is far too slow`
  }

  #loss(): string | undefined {
    return this.#droppedInBurst === 0 ? undefined : `${this.#droppedInBurst} dropped: the queue is full`
  }
}
