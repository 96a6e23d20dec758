import type { GraphEdge, GraphElement, GraphNode, MetadataValue } from './element.ts'
import type { ReadOptions, SliceCoverage } from './graph-view.ts'

/**
 * Metadata that changes all the time without anything having changed: counters and when they were read. {@link DiffOptions.ignoreKeys} leaves
 * them out unless told otherwise.
 */
export const NOISY_KEYS: readonly string[] = [
  'Metric',
  'LastUpdateMetric',
  'Ovs.Metric',
  'Ovs.LastUpdateMetric',
  'SFlow.Metric',
  'SFlow.LastUpdateMetric',
  'SFlow.IfMetrics',
  'BlockdevMetric',
  'Captures.PacketsReceived',
  'Captures.PacketsDropped',
  'Captures.PacketsIfDropped',
  'Captures.TargetSent',
  'Captures.TargetDropped',
  'Captures.TargetSkipped',
]

/**
 * One value that differs: `{ key: 'MTU', before: 1500, after: 1400 }`. `key` is a dotted path down to a leaf; objects are entered, arrays are
 * told as a whole. `before` or `after` is absent when the key was not there. An id that was deleted and made again may also differ in
 * `@Host` and `@Origin`, an edge in `Parent` and `Child`.
 */
export interface KeyChange {
  readonly key: string
  readonly before?: MetadataValue
  readonly after?: MetadataValue
}

/**
 * What became of one id between two times.
 *
 * - `added`: it is there at the end only. `after` is its revision of that time, `before` is absent, `keys` is empty.
 * - `removed`: it was there at the beginning only. `before` is its very last revision with `deletedAtMs`, `keys` is empty.
 * - `changed`: it is there at both ends, and differs in `keys`. Also when it was deleted and made again in between.
 */
export interface ElementChange<E extends GraphElement> {
  readonly change: 'added' | 'removed' | 'changed'
  readonly id: string
  readonly before?: E
  readonly after?: E
  /** In the order of their keys. */
  readonly keys: readonly KeyChange[]
  /** Numbers of the revisions that were made in the window, oldest first; they begin anew when the id was deleted and made again. */
  readonly revisions: readonly number[]
}

/**
 * The difference between the graph at two times: what a look at `at(fromMs)` beside `at(toMs)` shows. Elements are in the order of their
 * last change, then of their ids. A revision tells `deletedAtMs` only when that is not after `toMs`.
 */
export interface GraphDiff {
  readonly fromMs: number
  readonly toMs: number
  readonly nodes: readonly ElementChange<GraphNode>[]
  readonly edges: readonly ElementChange<GraphEdge>[]
  /** What came and went within the window: there at neither end, so neither added nor removed. Last revisions, in order of deletion. */
  readonly transient: readonly (GraphNode | GraphEdge)[]
  /** Not complete: the changes are those since `knownFromMs`, nothing is said about the time before. */
  readonly coverage: SliceCoverage
}

/** What counts as a change. */
export interface DiffOptions extends ReadOptions {
  /**
   * Paths whose changes don't count, with everything below them, also within arrays (`Captures.PacketsReceived`). An element that differs in
   * these alone is not told. `[]`: everything counts. @default {@link NOISY_KEYS}
   */
  readonly ignoreKeys?: readonly string[]
}
