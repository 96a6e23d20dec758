import type {
  GraphEdge,
  GraphNode,
  GraphView,
  IndexValue,
  MetadataValue,
  NeighborVisitor,
  OrdinalVisitor,
  TimeSlice,
} from '@skydive/contracts'

/** A part of another view: some of its rows, under the same ordinals. What `SubGraph` makes. */
export class RestrictedView implements GraphView {
  private readonly base: GraphView
  private readonly nodes: ReadonlySet<number>
  private readonly edges: ReadonlySet<number>

  /** The sets are told in their order. Both ends of every edge must be among the nodes. */
  constructor(base: GraphView, nodes: ReadonlySet<number>, edges: ReadonlySet<number>) {
    this.base = base
    this.nodes = nodes
    this.edges = edges
  }

  get version(): number {
    return this.base.version
  }

  get slice(): TimeSlice | undefined {
    return this.base.slice
  }

  get nodeCount(): number {
    return this.nodes.size
  }

  get edgeCount(): number {
    return this.edges.size
  }

  get nodeOrdinals(): number {
    return this.base.nodeOrdinals
  }

  get edgeOrdinals(): number {
    return this.base.edgeOrdinals
  }

  nodeOrdinal(id: string): number {
    const row = this.base.nodeOrdinal(id)
    return this.nodes.has(row) ? row : -1
  }

  edgeOrdinal(id: string): number {
    const row = this.base.edgeOrdinal(id)
    return this.edges.has(row) ? row : -1
  }

  node(ordinal: number): GraphNode {
    return this.base.node(ordinal)
  }

  edge(ordinal: number): GraphEdge {
    return this.base.edge(ordinal)
  }

  forEachNode(visit: OrdinalVisitor): void {
    for (const row of this.nodes) if (visit(row) === false) return
  }

  forEachEdge(visit: OrdinalVisitor): void {
    for (const row of this.edges) if (visit(row) === false) return
  }

  nodeCardinality(key: string, value: IndexValue): number {
    if (this.base.nodeCardinality(key, value) < 0) return -1
    return countOf((visit) => this.forEachNodeWith(key, value, visit))
  }

  edgeCardinality(key: string, value: IndexValue): number {
    if (this.base.edgeCardinality(key, value) < 0) return -1
    return countOf((visit) => this.forEachEdgeWith(key, value, visit))
  }

  forEachNodeWith(key: string, value: IndexValue, visit: OrdinalVisitor): void {
    this.base.forEachNodeWith(key, value, (row) => (this.nodes.has(row) ? visit(row) : true))
  }

  forEachEdgeWith(key: string, value: IndexValue, visit: OrdinalVisitor): void {
    this.base.forEachEdgeWith(key, value, (row) => (this.edges.has(row) ? visit(row) : true))
  }

  forEachOut(node: number, visit: NeighborVisitor): void {
    this.base.forEachOut(node, (edge, child) => (this.edges.has(edge) && this.nodes.has(child) ? visit(edge, child) : true))
  }

  forEachIn(node: number, visit: NeighborVisitor): void {
    this.base.forEachIn(node, (edge, parent) => (this.edges.has(edge) && this.nodes.has(parent) ? visit(edge, parent) : true))
  }

  parentOf(edge: number): number {
    return this.base.parentOf(edge)
  }

  childOf(edge: number): number {
    return this.base.childOf(edge)
  }

  nodeValue(ordinal: number, path: string): MetadataValue | undefined {
    return this.base.nodeValue(ordinal, path)
  }

  edgeValue(ordinal: number, path: string): MetadataValue | undefined {
    return this.base.edgeValue(ordinal, path)
  }
}

function countOf(walk: (visit: OrdinalVisitor) => void): number {
  let count = 0
  walk(() => {
    count++
    return true
  })
  return count
}
