import { LimitError } from '@skydive/contracts'
import type { WatchDelta } from './delta.ts'

/** What becomes of a reader that is too slow: it starts again from the whole result, or it ends with `ERR_LIMIT`. */
export type OverflowPolicy = 'resync' | 'error'

/**
 * The deltas of one query, for any number of readers with a place of their own: telling one costs the same for one reader and for a thousand.
 * It remembers a bounded number; who falls behind that has lost some.
 */
export class DeltaLog {
  private readonly capacity: number
  private readonly ring: WatchDelta[] = []
  /** The number of the next delta. */
  private next = 0
  private waiting: { readonly promise: Promise<void>; readonly wake: () => void } | undefined
  private failure: { readonly error: unknown } | undefined
  private ended = false

  constructor(capacity: number) {
    this.capacity = capacity
  }

  /** Where a reader goes on that has the result as of now. */
  get head(): number {
    return this.next
  }

  publish(delta: WatchDelta): void {
    this.ring[this.next % this.capacity] = delta
    this.next++
    this.wake()
  }

  /** Ends the log for everybody, after what is in it. */
  fail(error: unknown): void {
    this.failure = { error }
    this.wake()
  }

  /** Ends the log for everybody, in order. */
  end(): void {
    this.ended = true
    this.wake()
  }

  /**
   * The delta at a place; `undefined` at the end, `'ended'` when no more will come, `'lost'` when it has been forgotten.
   * @throws what the log failed with.
   */
  read(place: number): WatchDelta | 'lost' | 'ended' | undefined {
    if (place < this.next - this.capacity) return 'lost'
    if (place < this.next) return this.ring[place % this.capacity]
    if (this.failure) throw this.failure.error
    return this.ended ? 'ended' : undefined
  }

  /** Resolves with the next delta, or when the log ends. */
  changed(): Promise<void> {
    if (!this.waiting) {
      let wake: () => void = () => {}
      const promise = new Promise<void>((resolve) => {
        wake = resolve
      })
      this.waiting = { promise, wake }
    }
    return this.waiting.promise
  }

  /** Wakes everybody who waits, so that they look again. */
  wake(): void {
    const { waiting } = this
    this.waiting = undefined
    waiting?.wake()
  }
}

/** The error of a reader that asked not to lose anything. */
export function lostError(lost: number): LimitError {
  return new LimitError(
    `the reader of a continuous query fell behind and lost ${lost} deltas (budget "deltas"); read faster or choose overflow "resync"`,
    'deltas',
  )
}
