import type { GraphElement, IndexValue, MetadataValue } from '@skydive/contracts'
import type { FieldReader } from '@skydive/filter'
import type { Change } from './graph-state.ts'
import { forEachIndexValue } from './index-values.ts'
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
  private readonly deletedIds = new Map<string, number>()
  private readonly byValue = new Map<string, Map<IndexValue, number[]>>()
  private readonly table: RowTable<E>
  private readonly version: number

  constructor(table: RowTable<E>, version: number, changes: Iterable<Change>, isOurs: (change: Change) => boolean) {
    this.table = table
    this.version = version
    const touched = new Set<number>()
    const deleted = new Set<number>()
    for (const change of changes) {
      const { row } = change
      if (!isOurs(change) || !table.existsAt(row, version)) continue
      touched.add(row)
      if (table.deletedVersion[row] !== 0) deleted.add(row)
    }
    this.touched = touched
    this.deleted = [...deleted].sort((a, b) => table.sequence[a]! - table.sequence[b]!)
    for (const row of this.deleted) this.deletedIds.set(table.heads[row]!.element.id, row)
  }

  deletedRow(id: string): number {
    return this.deletedIds.get(id) ?? -1
  }

  /** The touched rows that had `value` in the field `key` as of the view's version. */
  touchedWith(key: string, value: IndexValue, read: FieldReader<E>): readonly number[] {
    let index = this.byValue.get(key)
    if (!index) {
      index = new Map()
      this.byValue.set(key, index)
      for (const row of this.touched) this.collect(index, row, read(this.table.elementAt(row, this.version)))
    }
    return index.get(value) ?? []
  }

  private collect(index: Map<IndexValue, number[]>, row: number, value: MetadataValue | undefined): void {
    forEachIndexValue(value, (own) => {
      const rows = index.get(own)
      if (rows === undefined) index.set(own, [row])
      else if (rows.at(-1) !== row) rows.push(row)
    })
  }
}
