import type { GraphElement, GraphView, TimeSlice } from '@skydive/contracts'
import { type ElementViewInit, elementView } from '@skydive/filter'
import { DEFAULT_EDGE_INDEXES, DEFAULT_NODE_INDEXES } from './default-indexes.ts'

/** What a view is made of; {@link DEFAULT_NODE_INDEXES} and {@link DEFAULT_EDGE_INDEXES} where no index is named. */
export type ViewInit = ElementViewInit

/**
 * A `GraphView` over revisions at hand, for stores (rows of a slice) and sub-graphs. Costs nothing until something is looked up; look-ups,
 * adjacency and ids are built on first use, O(rows). Edges whose ends are missing are legal: walks don't follow them.
 */
export function viewOf(init: ViewInit): GraphView {
  return elementView({ nodeIndexes: DEFAULT_NODE_INDEXES, edgeIndexes: DEFAULT_EDGE_INDEXES, ...init })
}

/** Whether two instants are one. */
export function isPoint(slice: TimeSlice): boolean {
  return slice.startMs === slice.lastMs
}

/** What of an element says when it was valid. */
export type ElementTimes = Pick<GraphElement, 'createdAtMs' | 'updatedAtMs' | 'deletedAtMs'>

/**
 * Whether a revision belongs to a slice: valid from its `updatedAtMs` until just before `supersededAtMs` (the `updatedAtMs` of the next
 * revision, `undefined` for the last one); a deleted element belongs to the very instant of its deletion too.
 */
export function isInSlice(element: ElementTimes, supersededAtMs: number | undefined, slice: TimeSlice): boolean {
  return (
    element.createdAtMs <= slice.lastMs &&
    element.updatedAtMs <= slice.lastMs &&
    (supersededAtMs === undefined || supersededAtMs > slice.startMs) &&
    (element.deletedAtMs === null || element.deletedAtMs >= slice.startMs)
  )
}
