import type { GraphEdge, GraphNode, GraphTransaction, GraphView, GraphWriter, Metadata, Unsubscribe } from '@skydive/contracts'
import { deterministicId } from '@skydive/contracts'
import { equalValues, tupleKey } from '@skydive/filter'
import { edgesOf } from '../lookup.ts'
import type { NodeEvent, NodeEventSource } from './node-events.ts'

/** A link that there should be. Its metadata is added to that of the family. */
export interface WantedLink {
  /** Id of the node that it goes out from. */
  readonly parent: string
  /** Id of the node that it goes to. */
  readonly child: string
  /** What this link has besides. */
  readonly metadata?: Metadata
}

/** How a family of links is kept; at least one of the two sides has a strategy. */
export interface ResourceLinkerOptions {
  /** Writes the links, and shows the present. */
  readonly writer: GraphWriter
  /** What all links of the family have, such as `{ RelationType: 'layer2' }`. */
  readonly metadata: Metadata
  /** Nodes that links go out from, and which ones. */
  readonly from?: {
    /** The nodes: those of a graph by `nodeEventsOf`, or those of an indexer. */
    readonly source: NodeEventSource
    /** The links that a node wants; asked again whenever it changes. */
    linksOf(node: GraphNode): Iterable<WantedLink>
  }
  /** Nodes that links go to, and which ones. */
  readonly to?: {
    /** The nodes: those of a graph by `nodeEventsOf`, or those of an indexer. */
    readonly source: NodeEventSource
    /** The links that a node wants; asked again whenever it changes. */
    linksOf(node: GraphNode): Iterable<WantedLink>
  }
  /** Gets what a strategy threw or the graph refused; the linker goes on. By default it is thrown to the graph's listener errors. */
  readonly onError?: (error: unknown) => void
}

type Side = 'parent' | 'child'

type Operation = (tx: GraphTransaction) => void

/** The members of an object in one order. */
function canonical(metadata: Metadata): string {
  return tupleKey(
    Object.keys(metadata)
      .sort()
      .flatMap((key) => [key, metadata[key]!]),
  )
}

/**
 * Keeps the links of one family equal to what strategies want of the nodes of two sources (spec graph 1.12, ResourceLinker): one that is
 * missing is added, one that differs is changed, one that is not wanted any more is deleted if this linker made it. The events of one
 * transaction are answered by one transaction. The id of a link is made of its ends and the family, so it is the same in every run.
 */
export class ResourceLinker {
  private readonly options: ResourceLinkerOptions
  private readonly family: string
  /** The links that this linker made, and those of each node. */
  private readonly made = new Map<string, WantedLink>()
  private readonly madeAt = new Map<string, Set<string>>()
  private unsubscribes: readonly Unsubscribe[] = []

  /** Links nothing until {@link ResourceLinker.start}. */
  constructor(options: ResourceLinkerOptions) {
    this.options = options
    this.family = canonical(options.metadata)
  }

  /** Links the nodes that are there and follows the sources. Sources that are indexers have to be started before. */
  start(): void {
    if (this.unsubscribes.length > 0) return
    const { from, to } = this.options
    this.unsubscribes = [
      ...(from ? [from.source.subscribe((events) => this.take('parent', events))] : []),
      ...(to ? [to.source.subscribe((events) => this.take('child', events))] : []),
    ]
    if (from) this.take('parent', added(from.source))
    if (to) this.take('child', added(to.source))
  }

  /** Stops following; links stay. */
  stop(): void {
    for (const unsubscribe of this.unsubscribes) unsubscribe()
    this.unsubscribes = []
  }

  /** How many links of this linker there are. */
  get size(): number {
    return this.made.size
  }

  private take(side: Side, events: readonly NodeEvent[]): void {
    // Of several events of one node the last one tells what is.
    const last = new Map(events.map((event) => [event.node.id, event]))
    const operations: Operation[] = []
    for (const event of last.values()) this.guarded(() => this.plan(side, event, operations))
    if (operations.length === 0) return
    this.guarded(() => {
      this.options.writer.transaction((tx) => {
        // One link that is refused does not keep the others from being made.
        for (const operation of operations) this.guarded(() => operation(tx))
      })
    })
  }

  private guarded(work: () => void): void {
    try {
      work()
    } catch (error) {
      if (!this.options.onError) throw error
      this.options.onError(error)
    }
  }

  private plan(side: Side, { kind, node }: NodeEvent, operations: Operation[]): void {
    const { view } = this.options.writer
    // Links go with their nodes, also when a node comes back at once.
    for (const id of [...(this.madeAt.get(node.id) ?? [])]) if (view.edgeOrdinal(id) < 0) this.forget(id)
    if (view.nodeOrdinal(node.id) < 0) return
    const strategy = side === 'parent' ? this.options.from! : this.options.to!
    const wanted = new Map<string, WantedLink>()
    if (kind !== 'deleted') for (const link of strategy.linksOf(node)) wanted.set(this.idOf(link), link)
    const existing = this.existing(view, side, node.id)
    for (const [id, link] of wanted) this.planLink(view, id, link, existing, operations)
    for (const edge of existing) {
      if (wanted.has(this.idOf(edge)) || !this.made.has(edge.id)) continue
      operations.push((tx) => {
        tx.deleteEdge(edge.id)
        this.forget(edge.id)
      })
    }
  }

  /** The links of the family at one side of a node, whoever made them. */
  private existing(view: GraphView, side: Side, id: string): readonly GraphEdge[] {
    const { metadata } = this.options
    return edgesOf(
      view,
      id,
      (edge) => edge[side] === id && Object.keys(metadata).every((key) => equalValues(edge.metadata[key], metadata[key]!)),
    )
  }

  private planLink(view: GraphView, id: string, link: WantedLink, existing: readonly GraphEdge[], operations: Operation[]): void {
    if (view.nodeOrdinal(link.parent) < 0 || view.nodeOrdinal(link.child) < 0) return
    const metadata = { ...link.metadata, ...this.options.metadata }
    const row = view.edgeOrdinal(id)
    const same = row >= 0 ? view.edge(row) : existing.find(({ parent, child }) => parent === link.parent && child === link.child)
    if (!same) {
      operations.push((tx) => {
        tx.putEdge({ id, parent: link.parent, child: link.child, metadata })
        this.remember(id, link)
      })
      return
    }
    // What another origin has linked already is left as it is.
    if (same.origin !== this.options.writer.origin) return
    if (same.id === id) this.remember(id, link)
    if (!equalValues(same.metadata, metadata)) operations.push((tx) => void tx.replaceEdge(same.id, metadata))
  }

  private idOf({ parent, child }: Pick<WantedLink, 'parent' | 'child'>): string {
    return deterministicId(parent, child, this.family)
  }

  private remember(id: string, link: WantedLink): void {
    this.made.set(id, link)
    for (const end of [link.parent, link.child]) {
      const links = this.madeAt.get(end)
      if (links) links.add(id)
      else this.madeAt.set(end, new Set([id]))
    }
  }

  private forget(id: string): void {
    const link = this.made.get(id)
    if (!link) return
    this.made.delete(id)
    for (const end of [link.parent, link.child]) {
      const links = this.madeAt.get(end)
      links?.delete(id)
      if (links?.size === 0) this.madeAt.delete(end)
    }
  }
}

function added(source: NodeEventSource): readonly NodeEvent[] {
  return Array.from(source.nodes(), (node) => ({ kind: 'added', node }))
}
