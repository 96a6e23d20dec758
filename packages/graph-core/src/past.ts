import type { GraphElement, GraphView, TimeSlice } from '@skydive/contracts'
import type { GraphState } from './graph-state.ts'
import type { RowTable } from './row-table.ts'
import { isInSlice, isPoint, viewOf } from './slice-view.ts'

/** The revisions of one row that belong to the slice, newest first. A deletion stands for the revision that it ended. */
function revisionsOf<E extends GraphElement>(table: RowTable<E>, row: number, slice: TimeSlice, out: E[]): void {
  const point = isPoint(slice)
  let supersededAtMs: number | undefined
  for (let revision = table.heads[row]; revision; revision = revision.previous) {
    const { element } = revision
    if (isInSlice(element, supersededAtMs, slice)) {
      out.push(element)
      if (point) return
    }
    supersededAtMs = element.updatedAtMs
    if (element.deletedAtMs !== null && revision.previous) revision = revision.previous
    if (element.updatedAtMs < slice.startMs) return
  }
}

function elementsOf<E extends GraphElement>(table: RowTable<E>, slice: TimeSlice): readonly E[] {
  const rows: number[] = [...table.graves]
  for (let row = table.first; row >= 0; row = table.after(row)) rows.push(row)
  if (table.graves.size > 0) rows.sort((a, b) => table.sequence[a]! - table.sequence[b]!)
  const found: E[] = []
  for (const row of rows) revisionsOf(table, row, slice, found)
  if (isPoint(slice)) return onePerId(found)
  return found.sort((a, b) => a.updatedAtMs - b.updatedAtMs || a.revision - b.revision)
}

/** An element that was deleted and made again within one instant has two rows then: the younger one stands. */
function onePerId<E extends GraphElement>(elements: readonly E[]): readonly E[] {
  const deleted = new Set<string>()
  for (const element of elements) if (element.deletedAtMs !== null) deleted.add(element.id)
  if (deleted.size === 0) return elements
  const last = new Map<string, E>()
  for (const element of elements) {
    if (!deleted.has(element.id)) continue
    const known = last.get(element.id)
    if (!known || known.deletedAtMs !== null) last.set(element.id, element)
  }
  return elements.filter((element) => !deleted.has(element.id) || last.get(element.id) === element)
}

/**
 * The rows of a slice from the revisions in memory: O(all elements that are remembered). At a point each id has its revision of that
 * instant, in order of creation; in a duration every revision that overlaps, in order of update.
 */
export function openPast(
  state: GraphState,
  slice: TimeSlice,
  indexes: { nodes: readonly string[]; edges: readonly string[] },
): GraphView {
  return viewOf({
    nodes: elementsOf(state.nodes, slice),
    edges: elementsOf(state.edges, slice),
    slice,
    nodeIndexes: indexes.nodes,
    edgeIndexes: indexes.edges,
  })
}
