/** A repeated job may take one part in this many of the time. */
const IDLE_FACTOR = 10

/** Lets a costly job run at once, and again only after ten times as long as it took. */
export class CostLimit {
  #nextMs = 0

  /** Runs `job` unless it is too early. Answers 0 when it ran, otherwise how long to wait, ms. */
  run(job: () => void): number {
    const startMs = performance.now()
    if (startMs < this.#nextMs) return Math.ceil(this.#nextMs - startMs)
    job()
    const endMs = performance.now()
    this.#nextMs = endMs + (endMs - startMs) * IDLE_FACTOR
    return 0
  }
}
