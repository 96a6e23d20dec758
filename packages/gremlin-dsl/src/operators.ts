import { type GraphEdge, type GraphNode, type GraphView, NeighborSpan } from '@skydive/contracts'
import { type FieldReader, type Predicate, tupleKey } from '@skydive/filter'
import type { Budget } from './budget.ts'

/** Takes a row; `false` means that no more are wanted. */
export type Sink = (row: number) => boolean

/** A step over rows: turns the sink of what follows into the sink of what comes. Made anew for every run, so it may count. */
export type Operator = (view: GraphView, budget: Budget, sink: Sink) => Sink

/** Rows that pass a test of their node. */
export function filterNodes(test: Predicate<GraphNode>): Operator {
  return (view, _budget, sink) => (row) => (test(view.node(row)) ? sink(row) : true)
}

/** Rows that pass a test of their edge. */
export function filterEdges(test: Predicate<GraphEdge>): Operator {
  return (view, _budget, sink) => (row) => (test(view.edge(row)) ? sink(row) : true)
}

export type Direction = 'out' | 'in' | 'both'

/** Reads the neighbours of rows. */
export type NeighborReader = (row: number) => readonly NeighborSpan[]

/** A reader of one or both sides, outgoing first. What it answers stays until it is asked again. */
export function neighborReader(view: GraphView, direction: Direction): NeighborReader {
  const out = new NeighborSpan()
  const into = new NeighborSpan()
  const spans = direction === 'out' ? [out] : direction === 'in' ? [into] : [out, into]
  return (row) => {
    if (direction !== 'in') view.readOut(row, out)
    if (direction !== 'out') view.readIn(row, into)
    return spans
  }
}

/** From nodes to the nodes at the other end of their edges, once for each edge. */
export function toNeighbors(direction: Direction): Operator {
  return (view, budget, sink) => {
    const read = neighborReader(view, direction)
    return (row) => {
      for (const { nodes, start, end } of read(row)) {
        budget.visit(end - start)
        for (let i = start; i < end; i++) if (!sink(nodes[i]!)) return false
      }
      return true
    }
  }
}

/** From nodes to their edges. A self loop is told once by `both`. */
export function toEdges(direction: Direction): Operator {
  return (view, budget, sink) => {
    const read = neighborReader(view, direction)
    return (row) => {
      const spans = read(row)
      for (const span of spans) {
        const { nodes, edges, start, end } = span
        for (let i = start; i < end; i++) {
          if (nodes[i] === row && span !== spans[0]) continue
          budget.visit()
          if (!sink(edges[i]!)) return false
        }
      }
      return true
    }
  }
}

/** From edges to their ends: `out` is the child and `in` the parent, as the language has it (spec graph 4.7). */
export function toEnds(direction: Direction): Operator {
  return (view, budget, sink) => (row) => {
    budget.visit()
    if (direction !== 'out') {
      const parent = view.parentOf(row)
      if (parent >= 0 && !sink(parent)) return false
    }
    if (direction === 'in') return true
    const child = view.childOf(row)
    return child < 0 || sink(child)
  }
}

/** The half-open range [from, to) of what comes. */
export function range(from: number, to: number): Operator {
  return (_view, _budget, sink) => {
    let index = 0
    return (_row) => {
      if (index >= to) return false
      const wanted = index++ < from || sink(_row)
      return wanted && index < to
    }
  }
}

/** The first row of every id. */
export function dedupNodes(): Operator {
  return (view, _budget, sink) =>
    view.slice === undefined ? distinctRows(view.nodeOrdinals, sink) : distinctIds((row) => view.node(row).id, sink)
}

export function dedupEdges(): Operator {
  return (view, _budget, sink) =>
    view.slice === undefined ? distinctRows(view.edgeOrdinals, sink) : distinctIds((row) => view.edge(row).id, sink)
}

/** Few rows are kept in a set, so that a short answer from a large graph does not pay for a place for each of its rows. */
const FEW_ROWS = 64

/** Passes on each row once. */
export function distinctRows(ordinals: number, sink: Sink): Sink {
  const few = new Set<number>()
  let stamps: Uint8Array | undefined
  return (row) => {
    if (stamps === undefined) {
      if (few.has(row)) return true
      if (few.size < FEW_ROWS) {
        few.add(row)
        return sink(row)
      }
      stamps = new Uint8Array(ordinals)
      for (const known of few) stamps[known] = 1
    }
    if (stamps[row] === 1) return true
    stamps[row] = 1
    return sink(row)
  }
}

function distinctIds(idOf: (row: number) => string, sink: Sink): Sink {
  const seen = new Set<string>()
  return (row) => {
    const id = idOf(row)
    if (seen.has(id)) return true
    seen.add(id)
    return sink(row)
  }
}

/** The first row of every tuple of values. Gaps in a tuple count; a row that has none of the fields always passes. */
export function dedupBy<E extends GraphNode | GraphEdge>(
  elementOf: (view: GraphView, row: number) => E,
  fields: readonly FieldReader<E>[],
): Operator {
  return (view, _budget, sink) => {
    const seen = new Set<string>()
    return (row) => {
      const element = elementOf(view, row)
      const tuple = fields.map((read) => read(element))
      if (tuple.every((value) => value === undefined)) return sink(row)
      const key = tupleKey(tuple)
      if (seen.has(key)) return true
      seen.add(key)
      return sink(row)
    }
  }
}
