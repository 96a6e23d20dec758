import type { GraphEdge, GraphNode, MetadataValue, TimeSlice } from './element.ts'
import type { Filter } from './filter.ts'
import type { DiffOptions, GraphDiff } from './graph-diff.ts'
import type { NeighborSpan } from './neighbor-span.ts'

/** Return `false` to stop the walk; anything else goes on. */
export type OrdinalVisitor = (ordinal: number) => boolean | undefined

/** Called with an edge and the node at its other end. Return `false` to stop. */
export type NeighborVisitor = (edge: number, node: number) => boolean | undefined

/** Values that indexes are keyed by. */
export type IndexValue = string | number | boolean

/**
 * One consistent version of a graph, read synchronously. Ordinals are small integers that name rows of this view; they mean nothing in
 * another view and are not ordered in any way that a caller may rely on. In a view of a duration (`slice.startMs < slice.lastMs`) every
 * revision is a row of its own, so one id may have several rows; in a live view or at a point in time it has at most one.
 *
 * Nothing here throws for an unknown id: look-ups answer -1. Passing an ordinal that did not come from this view is undefined behaviour.
 */
export interface GraphView {
  /** Grows with every commit of the graph; 0 in views that come from a store. */
  readonly version: number
  /** `undefined` for the present. */
  readonly slice: TimeSlice | undefined
  readonly nodeCount: number
  readonly edgeCount: number
  /**
   * One more than the greatest ordinal: the length of a stamp array over nodes (or edges). Rows may have gaps.
   */
  readonly nodeOrdinals: number
  readonly edgeOrdinals: number

  /** The row of a node id (the newest one in a duration), or -1. O(1). */
  nodeOrdinal(id: string): number
  edgeOrdinal(id: string): number
  /** The revision object of a row, the same one every time; another view may have an equal one in its place. O(1) in the present. */
  node(ordinal: number): GraphNode
  edge(ordinal: number): GraphEdge

  /** Every node row, in a deterministic order: creation (a point in time, the present), update time (a duration). */
  forEachNode(visit: OrdinalVisitor): void
  forEachEdge(visit: OrdinalVisitor): void

  /**
   * How many rows an index holds for `key` equal to `value`; -1 when this key has no index. O(1).
   * `key` is a metadata path or `@Host`, `@Origin`. Array values are indexed by each of their scalars.
   */
  nodeCardinality(key: string, value: IndexValue): number
  edgeCardinality(key: string, value: IndexValue): number
  /** The rows behind {@link nodeCardinality}, in order of creation. Only call it when that is not -1. */
  forEachNodeWith(key: string, value: IndexValue, visit: OrdinalVisitor): void
  forEachEdgeWith(key: string, value: IndexValue, visit: OrdinalVisitor): void

  /** Edges whose parent is `node`, with their child; O(degree). In a duration: every revision of both. */
  forEachOut(node: number, visit: NeighborVisitor): void
  /** Edges whose child is `node`, with their parent. */
  forEachIn(node: number, visit: NeighborVisitor): void
  /**
   * What {@link forEachOut} tells, in its order, at once: no call for each neighbour, and no way to stop. O(degree), and O(1) in the present where
   * much is read and little linked. What was read stays right as long as the view does.
   */
  readOut(node: number, span: NeighborSpan): void
  /** The same of {@link forEachIn}. */
  readIn(node: number, span: NeighborSpan): void
  /** The rows of an edge's parent and child; -1 when the end is not in the view. */
  parentOf(edge: number): number
  childOf(edge: number): number

  /** The value at a metadata path of a node, as spec graph 1.4 reads it; `undefined` when absent. */
  nodeValue(ordinal: number, path: string): MetadataValue | undefined
  edgeValue(ordinal: number, path: string): MetadataValue | undefined
}

/** Whether an answer about a slice is whole. `knownFromMs` is where knowledge begins when it is not. */
export type SliceCoverage = { readonly complete: true } | { readonly complete: false; readonly knownFromMs: number }

/** What to read from a source that can filter by itself. `filter` undefined: everything. */
export interface ElementSelection {
  readonly kind: 'node' | 'edge'
  readonly filter?: Filter
  readonly limit?: number
}

/** Options of every read that may take long. */
export interface ReadOptions {
  readonly signal?: AbortSignal
  /** Told of each source that did not answer, such as `agent.alpha`, by reads whose answer has no member for that. */
  readonly onMissing?: (source: string) => void
}

/**
 * A graph that can be read at any time that it knows. Memory, history and stores implement it; queries run over it.
 *
 * `open` pins a version (present) or materialises the rows of a slice (past); the view stays valid and unchanged until it is no longer
 * referenced. Errors: `ERR_UNAVAILABLE` when a store can't be reached, `ERR_CANCELLED` when the signal fired, `ERR_UNSUPPORTED` for
 * a slice when there is no history at all.
 */
export interface GraphSource {
  /** The present, where it is at hand: what {@link open} without a slice answers, with nothing to wait for. */
  readonly view?: GraphView | undefined
  open(slice?: TimeSlice, options?: ReadOptions): Promise<GraphView>
  /** Says whether `slice` lies wholly in what is known; never throws. */
  coverage(slice: TimeSlice): Promise<SliceCoverage>
  /**
   * Push-down: of the rows that `open` would show those that match, in the order of `forEachNode` or `forEachEdge`, in batches and without
   * materialising the rest. Absent where a scan of `open` is as good.
   */
  select?(
    selection: ElementSelection,
    slice: TimeSlice | undefined,
    options?: ReadOptions,
  ): AsyncIterable<readonly (GraphNode | GraphEdge)[]>
  /**
   * What differs between the graph at `fromMs` and at `toMs`, at a cost of what happened in between. Memory answers at once, others by promise:
   * `await` it. Absent in a source without a past.
   * @throws ERR_INVALID_ARGUMENT when `fromMs` is after `toMs`; ERR_UNSUPPORTED when no history is kept.
   */
  diff?(fromMs: number, toMs: number, options?: DiffOptions): GraphDiff | Promise<GraphDiff>
  /**
   * The revisions of one node or edge that are known, in the order in which they were made; with a slice those that were valid in it. A deleted
   * element ends with a revision that has `deletedAtMs`; an id that came back begins anew at revision 1. Empty for an unknown id.
   * {@link coverage} says whether the beginning may be missing.
   */
  history?(
    id: string,
    slice?: TimeSlice,
    options?: ReadOptions,
  ): readonly (GraphNode | GraphEdge)[] | Promise<readonly (GraphNode | GraphEdge)[]>
}
