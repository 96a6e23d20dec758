/**
 * The seam between the history that memory holds and what a store holds, as one source for queries.
 *
 * @packageDocumentation
 */

import {
  type DiffOptions,
  type ElementSelection,
  type GraphDiff,
  type GraphEdge,
  type GraphNode,
  type GraphSource,
  type GraphView,
  type ReadOptions,
  type SliceCoverage,
  type TimeSlice,
  UnsupportedError,
} from '@skydive/contracts'
import { elementField, prepareFilter } from '@skydive/filter'

/** The two halves. */
export interface HistoryOptions {
  /** The live graph, with as much of the past as it keeps. */
  readonly memory: GraphSource
  /** Follows the same event log; its `open` sees everything that memory has forgotten. */
  readonly store: GraphSource
}

/** A source for every time, with all that can be asked of the past. */
export interface History extends GraphSource {
  diff(fromMs: number, toMs: number, options?: DiffOptions): Promise<GraphDiff>
  history(id: string, slice?: TimeSlice, options?: ReadOptions): Promise<readonly (GraphNode | GraphEdge)[]>
}

/**
 * One source for every time: the present and the near past from memory, the rest from the store. A slice is answered by one of the two, never
 * by both, so there is neither a gap nor a double at the seam: memory when it covers the slice wholly, else the store, which has it all. So are a
 * difference between two times, and the history of an id; its whole history is the store's.
 * Errors are those of the half that answers.
 */
export function createHistory({ memory, store }: HistoryOptions): History {
  const halfOf = async (slice: TimeSlice | undefined): Promise<GraphSource> =>
    !slice || (await memory.coverage(slice)).complete ? memory : store

  return {
    get view() {
      return memory.view
    },

    async open(slice?: TimeSlice, options?: ReadOptions): Promise<GraphView> {
      return (await halfOf(slice)).open(slice, options)
    },

    async *select(selection: ElementSelection, slice: TimeSlice | undefined, options?: ReadOptions) {
      const half = await halfOf(slice)
      if (half.select) yield* half.select(selection, slice, options)
      else yield matching(await half.open(slice, options), selection)
    },

    async diff(fromMs, toMs, options) {
      const half = await halfOf({ startMs: fromMs, lastMs: toMs })
      if (!half.diff) throw new UnsupportedError('this history tells no differences between two times', {})
      return half.diff(fromMs, toMs, options)
    },

    async history(id, slice, options) {
      const half = slice ? await halfOf(slice) : store
      if (!half.history) throw new UnsupportedError('this history tells no revisions of one element', {})
      return half.history(id, slice, options)
    },

    async coverage(slice: TimeSlice): Promise<SliceCoverage> {
      const inMemory = await memory.coverage(slice)
      return inMemory.complete ? inMemory : store.coverage(slice)
    },
  }
}

/** Those elements of a view that a selection means, in its order. */
async function matching(
  view: GraphView,
  { kind, filter = {}, limit = Number.POSITIVE_INFINITY }: ElementSelection,
): Promise<readonly (GraphNode | GraphEdge)[]> {
  const matches = await prepareFilter<GraphNode | GraphEdge>(filter, elementField)
  const found: (GraphNode | GraphEdge)[] = []
  const take = (element: GraphNode | GraphEdge): boolean => {
    if (found.length < limit && matches(element)) found.push(element)
    return found.length < limit
  }
  if (kind === 'node') view.forEachNode((row) => take(view.node(row)))
  else view.forEachEdge((row) => take(view.edge(row)))
  return found
}
