/**
 * The seam between the history that memory holds and what a store holds, as one source for queries.
 *
 * @packageDocumentation
 */

import type { GraphSource, GraphView, ReadOptions, SliceCoverage, TimeSlice } from '@skydive/contracts'

/** The two halves. */
export interface HistoryOptions {
  /** The live graph, with as much of the past as it keeps. */
  readonly memory: GraphSource
  /** Follows the same event log; its `open` sees everything that memory has forgotten. */
  readonly store: GraphSource
}

/**
 * One source for every time: the present and the near past from memory, the rest from the store. A slice is answered by one of the two, never
 * by both, so there is neither a gap nor a double at the seam: memory when it covers the slice wholly, else the store, which has it all.
 * Errors are those of the half that answers.
 */
export function createHistory({ memory, store }: HistoryOptions): GraphSource {
  return {
    async open(slice?: TimeSlice, options?: ReadOptions): Promise<GraphView> {
      if (!slice || (await memory.coverage(slice)).complete) return memory.open(slice, options)
      return store.open(slice, options)
    },

    async coverage(slice: TimeSlice): Promise<SliceCoverage> {
      const inMemory = await memory.coverage(slice)
      return inMemory.complete ? inMemory : store.coverage(slice)
    },
  }
}
