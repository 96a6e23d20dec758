import {
  COUNTERS,
  coldOf,
  LAST_MS,
  REPORTED,
  type RecordColumns,
  START_MS,
  UPDATE,
  UPDATE_LAST_MS,
  UPDATE_START_MS,
  wideOf,
} from './record-columns.ts'

/** What flows of records counted since they were last told of: their `LastUpdateMetric`. */
export class RecordDifferences {
  /** When the last update was; 0 before the first. */
  lastUpdateMs = 0
  readonly #columns: RecordColumns

  constructor(columns: RecordColumns) {
    this.#columns = columns
  }

  /** Whether a record changed what the flow counted since it was last measured. */
  isTouched(id: number): boolean {
    const { wide, cold } = this.#columns
    const [counters, reported] = [wideOf(id, COUNTERS), coldOf(id, REPORTED)]
    for (let i = 0; i < 4; i++) if (wide[counters + i] !== cold[reported + i]) return true
    return false
  }

  /** Measures a flow that leaves, also without records since: what an update told must not be told once more. */
  measureLeaving(id: number): void {
    const lastMs = this.isTouched(id) ? this.#columns.wide[wideOf(id, LAST_MS)]! : this.lastUpdateMs
    this.measure(id, this.lastUpdateMs, lastMs)
  }

  /** Writes the difference since the last measurement and remembers the totals. */
  measure(id: number, fromMs: number, lastMs: number): void {
    const { wide, cold } = this.#columns
    const [counters, at] = [wideOf(id, COUNTERS), coldOf(id, 0)]
    const isFirst = cold[at + UPDATE_LAST_MS] === 0
    for (let i = 0; i < 4; i++) {
      cold[at + UPDATE + i] = wide[counters + i]! - cold[at + REPORTED + i]!
      cold[at + REPORTED + i] = wide[counters + i]!
    }
    cold[at + UPDATE_START_MS] = isFirst ? wide[wideOf(id, START_MS)]! : fromMs
    cold[at + UPDATE_LAST_MS] = lastMs
  }
}
