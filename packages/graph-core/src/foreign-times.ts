import type { ChangeColumns } from './change-columns.ts'

const COMPACT_ABOVE = 256

/**
 * The numbers of the remembered changes that show at another time than that of their commit, because a sender's clock or a slow line came
 * before it, in the order in which they show. Noting one costs a push; sorting is left to the first who reads, and then costs what is new and
 * what it overlaps.
 */
export class ForeignTimes {
  readonly #columns: ChangeColumns
  #sorted: number[] = []
  /** Noted since the last sorting, in order of commit. */
  #fresh: number[] = []
  #forgotten = 0

  constructor(columns: ChangeColumns) {
    this.#columns = columns
  }

  note(number: number): void {
    this.#fresh.push(number)
  }

  /** Lets go of `count` numbers that the columns have forgotten. */
  forget(count: number): void {
    this.#forgotten += count
    if (this.#forgotten >= COMPACT_ABOVE && this.#forgotten * 2 >= this.#sorted.length + this.#fresh.length) this.#compact()
  }

  /** The changes that show within `[fromMs, toMs]`, by that time; those of one time in order of commit. O(log n + what it answers). */
  numbersIn(fromMs: number, toMs: number): readonly number[] {
    this.#sort()
    const columns = this.#columns
    const sorted = this.#sorted
    const found: number[] = []
    for (let i = this.#firstFrom(fromMs); i < sorted.length && this.#time(sorted[i]!) <= toMs; i++) {
      if (sorted[i]! >= columns.first) found.push(sorted[i]!)
    }
    return found
  }

  /** What the columns have let go of has no time any more: it must be gone before anything is compared. */
  #sort(): void {
    if (this.#forgotten > 0) this.#compact()
    if (this.#fresh.length === 0) return
    const byTime = (a: number, b: number): number => this.#time(a) - this.#time(b)
    // Equal times stay in order of commit: the sort is stable, and what is new comes after.
    this.#fresh.sort(byTime)
    const overlap = this.#sorted.splice(this.#firstFrom(this.#time(this.#fresh[0]!)))
    const merged = overlap.length === 0 ? this.#fresh : overlap.concat(this.#fresh).sort(byTime)
    for (const number of merged) this.#sorted.push(number)
    this.#fresh = []
  }

  #compact(): void {
    const isKept = (number: number): boolean => number >= this.#columns.first
    this.#sorted = this.#sorted.filter(isKept)
    this.#fresh = this.#fresh.filter(isKept)
    this.#forgotten = 0
  }

  #time(number: number): number {
    return this.#columns.time(number)
  }

  /** The place of the first one at or after `timeMs`. */
  #firstFrom(timeMs: number): number {
    let low = 0
    let high = this.#sorted.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#time(this.#sorted[middle]!) < timeMs) low = middle + 1
      else high = middle
    }
    return low
  }
}
