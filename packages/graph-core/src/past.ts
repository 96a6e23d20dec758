import type { GraphEdge, GraphNode, GraphView, TimeSlice } from '@skydive/contracts'
import { elementView } from '@skydive/filter'
import type { EventLog } from './event-log.ts'
import type { GraphState } from './graph-state.ts'
import { revisionsOf } from './history.ts'
import { type Instant, PastRows, rowsOf } from './past-rows.ts'
import type { RowTable } from './row-table.ts'
import { isPoint } from './slice-view.ts'

/** Every revision that overlaps a slice. */
function revisionsIn<E extends GraphNode | GraphEdge>(table: RowTable<E>, slice: TimeSlice): readonly E[] {
  return rowsOf(table)
    .flatMap((row) => revisionsOf(table, row, slice))
    .sort((a, b) => a.updatedAtMs - b.updatedAtMs || a.revision - b.revision)
}

/** What is remembered of an instant. In a transaction its own changes are among those that show later. */
function instantOf({ committedEnd, columns }: GraphState, log: EventLog, timeMs: number): Instant {
  const isKnown = timeMs >= log.knownFromMs
  return { timeMs, since: isKnown ? columns.lend(Math.min(log.firstAfter(timeMs), committedEnd)) : undefined }
}

/**
 * The rows of a slice from the revisions in memory: O(all elements that are remembered). At a point each id has its revision of that
 * instant, in order of creation; in a duration every revision that overlaps, in order of update. An end after the slice is not told.
 */
export function openPast(
  state: GraphState,
  log: EventLog,
  slice: TimeSlice,
  indexes: { nodes: readonly string[]; edges: readonly string[] },
): GraphView {
  const init = { slice, nodeIndexes: indexes.nodes, edgeIndexes: indexes.edges }
  if (!isPoint(slice))
    return elementView({ ...init, nodes: revisionsIn(state.nodes, slice), edges: revisionsIn(state.edges, slice) })
  const instant = instantOf(state, log, slice.startMs)
  return elementView({
    ...init,
    nodes: new PastRows(state.nodes, instant),
    edges: new PastRows(state.edges, instant),
  })
}
