import { type GraphView, toWireEdge, toWireNode } from '@skydive/contracts'

/** A piece of a whole graph as JSON lists without brackets. */
export interface GraphPart {
  readonly nodes: string
  readonly edges: string
}

/**
 * The JSON of a pinned view in parts of at most `elements` elements, nodes first, in order of creation. An empty graph is one empty
 * part. Lazy: each part is made when it is asked for.
 */
export function* graphParts(view: GraphView, elements: number): Generator<GraphPart> {
  let nodes: string[] = []
  let edges: string[] = []
  let any = false
  const take = (): GraphPart => {
    const part = { nodes: nodes.join(','), edges: edges.join(',') }
    nodes = []
    edges = []
    any = true
    return part
  }
  for (const ordinal of ordinals(view.nodeCount, (visit) => view.forEachNode(visit))) {
    nodes.push(JSON.stringify(toWireNode(view.node(ordinal))))
    if (nodes.length >= elements) yield take()
  }
  for (const ordinal of ordinals(view.edgeCount, (visit) => view.forEachEdge(visit))) {
    edges.push(JSON.stringify(toWireEdge(view.edge(ordinal))))
    if (nodes.length + edges.length >= elements) yield take()
  }
  if (!any || nodes.length + edges.length > 0) yield take()
}

/** How many parts {@link graphParts} makes. */
export function countParts(view: GraphView, elements: number): number {
  const fullNodeParts = Math.floor(view.nodeCount / elements)
  const rest = (view.nodeCount % elements) + view.edgeCount
  return Math.max(1, fullNodeParts + Math.ceil(rest / elements))
}

/** The whole graph as the bare object of `GET /api/topology`. */
export function graphJson(view: GraphView): string {
  const { nodes, edges } = graphParts(view, Number.POSITIVE_INFINITY).next().value as GraphPart
  return `{"Nodes":[${nodes}],"Edges":[${edges}]}`
}

/** The rows of a view, gathered first: a generator cannot yield from inside a visitor. */
function ordinals(count: number, walk: (visit: (ordinal: number) => undefined) => void): Int32Array {
  const rows = new Int32Array(count)
  let length = 0
  walk((ordinal) => {
    rows[length++] = ordinal
    return undefined
  })
  return rows.subarray(0, length)
}
