import {
  type GraphBatch,
  type GraphEdge,
  type GraphElement,
  type GraphEvent,
  type GraphNode,
  InvalidArgumentError,
  type Logger,
  SkydiveError,
} from '@skydive/contracts'
import { diffMetadata } from '@skydive/filter'
import type { GraphListDelta, GraphQueries, GraphWatch, GraphWatchDelta, QueryFunction } from '../options.ts'

/** The graph that a filter gives. */
export interface FilteredGraph {
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
}

/** What a feed tells. */
export interface FilterFeedListener {
  /** In the order of spec platform 2.4: added nodes, removed nodes, added edges, removed edges, updates. */
  events(events: readonly GraphEvent[]): void
  /** The filter can't be followed any more. */
  failed(error: unknown): void
}

/** The graph of one filter as it changes. */
export interface FilterFeed {
  /** Settles when the graph is known. @throws what is wrong with the filter; `ERR_INVALID_ARGUMENT` when it gives no graph. */
  readonly ready: Promise<void>
  /** The graph as of the last events. */
  graph(): FilteredGraph
  /** Told of every change of the whole graph. */
  publish(batch: GraphBatch): void
  close(): void
}

interface Held {
  nodes: Map<string, GraphNode>
  edges: Map<string, GraphEdge>
}

function hold({ nodes, edges }: FilteredGraph): Held {
  return {
    nodes: new Map(nodes.map((node) => [node.id, node])),
    edges: new Map(edges.map((edge) => [edge.id, edge])),
  }
}

function noGraph(filter: string): InvalidArgumentError {
  return new InvalidArgumentError(`the filter ${JSON.stringify(filter)} gives no graph: end it with SubGraph()`, { filter })
}

/** The list by which one set of revisions differs from another. */
function listDelta<E extends GraphElement>(before: ReadonlyMap<string, E>, after: ReadonlyMap<string, E>): GraphListDelta<E> {
  const changed: { before: E; after: E }[] = []
  for (const element of after.values()) {
    const known = before.get(element.id)
    if (known && known.revision !== element.revision) changed.push({ before: known, after: element })
  }
  return {
    added: [...after.values()].filter(({ id }) => !before.has(id)),
    removed: [...before.values()].filter(({ id }) => !after.has(id)),
    changed,
  }
}

function eventsOf(nodes: GraphListDelta<GraphNode>, edges: GraphListDelta<GraphEdge>): readonly GraphEvent[] {
  return [
    ...nodes.added.map((node) => ({ kind: 'node-added', node }) as const),
    ...nodes.removed.map((node) => ({ kind: 'node-deleted', node }) as const),
    ...edges.added.map((edge) => ({ kind: 'edge-added', edge }) as const),
    ...edges.removed.map((edge) => ({ kind: 'edge-deleted', edge }) as const),
    ...nodes.changed.map(
      ({ before, after }) =>
        ({
          kind: 'node-updated',
          node: after,
          previous: before,
          ops: diffMetadata(before.metadata, after.metadata),
        }) as const,
    ),
    ...edges.changed.map(
      ({ before, after }) =>
        ({
          kind: 'edge-updated',
          edge: after,
          previous: before,
          ops: diffMetadata(before.metadata, after.metadata),
        }) as const,
    ),
  ]
}

/** Follows a filter that can be watched: what changes costs as much as it changes the filter's graph. */
class WatchFeed implements FilterFeed {
  readonly ready: Promise<void>
  private readonly watch: GraphWatch
  private held: Held = { nodes: new Map(), edges: new Map() }

  constructor(watch: GraphWatch, filter: string, listener: FilterFeedListener) {
    this.watch = watch
    this.ready = this.begin(filter, listener)
  }

  graph(): FilteredGraph {
    return { nodes: [...this.held.nodes.values()], edges: [...this.held.edges.values()] }
  }

  publish(): void {}

  close(): void {
    this.watch.close()
  }

  private async begin(filter: string, listener: FilterFeedListener): Promise<void> {
    await this.watch.ready
    const deltas = this.watch[Symbol.asyncIterator]()
    const first = await deltas.next()
    if (first.done || first.value.kind !== 'graph') {
      this.watch.close()
      throw noGraph(filter)
    }
    this.take(first.value)
    void this.follow(deltas, listener)
  }

  private async follow(deltas: AsyncIterator<GraphWatchDelta>, listener: FilterFeedListener): Promise<void> {
    try {
      for (let next = await deltas.next(); !next.done; next = await deltas.next()) listener.events(this.take(next.value))
    } catch (error) {
      listener.failed(error)
    }
  }

  private take({ reset, nodes, edges }: GraphWatchDelta): readonly GraphEvent[] {
    if (!nodes || !edges) return []
    if (reset) {
      const old = this.held
      this.held = hold({ nodes: nodes.added, edges: edges.added })
      return eventsOf(listDelta(old.nodes, this.held.nodes), listDelta(old.edges, this.held.edges))
    }
    merge(this.held.nodes, nodes)
    merge(this.held.edges, edges)
    return eventsOf(nodes, edges)
  }
}

function merge<E extends GraphElement>(held: Map<string, E>, { added, removed, changed }: GraphListDelta<E>): void {
  for (const { id } of removed) held.delete(id)
  for (const element of added) held.set(element.id, element)
  for (const { after } of changed) held.set(after.id, after)
}

/**
 * Follows any other filter (one that asks flows or the past): evaluated again when the graph changed, at once when the last evaluation is
 * done, and once for all changes that came while it ran.
 */
class EvaluatedFeed implements FilterFeed {
  readonly ready: Promise<void>
  private readonly filter: string
  private readonly query: QueryFunction
  private readonly listener: FilterFeedListener
  private readonly logger: Logger
  private held: Held = { nodes: new Map(), edges: new Map() }
  private dirty = false
  private running = true
  private closed = false

  constructor(filter: string, query: QueryFunction, listener: FilterFeedListener, logger: Logger) {
    this.filter = filter
    this.query = query
    this.listener = listener
    this.logger = logger
    this.ready = this.evaluate().then((graph) => {
      this.held = hold(graph)
      this.running = false
      this.wake()
    })
  }

  graph(): FilteredGraph {
    return { nodes: [...this.held.nodes.values()], edges: [...this.held.edges.values()] }
  }

  publish(): void {
    this.dirty = true
    this.wake()
  }

  close(): void {
    this.closed = true
  }

  private wake(): void {
    if (this.dirty && !this.running) void this.refresh()
  }

  private async refresh(): Promise<void> {
    this.running = true
    while (this.dirty && !this.closed) {
      this.dirty = false
      try {
        const graph = await this.evaluate()
        const old = this.held
        this.held = hold(graph)
        const events = eventsOf(listDelta(old.nodes, this.held.nodes), listDelta(old.edges, this.held.edges))
        if (!this.closed && events.length > 0) this.listener.events(events)
      } catch (error) {
        this.logger.warn({ filter: this.filter, reason: (error as Error).message }, 'filter of a subscription failed')
      }
    }
    this.running = false
  }

  private async evaluate(): Promise<FilteredGraph> {
    const answer = await this.query(this.filter, {})
    if (answer.graph) return answer.graph
    throw noGraph(this.filter)
  }
}

/** What feeds are made of. */
export interface FilterFeedOptions {
  readonly query: QueryFunction
  readonly queries: GraphQueries | undefined
  readonly logger: Logger
}

/** Opens the feed of a filter: by deltas where the filter can be watched. @throws what is wrong with the filter. */
export async function openFilterFeed(
  filter: string,
  { query, queries, logger }: FilterFeedOptions,
  listener: FilterFeedListener,
): Promise<FilterFeed> {
  const watch = queries?.watch(filter)
  if (watch) {
    try {
      const feed = new WatchFeed(watch, filter, listener)
      await feed.ready
      return feed
    } catch (error) {
      if (!SkydiveError.isInstance(error) || error.code !== 'ERR_GREMLIN_UNSUPPORTED') throw error
    }
  }
  const feed = new EvaluatedFeed(filter, query, listener, logger)
  await feed.ready
  return feed
}
