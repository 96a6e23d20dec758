import { ADDRESS_WORDS, FIELD_COUNT, NetflowRecord } from './record.ts'
import type { Template } from './template.ts'

/** Records that are read at once: all of a datagram of 1,500 bytes, and few enough to stay in the first cache. */
export const MAX_ROWS = 32

/**
 * The records of a set side by side, so that a template is read field by field, each in a loop over all records, instead of record by
 * record. {@link RecordRows.records} are the same memory as records.
 */
export class RecordRows {
  /** `FIELD_COUNT` numbers a record. */
  readonly values: Float64Array = new Float64Array(MAX_ROWS * FIELD_COUNT)
  /** `ADDRESS_WORDS` words a record. */
  readonly addresses: Int32Array = new Int32Array(MAX_ROWS * ADDRESS_WORDS)
  readonly records: readonly NetflowRecord[]
  #template: Template | undefined
  /** Rows that hold something of the template. */
  #used = 0

  constructor() {
    const { values, addresses } = this
    this.records = Array.from(
      { length: MAX_ROWS },
      (_, row) =>
        new NetflowRecord(
          values.subarray(row * FIELD_COUNT, (row + 1) * FIELD_COUNT),
          addresses.subarray(row * ADDRESS_WORDS, (row + 1) * ADDRESS_WORDS),
        ),
    )
  }

  /** Makes room for `count` records of a template. What the template writes in every record stays from the records before. */
  begin(template: Template, count: number): void {
    if (this.#template !== template) {
      this.values.fill(0, 0, this.#used * FIELD_COUNT)
      this.addresses.fill(0, 0, this.#used * ADDRESS_WORDS)
      this.#template = template
      this.#used = 0
    }
    if (count > this.#used) this.#used = count
  }
}
