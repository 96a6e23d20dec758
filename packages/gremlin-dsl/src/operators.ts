import type { GraphEdge, GraphNode, GraphView } from '@skydive/contracts'
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

/** From nodes to the nodes at the other end of their edges, once for each edge. */
export function toNeighbors(direction: Direction): Operator {
  return (view, budget, sink) => {
    let wanted = true
    const visit = (_edge: number, node: number): boolean => {
      budget.visit()
      wanted = sink(node)
      return wanted
    }
    return (row) => {
      if (direction !== 'in') view.forEachOut(row, visit)
      if (wanted && direction !== 'out') view.forEachIn(row, visit)
      return wanted
    }
  }
}

/** From nodes to their edges. A self loop is told once by `both`. */
export function toEdges(direction: Direction): Operator {
  return (view, budget, sink) => {
    let wanted = true
    const visit = (edge: number): boolean => {
      budget.visit()
      wanted = sink(edge)
      return wanted
    }
    return (row) => {
      if (direction !== 'in') view.forEachOut(row, visit)
      if (wanted && direction !== 'out') {
        view.forEachIn(row, (edge, node) => (direction === 'both' && node === row ? true : visit(edge)))
      }
      return wanted
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

/** In a view of one version a row is an id: a stamp a row is all it takes. */
function distinctRows(ordinals: number, sink: Sink): Sink {
  let stamps: Uint8Array | undefined
  return (row) => {
    stamps ??= new Uint8Array(ordinals)
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
