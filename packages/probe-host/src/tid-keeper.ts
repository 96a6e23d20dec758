import type { GraphEvent, GraphEvents, GraphNode, GraphWriter } from '@skydive/contracts'
import { childTid, hostTid, netnsTid, ovsTid } from '@skydive/topology'

/**
 * Gives nodes that other probes write without one their `TID` (spec topology 4): when a node or its ownership edge comes, and anew when
 * it gets another owner. Probes that know the TID write it themselves; that is left as it is until the owner changes. Children follow
 * their owner: one whose owner has no TID yet gets it when the owner does.
 *
 * Answers how to stop. It writes in a transaction of its own after the one that it saw.
 */
export function keepTids(events: GraphEvents, graph: GraphWriter, hostName: string): () => void {
  const host = hostTid(hostName)
  return events.subscribe((batch) => {
    const wanted = new Map<string, string | undefined>()
    const consider = (node: GraphNode | undefined, ownerTid: string | undefined) => {
      if (node && node.origin === graph.origin) wanted.set(node.id, tidOf(node, host, ownerTid))
    }
    for (const event of batch.events) visit(event, graph, consider)
    const changes = [...wanted].filter(([id, tid]) => graph.view.nodeValue(graph.view.nodeOrdinal(id), 'TID') !== tid)
    if (changes.length === 0) return
    graph.transaction((tx) => {
      for (const [id, tid] of changes) if (tx.node(id)) tx.patchNode(id, { TID: tid })
    })
  })
}

type Consider = (node: GraphNode | undefined, ownerTid: string | undefined) => void

function visit(event: GraphEvent, graph: GraphWriter, consider: Consider): void {
  const { view } = graph
  const nodeById = (id: string) => {
    const ordinal = view.nodeOrdinal(id)
    return ordinal < 0 ? undefined : view.node(ordinal)
  }
  if (event.kind === 'node-added' || event.kind === 'node-updated') {
    const node = nodeById(event.node.id)
    if (!node) return
    if (node.metadata['TID'] === undefined) consider(node, ownerTidOf(graph, node.id))
    const had = event.kind === 'node-updated' ? event.previous.metadata['TID'] : undefined
    const tid = node.metadata['TID']
    if (typeof tid === 'string' && tid !== had) {
      view.forEachOut(view.nodeOrdinal(node.id), (edge, child) => {
        const owned = child >= 0 && view.edgeValue(edge, 'RelationType') === 'ownership' ? view.node(child) : undefined
        if (owned && owned.metadata['TID'] === undefined) consider(owned, tid)
        return true
      })
    }
    return
  }
  if (event.kind === 'node-deleted' || event.edge.metadata['RelationType'] !== 'ownership') return
  const child = nodeById(event.edge.child)
  if (!child) return
  const owner = ownerTidOf(graph, child.id)
  // A probe that moved its node in the same transaction has set the TID that belongs to the new owner.
  if (event.kind === 'edge-deleted') {
    if (owner === undefined) consider(child, undefined)
  } else if (owner !== undefined && !hasTidOf(child, owner)) consider(child, owner)
}

/** Whether the node's TID may come from this owner: probes may have computed it from an earlier name. */
function hasTidOf(node: GraphNode, ownerTid: string): boolean {
  const { Name: name, Type: type, TID: tid } = node.metadata
  return tid !== undefined && tid === childTid(ownerTid, String(name), String(type))
}

/** The TID of the only owner; `undefined` with none or several. */
function ownerTidOf(graph: GraphWriter, id: string): string | undefined {
  const { view } = graph
  const owners: unknown[] = []
  view.forEachIn(view.nodeOrdinal(id), (edge, parent) => {
    if (parent >= 0 && view.edgeValue(edge, 'RelationType') === 'ownership') owners.push(view.nodeValue(parent, 'TID'))
    return true
  })
  return owners.length === 1 && typeof owners[0] === 'string' ? owners[0] : undefined
}

function tidOf(node: GraphNode, host: string, ownerTid: string | undefined): string | undefined {
  const { Name: name, Type: type, Path: path, UUID: uuid, Probe: probe } = node.metadata
  if (typeof type !== 'string' || typeof name !== 'string') return undefined
  if (type === 'host') return hostTid(name)
  if (type === 'netns') return typeof path === 'string' ? (stringOf(node.metadata['TID']) ?? netnsTid(host, path)) : undefined
  if (type === 'ovsbridge' || type === 'ovsport') return typeof uuid === 'string' ? ovsTid(host, uuid, type) : undefined
  if (probe === 'fabric') return node.id
  return ownerTid === undefined ? undefined : childTid(ownerTid, name, type)
}

function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
