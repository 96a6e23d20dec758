import type { CaptureSource, Clock, Flow } from '@skydive/contracts'
import { type Emit, StatisticsSender } from './analyzer-messages.ts'
import type { CaptureFeed } from './capture-feed.ts'
import type { CaptureParts } from './capture-parts.ts'
import type { CaptureFigures, CaptureStart } from './messages.ts'

/** What a running capture stands on. */
export interface RunningOptions {
  /** Calls back again and again for as long as a descriptor can be read; answers how to stop. */
  watch(fd: number, listener: () => void): () => void
  /** Lets whatever else is due run first. */
  yieldTurn(): Promise<void>
  readonly clock: Clock
  readonly emit: Emit
  /** Its source broke while packets were taken. */
  onBroken(error: unknown): void
}

/** Period of statistics messages (spec flows 2.11). */
const STATISTICS_MS = 10_000
/** An update and an expiry of a table, and one more that waits for them. */
const MAX_WALKS = 3
/** For so long the end of a capture keeps to the pace of where its flows go, ms. */
const LONGEST_DRAIN_MS = 5000

/**
 * One capture: packets go from its source into its table when there are some, flows out of the table when it is time.
 */
export class RunningCapture {
  readonly #start: CaptureStart
  readonly #parts: CaptureParts
  readonly #options: RunningOptions
  readonly #statistics: StatisticsSender
  readonly #unwatch: readonly (() => void)[]
  readonly #timers = new Set<unknown>()
  /** The chain of everything that takes flows out of the table, so that two such walks never overlap. */
  #walk: Promise<void> = Promise.resolve()
  /** Walks of the chain that are not over. */
  #walks = 0
  /** The first of them waits for where flows go, and the others for it. */
  #isPaused = false
  #isStopping = false
  #isOver = false

  constructor(start: CaptureStart, parts: CaptureParts, options: RunningOptions) {
    this.#start = start
    this.#parts = parts
    this.#options = options
    this.#statistics = new StatisticsSender(options.emit, start.table.captureId)
    const { readyFds, table } = parts.feed
    this.#unwatch = readyFds.map((fd) => options.watch(fd, () => this.poll()))
    if (table) {
      this.#every(start.updateMs, () => this.#takeOut((nowMs) => table.update(nowMs)))
      this.#every(start.expireMs, () => this.#takeOut((nowMs) => table.expire(nowMs)))
      if (!parts.target) this.#every(STATISTICS_MS, () => this.#statistics.send(parts.feed.source.stats(), table))
    }
  }

  /** Whether flows are being taken out of the table, which goes on in turns of the event loop. */
  get isWalking(): boolean {
    return this.#walks > 0 && !this.#isPaused
  }

  get isStopping(): boolean {
    return this.#isStopping
  }

  /** What live queries look into; absent where flows are not those of the analyzer. */
  get searched(): CaptureFeed | undefined {
    return this.#parts.target ? undefined : this.#parts.feed
  }

  /** Its figures now. The source is polled for it: nothing may ever wake it again, and then it says so. */
  figures(): CaptureFigures {
    this.poll()
    const { feed, target } = this.#parts
    const description = feed.source.describe?.()
    return {
      taskId: this.#start.taskId,
      source: feed.source.stats(),
      ...(feed.table && { table: feed.table.stats() }),
      ...(target && { sentTo: target.stats() }),
      ...(description && { description }),
    }
  }

  /** Feeds what is ready. Call it once after the capture is known to those whom it tells; then it calls itself. */
  poll(): void {
    if (this.#isStopping) return
    try {
      this.#parts.feed.poll()
    } catch (error) {
      this.#options.onBroken(error)
    }
  }

  /** Resolves when its last flows are out. Call it once. */
  async stop(): Promise<void> {
    this.#isStopping = true
    const { clock } = this.#options
    for (const timer of this.#timers) clock.clearTimeout(timer)
    const { feed, output, target } = this.#parts
    const { source, table } = feed
    if (source.kind === 'packets') source.halt?.()
    await this.#walk
    // What the ring still holds belongs to the capture.
    await this.#wait(holdsBackMs(source))
    for (const unwatch of this.#unwatch) unwatch()
    try {
      feed.poll()
    } catch {
      // A source that broke has nothing more to give.
    }
    source.close()
    const lastPauseMs = clock.now() + LONGEST_DRAIN_MS
    for (const batch of table?.drain() ?? []) {
      const pause = output.send(batch)
      if (pause && clock.now() < lastPauseMs) await pause
    }
    if (target) await target.close()
    else if (table) this.#statistics.send(source.stats(), table)
    this.#isOver = true
  }

  #every(periodMs: number, action: () => void): void {
    const { clock } = this.#options
    const arm = () => {
      const timer = clock.setTimeout(() => {
        this.#timers.delete(timer)
        if (this.#isStopping) return
        action()
        arm()
      }, periodMs)
      this.#timers.add(timer)
    }
    arm()
  }

  /**
   * Takes flows out batch by batch, with a turn for the packets between two, and at the pace of where they go. A walk that would only wait
   * for others is left out: the next one tells what it would have told.
   */
  #takeOut(batches: (nowMs: number) => Iterable<readonly Flow[]>): void {
    if (this.#walks >= MAX_WALKS) return
    this.#walks++
    const { output } = this.#parts
    this.#walk = this.#walk.then(async () => {
      for (const batch of this.#isOver ? [] : batches(this.#options.clock.now())) {
        const pause = output.send(batch)
        if (pause && !this.#isStopping) await this.#pause(pause)
        else await this.#options.yieldTurn()
      }
      output.flush()
      this.#walks--
    })
  }

  /** Waits for what a timer ends; the thread may sleep meanwhile. */
  async #pause(pause: Promise<void>): Promise<void> {
    this.#isPaused = true
    await pause
    this.#isPaused = false
  }

  #wait(ms: number): Promise<void> {
    if (ms === 0) return Promise.resolve()
    return new Promise((resolve) => void this.#options.clock.setTimeout(resolve, ms))
  }
}

function holdsBackMs(source: CaptureSource): number {
  return source.kind === 'packets' ? (source.holdsBackMs ?? 0) : 0
}
