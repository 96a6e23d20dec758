import type { GraphEdge, GraphNode, GraphView } from '@skydive/contracts'
import type { Predicate } from '@skydive/filter'
import type { RowKind } from '../stream.ts'
import type { Advance, Move } from './moves.ts'
import { type DeltaBody, DeltaBuilder, type Sink } from './sink.ts'
import type { Stage } from './stage.ts'

function body(nodes: DeltaBuilder<GraphNode>, edges: DeltaBuilder<GraphEdge>): DeltaBody | undefined {
  if (nodes.isEmpty && edges.isEmpty) return undefined
  return { kind: 'graph', nodes: nodes.delta, edges: edges.delta }
}

function once(move: Move): Move {
  return { ...move, old: Math.min(move.old, 1), now: Math.min(move.now, 1) }
}

/** `SubGraph` of nodes: they, and every edge that passes with both ends among them. */
export class NodeGraphSink implements Sink {
  readonly name = 'subgraph of nodes'
  readonly readsEdges = true
  private readonly passes: Predicate<GraphEdge>
  private readonly edges = new Set<string>()

  constructor(passes: Predicate<GraphEdge>) {
    this.passes = passes
  }

  get size(): number {
    return this.edges.size
  }

  holds(kind: 'nodes' | 'edges', id: string): boolean {
    return kind === 'edges' && this.edges.has(id)
  }

  forEachHeld(visit: (kind: RowKind, id: string) => void): void {
    for (const id of this.edges) visit('edges', id)
  }

  advance(stage: Stage, advance: Advance): DeltaBody | undefined {
    const nodes = new DeltaBuilder<GraphNode>()
    const edges = new DeltaBuilder<GraphEdge>()
    for (const net of advance.edges.list) {
      const { before, after, gone } = net
      const had = this.edges.has(net.id)
      const has = after !== undefined && this.belongs(after, stage, advance.view)
      if (had !== has) this.note(net.id, has, advance)
      edges.move({ id: net.id, before, after, gone, old: had ? 1 : 0, now: has ? 1 : 0 })
    }
    for (const move of stage.moves.list) {
      nodes.move(once(move))
      if (move.old > 0 !== move.now > 0) this.lookAround(move.id, stage, advance, edges)
    }
    return body(nodes, edges)
  }

  whole(stage: Stage, view: GraphView): DeltaBody {
    const nodes = new DeltaBuilder<GraphNode>()
    const edges = new DeltaBuilder<GraphEdge>()
    stage.forEach(view, (element) => nodes.added.push(element as GraphNode))
    for (const id of this.edges) edges.added.push(view.edge(view.edgeOrdinal(id)))
    return { kind: 'graph', nodes: nodes.delta, edges: edges.delta }
  }

  private belongs(edge: GraphEdge, stage: Stage, view: GraphView): boolean {
    return stage.count(edge.parent, view) > 0 && stage.count(edge.child, view) > 0 && this.passes(edge)
  }

  /** The edges of a node that has come or gone, but for those that changed themselves. */
  private lookAround(id: string, stage: Stage, advance: Advance, edges: DeltaBuilder<GraphEdge>): void {
    const { view } = advance
    const row = view.nodeOrdinal(id)
    if (row < 0) return
    const visit = (ordinal: number): boolean => {
      const edge = view.edge(ordinal)
      const had = this.edges.has(edge.id)
      const has = this.belongs(edge, stage, view)
      if (had === has || advance.edges.get(edge.id)) return true
      this.note(edge.id, has, advance)
      if (has) edges.added.push(edge)
      else edges.removed.push(edge)
      return true
    }
    view.forEachOut(row, visit)
    view.forEachIn(row, visit)
  }

  private note(id: string, has: boolean, { membership }: Advance): void {
    if (has) {
      this.edges.add(id)
      membership.joined('edges', id)
    } else {
      this.edges.delete(id)
      membership.left('edges', id)
    }
  }
}

/** `SubGraph` of edges: those that pass, and their ends. */
export class EdgeGraphSink implements Sink {
  readonly name = 'subgraph of edges'
  private readonly passes: Predicate<GraphEdge>
  /** How many edges end at each node. */
  private readonly ends = new Map<string, number>()

  constructor(passes: Predicate<GraphEdge>) {
    this.passes = passes
  }

  get size(): number {
    return this.ends.size
  }

  holds(kind: 'nodes' | 'edges', id: string): boolean {
    return kind === 'nodes' && this.ends.has(id)
  }

  forEachHeld(visit: (kind: RowKind, id: string) => void): void {
    for (const id of this.ends.keys()) visit('nodes', id)
  }

  advance(stage: Stage, advance: Advance): DeltaBody | undefined {
    const nodes = new DeltaBuilder<GraphNode>()
    const edges = new DeltaBuilder<GraphEdge>()
    const touched = new Map<string, number>()
    const touch = (id: string, times: number): void => {
      touched.set(id, (touched.get(id) ?? 0) + times)
    }
    for (const move of stage.moves.list) {
      const { before, after } = move as { before?: GraphEdge; after?: GraphEdge }
      const had = move.old > 0 && this.passes(before!)
      const has = move.now > 0 && this.passes(after!)
      edges.move({ ...move, old: had ? 1 : 0, now: has ? 1 : 0 })
      if (had) for (const end of endsOf(before!)) touch(end, -1)
      if (has) for (const end of endsOf(after!)) touch(end, 1)
    }
    for (const net of advance.nodes.list) if (this.ends.has(net.id)) touch(net.id, 0)
    for (const [id, times] of touched) this.settle(id, times, advance, nodes)
    return body(nodes, edges)
  }

  whole(stage: Stage, view: GraphView): DeltaBody {
    const nodes = new DeltaBuilder<GraphNode>()
    const edges = new DeltaBuilder<GraphEdge>()
    for (const id of this.ends.keys()) nodes.added.push(view.node(view.nodeOrdinal(id)))
    stage.forEach(view, (element) => {
      if (this.passes(element as GraphEdge)) edges.added.push(element as GraphEdge)
    })
    return { kind: 'graph', nodes: nodes.delta, edges: edges.delta }
  }

  private settle(id: string, times: number, advance: Advance, nodes: DeltaBuilder<GraphNode>): void {
    const old = this.ends.get(id) ?? 0
    const now = old + times
    if (now > 0) this.ends.set(id, now)
    else this.ends.delete(id)
    if (old === 0 && now > 0) advance.membership.joined('nodes', id)
    if (old > 0 && now === 0) advance.membership.left('nodes', id)
    const net = advance.nodes.get(id)
    const row = advance.view.nodeOrdinal(id)
    const current = row < 0 ? undefined : advance.view.node(row)
    const before = net ? net.before : current
    nodes.move({ id, before, after: current, gone: net?.gone, old: Math.min(old, 1), now: Math.min(now, 1) })
  }
}

function endsOf({ parent, child }: GraphEdge): readonly string[] {
  return parent === child ? [parent] : [parent, child]
}
