import type { GraphEdge, GraphNode, TimeSlice } from '@skydive/contracts'
import type { GraphState } from './graph-state.ts'
import { asOf } from './revision-at.ts'
import type { RowTable } from './row-table.ts'

/** The remembered revisions of an id, nodes before edges; see `GraphSource.history`. Costs what is remembered of the id. */
export function historyOf(state: GraphState, id: string, slice?: TimeSlice): readonly (GraphNode | GraphEdge)[] {
  return [...livesOf(state.nodes, id, slice), ...livesOf(state.edges, id, slice)]
}

function livesOf<E extends GraphNode | GraphEdge>(table: RowTable<E>, id: string, slice?: TimeSlice): readonly E[] {
  return table.lives(id).flatMap((row) => revisionsOf(table, row, slice))
}

/**
 * The revisions of one life, oldest first: that which held at the beginning of the slice, and those that were made in it. The revision that a
 * deletion ended is told once, with the deletion. Goes back no further than that.
 */
export function revisionsOf<E extends GraphNode | GraphEdge>(table: RowTable<E>, row: number, slice?: TimeSlice): readonly E[] {
  const { startMs, lastMs } = slice ?? { startMs: Number.NEGATIVE_INFINITY, lastMs: Number.POSITIVE_INFINITY }
  const { createdAtMs, deletedAtMs } = table.elements[row]!
  const found: E[] = []
  if (createdAtMs > lastMs || (deletedAtMs !== null && deletedAtMs < startMs)) return found
  // What was announced for a time after the end of the life never held in a slice.
  const endMs = slice && deletedAtMs !== null ? Math.min(lastMs, deletedAtMs) : lastMs
  const walk = table.walk(row)
  let isBefore = false
  do {
    const isMadeBefore = walk.updatedAtMs <= startMs
    const isWanted = isMadeBefore ? !isBefore && createdAtMs <= startMs : walk.updatedAtMs <= endMs
    if (isWanted) found.push(asOf(walk.element(), lastMs))
    isBefore ||= isMadeBefore
    if (isBefore && !table.backdated.has(row)) break
    if (walk.deletedAtMs !== null) walk.back()
  } while (walk.back())
  return found.reverse()
}
