import type { GraphEdge, GraphNode, GraphView, IndexValue, MetadataValue } from '@skydive/contracts'
import { hasIndexValue } from '@skydive/filter'

/** Whether an edge is wanted; absent: all are. */
export type EdgeTest = (edge: GraphEdge) => boolean

/** Whether a node is wanted; absent: all are. */
export type NodeTest = (node: GraphNode) => boolean

/**
 * The nodes whose `key` equals `value`, in order of creation; arrays match by any element. By index where the view has one, else a scan.
 * Shape: `nodesWith(view, 'MAC', '02:00:00:00:00:01')`.
 */
export function nodesWith(view: GraphView, key: string, value: IndexValue): readonly GraphNode[] {
  const nodes: GraphNode[] = []
  forEachNodeRowWith(view, key, value, (row) => {
    nodes.push(view.node(row))
    return true
  })
  return nodes
}

/** The first of {@link nodesWith}, or `undefined`. */
export function firstNodeWith(view: GraphView, key: string, value: IndexValue): GraphNode | undefined {
  let node: GraphNode | undefined
  forEachNodeRowWith(view, key, value, (row) => {
    node = view.node(row)
    return false
  })
  return node
}

/** {@link nodesWith} in ordinals, without making a list. Return `false` to stop. */
export function forEachNodeRowWith(view: GraphView, key: string, value: IndexValue, visit: (row: number) => boolean): void {
  if (view.nodeCardinality(key, value) >= 0) {
    view.forEachNodeWith(key, value, visit)
    return
  }
  view.forEachNode((row) => {
    const own: MetadataValue | undefined = view.nodeValue(row, key)
    return hasIndexValue(own, value) ? visit(row) : true
  })
}

/** The edges that touch a node, outgoing first; a self loop once. Nothing for an unknown id. */
export function edgesOf(view: GraphView, id: string, wanted?: EdgeTest): readonly GraphEdge[] {
  const row = view.nodeOrdinal(id)
  const edges: GraphEdge[] = []
  if (row < 0) return edges
  const keep = (edgeRow: number): void => {
    const edge = view.edge(edgeRow)
    if (!wanted || wanted(edge)) edges.push(edge)
  }
  view.forEachOut(row, (edge) => {
    keep(edge)
    return true
  })
  view.forEachIn(row, (edge, other) => {
    if (other !== row) keep(edge)
    return true
  })
  return edges
}

/** The nodes at the child end of a node's edges, once for each edge. */
export function childrenOf(view: GraphView, id: string, wanted?: EdgeTest, node?: NodeTest): readonly GraphNode[] {
  const row = view.nodeOrdinal(id)
  const nodes: GraphNode[] = []
  if (row < 0) return nodes
  view.forEachOut(row, (edge, child) => {
    if ((!wanted || wanted(view.edge(edge))) && (!node || node(view.node(child)))) nodes.push(view.node(child))
    return true
  })
  return nodes
}

/** The nodes at the parent end of a node's edges, once for each edge. */
export function parentsOf(view: GraphView, id: string, wanted?: EdgeTest, node?: NodeTest): readonly GraphNode[] {
  const row = view.nodeOrdinal(id)
  const nodes: GraphNode[] = []
  if (row < 0) return nodes
  view.forEachIn(row, (edge, parent) => {
    if ((!wanted || wanted(view.edge(edge))) && (!node || node(view.node(parent)))) nodes.push(view.node(parent))
    return true
  })
  return nodes
}

/** The first edge from `parent` to `child`, in exactly this direction. */
export function firstLink(view: GraphView, parent: string, child: string, wanted?: EdgeTest): GraphEdge | undefined {
  const from = view.nodeOrdinal(parent)
  const to = view.nodeOrdinal(child)
  let link: GraphEdge | undefined
  if (from < 0 || to < 0) return undefined
  view.forEachOut(from, (edgeRow, other) => {
    const edge = view.edge(edgeRow)
    if (other !== to || (wanted && !wanted(edge))) return true
    link = edge
    return false
  })
  return link
}

/** Whether any wanted edge joins two nodes, in either direction. */
export function areLinked(view: GraphView, a: string, b: string, wanted?: EdgeTest): boolean {
  return firstLink(view, a, b, wanted) !== undefined || firstLink(view, b, a, wanted) !== undefined
}

/** A test for edges of one relation type: `relation('ownership')`. */
export function relation(type: string): EdgeTest {
  return (edge) => edge.metadata['RelationType'] === type
}

/** The node that owns another (spec topology 2.1), or `undefined`. */
export function ownerOf(view: GraphView, id: string): GraphNode | undefined {
  return parentsOf(view, id, relation('ownership'))[0]
}
