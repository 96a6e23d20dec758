import {
  type GraphBatch,
  type GraphEdge,
  type GraphEvent,
  type GraphNode,
  InvalidArgumentError,
  type Logger,
} from '@skydive/contracts'
import { encodeGraphEvent, GRAPH_NAMESPACE, OutgoingMessage, type UpdatePolicy } from '@skydive/protocol'
import type { QueryFunction } from '../options.ts'
import type { ServerConnection } from './server-connection.ts'

/** The graph that a filter gives. */
export interface FilteredGraph {
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
}

/** One filter and everybody who has it: evaluated once for all of them. */
interface Group {
  readonly filter: string
  readonly members: Set<ServerConnection>
  nodes: Map<string, GraphNode>
  edges: Map<string, GraphEdge>
  /** Updates since the last evaluation, in order. */
  updates: GraphEvent[]
  dirty: boolean
  running: boolean
  /** Settles with the first evaluation. */
  ready: Promise<void>
}

/**
 * Subscriptions through a Gremlin filter (spec platform 2.4 point 3). A filter is evaluated again when the graph changed: at once when
 * the last evaluation is done, and once for all changes that came while it ran. What differs by id is sent as added nodes, removed
 * nodes, added edges, removed edges; then the updates of elements that are in the new result.
 */
export class FilteredSubscriptions {
  readonly #query: QueryFunction
  readonly #logger: Logger
  readonly #groups = new Map<string, Group>()

  constructor(query: QueryFunction, logger: Logger) {
    this.#query = query
    this.#logger = logger
  }

  /**
   * Subscribes, and hands over the filter's graph as of now in the moment in which the subscription begins.
   *
   * @throws ERR_INVALID_ARGUMENT when the filter does not parse, fails or gives no graph.
   */
  async join(connection: ServerConnection, filter: string, onGraph: (graph: FilteredGraph) => void = () => {}): Promise<void> {
    const group = this.#groups.get(filter) ?? this.#open(filter)
    try {
      await group.ready
    } catch (error) {
      if (this.#groups.get(filter) === group) this.#groups.delete(filter)
      throw error
    }
    if (!connection.isOpen) return
    // The last member may have left, and taken the group with it, while this one waited.
    this.#groups.set(filter, group)
    group.members.add(connection)
    onGraph({ nodes: [...group.nodes.values()], edges: [...group.edges.values()] })
    this.#wake(group)
  }

  leave(connection: ServerConnection): void {
    for (const group of this.#groups.values()) {
      if (group.members.delete(connection) && group.members.size === 0) this.#groups.delete(group.filter)
    }
  }

  publish(batch: GraphBatch): void {
    if (this.#groups.size === 0) return
    const updates = batch.events.filter((event) => event.kind === 'node-updated' || event.kind === 'edge-updated')
    for (const group of this.#groups.values()) {
      group.updates.push(...updates)
      group.dirty = true
      this.#wake(group)
    }
  }

  /** From its first evaluation on a group hears of every change, so that nothing is lost between that and its first member. */
  #open(filter: string): Group {
    const group: Group = {
      filter,
      members: new Set(),
      nodes: new Map(),
      edges: new Map(),
      updates: [],
      dirty: false,
      running: true,
      ready: this.#evaluate(filter).then((graph) => {
        store(group, graph)
        group.running = false
      }),
    }
    this.#groups.set(filter, group)
    return group
  }

  #wake(group: Group): void {
    if (group.dirty && !group.running) void this.#refresh(group)
  }

  async #refresh(group: Group): Promise<void> {
    group.running = true
    while (group.dirty && group.members.size > 0) {
      group.dirty = false
      const updates = group.updates
      group.updates = []
      try {
        send(group, difference(group, await this.#evaluate(group.filter), updates))
      } catch (error) {
        this.#logger.warn({ filter: group.filter, reason: (error as Error).message }, 'filter of a subscription failed')
      }
    }
    group.running = false
  }

  async #evaluate(filter: string): Promise<FilteredGraph> {
    const answer = await this.#query(filter, {})
    if (answer.graph) return answer.graph
    throw new InvalidArgumentError(`the filter ${JSON.stringify(filter)} gives no graph: end it with SubGraph()`, { filter })
  }
}

function store(group: Group, graph: FilteredGraph): void {
  group.nodes = new Map(graph.nodes.map((node) => [node.id, node]))
  group.edges = new Map(graph.edges.map((edge) => [edge.id, edge]))
}

/** The events that lead from the last result to the new one, which is stored. */
function difference(group: Group, graph: FilteredGraph, updates: readonly GraphEvent[]): GraphEvent[] {
  const { nodes: oldNodes, edges: oldEdges } = group
  store(group, graph)
  const events: GraphEvent[] = []
  for (const node of group.nodes.values()) if (!oldNodes.has(node.id)) events.push({ kind: 'node-added', node })
  for (const node of oldNodes.values()) if (!group.nodes.has(node.id)) events.push({ kind: 'node-deleted', node })
  for (const edge of group.edges.values()) if (!oldEdges.has(edge.id)) events.push({ kind: 'edge-added', edge })
  for (const edge of oldEdges.values()) if (!group.edges.has(edge.id)) events.push({ kind: 'edge-deleted', edge })
  for (const event of updates) {
    const isKnown =
      event.kind === 'node-updated'
        ? oldNodes.has(event.node.id) && group.nodes.has(event.node.id)
        : event.kind === 'edge-updated' && oldEdges.has(event.edge.id) && group.edges.has(event.edge.id)
    if (isKnown) events.push(event)
  }
  return events
}

function send(group: Group, events: readonly GraphEvent[]): void {
  const encoded: Partial<Record<UpdatePolicy, OutgoingMessage[]>> = {}
  for (const connection of group.members) {
    const policy = connection.handshake.updatePolicy
    encoded[policy] ??= events.map(
      (event) => new OutgoingMessage({ namespace: GRAPH_NAMESPACE, ...encodeGraphEvent(event, policy) }),
    )
    for (const message of encoded[policy]) connection.send(message)
  }
}
