/**
 * Continuous queries: what changes in the result of a query, told as it changes. Pure: runs in a browser.
 *
 * @packageDocumentation
 */

export {
  type ContinuousQueries,
  type ContinuousQueriesOptions,
  type ContinuousQueriesStats,
  createContinuousQueries,
  type WatchableGraph,
  watch,
} from './watch/continuous-queries.ts'
export type { ElementDelta, ElementUpdate, WatchDelta, WatchPlan } from './watch/delta.ts'
export type { OverflowPolicy } from './watch/delta-log.ts'
export type { Watch, WatchOptions } from './watch/watch-reader.ts'
export { createWatchedResult, type WatchedResult } from './watch/watched-result.ts'
