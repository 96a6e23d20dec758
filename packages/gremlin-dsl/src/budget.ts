import type { Clock } from '@skydive/contracts'
import { CancelledError, LimitError } from '@skydive/contracts'

/** What one query may cost. Every limit has its name in the error that it raises. */
export interface Budgets {
  /** Nodes and edges looked at, all steps together. */
  readonly visited: number
  /** Elements of the answer, and of what a step hands to the next as a whole. */
  readonly results: number
  /** Time from start to answer, ms. */
  readonly timeMs: number
}

/** Generous for a person, finite for a mistake. */
export const DEFAULT_BUDGETS: Budgets = { visited: 50_000_000, results: 2_000_000, timeMs: 30_000 }

const CHECK_EVERY = 8192

/** Counts what a query spends. @throws ERR_LIMIT naming `visited`, `results` or `timeMs`; ERR_CANCELLED when the signal fired. */
export class Budget {
  private visited = 0
  private nextCheck = CHECK_EVERY
  private readonly limits: Budgets
  private readonly clock: Pick<Clock, 'now'>
  private readonly signal: AbortSignal | undefined
  private readonly deadlineMs: number

  constructor(limits: Budgets, clock: Pick<Clock, 'now'>, signal: AbortSignal | undefined) {
    this.limits = limits
    this.clock = clock
    this.signal = signal
    this.deadlineMs = clock.now() + limits.timeMs
  }

  /** One more element is looked at. */
  visit(): void {
    if (++this.visited >= this.nextCheck) this.check()
  }

  /** Many at once, such as a whole index list. */
  visitMany(count: number): void {
    this.visited += count
    if (this.visited >= this.nextCheck) this.check()
  }

  results(count: number): void {
    if (count <= this.limits.results) return
    throw new LimitError(
      `the query has more than ${this.limits.results} results (budget "results"); narrow it or end it with Limit or Count`,
      'results',
    )
  }

  /** Also to be called after every wait. */
  check(): void {
    this.nextCheck = this.visited + CHECK_EVERY
    if (this.signal?.aborted) throw new CancelledError(undefined, this.signal.reason)
    if (this.visited > this.limits.visited) {
      throw new LimitError(
        `the query looked at more than ${this.limits.visited} elements (budget "visited"); begin with Has on an indexed key`,
        'visited',
      )
    }
    if (this.clock.now() > this.deadlineMs) {
      throw new LimitError(`the query took longer than ${this.limits.timeMs} ms (budget "timeMs"); narrow it`, 'timeMs')
    }
  }
}
