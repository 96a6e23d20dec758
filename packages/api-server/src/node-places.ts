import type { GraphDiff, GraphView } from '@skydive/contracts'

/** Where a node is: its name, and those that own it, the outermost first. Shape: `{ Name: 'v0', Type: 'veth', Owners: ['alpha', 'blue'] }`. */
export interface NodePlace {
  readonly Name: string
  readonly Type: string
  readonly Owners: readonly string[]
}

/** Owners of owners are followed so far: deeper is a ring. */
const MAX_DEPTH = 32

/**
 * The places of every node that a diff names, at the end of the window where it is there, else at its beginning. Costs the nodes that are named.
 */
export function placesOf(diff: GraphDiff, before: GraphView, after: GraphView): Record<string, NodePlace> {
  const ids = new Set<string>(diff.nodes.map(({ id }) => id))
  for (const change of diff.edges) {
    for (const edge of [change.before, change.after]) if (edge) ids.add(edge.parent).add(edge.child)
  }
  const places: Record<string, NodePlace> = {}
  for (const id of ids) {
    const place = placeOf(after, id) ?? placeOf(before, id)
    if (place) places[id] = place
  }
  return places
}

function placeOf(view: GraphView, id: string): NodePlace | undefined {
  const row = view.nodeOrdinal(id)
  if (row < 0) return undefined
  const owners: string[] = []
  let owner = ownerOf(view, row)
  while (owner !== undefined && owners.length < MAX_DEPTH) {
    owners.push(nameOf(view, owner))
    owner = ownerOf(view, owner)
  }
  return { Name: nameOf(view, row), Type: String(view.node(row).metadata['Type'] ?? ''), Owners: owners.reverse() }
}

function ownerOf(view: GraphView, row: number): number | undefined {
  let owner: number | undefined
  view.forEachIn(row, (edge, parent) => {
    if (parent === row || view.edge(edge).metadata['RelationType'] !== 'ownership') return true
    owner = parent
    return false
  })
  return owner
}

function nameOf(view: GraphView, row: number): string {
  const { id, metadata } = view.node(row)
  return String(metadata['Name'] ?? id)
}
