import type {
  GraphEdge,
  GraphElement,
  GraphNode,
  GraphView,
  IndexValue,
  MetadataValue,
  NeighborVisitor,
  OrdinalVisitor,
} from '@skydive/contracts'
import { InvariantError } from '@skydive/contracts'
import { elementField } from '@skydive/filter'
import type { EventLog } from './event-log.ts'
import type { Change, GraphState } from './graph-state.ts'
import type { IndexSet } from './index-set.ts'
import { TableOverlay } from './overlay.ts'
import type { RowTable } from './row-table.ts'

interface Overlay {
  /** The state that the overlay is right for. */
  readonly version: number
  readonly nodes: TableOverlay<GraphNode>
  readonly edges: TableOverlay<GraphEdge>
  readonly deletedOut: ReadonlyMap<number, readonly number[]>
  readonly deletedIn: ReadonlyMap<number, readonly number[]>
}

function isNodeChange(change: Change): boolean {
  return change.event.kind.startsWith('node')
}

function isEdgeChange(change: Change): boolean {
  return !isNodeChange(change)
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
  private readonly state: GraphState
  private readonly log: EventLog
  private cached: Overlay | undefined
  private readonly fields = new Map<string, (element: GraphNode | GraphEdge) => MetadataValue | undefined>()

  constructor(state: GraphState, log: EventLog) {
    this.state = state
    this.log = log
    this.version = state.version
    this.nodeCount = state.committed.nodes
    this.edgeCount = state.committed.edges
    this.nodeOrdinals = state.committed.nodeOrdinals
    this.edgeOrdinals = state.committed.edgeOrdinals
  }

  nodeOrdinal(id: string): number {
    const row = this.state.nodes.byId.get(id)
    const overlay = this.overlay()
    if (!overlay) return row ?? -1
    return row !== undefined && this.state.nodes.existsAt(row, this.version) ? row : overlay.nodes.deletedRow(id)
  }

  edgeOrdinal(id: string): number {
    const row = this.state.edges.byId.get(id)
    const overlay = this.overlay()
    if (!overlay) return row ?? -1
    return row !== undefined && this.state.edges.existsAt(row, this.version) ? row : overlay.edges.deletedRow(id)
  }

  node(ordinal: number): GraphNode {
    return this.state.nodes.elementAt(ordinal, this.version)
  }

  edge(ordinal: number): GraphEdge {
    return this.state.edges.elementAt(ordinal, this.version)
  }

  forEachNode(visit: OrdinalVisitor): void {
    this.scan(this.state.nodes, this.overlay()?.nodes, visit)
  }

  forEachEdge(visit: OrdinalVisitor): void {
    this.scan(this.state.edges, this.overlay()?.edges, visit)
  }

  nodeCardinality(key: string, value: IndexValue): number {
    return this.cardinality(this.state.nodes, this.state.nodeIndexes, this.overlay()?.nodes, key, value)
  }

  edgeCardinality(key: string, value: IndexValue): number {
    return this.cardinality(this.state.edges, this.state.edgeIndexes, this.overlay()?.edges, key, value)
  }

  forEachNodeWith(key: string, value: IndexValue, visit: OrdinalVisitor): void {
    this.lookUp(this.state.nodes, this.state.nodeIndexes, this.overlay()?.nodes, key, value, visit)
  }

  forEachEdgeWith(key: string, value: IndexValue, visit: OrdinalVisitor): void {
    this.lookUp(this.state.edges, this.state.edgeIndexes, this.overlay()?.edges, key, value, visit)
  }

  forEachOut(node: number, visit: NeighborVisitor): void {
    const { adjacency, edges } = this.state
    const lists = adjacency.outgoing
    const overlay = this.overlay()
    for (let edge = lists.first(node); edge >= 0; edge = lists.after(edge)) {
      if (overlay && !edges.existsAt(edge, this.version)) continue
      if (visit(edge, adjacency.childOf(edge)) === false) return
    }
    for (const edge of overlay?.deletedOut.get(node) ?? []) if (visit(edge, adjacency.childOf(edge)) === false) return
  }

  forEachIn(node: number, visit: NeighborVisitor): void {
    const { adjacency, edges } = this.state
    const lists = adjacency.incoming
    const overlay = this.overlay()
    for (let edge = lists.first(node); edge >= 0; edge = lists.after(edge)) {
      if (overlay && !edges.existsAt(edge, this.version)) continue
      if (visit(edge, adjacency.parentOf(edge)) === false) return
    }
    for (const edge of overlay?.deletedIn.get(node) ?? []) if (visit(edge, adjacency.parentOf(edge)) === false) return
  }

  parentOf(edge: number): number {
    return this.state.adjacency.parentOf(edge)
  }

  childOf(edge: number): number {
    return this.state.adjacency.childOf(edge)
  }

  nodeValue(ordinal: number, path: string): MetadataValue | undefined {
    return this.field(path)(this.node(ordinal))
  }

  edgeValue(ordinal: number, path: string): MetadataValue | undefined {
    return this.field(path)(this.edge(ordinal))
  }

  private field(path: string): (element: GraphNode | GraphEdge) => MetadataValue | undefined {
    let read = this.fields.get(path)
    if (!read) {
      read = elementField(path)
      this.fields.set(path, read)
    }
    return read
  }

  private scan<E extends GraphElement>(table: RowTable<E>, overlay: TableOverlay<E> | undefined, visit: OrdinalVisitor): void {
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

  private cardinality<E extends GraphElement>(
    table: RowTable<E>,
    indexes: IndexSet<E>,
    overlay: TableOverlay<E> | undefined,
    key: string,
    value: IndexValue,
  ): number {
    const index = indexes.get(key)
    if (!index) return -1
    if (!overlay) return index.cardinality(value)
    let count = 0
    this.lookUp(table, indexes, overlay, key, value, () => {
      count++
      return true
    })
    return count
  }

  private lookUp<E extends GraphElement>(
    table: RowTable<E>,
    indexes: IndexSet<E>,
    overlay: TableOverlay<E> | undefined,
    key: string,
    value: IndexValue,
    visit: OrdinalVisitor,
  ): void {
    const index = indexes.get(key)
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
    const touched = overlay.touchedWith(key, value, indexes.reader(key)!)
    if (touched.length > 0) rows.push(...touched)
    if (touched.length > 0) rows.sort((a, b) => table.sequence[a]! - table.sequence[b]!)
    for (const row of rows) if (visit(row) === false) return
  }

  /** `undefined` while the view is the newest state. */
  private overlay(): Overlay | undefined {
    const { state } = this
    if (state.version === this.version && state.journal.length === 0) return undefined
    if (this.cached?.version === state.version && state.journal.length === 0) return this.cached
    const overlay = this.makeOverlay()
    // Within a transaction the journal grows with every step; keep only what is settled.
    if (state.journal.length === 0) this.cached = overlay
    return overlay
  }

  private makeOverlay(): Overlay {
    const { state } = this
    const entries = this.log.after(this.version, state.version)
    if (!entries) throw new InvariantError(`version ${this.version} is forgotten while a view of it is in use`)
    const changes = [...entries.flatMap((entry) => entry.changes), ...state.journal]
    const edges = new TableOverlay(state.edges, this.version, changes, isEdgeChange)
    const deletedOut = new Map<number, number[]>()
    const deletedIn = new Map<number, number[]>()
    for (const edge of edges.deleted) {
      collect(deletedOut, state.adjacency.parentOf(edge), edge)
      collect(deletedIn, state.adjacency.childOf(edge), edge)
    }
    return {
      version: state.version,
      nodes: new TableOverlay(state.nodes, this.version, changes, isNodeChange),
      edges,
      deletedOut,
      deletedIn,
    }
  }
}

function collect(lists: Map<number, number[]>, node: number, edge: number): void {
  const list = lists.get(node)
  if (list) list.push(edge)
  else lists.set(node, [edge])
}
