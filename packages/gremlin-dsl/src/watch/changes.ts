import type { GraphBatch, GraphEdge, GraphElement, GraphEvent, GraphNode, MetadataOp } from '@skydive/contracts'

/** What became of one element between two versions. */
export interface Net<E extends GraphElement> {
  readonly id: string
  /** Absent when it was not there. */
  readonly before: E | undefined
  /** Absent when it is no longer there. */
  after: E | undefined
  /** The deleted revision, when it is no longer there. */
  gone: E | undefined
  /** The top-level keys of the metadata that changed; `undefined`: any of them may have. */
  roots: Set<string> | undefined
}

/** The net changes of one or more transactions: what came and went in between is left out. */
export interface Changes {
  readonly nodes: readonly Net<GraphNode>[]
  readonly edges: readonly Net<GraphEdge>[]
}

/** The top-level key of a metadata path. */
export function rootOf(path: string): string {
  const dot = path.indexOf('.')
  return dot < 0 ? path : path.slice(0, dot)
}

function rootsOf(ops: readonly MetadataOp[]): Set<string> | undefined {
  const roots = new Set<string>()
  for (const op of ops) {
    if (op.op === 'replace') return undefined
    roots.add(rootOf(op.key))
  }
  return roots
}

class NetTable<E extends GraphElement> {
  private readonly nets = new Map<string, Net<E>>()

  added(element: E): void {
    const known = this.nets.get(element.id)
    if (known) this.becomes(known, element, undefined, undefined)
    else this.nets.set(element.id, { id: element.id, before: undefined, after: element, gone: undefined, roots: undefined })
  }

  updated(element: E, before: E, ops: readonly MetadataOp[]): void {
    const known = this.nets.get(element.id)
    if (known) this.becomes(known, element, undefined, known.roots && merged(known.roots, rootsOf(ops)))
    else this.nets.set(element.id, { id: element.id, before, after: element, gone: undefined, roots: rootsOf(ops) })
  }

  deleted(element: E): void {
    const known = this.nets.get(element.id)
    if (known) this.becomes(known, undefined, element, undefined)
    else this.nets.set(element.id, goneNet(element))
  }

  list(): readonly Net<E>[] {
    const nets: Net<E>[] = []
    for (const net of this.nets.values()) if (net.before || net.after) nets.push(net)
    return nets
  }

  private becomes(net: Net<E>, after: E | undefined, gone: E | undefined, roots: Set<string> | undefined): void {
    net.after = after
    net.gone = gone
    net.roots = roots
  }
}

function merged(known: Set<string>, more: Set<string> | undefined): Set<string> | undefined {
  if (!more) return undefined
  for (const root of more) known.add(root)
  return known
}

const NONE: readonly never[] = []

/** The common case: one event, of which there is nothing to sum up. */
function only(event: GraphEvent): Changes {
  switch (event.kind) {
    case 'node-added':
      return {
        nodes: [{ id: event.node.id, before: undefined, after: event.node, gone: undefined, roots: undefined }],
        edges: NONE,
      }
    case 'node-updated':
      return {
        nodes: [{ id: event.node.id, before: event.previous, after: event.node, gone: undefined, roots: rootsOf(event.ops) }],
        edges: NONE,
      }
    case 'edge-added':
      return {
        nodes: NONE,
        edges: [{ id: event.edge.id, before: undefined, after: event.edge, gone: undefined, roots: undefined }],
      }
    case 'edge-updated':
      return {
        nodes: NONE,
        edges: [{ id: event.edge.id, before: event.previous, after: event.edge, gone: undefined, roots: rootsOf(event.ops) }],
      }
    case 'node-deleted':
      return { nodes: [goneNet(event.node)], edges: NONE }
    case 'edge-deleted':
      return { nodes: NONE, edges: [goneNet(event.edge)] }
  }
}

/** What was there before a deletion is the same revision but for the time of its end. */
function goneNet<E extends GraphElement>(element: E): Net<E> {
  return { id: element.id, before: { ...element, deletedAtMs: null }, after: undefined, gone: element, roots: undefined }
}

/** Sums batches up, in order. O(events). */
export function netChanges(batches: readonly GraphBatch[]): Changes {
  if (batches.length === 1 && batches[0]!.events.length === 1) return only(batches[0]!.events[0]!)
  const nodes = new NetTable<GraphNode>()
  const edges = new NetTable<GraphEdge>()
  for (const batch of batches) for (const event of batch.events) note(nodes, edges, event)
  return { nodes: nodes.list(), edges: edges.list() }
}

function note(nodes: NetTable<GraphNode>, edges: NetTable<GraphEdge>, event: GraphEvent): void {
  switch (event.kind) {
    case 'node-added':
      nodes.added(event.node)
      break
    case 'node-updated':
      nodes.updated(event.node, event.previous, event.ops)
      break
    case 'node-deleted':
      nodes.deleted(event.node)
      break
    case 'edge-added':
      edges.added(event.edge)
      break
    case 'edge-updated':
      edges.updated(event.edge, event.previous, event.ops)
      break
    case 'edge-deleted':
      edges.deleted(event.edge)
      break
  }
}
