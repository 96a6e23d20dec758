import type { GraphNode } from '@skydive/contracts'
import { type ChangeColumns, DELETED, IS_EDGE, kindOf, ROW, ROW_SHIFT } from './change-columns.ts'
import type { RowTable } from './row-table.ts'

const INITIAL_ROWS = 256

/** Called for a row with the number of the last of the changes that touched it. */
export type TouchedRowVisitor = (row: number, last: number) => void

/**
 * Collapses changes to the rows that they touched, for one kind of element. Rows are stamped with the number of the run, so that a run costs its
 * changes and not the rows of the graph; keep the object for the next run.
 */
export class TouchedRows {
  #run = 0
  #stamps = new Int32Array(INITIAL_ROWS)

  /**
   * Tells each row that was touched after `fromMs`, from the one that was touched last. `changes` are their numbers, in order.
   * What was made at the very beginning is there at the beginning; what was deleted then is there too, and gone after.
   */
  forEach(
    columns: ChangeColumns,
    changes: Float64Array,
    { ordinals, isEdges }: Pick<RowTable<GraphNode>, 'ordinals' | 'isEdges'>,
    fromMs: number,
    visit: TouchedRowVisitor,
  ): void {
    const run = ++this.#run
    if (ordinals > this.#stamps.length) this.#stamps = new Int32Array(ordinals * 2)
    const stamps = this.#stamps
    const flag = isEdges ? IS_EDGE : 0
    for (let i = changes.length - 1; i >= 0; i--) {
      const change = changes[i]!
      const { ints, floats } = columns.chunkOf(change)
      const slot = columns.slotOf(change)
      const word = ints[slot * 8 + ROW]!
      const row = word >> ROW_SHIFT
      if ((word & IS_EDGE) !== flag || stamps[row] === run) continue
      if (floats[slot * 4]! <= fromMs && kindOf(word) !== DELETED) continue
      stamps[row] = run
      visit(row, change)
    }
  }
}
