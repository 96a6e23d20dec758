import {
  type Clock,
  type Cursor,
  type GraphEdge,
  type GraphNode,
  type GraphReplica,
  type Logger,
  type ReplicaChange,
  type ReplicaResult,
  SkydiveError,
} from '@skydive/contracts'
import { checkEdgeSchema, checkNodeSchema, decodeGraphMessage, type Message, parseCursor } from '@skydive/protocol'

/** Changes of one transaction of a peer, or elements of one snapshot, above which the peer is not believed. */
const MAX_PENDING = 4_000_000

/** What a receiver is made of. */
export interface OriginReceiverOptions {
  readonly replica: GraphReplica
  readonly clock: Clock
  readonly logger: Logger
  /** Check nodes and edges as those of REST are checked, and ignore a message with a bad one. */
  readonly checkSchema: boolean
  /** The copy misses something that the peer changed: it must send a snapshot. */
  onDiverged(): void
  /** The copy is equal to a whole snapshot that the peer sent. */
  onSnapshot?(): void
}

/**
 * Keeps the copy of one origin equal to what its peer sends. Messages up to one with a cursor are one transaction of the peer and become
 * one here; without cursors each message is one. Elements get the origin of the connection whatever they claim, so that no peer can
 * write as another.
 */
export class OriginReceiver {
  readonly #options: OriginReceiverOptions
  #cursor: Cursor | undefined
  #pending: ReplicaChange[] = []
  #snapshot: { nodes: GraphNode[]; edges: GraphEdge[] } | undefined
  #refused = 0

  constructor(options: OriginReceiverOptions) {
    this.#options = options
  }

  /** Up to where the peer's log is held; `undefined` when a snapshot is needed. */
  get cursor(): Cursor | undefined {
    return this.#cursor
  }

  /** Changes that could not be applied since the start. */
  get refused(): number {
    return this.#refused
  }

  /** Whether the peer's messages carry cursors decides when changes take effect. */
  receive(message: Message, knowsCursors: boolean): void {
    const { replica, clock, logger } = this.#options
    try {
      const decoded = decodeGraphMessage(message, { nowMs: clock.now(), origin: replica.origin })
      if (decoded.kind === 'change') this.#addChange(this.#own(decoded.change))
      else if (decoded.kind === 'sync') this.#addPart(decoded.nodes, decoded.edges, decoded.part, decoded.parts)
    } catch (error) {
      if (!SkydiveError.isInstance(error)) throw error
      logger.warn({ origin: replica.origin, type: message.type, reason: error.message }, 'graph message ignored')
    }
    if (message.cursor === undefined) {
      if (!knowsCursors) this.#commit()
      return
    }
    this.#commit()
    this.#cursor = parseCursor(message.cursor)
  }

  /** Forgets what was begun: the line broke. What was committed stays. */
  interrupt(): void {
    this.#pending = []
    this.#snapshot = undefined
  }

  /** Deletes everything of the origin and forgets where it was. */
  clear(): number {
    this.interrupt()
    this.#cursor = undefined
    return this.#options.replica.clear()
  }

  #addChange(change: ReplicaChange): void {
    if (this.#pending.length >= MAX_PENDING) return
    this.#pending.push(change)
  }

  /** Parts of a snapshot are gathered until the last one is there. */
  #addPart(nodes: readonly GraphNode[], edges: readonly GraphEdge[], part: number, parts: number): void {
    if (part === 0) this.#snapshot = { nodes: [], edges: [] }
    const snapshot = this.#snapshot
    if (snapshot === undefined || snapshot.nodes.length + snapshot.edges.length > MAX_PENDING) return
    for (const node of nodes) {
      if (this.#options.checkSchema) checkNodeSchema(node)
      snapshot.nodes.push(this.#ownElement(node))
    }
    for (const edge of edges) {
      if (this.#options.checkSchema) checkEdgeSchema(edge)
      snapshot.edges.push(this.#ownElement(edge))
    }
    if (part < parts - 1) return
    this.#snapshot = undefined
    this.#pending = []
    this.#report(this.#options.replica.sync(snapshot.nodes, snapshot.edges))
    this.#options.onSnapshot?.()
  }

  #commit(): void {
    if (this.#pending.length === 0) return
    const changes = this.#pending
    this.#pending = []
    const result = this.#options.replica.apply(changes)
    this.#report(result)
    // A change of something that is not there means that we missed its beginning.
    const isDiverged = result.refused.some(({ change }) => change.kind === 'node-patched' || change.kind === 'edge-patched')
    if (isDiverged) this.#options.onDiverged()
  }

  #report(result: ReplicaResult): void {
    const [first] = result.refused
    if (first === undefined) return
    this.#refused += result.refused.length
    const { replica, logger } = this.#options
    logger.warn(
      { origin: replica.origin, refused: result.refused.length, reason: first.reason },
      'changes of a peer were refused',
    )
  }

  #own(change: ReplicaChange): ReplicaChange {
    if ('node' in change) {
      if (this.#options.checkSchema && change.kind !== 'node-deleted') checkNodeSchema(change.node)
      return { ...change, node: this.#ownElement(change.node) }
    }
    if ('edge' in change) {
      if (this.#options.checkSchema && change.kind !== 'edge-deleted') checkEdgeSchema(change.edge)
      return { ...change, edge: this.#ownElement(change.edge) }
    }
    return change
  }

  #ownElement<T extends GraphNode | GraphEdge>(element: T): T {
    const { origin } = this.#options.replica
    return element.origin === origin ? element : { ...element, origin }
  }
}
