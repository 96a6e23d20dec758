import type {
  GraphEdge,
  GraphElement,
  GraphNode,
  GraphView,
  IndexValue,
  MetadataValue,
  NeighborVisitor,
  OrdinalVisitor,
  TimeSlice,
} from '@skydive/contracts'
import { elementField, type FieldReader } from '@skydive/filter'
import { DEFAULT_EDGE_INDEXES, DEFAULT_NODE_INDEXES } from './default-indexes.ts'
import { forEachIndexValue } from './index-values.ts'

/** The rows of one kind of element, with what is looked up built when it is first asked. */
class SliceRows<E extends GraphNode | GraphEdge> {
  readonly elements: readonly E[]
  private readonly indexed: ReadonlySet<string>
  private newest: Map<string, number> | undefined
  private readonly indexes = new Map<string, Map<IndexValue, number[]>>()
  private readonly fields = new Map<string, FieldReader<E>>()

  constructor(elements: readonly E[], indexed: readonly string[]) {
    this.elements = elements
    this.indexed = new Set(['@ID', ...indexed])
  }

  ordinal(id: string): number {
    if (!this.newest) {
      this.newest = new Map()
      for (const [row, element] of this.elements.entries()) {
        const known = this.newest.get(element.id)
        if (known === undefined || this.elements[known]!.revision <= element.revision) this.newest.set(element.id, row)
      }
    }
    return this.newest.get(id) ?? -1
  }

  forEach(visit: OrdinalVisitor): void {
    for (let row = 0; row < this.elements.length; row++) if (visit(row) === false) return
  }

  field(path: string): FieldReader<E> {
    let read = this.fields.get(path)
    if (!read) {
      read = elementField(path)
      this.fields.set(path, read)
    }
    return read
  }

  with(key: string, value: IndexValue): readonly number[] | undefined {
    if (!this.indexed.has(key)) return undefined
    let index = this.indexes.get(key)
    if (!index) {
      index = new Map()
      this.indexes.set(key, index)
      const read = this.field(key)
      for (const [row, element] of this.elements.entries()) {
        forEachIndexValue(read(element), (own) => {
          const rows = index!.get(own)
          if (rows === undefined) index!.set(own, [row])
          else if (rows.at(-1) !== row) rows.push(row)
        })
      }
    }
    return index.get(value) ?? []
  }

  rowsOf(id: string): readonly number[] {
    return this.with('@ID', id)!
  }
}

/** A view over elements at hand: a slice of the past, a sub-graph. */
class SliceView implements GraphView {
  readonly version: number
  readonly slice: TimeSlice | undefined
  private readonly nodes: SliceRows<GraphNode>
  private readonly edges: SliceRows<GraphEdge>
  private outgoing: Map<string, number[]> | undefined
  private incoming: Map<string, number[]> | undefined

  constructor(init: ViewInit) {
    this.version = init.version ?? 0
    this.slice = init.slice
    this.nodes = new SliceRows(init.nodes, init.nodeIndexes ?? DEFAULT_NODE_INDEXES)
    this.edges = new SliceRows(init.edges, init.edgeIndexes ?? DEFAULT_EDGE_INDEXES)
  }

  get nodeCount(): number {
    return this.nodes.elements.length
  }

  get edgeCount(): number {
    return this.edges.elements.length
  }

  get nodeOrdinals(): number {
    return this.nodes.elements.length
  }

  get edgeOrdinals(): number {
    return this.edges.elements.length
  }

  nodeOrdinal(id: string): number {
    return this.nodes.ordinal(id)
  }

  edgeOrdinal(id: string): number {
    return this.edges.ordinal(id)
  }

  node(ordinal: number): GraphNode {
    return this.nodes.elements[ordinal]!
  }

  edge(ordinal: number): GraphEdge {
    return this.edges.elements[ordinal]!
  }

  forEachNode(visit: OrdinalVisitor): void {
    this.nodes.forEach(visit)
  }

  forEachEdge(visit: OrdinalVisitor): void {
    this.edges.forEach(visit)
  }

  nodeCardinality(key: string, value: IndexValue): number {
    return this.nodes.with(key, value)?.length ?? -1
  }

  edgeCardinality(key: string, value: IndexValue): number {
    return this.edges.with(key, value)?.length ?? -1
  }

  forEachNodeWith(key: string, value: IndexValue, visit: OrdinalVisitor): void {
    for (const row of this.nodes.with(key, value) ?? []) if (visit(row) === false) return
  }

  forEachEdgeWith(key: string, value: IndexValue, visit: OrdinalVisitor): void {
    for (const row of this.edges.with(key, value) ?? []) if (visit(row) === false) return
  }

  forEachOut(node: number, visit: NeighborVisitor): void {
    this.outgoing ??= groupEdges(this.edges.elements, (edge) => edge.parent)
    this.walk(this.outgoing.get(this.node(node).id), (edge) => edge.child, visit)
  }

  forEachIn(node: number, visit: NeighborVisitor): void {
    this.incoming ??= groupEdges(this.edges.elements, (edge) => edge.child)
    this.walk(this.incoming.get(this.node(node).id), (edge) => edge.parent, visit)
  }

  parentOf(edge: number): number {
    return this.nodes.ordinal(this.edge(edge).parent)
  }

  childOf(edge: number): number {
    return this.nodes.ordinal(this.edge(edge).child)
  }

  nodeValue(ordinal: number, path: string): MetadataValue | undefined {
    return this.nodes.field(path)(this.node(ordinal))
  }

  edgeValue(ordinal: number, path: string): MetadataValue | undefined {
    return this.edges.field(path)(this.edge(ordinal))
  }

  private walk(edges: readonly number[] | undefined, otherEnd: (edge: GraphEdge) => string, visit: NeighborVisitor): void {
    for (const edge of edges ?? []) {
      for (const node of this.nodes.rowsOf(otherEnd(this.edge(edge)))) if (visit(edge, node) === false) return
    }
  }
}

function groupEdges(edges: readonly GraphEdge[], end: (edge: GraphEdge) => string): Map<string, number[]> {
  const groups = new Map<string, number[]>()
  for (const [row, edge] of edges.entries()) {
    const group = groups.get(end(edge))
    if (group) group.push(row)
    else groups.set(end(edge), [row])
  }
  return groups
}

/** What a view is made of. */
export interface ViewInit {
  /** In the order in which `forEachNode` shall tell them. Several revisions of one id are several rows. */
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
  /** The time that the rows are of; `undefined`: the present. */
  readonly slice: TimeSlice | undefined
  readonly version?: number
  /** Keys that can be looked up without a scan; the defaults of a graph when absent. */
  readonly nodeIndexes?: readonly string[]
  readonly edgeIndexes?: readonly string[]
}

/**
 * A `GraphView` over revisions at hand, for stores (rows of a slice) and sub-graphs. Costs nothing until something is looked up; look-ups,
 * adjacency and ids are built on first use, O(rows). Edges whose ends are missing are legal: walks don't follow them.
 */
export function viewOf(init: ViewInit): GraphView {
  return new SliceView(init)
}

/** Whether two instants are one. */
export function isPoint(slice: TimeSlice): boolean {
  return slice.startMs === slice.lastMs
}

/**
 * Whether a revision belongs to a slice: valid from its `updatedAtMs` until just before `supersededAtMs` (the `updatedAtMs` of the next
 * revision, `undefined` for the last one); a deleted element belongs to the very instant of its deletion too.
 */
export function isInSlice(element: GraphElement, supersededAtMs: number | undefined, slice: TimeSlice): boolean {
  return (
    element.createdAtMs <= slice.lastMs &&
    element.updatedAtMs <= slice.lastMs &&
    (supersededAtMs === undefined || supersededAtMs > slice.startMs) &&
    (element.deletedAtMs === null || element.deletedAtMs >= slice.startMs)
  )
}
