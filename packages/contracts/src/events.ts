import type { GraphEdge, GraphNode, MetadataOp } from './element.ts'

/**
 * One change of a graph. `node`/`edge` is the revision after the change; `previous` the one before.
 * `ops` are the effective operations in the order in which they were applied (never empty in an update).
 * A deleted element carries its `deletedAtMs`.
 */
export type GraphEvent =
  | { readonly kind: 'node-added'; readonly node: GraphNode }
  | { readonly kind: 'node-updated'; readonly node: GraphNode; readonly previous: GraphNode; readonly ops: readonly MetadataOp[] }
  | { readonly kind: 'node-deleted'; readonly node: GraphNode }
  | { readonly kind: 'edge-added'; readonly edge: GraphEdge }
  | { readonly kind: 'edge-updated'; readonly edge: GraphEdge; readonly previous: GraphEdge; readonly ops: readonly MetadataOp[] }
  | { readonly kind: 'edge-deleted'; readonly edge: GraphEdge }

/**
 * One transaction: all its events in the order in which they happened. Deleting a node emits the deletion of its edges first.
 * `version` grows by exactly 1 from batch to batch of one graph.
 */
export interface GraphBatch {
  readonly version: number
  /** When it was committed, ms since the epoch; never smaller than that of the batch before. */
  readonly timeMs: number
  readonly events: readonly GraphEvent[]
}

/** A place in the event log of one run of one graph. Written `<epoch>:<version>` on the wire. */
export interface Cursor {
  /** Names the run of the graph: a new one after every restart. */
  readonly epoch: string
  readonly version: number
}

/** Takes a batch. It must not throw; a listener that throws is reported to the graph's error listener and stays subscribed. */
export type GraphListener = (batch: GraphBatch) => void

/** How a listener wants to be told. */
export interface SubscribeOptions {
  /**
   * Leave out the batches that this listener commits itself while it handles another one (spec graph 1.8, rule 4): what linkers want.
   * Default `false`: whoever keeps a copy must see every version.
   */
  readonly skipOwn?: boolean
}

/** Ends a subscription. Calling it twice is a no-op. */
export type Unsubscribe = () => void

/**
 * The ordered event log of a graph, for those who follow it.
 *
 * - Delivery is synchronous, in the order of subscription, after the commit is visible.
 * - A transaction begun inside a listener commits at once, but its batch is delivered after every listener has seen the current one.
 * - A listener may subscribe and unsubscribe others at any time.
 */
export interface GraphEvents {
  readonly cursor: Cursor
  subscribe(listener: GraphListener, options?: SubscribeOptions): Unsubscribe
  /**
   * The batches after `cursor`, oldest first; `undefined` when the log does not reach back that far or the epoch differs:
   * the reader must take a whole snapshot instead. Costs what it returns.
   */
  since(cursor: Cursor): readonly GraphBatch[] | undefined
}
