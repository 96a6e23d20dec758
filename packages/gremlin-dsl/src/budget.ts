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
  /** What the query holds at one time, bytes, as estimated: rows, flows, packets, what was read from a store. */
  readonly memoryBytes: number
}

/** The names of the budgets. */
export type BudgetName = keyof Budgets

/** Generous for a person, finite for a mistake. */
export const DEFAULT_BUDGETS: Budgets = { visited: 50_000_000, results: 2_000_000, timeMs: 30_000, memoryBytes: 1024 ** 3 }

const CHECK_EVERY = 8192
/** The share of a budget that a query gets once more to finish, when it may answer in part. */
const GRACE = 0.1

/** @throws ERR_CANCELLED when the signal fired. */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new CancelledError(undefined, signal.reason)
}

/** Counts what a query spends. @throws ERR_LIMIT naming the budget; ERR_CANCELLED when the signal fired. */
export class Budget {
  #visited = 0
  #nextCheck = CHECK_EVERY
  #held = 0
  #limits: Budgets
  readonly #clock: Pick<Clock, 'now'>
  readonly #signal: AbortSignal | undefined
  #deadlineMs: number
  /** The last error raised here, and which budget it is about. */
  #spent: { readonly error: LimitError; readonly name: BudgetName } | undefined

  constructor(limits: Budgets, clock: Pick<Clock, 'now'>, signal: AbortSignal | undefined) {
    this.#limits = limits
    this.#clock = clock
    this.#signal = signal
    this.#deadlineMs = clock.now() + limits.timeMs
  }

  /** So many more elements are looked at. */
  visit(count = 1): void {
    this.#visited += count
    if (this.#visited >= this.#nextCheck) this.check()
  }

  get maxResults(): number {
    return this.#limits.results
  }

  results(count: number): void {
    if (count <= this.#limits.results) return
    throw this.#exceeded('results', 'has more than', 'results', 'narrow it or end it with Limit or Count')
  }

  /** So many bytes more are held until the step is done. */
  hold(bytes: number): void {
    this.#held += bytes
    this.checkMemory()
  }

  /** Says what is held between two steps; answers whether that is more than may be, for {@link Budget.checkMemory} to raise. */
  holdsTooMuch(bytes: number): boolean {
    this.#held = bytes
    return bytes > this.#limits.memoryBytes
  }

  /** ms that are left. */
  remainingMs(): number {
    return Math.max(0, this.#deadlineMs - this.#clock.now())
  }

  /** Also to be called after every wait. */
  check(): void {
    this.#nextCheck = this.#visited + CHECK_EVERY
    checkSignal(this.#signal)
    if (this.#visited > this.#limits.visited) {
      throw this.#exceeded('visited', 'looked at more than', 'elements', 'begin with Has on an indexed key')
    }
    if (this.#clock.now() > this.#deadlineMs) throw this.timeIsUp()
  }

  /** The error of a query that took too long. */
  timeIsUp(): LimitError {
    return this.#exceeded('timeMs', 'took longer than', 'ms', 'narrow it')
  }

  /**
   * The budget that an error is about, when it was raised here; then a little more of it is granted, so that the steps that follow can work
   * on what there is. `undefined` for any other error.
   */
  forgive(error: unknown): BudgetName | undefined {
    const spent = this.#spent
    const limits = this.#limits
    if (spent === undefined || spent.error !== error) return undefined
    this.#limits = {
      ...limits,
      visited: this.#visited + Math.ceil(limits.visited * GRACE),
      memoryBytes: this.#held + Math.ceil(limits.memoryBytes * GRACE),
    }
    this.#deadlineMs = this.#clock.now() + Math.max(0, limits.timeMs * GRACE)
    return spent.name
  }

  /** @throws when more is held than may be. */
  checkMemory(): void {
    if (this.#held <= this.#limits.memoryBytes) return
    throw this.#exceeded('memoryBytes', 'holds more than', 'bytes', 'narrow it or end it with Limit or Count')
  }

  #exceeded(name: BudgetName, did: string, unit: string, advice: string): LimitError {
    const error = new LimitError(`the query ${did} ${this.#limits[name]} ${unit} (budget "${name}"); ${advice}`, name)
    this.#spent = { error, name }
    return error
  }
}
