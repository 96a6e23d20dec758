import type {
  GraphEdge,
  GraphNode,
  GraphView,
  IndexValue,
  MetadataValue,
  NeighborSpan,
  NeighborVisitor,
  OrdinalVisitor,
  TimeSlice,
} from '@skydive/contracts'
import { elementField, type FieldReader } from './element-field.ts'
import { addToIndex } from './index-values.ts'

/** Elements of which some are made when somebody asks for them, and whose single fields can be read without. */
export interface LateElements<E extends GraphNode | GraphEdge> {
  /** In the order in which a view shall tell them; `undefined` what is not made yet. The view puts in what it has asked for. */
  readonly elements: (E | undefined)[]
  /** The element of a row that has none yet. The view asks once for each. */
  element(row: number): E
  /** What `read`, the reader of the field `path`, would tell of it. */
  value(row: number, path: string, read: FieldReader<E>): MetadataValue | undefined
}

/** The rows of one kind of element, with what is looked up built when it is first asked. */
class ElementRows<E extends GraphNode | GraphEdge> {
  readonly elements: (E | undefined)[]
  readonly #late: LateElements<E> | undefined
  readonly #indexed: ReadonlySet<string>
  readonly #indexes = new Map<string, Map<IndexValue, number[]>>()
  readonly #fields = new Map<string, FieldReader<E>>()

  constructor(given: readonly E[] | LateElements<E>, indexed: readonly string[]) {
    this.#late = 'elements' in given ? given : undefined
    // Where nothing comes late, nothing is written.
    this.elements = 'elements' in given ? given.elements : (given as E[])
    this.#indexed = new Set(['@ID', ...indexed])
  }

  at(row: number): E {
    const element = this.elements[row]
    if (element !== undefined) return element
    const made = this.#late!.element(row)
    this.elements[row] = made
    return made
  }

  value(row: number, path: string): MetadataValue | undefined {
    const element = this.elements[row]
    const read = this.#field(path)
    return element === undefined ? this.#late!.value(row, path, read) : read(element)
  }

  /** The newest revision of an id, or -1. */
  ordinal(id: string): number {
    const rows = this.with('@ID', id)!
    let newest = rows[0] ?? -1
    for (let i = 1; i < rows.length; i++) if (this.at(newest).revision <= this.at(rows[i]!).revision) newest = rows[i]!
    return newest
  }

  forEach(visit: OrdinalVisitor): void {
    for (let row = 0; row < this.elements.length; row++) if (visit(row) === false) return
  }

  #field(path: string): FieldReader<E> {
    let read = this.#fields.get(path)
    if (!read) {
      read = elementField(path)
      this.#fields.set(path, read)
    }
    return read
  }

  with(key: string, value: IndexValue): readonly number[] | undefined {
    if (!this.#indexed.has(key)) return undefined
    let index = this.#indexes.get(key)
    if (!index) {
      index = new Map()
      this.#indexes.set(key, index)
      for (let row = 0; row < this.elements.length; row++) addToIndex(index, row, this.value(row, key))
    }
    return index.get(value) ?? []
  }
}

/** What {@link elementView} makes. */
class ElementView implements GraphView {
  readonly version: number
  readonly slice: TimeSlice | undefined
  readonly #nodes: ElementRows<GraphNode>
  readonly #edges: ElementRows<GraphEdge>

  constructor(init: LateViewInit) {
    this.version = init.version ?? 0
    this.slice = init.slice
    this.#nodes = new ElementRows(init.nodes, init.nodeIndexes ?? [])
    this.#edges = new ElementRows(init.edges, ['Parent', 'Child', ...(init.edgeIndexes ?? [])])
  }

  get nodeCount(): number {
    return this.#nodes.elements.length
  }

  get edgeCount(): number {
    return this.#edges.elements.length
  }

  get nodeOrdinals(): number {
    return this.#nodes.elements.length
  }

  get edgeOrdinals(): number {
    return this.#edges.elements.length
  }

  nodeOrdinal(id: string): number {
    return this.#nodes.ordinal(id)
  }

  edgeOrdinal(id: string): number {
    return this.#edges.ordinal(id)
  }

  node(ordinal: number): GraphNode {
    return this.#nodes.at(ordinal)
  }

  edge(ordinal: number): GraphEdge {
    return this.#edges.at(ordinal)
  }

  forEachNode(visit: OrdinalVisitor): void {
    this.#nodes.forEach(visit)
  }

  forEachEdge(visit: OrdinalVisitor): void {
    this.#edges.forEach(visit)
  }

  nodeCardinality(key: string, value: IndexValue): number {
    return this.#nodes.with(key, value)?.length ?? -1
  }

  edgeCardinality(key: string, value: IndexValue): number {
    return this.#edges.with(key, value)?.length ?? -1
  }

  forEachNodeWith(key: string, value: IndexValue, visit: OrdinalVisitor): void {
    for (const row of this.#nodes.with(key, value) ?? []) if (visit(row) === false) return
  }

  forEachEdgeWith(key: string, value: IndexValue, visit: OrdinalVisitor): void {
    for (const row of this.#edges.with(key, value) ?? []) if (visit(row) === false) return
  }

  forEachOut(node: number, visit: NeighborVisitor): void {
    this.#walk('Parent', node, (edge) => edge.child, visit)
  }

  forEachIn(node: number, visit: NeighborVisitor): void {
    this.#walk('Child', node, (edge) => edge.parent, visit)
  }

  readOut(node: number, span: NeighborSpan): void {
    span.clear()
    this.forEachOut(node, (edge, child) => span.add(edge, child))
  }

  readIn(node: number, span: NeighborSpan): void {
    span.clear()
    this.forEachIn(node, (edge, parent) => span.add(edge, parent))
  }

  parentOf(edge: number): number {
    return this.#nodes.ordinal(this.edge(edge).parent)
  }

  childOf(edge: number): number {
    return this.#nodes.ordinal(this.edge(edge).child)
  }

  nodeValue(ordinal: number, path: string): MetadataValue | undefined {
    return this.#nodes.value(ordinal, path)
  }

  edgeValue(ordinal: number, path: string): MetadataValue | undefined {
    return this.#edges.value(ordinal, path)
  }

  #walk(end: string, node: number, otherEnd: (edge: GraphEdge) => string, visit: NeighborVisitor): void {
    for (const edge of this.#edges.with(end, this.node(node).id)!) {
      for (const row of this.#nodes.with('@ID', otherEnd(this.edge(edge)))!) if (visit(edge, row) === false) return
    }
  }
}

/** What a view is made of. */
export interface ElementViewInit {
  /** In the order in which `forEachNode` shall tell them. Several revisions of one id are several rows. */
  readonly nodes: readonly GraphNode[]
  /** The same of edges. */
  readonly edges: readonly GraphEdge[]
  /** The time that the rows are of; `undefined`: the present. */
  readonly slice: TimeSlice | undefined
  /** What the view says of itself; 0 when absent. */
  readonly version?: number
  /** Keys that can be looked up without a scan, besides `@ID`. */
  readonly nodeIndexes?: readonly string[]
  /** The same of edges, besides `@ID`, `Parent` and `Child`. */
  readonly edgeIndexes?: readonly string[]
}

/** {@link ElementViewInit} with elements that may come late. */
export interface LateViewInit extends Omit<ElementViewInit, 'nodes' | 'edges'> {
  /** See {@link ElementViewInit.nodes}. */
  readonly nodes: readonly GraphNode[] | LateElements<GraphNode>
  /** The same of edges. */
  readonly edges: readonly GraphEdge[] | LateElements<GraphEdge>
}

/**
 * A `GraphView` over elements at hand: the rows of another time, a sub-graph, what a store selected. Costs nothing until something is looked
 * up; look-ups, adjacency and ids are built on first use, O(rows). An end that is missing is legal: walks don't follow such an edge.
 */
export function elementView(init: LateViewInit): GraphView {
  return new ElementView(init)
}
