import type { TimeSlice } from './element.ts'
import type { SearchQuery } from './filter.ts'
import type { EnhancedFlow, FlowMetric, RawPacket } from './flow.ts'
import type { FlowCoverageSummary } from './flow-coverage.ts'
import type { ReadOptions } from './graph-view.ts'

/** What is asked of flows: the search and, when it is about some nodes only, their TIDs (an empty list matches nothing). */
export interface FlowQuery extends SearchQuery {
  readonly nodeTids?: readonly string[]
  /** Hosts worth asking, for readers that ask agents; absent: all. */
  readonly hosts?: readonly string[]
}

/** The answer: flows in the order that the query asked for, and what was not heard. */
export interface FlowAnswer {
  readonly flows: readonly EnhancedFlow[]
  /** Sources that did not answer, such as `agent.alpha`; empty when the answer is whole. */
  readonly missing: readonly string[]
}

/**
 * Flows to be queried. A live reader asks the agents' tables (slice `undefined`), a stored one the past.
 * Errors: `ERR_UNAVAILABLE` when there is no flow store for a slice (`No storage backend has been configured`), `ERR_CANCELLED`.
 */
export interface FlowReader {
  search(query: FlowQuery, slice: TimeSlice | undefined, options?: ReadOptions): Promise<FlowAnswer>
  /**
   * The metrics of the flows that `query` finds, by flow UUID, sorted by `Last`; live: the last update or else the total. Sources that did not answer are
   * told to `onMissing` of the options.
   */
  metrics(
    query: FlowQuery,
    slice: TimeSlice | undefined,
    options?: ReadOptions,
  ): Promise<ReadonlyMap<string, readonly FlowMetric[]>>
  /** Kept packets by flow UUID, sorted by `Index`. Sources that did not answer are told as for {@link metrics}. */
  rawPackets(
    query: FlowQuery,
    slice: TimeSlice | undefined,
    options?: ReadOptions,
  ): Promise<ReadonlyMap<string, readonly RawPacket[]>>
  /** What was watched in the slice, or lately, and what was lost. Absent where nobody keeps account of that. */
  coverage?(slice: TimeSlice | undefined): FlowCoverageSummary
}
