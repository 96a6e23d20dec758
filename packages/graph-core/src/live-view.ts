import type {
  GraphEdge,
  GraphElement,
  GraphNode,
  GraphView,
  IndexValue,
  MetadataValue,
  NeighborSpan,
  NeighborVisitor,
  OrdinalVisitor,
} from '@skydive/contracts'
import { InvariantError } from '@skydive/contracts'
import { elementField } from '@skydive/filter'
import type { EdgeLists } from './adjacency.ts'
import type { GraphState } from './graph-state.ts'
import { TableOverlay } from './overlay.ts'
import type { RowTable } from './row-table.ts'

/** Edges by a node at one of their ends. */
type DeletedEdges = ReadonlyMap<number, readonly number[]>

interface Overlay {
  /** The state that the overlay is right for. */
  readonly version: number
  readonly nodes: TableOverlay<GraphNode>
  readonly edges: TableOverlay<GraphEdge>
  readonly deletedOut: DeletedEdges
  readonly deletedIn: DeletedEdges
}

/**
 * The graph as of one version. While that is the newest version every read goes straight to the living structures; afterwards what has
 * changed since is laid over them, at a cost that grows with those changes and not with the graph.
 */
export class LiveView implements GraphView {
  readonly version: number
  readonly slice = undefined
  readonly nodeCount: number
  readonly edgeCount: number
  readonly nodeOrdinals: number
  readonly edgeOrdinals: number
  readonly #state: GraphState
  /** The changes from this number on are younger than the view. */
  readonly #mark: number
  #cached: Overlay | undefined
  /** Revisions that had to be made anew because their rows have changed since. */
  readonly #olderNodes = new Map<number, GraphNode>()
  readonly #olderEdges = new Map<number, GraphEdge>()
  readonly #fields = new Map<string, (element: GraphNode | GraphEdge) => MetadataValue | undefined>()

  constructor(state: GraphState) {
    this.#state = state
    this.#mark = state.committedEnd
    this.version = state.version
    this.nodeCount = state.committed.nodes
    this.edgeCount = state.committed.edges
    this.nodeOrdinals = state.committed.nodeOrdinals
    this.edgeOrdinals = state.committed.edgeOrdinals
  }

  nodeOrdinal(id: string): number {
    return this.#ordinal(this.#state.nodes, this.#overlay()?.nodes, id)
  }

  edgeOrdinal(id: string): number {
    return this.#ordinal(this.#state.edges, this.#overlay()?.edges, id)
  }

  node(ordinal: number): GraphNode {
    const { nodes, columns } = this.#state
    // Where nothing has changed since, no row has.
    return columns.end === this.#mark || nodes.lastChange[ordinal]! < this.#mark
      ? nodes.elements[ordinal]!
      : older(this.#olderNodes, nodes, ordinal, this.#mark)
  }

  edge(ordinal: number): GraphEdge {
    const { edges, columns } = this.#state
    return columns.end === this.#mark || edges.lastChange[ordinal]! < this.#mark
      ? edges.elements[ordinal]!
      : older(this.#olderEdges, edges, ordinal, this.#mark)
  }

  forEachNode(visit: OrdinalVisitor): void {
    this.#scan(this.#state.nodes, this.#overlay()?.nodes, visit)
  }

  forEachEdge(visit: OrdinalVisitor): void {
    this.#scan(this.#state.edges, this.#overlay()?.edges, visit)
  }

  nodeCardinality(key: string, value: IndexValue): number {
    return this.#cardinality(this.#state.nodes, this.#overlay()?.nodes, key, value)
  }

  edgeCardinality(key: string, value: IndexValue): number {
    return this.#cardinality(this.#state.edges, this.#overlay()?.edges, key, value)
  }

  forEachNodeWith(key: string, value: IndexValue, visit: OrdinalVisitor): void {
    this.#lookUp(this.#state.nodes, this.#overlay()?.nodes, key, value, visit)
  }

  forEachEdgeWith(key: string, value: IndexValue, visit: OrdinalVisitor): void {
    this.#lookUp(this.#state.edges, this.#overlay()?.edges, key, value, visit)
  }

  forEachOut(node: number, visit: NeighborVisitor): void {
    this.#walk(node, this.#state.adjacency.outgoing, this.#overlay()?.deletedOut, visit)
  }

  forEachIn(node: number, visit: NeighborVisitor): void {
    this.#walk(node, this.#state.adjacency.incoming, this.#overlay()?.deletedIn, visit)
  }

  readOut(node: number, span: NeighborSpan): void {
    const { adjacency } = this.#state
    const deleted = this.#overlay()?.deletedOut
    if (deleted === undefined) adjacency.readOut(node, span)
    else this.#collect(node, adjacency.outgoing, deleted, span)
  }

  readIn(node: number, span: NeighborSpan): void {
    const { adjacency } = this.#state
    const deleted = this.#overlay()?.deletedIn
    if (deleted === undefined) adjacency.readIn(node, span)
    else this.#collect(node, adjacency.incoming, deleted, span)
  }

  #collect(node: number, lists: EdgeLists, deleted: DeletedEdges, span: NeighborSpan): void {
    span.clear()
    this.#walk(node, lists, deleted, (edge, other) => span.add(edge, other))
  }

  /** `deleted`: the edges that were deleted since, `undefined` while the view is the newest state. */
  #walk(node: number, lists: EdgeLists, deleted: DeletedEdges | undefined, visit: NeighborVisitor): void {
    if (deleted === undefined) {
      lists.forEach(node, visit)
      return
    }
    const { edges } = this.#state
    if (!lists.forEach(node, (edge, other) => (edges.existsAt(edge, this.version) ? visit(edge, other) : true))) return
    for (const edge of deleted.get(node) ?? []) if (visit(edge, lists.other(edge)) === false) return
  }

  parentOf(edge: number): number {
    return this.#state.adjacency.incoming.other(edge)
  }

  childOf(edge: number): number {
    return this.#state.adjacency.outgoing.other(edge)
  }

  nodeValue(ordinal: number, path: string): MetadataValue | undefined {
    return this.#field(path)(this.node(ordinal))
  }

  edgeValue(ordinal: number, path: string): MetadataValue | undefined {
    return this.#field(path)(this.edge(ordinal))
  }

  #field(path: string): (element: GraphNode | GraphEdge) => MetadataValue | undefined {
    let read = this.#fields.get(path)
    if (!read) {
      read = elementField(path)
      this.#fields.set(path, read)
    }
    return read
  }

  #ordinal<E extends GraphElement>(table: RowTable<E>, overlay: TableOverlay<E> | undefined, id: string): number {
    const row = table.byId.get(id) ?? -1
    return !overlay || (row >= 0 && table.existsAt(row, this.version)) ? row : overlay.deletedRow(id)
  }

  #scan<E extends GraphElement>(table: RowTable<E>, overlay: TableOverlay<E> | undefined, visit: OrdinalVisitor): void {
    if (!overlay) {
      for (let row = table.first; row >= 0; row = table.after(row)) if (visit(row) === false) return
      return
    }
    // Living rows and deleted ones are both in order of creation: merge them.
    const { deleted } = overlay
    let next = 0
    for (let row = table.first; row >= 0; row = table.after(row)) {
      while (next < deleted.length && table.sequence[deleted[next]!]! < table.sequence[row]!) {
        if (visit(deleted[next++]!) === false) return
      }
      if (table.existsAt(row, this.version) && visit(row) === false) return
    }
    while (next < deleted.length) if (visit(deleted[next++]!) === false) return
  }

  #cardinality<E extends GraphElement>(
    table: RowTable<E>,
    overlay: TableOverlay<E> | undefined,
    key: string,
    value: IndexValue,
  ): number {
    const index = table.indexes.get(key)
    if (!index) return -1
    if (!overlay) return index.cardinality(value)
    let count = 0
    this.#lookUp(table, overlay, key, value, () => {
      count++
      return true
    })
    return count
  }

  #lookUp<E extends GraphElement>(
    table: RowTable<E>,
    overlay: TableOverlay<E> | undefined,
    key: string,
    value: IndexValue,
    visit: OrdinalVisitor,
  ): void {
    const index = table.indexes.get(key)
    if (!index) return
    if (!overlay) {
      index.forEach(value, visit)
      return
    }
    const rows: number[] = []
    index.forEach(value, (row) => {
      if (table.existsAt(row, this.version) && !overlay.touched.has(row)) rows.push(row)
      return true
    })
    const touched = overlay.touchedWith(key, value, table.indexes.reader(key)!)
    if (touched.length > 0) rows.push(...touched)
    if (touched.length > 0) rows.sort((a, b) => table.sequence[a]! - table.sequence[b]!)
    for (const row of rows) if (visit(row) === false) return
  }

  /** `undefined` while the view is the newest state. */
  #overlay(): Overlay | undefined {
    const state = this.#state
    if (state.version === this.version && state.isSettled) return undefined
    if (this.#cached?.version === state.version && state.isSettled) return this.#cached
    const overlay = this.#makeOverlay()
    // Within a transaction the journal grows with every step; keep only what is settled.
    if (state.isSettled) this.#cached = overlay
    return overlay
  }

  #makeOverlay(): Overlay {
    const state = this.#state
    const { version } = this
    const mark = this.#mark
    if (mark < state.columns.first) throw new InvariantError(`version ${version} is forgotten while a view of it is in use`)
    const edges = new TableOverlay(state.edges, version, mark)
    const deletedOut = new Map<number, number[]>()
    const deletedIn = new Map<number, number[]>()
    for (const edge of edges.deleted) {
      collect(deletedOut, this.parentOf(edge), edge)
      collect(deletedIn, this.childOf(edge), edge)
    }
    return {
      version: state.version,
      nodes: new TableOverlay(state.nodes, version, mark),
      edges,
      deletedOut,
      deletedIn,
    }
  }
}

function older<E extends GraphElement>(known: Map<number, E>, table: RowTable<E>, row: number, mark: number): E {
  let element = known.get(row)
  if (element === undefined) {
    element = table.elementAt(row, mark)
    known.set(row, element)
  }
  return element
}

function collect(lists: Map<number, number[]>, node: number, edge: number): void {
  const list = lists.get(node)
  if (list) list.push(edge)
  else lists.set(node, [edge])
}
