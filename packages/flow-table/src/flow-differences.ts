import type { FlowColumns } from './flow-columns.ts'
import {
  RECORD_AB_BYTES_WIDE,
  RECORD_BA_BYTES_WIDE,
  RECORD_SHIFT,
  WIDE_REPORTED,
  WIDE_SHIFT,
  WIDE_UPDATE,
  WIDE_UPDATE_LAST_MS,
  WIDE_UPDATE_RTT_NS,
  WIDE_UPDATE_START_MS,
} from './layout.ts'

/** What flows counted since they were last told of: their `LastUpdateMetric`. */
export class FlowDifferences {
  /** When the last update was; 0 before the first. */
  lastUpdateMs = 0
  readonly #columns: FlowColumns

  constructor(columns: FlowColumns) {
    this.#columns = columns
  }

  /** Whether the flow had packets since it was last measured. */
  isTouched(id: number): boolean {
    const { wide } = this.#columns
    const base = (id << WIDE_SHIFT) + WIDE_REPORTED
    return this.#columns.packets(id) !== wide[base]! + wide[base + 1]!
  }

  /** Writes the difference since the last measurement and remembers the totals. */
  measure(id: number, fromMs: number, lastMs: number): void {
    const columns = this.#columns
    const { recordsWide, wide } = columns
    const base = id << RECORD_SHIFT
    const row = id << WIDE_SHIFT
    const isFirst = wide[row + WIDE_UPDATE_LAST_MS] === 0
    const wasTouched = this.isTouched(id)
    this.#measure(row, 0, columns.packetsOf(id, 0))
    this.#measure(row, 1, columns.packetsOf(id, 1))
    this.#measure(row, 2, recordsWide[(base >> 1) + RECORD_AB_BYTES_WIDE]!)
    this.#measure(row, 3, recordsWide[(base >> 1) + RECORD_BA_BYTES_WIDE]!)
    wide[row + WIDE_UPDATE_START_MS] = isFirst ? columns.starts[id]! : fromMs
    wide[row + WIDE_UPDATE_LAST_MS] = lastMs
    wide[row + WIDE_UPDATE_RTT_NS] = wasTouched ? columns.rtts[id]! : 0
  }

  #measure(row: number, counter: number, total: number): void {
    const { wide } = this.#columns
    wide[row + WIDE_UPDATE + counter] = total - wide[row + WIDE_REPORTED + counter]!
    wide[row + WIDE_REPORTED + counter] = total
  }

  /**
   * Measures a flow that leaves, by expiry, eviction or the end of its table: differences added up are its totals. Also without packets
   * since: what an update told must not be told once more.
   */
  measureLeaving(id: number): void {
    this.measure(id, this.lastUpdateMs, this.isTouched(id) ? this.#columns.lastMs(id) : this.lastUpdateMs)
  }
}
