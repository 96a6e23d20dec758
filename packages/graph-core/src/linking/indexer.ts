import type { GraphNode, MetadataValue, Unsubscribe } from '@skydive/contracts'
import { tupleKey } from '@skydive/filter'
import { type NodeEvent, NodeEventHub, type NodeEventSource, type NodeListener } from './node-events.ts'

/** One entry of an index: the tuple of values that a node is found under, and what is kept with it. */
export interface IndexEntry<V> {
  /** The values that `get` takes, in order. */
  readonly key: readonly MetadataValue[]
  /** What is kept with the entry and comes back with a match. */
  readonly value: V
}

/** How an index is made. */
export interface IndexerOptions<V> {
  /** The nodes that it is about; {@link nodeEventsOf} makes one of a graph. */
  readonly source: NodeEventSource
  /** The entries of a node; none: it is not in the index. Called for every revision, must not depend on anything else. */
  entriesOf(node: GraphNode): Iterable<IndexEntry<V>>
  /** Entries that a node had stay until the node goes or has none at all. @default false */
  readonly appendOnly?: boolean
}

/** A node that was found, and what was kept with the entry. */
export interface IndexMatch<V> {
  /** Its newest revision. */
  readonly node: GraphNode
  /** What its entry keeps. */
  readonly value: V
}

interface Indexed<V> {
  node: GraphNode
  entries: Map<string, V>
}

/**
 * Finds nodes by tuples of values that a function takes out of them, and is itself a source of the nodes that it holds (spec graph 1.12,
 * Indexer): one that enters is `added`, however often it changed before. Look-ups are O(1); an update costs what the node's entries cost.
 */
export class Indexer<V> implements NodeEventSource {
  private readonly options: IndexerOptions<V>
  private readonly hub = new NodeEventHub()
  private readonly byKey = new Map<string, Map<string, V>>()
  private readonly byId = new Map<string, Indexed<V>>()
  private unsubscribe: Unsubscribe | undefined

  /** Follows nothing until {@link Indexer.start}. */
  constructor(options: IndexerOptions<V>) {
    this.options = options
  }

  /** Takes in the nodes that are there and follows the source. Calling it twice is a no-op. */
  start(): void {
    if (this.unsubscribe) return
    this.unsubscribe = this.options.source.subscribe((events) => this.take(events))
    this.take([...this.options.source.nodes()].map((node) => ({ kind: 'added', node })))
  }

  /** Stops following and forgets everything; nobody is told. */
  stop(): void {
    this.unsubscribe?.()
    this.unsubscribe = undefined
    this.byKey.clear()
    this.byId.clear()
  }

  /** The nodes under a tuple of values, in the order in which they joined it. */
  get(...key: readonly MetadataValue[]): readonly IndexMatch<V>[] {
    const found = this.byKey.get(tupleKey(key))
    if (!found) return []
    return Array.from(found, ([id, value]) => ({ node: this.byId.get(id)!.node, value }))
  }

  /** The tuples that a node is found under; empty for one that is not in the index. Keys of {@link Indexer.get} in their canonical form. */
  keysOf(id: string): Iterable<string> {
    return this.byId.get(id)?.entries.keys() ?? []
  }

  /** {@link Indexer.get} by the canonical form of a key. */
  nodesUnder(key: string): readonly GraphNode[] {
    return Array.from(this.byKey.get(key)?.keys() ?? [], (id) => this.byId.get(id)!.node)
  }

  /** Tells what enters, changes and leaves, one call for each transaction, after the index itself has changed. */
  subscribe(listener: NodeListener): Unsubscribe {
    return this.hub.subscribe(listener)
  }

  /** The nodes that are in the index. */
  *nodes(): Iterable<GraphNode> {
    for (const { node } of this.byId.values()) yield node
  }

  private take(events: readonly NodeEvent[]): void {
    const told: NodeEvent[] = []
    for (const event of events) {
      const result = event.kind === 'deleted' ? this.drop(event.node) : this.put(event.node)
      if (result) told.push(result)
    }
    this.hub.publish(told)
  }

  private put(node: GraphNode): NodeEvent | undefined {
    const entries = new Map<string, V>()
    for (const { key, value } of this.options.entriesOf(node)) entries.set(tupleKey(key), value)
    const known = this.byId.get(node.id)
    if (entries.size === 0) return this.drop(node)
    if (known) {
      known.node = node
      if (this.options.appendOnly) for (const [key, value] of known.entries) if (!entries.has(key)) entries.set(key, value)
      for (const key of known.entries.keys()) if (!entries.has(key)) this.leave(key, node.id)
      known.entries = entries
    } else {
      this.byId.set(node.id, { node, entries })
    }
    for (const [key, value] of entries) this.join(key, node.id, value)
    return { kind: known ? 'updated' : 'added', node }
  }

  private drop(node: GraphNode): NodeEvent | undefined {
    const known = this.byId.get(node.id)
    if (!known) return undefined
    for (const key of known.entries.keys()) this.leave(key, node.id)
    this.byId.delete(node.id)
    return { kind: 'deleted', node }
  }

  private join(key: string, id: string, value: V): void {
    const found = this.byKey.get(key)
    if (found) found.set(id, value)
    else this.byKey.set(key, new Map([[id, value]]))
  }

  private leave(key: string, id: string): void {
    const found = this.byKey.get(key)!
    found.delete(id)
    if (found.size === 0) this.byKey.delete(key)
  }
}
