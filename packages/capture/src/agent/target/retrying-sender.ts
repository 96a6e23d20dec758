import type { Clock } from '@skydive/contracts'
import type { DatagramSender } from '@skydive/kernel'

/** How often what the kernel had no room for is offered again, ms; at the end for so many times. */
const RETRY_MS = 10
const RETRIES_AT_END = 100
/**
 * Datagrams go out at this pace where their maker waits: the buffer that a collector has by default holds some 90 of them, and it may be busy
 * elsewhere for 40 ms.
 */
const DATAGRAMS_PER_MS = 2
/**
 * The shortest pause: each wakes the thread, which costs as much as hundreds of records. What is put until then goes at once, with what a batch
 * of flows makes 49 datagrams at most: two such bursts fit into that buffer.
 */
const LEAST_PAUSE_MS = 12

/** A sender whose queue is offered to the kernel until it is empty, and which tells at what pace datagrams should come. */
export class RetryingSender {
  readonly sender: DatagramSender
  readonly #clock: Clock
  #timer: unknown
  /** When what was put so far is out at the pace. */
  #pacedUntilMs = 0

  constructor(sender: DatagramSender, clock: Clock) {
    this.sender = sender
    this.#clock = clock
  }

  /** Queues a datagram that counts for `units`, or counts it as dropped. */
  put(bytes: Uint8Array, units: number): void {
    this.#pacedUntilMs = Math.max(this.#pacedUntilMs, this.#clock.now()) + 1 / DATAGRAMS_PER_MS
    const at = this.sender.reserve()
    if (at < 0) {
      this.sender.drop(units)
      return
    }
    this.sender.bytes.set(bytes, at)
    this.sender.commit(bytes.length, units)
  }

  /** Resolves when more may be put; `undefined` when that is now, or so soon that it is left to the next call. */
  pause(): Promise<void> | undefined {
    const waitMs = Math.floor(this.#pacedUntilMs - this.#clock.now())
    return waitMs < LEAST_PAUSE_MS ? undefined : new Promise((resolve) => void this.#clock.setTimeout(resolve, waitMs))
  }

  /** Sends what is queued, now or soon. */
  flush(): void {
    if (this.sender.flush() === 0 || this.#timer !== undefined) return
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined
      this.flush()
    }, RETRY_MS)
  }

  /** Sends what is queued, for as long as a second; the rest is dropped. */
  async close(): Promise<void> {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    for (let i = 0; i < RETRIES_AT_END && this.sender.flush() > 0; i++) {
      await new Promise<void>((resolve) => void this.#clock.setTimeout(resolve, RETRY_MS))
    }
    this.sender.close()
  }
}
