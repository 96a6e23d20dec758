/**
 * A temporal property graph in memory: written in transactions by origin, followed by batches of events, read at one version or at any
 * time that is still remembered. Pure: runs in a browser.
 *
 * @packageDocumentation
 */

export { DEFAULT_EDGE_INDEXES, DEFAULT_NODE_INDEXES } from './default-indexes.ts'
export { assembleDiff, checkWindow, type DiffParts, type EndsOfWindow, elementChange } from './element-change.ts'
export type { Retention } from './event-log.ts'
export { createGraph, type Graph, type GraphOptions, type GraphStats, type WriterOptions } from './graph.ts'
export { IgnoredKeys } from './key-changes.ts'
export {
  areLinked,
  childrenOf,
  type EdgeTest,
  edgesOf,
  firstLink,
  firstNodeWith,
  forEachNodeRowWith,
  type NodeTest,
  nodesWith,
  ownerOf,
  parentsOf,
  relation,
} from './lookup.ts'
export { shortestPath } from './shortest-path.ts'
export { type ElementTimes, isInSlice, isPoint, type ViewInit, viewOf } from './slice-view.ts'
export { loadSnapshot, type Snapshot } from './snapshot.ts'
