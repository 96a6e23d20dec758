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
  TimeSlice,
} from '@skydive/contracts'

/** The rows of one of the views, moved behind those of the views before it. */
interface Part {
  readonly view: GraphView
  readonly firstNode: number
  readonly firstEdge: number
}

/** Where the rows of one kind begin. */
type First = 'firstNode' | 'firstEdge'

/** Everything: what was joined may be of any time. */
const ALL_TIMES: TimeSlice = { startMs: 0, lastMs: Number.MAX_SAFE_INTEGER }

/**
 * Several views behind each other: what `Select` gives of lists from different graphs or times. An id may have a row in each, so it counts
 * as a duration; neighbours are those that a node has in its own view.
 */
export class JoinedView implements GraphView {
  readonly version = 0
  readonly slice = ALL_TIMES
  readonly nodeOrdinals: number
  readonly edgeOrdinals: number
  readonly #parts: readonly Part[]

  /** The views must differ from each other. */
  constructor(views: readonly GraphView[]) {
    let nodes = 0
    let edges = 0
    this.#parts = views.map((view) => {
      const part = { view, firstNode: nodes, firstEdge: edges }
      nodes += view.nodeOrdinals
      edges += view.edgeOrdinals
      return part
    })
    this.nodeOrdinals = nodes
    this.edgeOrdinals = edges
  }

  /** The row that a node of one of the views has here. */
  nodeRow(view: GraphView, row: number): number {
    return this.#partOf(view).firstNode + row
  }

  edgeRow(view: GraphView, row: number): number {
    return this.#partOf(view).firstEdge + row
  }

  get nodeCount(): number {
    return this.#sum((view) => view.nodeCount)
  }

  get edgeCount(): number {
    return this.#sum((view) => view.edgeCount)
  }

  nodeOrdinal(id: string): number {
    return this.#newest(
      'firstNode',
      (view) => view.nodeOrdinal(id),
      (row) => this.node(row),
    )
  }

  edgeOrdinal(id: string): number {
    return this.#newest(
      'firstEdge',
      (view) => view.edgeOrdinal(id),
      (row) => this.edge(row),
    )
  }

  node(ordinal: number): GraphNode {
    const { view, firstNode } = this.#partAt('firstNode', ordinal)
    return view.node(ordinal - firstNode)
  }

  edge(ordinal: number): GraphEdge {
    const { view, firstEdge } = this.#partAt('firstEdge', ordinal)
    return view.edge(ordinal - firstEdge)
  }

  forEachNode(visit: OrdinalVisitor): void {
    this.#walk('firstNode', visit, (view, visitRow) => view.forEachNode(visitRow))
  }

  forEachEdge(visit: OrdinalVisitor): void {
    this.#walk('firstEdge', visit, (view, visitRow) => view.forEachEdge(visitRow))
  }

  nodeCardinality(key: string, value: IndexValue): number {
    return this.#sum((view) => view.nodeCardinality(key, value))
  }

  edgeCardinality(key: string, value: IndexValue): number {
    return this.#sum((view) => view.edgeCardinality(key, value))
  }

  forEachNodeWith(key: string, value: IndexValue, visit: OrdinalVisitor): void {
    this.#walk('firstNode', visit, (view, visitRow) => view.forEachNodeWith(key, value, visitRow))
  }

  forEachEdgeWith(key: string, value: IndexValue, visit: OrdinalVisitor): void {
    this.#walk('firstEdge', visit, (view, visitRow) => view.forEachEdgeWith(key, value, visitRow))
  }

  forEachOut(node: number, visit: NeighborVisitor): void {
    const { view, firstNode, firstEdge } = this.#partAt('firstNode', node)
    view.forEachOut(node - firstNode, (edge, child) => visit(edge + firstEdge, child + firstNode))
  }

  forEachIn(node: number, visit: NeighborVisitor): void {
    const { view, firstNode, firstEdge } = this.#partAt('firstNode', node)
    view.forEachIn(node - firstNode, (edge, parent) => visit(edge + firstEdge, parent + firstNode))
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
    const { view, firstNode, firstEdge } = this.#partAt('firstEdge', edge)
    return shifted(view.parentOf(edge - firstEdge), firstNode)
  }

  childOf(edge: number): number {
    const { view, firstNode, firstEdge } = this.#partAt('firstEdge', edge)
    return shifted(view.childOf(edge - firstEdge), firstNode)
  }

  nodeValue(ordinal: number, path: string): MetadataValue | undefined {
    const { view, firstNode } = this.#partAt('firstNode', ordinal)
    return view.nodeValue(ordinal - firstNode, path)
  }

  edgeValue(ordinal: number, path: string): MetadataValue | undefined {
    const { view, firstEdge } = this.#partAt('firstEdge', ordinal)
    return view.edgeValue(ordinal - firstEdge, path)
  }

  #partOf(view: GraphView): Part {
    return this.#parts.find((part) => part.view === view)!
  }

  #partAt(first: First, row: number): Part {
    return this.#parts.findLast((part) => part[first] <= row)!
  }

  /** -1 when one of the views says so. */
  #sum(count: (view: GraphView) => number): number {
    let sum = 0
    for (const { view } of this.#parts) {
      const own = count(view)
      if (own < 0) return -1
      sum += own
    }
    return sum
  }

  #newest(first: First, find: (view: GraphView) => number, at: (row: number) => GraphElement): number {
    let newest = -1
    for (const part of this.#parts) {
      const row = shifted(find(part.view), part[first])
      if (row >= 0 && (newest < 0 || at(newest).revision <= at(row).revision)) newest = row
    }
    return newest
  }

  /** Goes from view to view until somebody has enough. */
  #walk(first: First, visit: OrdinalVisitor, each: (view: GraphView, visitRow: OrdinalVisitor) => void): void {
    let wanted = true
    for (const part of this.#parts) {
      each(part.view, (row) => {
        wanted = visit(row + part[first]) !== false
        return wanted
      })
      if (!wanted) return
    }
  }
}

function shifted(row: number, first: number): number {
  return row < 0 ? -1 : row + first
}
