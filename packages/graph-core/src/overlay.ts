import type { GraphElement, IndexValue } from '@skydive/contracts'
import { addToIndex, type FieldReader } from '@skydive/filter'
import type { RowTable } from './row-table.ts'

/**
 * What has changed in one kind of element since a version, so that a view of that version stays right over structures that move on:
 * rows of that version that are deleted by now, and rows whose present revision is younger.
 */
export class TableOverlay<E extends GraphElement> {
  /** Rows that the view sees and that are deleted by now, in order of creation. */
  readonly deleted: readonly number[]
  /** Rows that the view sees and that are deleted or changed by now. */
  readonly touched: ReadonlySet<number>
  readonly #deletedIds = new Map<string, number>()
  readonly #byValue = new Map<string, Map<IndexValue, number[]>>()
  readonly #table: RowTable<E>
  readonly #mark: number

  /** The changes from number `mark` on are younger than `version`. */
  constructor(table: RowTable<E>, version: number, mark: number) {
    this.#table = table
    this.#mark = mark
    const { columns, isEdges } = table
    const touched = new Set<number>()
    const deleted = new Set<number>()
    for (let change = mark; change < columns.end; change++) {
      const row = columns.row(change)
      if (columns.isEdge(change) !== isEdges || !table.existsAt(row, version)) continue
      touched.add(row)
      if (table.deletedVersion[row] !== 0) deleted.add(row)
    }
    this.touched = touched
    this.deleted = [...deleted].sort((a, b) => table.sequence[a]! - table.sequence[b]!)
    for (const row of this.deleted) this.#deletedIds.set(table.elements[row]!.id, row)
  }

  deletedRow(id: string): number {
    return this.#deletedIds.get(id) ?? -1
  }

  /** The touched rows that had `value` in the field `key` as of the view's version. */
  touchedWith(key: string, value: IndexValue, read: FieldReader<E>): readonly number[] {
    let index = this.#byValue.get(key)
    if (!index) {
      index = new Map()
      this.#byValue.set(key, index)
      for (const row of this.touched) addToIndex(index, row, read(this.#table.elementAt(row, this.#mark)))
    }
    return index.get(value) ?? []
  }
}
