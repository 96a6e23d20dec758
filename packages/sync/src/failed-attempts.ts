/** A reason that goes on is told again after so long, ms. */
const TOLD_AGAIN_MS = 300_000
/** Reasons that are kept apart; what comes beyond them is told each time. */
const MAX_REASONS = 16

/**
 * Which of the attempts that fail in a row are worth a line in the log: the first for each reason, and then one in five minutes, so that a peer that is away for
 * a night leaves a hundred lines and not ten thousand.
 */
export class FailedAttempts {
  readonly #told = new Map<string, number>()
  #untold = 0

  /** Notes one more. Answers how many there were since the last line, this one included, when it is time for another; else `undefined`. */
  note(reason: string, nowMs: number): number | undefined {
    this.#untold++
    const toldMs = this.#told.get(reason)
    if (toldMs !== undefined && nowMs - toldMs < TOLD_AGAIN_MS) return undefined
    if (toldMs === undefined) this.#forgetOld(nowMs)
    if (toldMs !== undefined || this.#told.size < MAX_REASONS) this.#told.set(reason, nowMs)
    const attempts = this.#untold
    this.#untold = 0
    return attempts
  }

  /** Makes room: reasons that would be told again are as good as new. Commands that fail are never followed by one that clears them. */
  #forgetOld(nowMs: number): void {
    for (const [reason, toldMs] of this.#told) if (nowMs - toldMs >= TOLD_AGAIN_MS) this.#told.delete(reason)
  }

  /** One succeeded: the next failure is news. */
  clear(): void {
    this.#told.clear()
    this.#untold = 0
  }
}
