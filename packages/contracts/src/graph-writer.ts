import type { GraphEdge, GraphNode, Metadata, MetadataOp, MetadataValue } from './element.ts'
import type { GraphView } from './graph-view.ts'

/** A node to add. Absent fields take the writer's host and the commit's time; `revision` defaults to 1. */
export interface NodeInit {
  readonly id: string
  readonly metadata: Metadata
  /**
   * The metadata is handed over: it is taken as it is, neither checked nor copied, which is most of the cost of adding. Only for what nobody else
   * holds and JSON can say (parsed from a file or message, or made for this); it must never be changed again.
   */
  readonly handedOver?: true
  readonly host?: string
  readonly createdAtMs?: number
  readonly updatedAtMs?: number
  readonly revision?: number
}

/** An edge to add. `id` defaults to `UUIDv5(OID, parent + child + RelationType)`. */
export interface EdgeInit {
  readonly id?: string
  readonly parent: string
  readonly child: string
  readonly metadata: Metadata
  /** See {@link NodeInit.handedOver}. */
  readonly handedOver?: true
  readonly host?: string
  readonly createdAtMs?: number
  readonly updatedAtMs?: number
  readonly revision?: number
}

/** One change of metadata by path; `undefined` deletes the path. Shape: `{ State: 'UP', 'Metric.RxBytes': 12, Vlan: undefined }`. */
export type MetadataPatch = Readonly<Record<string, MetadataValue | undefined>>

/**
 * The operations of one transaction. Reads see its own writes. Every refused operation throws and, unless the caller catches it inside
 * the transaction, rolls the whole transaction back: nothing of it is ever visible.
 *
 * - An operation that changes nothing is a no-op: no event, no revision.
 * - A writer may change and delete elements of its own origin only: `ERR_PERMISSION` otherwise. It may link to nodes of any origin.
 */
export interface GraphTransaction {
  node(id: string): GraphNode | undefined
  edge(id: string): GraphEdge | undefined
  /** @throws ERR_CONFLICT `Node ID conflict` when the id is taken. */
  addNode(node: NodeInit): GraphNode
  /** Adds the node or makes its metadata equal to what is given (replacing). */
  putNode(node: NodeInit): GraphNode
  /** @throws ERR_NOT_FOUND `Node not found`. */
  patchNode(id: string, patch: MetadataPatch): GraphNode
  /** Replaces the whole metadata. @throws ERR_NOT_FOUND. */
  replaceNode(id: string, metadata: Metadata): GraphNode
  /** Deletes the node and, before it, every edge touching it, of whatever origin. Unknown ids are ignored: answers `false`. */
  deleteNode(id: string): boolean
  /** @throws ERR_CONFLICT `Edge ID conflict`; ERR_NOT_FOUND `Parent node not found` or `Child node not found`. */
  addEdge(edge: EdgeInit): GraphEdge
  putEdge(edge: EdgeInit): GraphEdge
  patchEdge(id: string, patch: MetadataPatch): GraphEdge
  replaceEdge(id: string, metadata: Metadata): GraphEdge
  deleteEdge(id: string): boolean
  /** Makes `parent` the only ownership parent of `child` (spec topology 2.1); a no-op when it is already. */
  own(parent: string, child: string): GraphEdge
  /** A `layer2` edge unless the two are joined by one already, in either direction; answers the edge that joins them. */
  linkLayer2(a: string, b: string, metadata?: Metadata): GraphEdge
}

/**
 * The right to write as one origin. What a transaction commits is one version of the graph and one batch of events, delivered before
 * `transaction` returns. A transaction that changed nothing makes no version. Never nest transactions of one graph: `ERR_INVARIANT`.
 */
export interface GraphWriter {
  readonly origin: string
  readonly host: string
  /** The present, for reading. */
  readonly view: GraphView
  transaction<T>(body: (tx: GraphTransaction) => T): T
  /** Deletes every element of this origin in one transaction; answers how many nodes went. */
  clear(): number
}

/** A change made elsewhere, with the sender's ids, times and revisions (spec graph 1.7, "Replicating operations"). */
export type ReplicaChange =
  | { readonly kind: 'node-added' | 'node-updated' | 'node-deleted'; readonly node: GraphNode }
  | { readonly kind: 'edge-added' | 'edge-updated' | 'edge-deleted'; readonly edge: GraphEdge }
  | {
      readonly kind: 'node-patched' | 'edge-patched'
      readonly id: string
      readonly revision: number
      readonly updatedAtMs: number
      readonly ops: readonly MetadataOp[]
    }

/** What became of replicated changes. `refused` are those that could not be applied, with the stable text of spec graph 1.7. */
export interface ReplicaResult {
  readonly applied: number
  /** Known already, or older than what is held. */
  readonly ignored: number
  readonly refused: readonly { readonly change: ReplicaChange; readonly reason: string }[]
}

/**
 * The copy of one foreign origin in a graph that merges many. A peer's elements keep the origin, host, times and revisions that they came
 * with. Each call is one transaction; changes that are refused do not stop the others.
 */
export interface GraphReplica {
  readonly origin: string
  apply(changes: readonly ReplicaChange[]): ReplicaResult
  /**
   * Makes what is held of this origin equal to the snapshot, compared by id, time of creation and revision: nothing that is equal is touched,
   * what is missing from the snapshot is deleted. What was created at another time is another life of the element, such as of an agent that was
   * killed and began anew: the old one is deleted and the new one added, whatever their revisions.
   */
  sync(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): ReplicaResult
  /** Deletes everything of this origin; answers how many nodes went. */
  clear(): number
}
