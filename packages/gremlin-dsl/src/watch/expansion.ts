import type { GraphEdge, GraphView } from '@skydive/contracts'
import type { Predicate } from '@skydive/filter'
import type { Direction } from '../operators.ts'
import type { RowKind } from '../stream.ts'
import type { Net } from './changes.ts'
import type { Advance, Move } from './moves.ts'

/** Adds to how often an element is reached. */
export type AddTimes = (id: string, times: number) => void

/** One step from rows to rows, as two rules: what a change of the rows does, and what a change of an edge does. */
export interface Expansion {
  /** The kind of what is reached. */
  readonly kind: RowKind
  readonly name: string
  /** Over the edges as they are now. */
  fromMove(move: Move, advance: Advance, add: AddTimes): void
  /** For the rows as they were before. */
  fromEdge(edge: Net<GraphEdge>, countBefore: (id: string) => number, add: AddTimes): void
}

function hasSameEnds(a: GraphEdge | undefined, b: GraphEdge | undefined): boolean {
  return a !== undefined && b !== undefined && a.parent === b.parent && a.child === b.child
}

/** `Out`, `In`, `Both`: the nodes at the other end; with `staying` the rows themselves as well (a level of `Descendants`). */
export function neighbors(direction: Direction, passes?: Predicate<GraphEdge>, staying = false): Expansion {
  const contribute = (edge: GraphEdge, sign: number, countBefore: (id: string) => number, add: AddTimes): void => {
    if (direction !== 'in') {
      const count = countBefore(edge.parent)
      if (count > 0) add(edge.child, sign * count)
    }
    if (direction !== 'out') {
      const count = countBefore(edge.child)
      if (count > 0) add(edge.parent, sign * count)
    }
  }
  return {
    kind: 'nodes',
    name: staying ? `reach ${direction}` : `neighbors ${direction}`,
    fromMove({ id, old, now }, { view }, add) {
      const times = now - old
      if (times === 0) return
      if (staying) add(id, times)
      const row = view.nodeOrdinal(id)
      if (row < 0) return
      const visit = (edge: number, node: number): boolean => {
        if (!passes || passes(view.edge(edge))) add(view.node(node).id, times)
        return true
      }
      if (direction !== 'in') view.forEachOut(row, visit)
      if (direction !== 'out') view.forEachIn(row, visit)
    },
    fromEdge({ before, after }, countBefore, add) {
      const passed = before !== undefined && (!passes || passes(before))
      const passesNow = after !== undefined && (!passes || passes(after))
      if (passed && passesNow && hasSameEnds(before, after)) return
      if (passed) contribute(before, -1, countBefore, add)
      if (passesNow) contribute(after, 1, countBefore, add)
    },
  }
}

/** `OutE`, `InE`, `BothE`: the edges of nodes; a self loop is reached once by `both`. */
export function incidentEdges(direction: Direction): Expansion {
  const contribute = (edge: GraphEdge, sign: number, countBefore: (id: string) => number, add: AddTimes): void => {
    let count = direction === 'in' ? 0 : countBefore(edge.parent)
    if (direction === 'in' || (direction === 'both' && edge.parent !== edge.child)) count += countBefore(edge.child)
    if (count > 0) add(edge.id, sign * count)
  }
  return {
    kind: 'edges',
    name: `edges ${direction}`,
    fromMove({ id, old, now }, { view }, add) {
      const times = now - old
      const row = times === 0 ? -1 : view.nodeOrdinal(id)
      if (row < 0) return
      if (direction !== 'in') addEdges(view, row, times, add)
      if (direction === 'out') return
      view.forEachIn(row, (edge, node) => {
        if (direction === 'in' || node !== row) add(view.edge(edge).id, times)
        return true
      })
    },
    fromEdge({ before, after }, countBefore, add) {
      if (hasSameEnds(before, after)) return
      if (before) contribute(before, -1, countBefore, add)
      if (after) contribute(after, 1, countBefore, add)
    },
  }
}

function addEdges(view: GraphView, row: number, times: number, add: AddTimes): void {
  view.forEachOut(row, (edge) => {
    add(view.edge(edge).id, times)
    return true
  })
}

/** `OutV`, `InV`, `BothV`: the ends of edges; `out` is the child. The ends of an edge change only when its id is used again. */
export function ends(direction: Direction): Expansion {
  const contribute = (edge: GraphEdge, times: number, add: AddTimes): void => {
    if (times === 0) return
    if (direction !== 'out') add(edge.parent, times)
    if (direction !== 'in') add(edge.child, times)
  }
  return {
    kind: 'nodes',
    name: `ends ${direction}`,
    fromMove({ before, after, old, now }, _advance, add) {
      if (hasSameEnds(before as GraphEdge | undefined, after as GraphEdge | undefined)) {
        contribute(after as GraphEdge, now - old, add)
        return
      }
      if (before) contribute(before as GraphEdge, -old, add)
      if (after) contribute(after as GraphEdge, now, add)
    },
    fromEdge() {},
  }
}
