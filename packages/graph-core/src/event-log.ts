import type { GraphBatch, GraphElement } from '@skydive/contracts'
import { changeBytes } from './change-bytes.ts'
import { type ChangeColumns, DELETED } from './change-columns.ts'
import { ForeignTimes } from './foreign-times.ts'
import { NumberQueue } from './number-queue.ts'
import { PastEvents } from './past-events.ts'
import { settledMs } from './revision-at.ts'
import type { RowTables } from './row-table.ts'

/** How much of the past is kept: whichever limit is reached first. */
export interface Retention {
  /** How long a change is remembered, ms. */
  readonly ageMs: number
  /** How much the remembered changes may occupy, bytes (an estimate of what they keep in memory). */
  readonly bytes: number
}

/** Lets go of what only the past needed of a change that is forgotten; called while its columns can still be read. */
export type Forget = (change: number) => void

/** The committed transactions in order, as far back as the retention and the views in use ask for. Entry `v` is what made version `v`. */
export class EventLog {
  /** When each transaction was committed. Position `v - 1` is that of version `v`. */
  readonly #timesMs = new NumberQueue()
  /** The number of the first change of each. */
  readonly #firsts = new NumberQueue()
  #heldBytes = 0
  #forgottenTimeMs: number
  readonly #tables: RowTables
  readonly columns: ChangeColumns
  readonly #foreignTimes: ForeignTimes
  readonly #retention: Retention

  constructor(tables: RowTables, startedAtMs: number, retention: Retention) {
    this.#tables = tables
    this.columns = tables.nodes.columns
    this.#foreignTimes = new ForeignTimes(this.columns)
    this.#forgottenTimeMs = startedAtMs
    this.#retention = retention
  }

  get length(): number {
    return this.#timesMs.end - this.#timesMs.first
  }

  get bytes(): number {
    return this.#heldBytes
  }

  /** From when on every change is known: by the times of the elements, which may lie after the commit of what was forgotten. */
  get knownFromMs(): number {
    return this.#forgottenTimeMs
  }

  /** Takes in the changes from `firstChange` on as the next version. */
  append(firstChange: number, timeMs: number): void {
    const { columns } = this
    this.#timesMs.push(timeMs)
    this.#firsts.push(firstChange)
    for (let change = firstChange; change < columns.end; change++) {
      this.#heldBytes += changeBytes(columns, change, this.#element(change))
      if (columns.time(change) === timeMs) continue
      columns.markForeign(change)
      this.#foreignTimes.note(change)
    }
  }

  /** Forgets what the retention no longer asks for and no view of a version below needs, oldest first. */
  trim(nowMs: number, oldestPinned: () => number, forget: Forget): void {
    if (!this.#isDue(nowMs)) return
    const pinned = oldestPinned()
    while (this.#isDue(nowMs)) {
      if (this.#timesMs.first + 1 > pinned) break
      this.#forgottenTimeMs = Math.max(this.#forgottenTimeMs, this.#timesMs.at(this.#timesMs.first))
      const end = this.#endOf(this.#timesMs.first)
      this.#timesMs.shift()
      this.#firsts.shift()
      while (this.columns.first < end) this.#forgetChange(forget)
    }
  }

  #forgetChange(forget: Forget): void {
    const { columns } = this
    const change = columns.first
    const element = this.#element(change)
    this.#heldBytes -= changeBytes(columns, change, element)
    if (columns.isForeign(change)) {
      this.#forgottenTimeMs = Math.max(this.#forgottenTimeMs, columns.time(change))
      this.#foreignTimes.forget(1)
    }
    if (columns.kind(change) === DELETED) this.#forgottenTimeMs = Math.max(this.#forgottenTimeMs, settledMs(element))
    forget(change)
    columns.forgetFirst()
  }

  #isDue(nowMs: number): boolean {
    if (this.length === 0) return false
    return this.#heldBytes > this.#retention.bytes || nowMs - this.#timesMs.at(this.#timesMs.first) > this.#retention.ageMs
  }

  /**
   * The numbers of the changes that show within `[fromMs, toMs]`, whenever they were committed, in order of commit. O(log n + what lies in the
   * window); with foreign ones among them O(n log n) in what they are.
   */
  changesIn(fromMs: number, toMs: number): Float64Array {
    const begin = this.#firstFrom(fromMs)
    const end = this.#firstFrom(toMs + 1)
    const foreign = this.#foreignTimes.numbersIn(fromMs, toMs)
    const changes = new Float64Array(end - begin + foreign.length)
    changes.set(foreign)
    let length = foreign.length
    for (let change = begin; change < end; change++) if (!this.columns.isForeign(change)) changes[length++] = change
    const found = changes.subarray(0, length)
    return foreign.length === 0 ? found : found.sort()
  }

  /** The number up to which all changes show by `timeMs`; later ones may too. O(log n + the foreign changes that show later). */
  firstAfter(timeMs: number): number {
    return this.#foreignTimes
      .numbersIn(timeMs + 1, Number.POSITIVE_INFINITY)
      .reduce((least, number) => Math.min(least, number), this.#firstFrom(timeMs + 1))
  }

  /** The first change that was committed at or after `timeMs`. */
  #firstFrom(timeMs: number): number {
    let low = this.#timesMs.first
    let high = this.#timesMs.end
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if (this.#timesMs.at(middle) < timeMs) low = middle + 1
      else high = middle
    }
    return this.#beginOf(low)
  }

  #beginOf(position: number): number {
    return position < this.#firsts.end ? this.#firsts.at(position) : this.columns.end
  }

  #endOf(position: number): number {
    return this.#beginOf(position + 1)
  }

  /** The batches of the versions after `version`, oldest first, made anew; `undefined` when some of them are forgotten. */
  after(version: number): readonly GraphBatch[] | undefined {
    const { first, end } = this.#timesMs
    if (version < first || version > end) return undefined
    const batches: GraphBatch[] = []
    const events = new PastEvents(this.#tables)
    // Backwards: what a change began from is what the one before it had made.
    for (let position = end - 1; position >= version; position--) {
      batches.push({
        version: position + 1,
        timeMs: this.#timesMs.at(position),
        events: events.takeBack(this.#beginOf(position), this.#endOf(position)),
      })
    }
    return batches.reverse()
  }

  #element(change: number): GraphElement {
    const { nodes, edges } = this.#tables
    const row = this.columns.row(change)
    return this.columns.isEdge(change) ? edges.elements[row]! : nodes.elements[row]!
  }
}
