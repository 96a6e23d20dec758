import type { GraphEdge, GraphNode, GraphView } from '@skydive/contracts'
import type { Predicate } from '@skydive/filter'
import type { Budget } from './budget.ts'
import { type Direction, type NeighborReader, neighborReader } from './operators.ts'

/**
 * The inputs followed by what is reached within `depth` edges that pass, breadth first, each row once (spec graph 4.7, Descendants).
 */
export function reach(
  view: GraphView,
  start: readonly number[],
  direction: Direction,
  passes: Predicate<GraphEdge>,
  depth: number,
  budget: Budget,
): readonly number[] {
  const reached = new Set(start)
  const read = neighborReader(view, direction)
  let frontier: readonly number[] = [...reached]
  for (let level = 0; level < depth && frontier.length > 0; level++) {
    const next: number[] = []
    for (const row of frontier) {
      for (const { nodes, edges, start: first, end } of read(row)) {
        for (let i = first; i < end; i++) {
          budget.visit()
          const node = nodes[i]!
          if (reached.has(node) || !passes(view.edge(edges[i]!))) continue
          reached.add(node)
          next.push(node)
        }
      }
    }
    frontier = next
  }
  return [...reached]
}

/** Finds shortest undirected paths over one view; keeps its scratch memory from search to search. */
export class PathFinder {
  readonly #view: GraphView
  readonly #isTarget: Predicate<GraphNode>
  readonly #passes: Predicate<GraphEdge> | undefined
  readonly #budget: Budget
  /** The search in which a row was reached, and from where. */
  readonly #reachedIn: Int32Array
  readonly #from: Int32Array
  readonly #read: NeighborReader
  #search = 0

  constructor(view: GraphView, isTarget: Predicate<GraphNode>, passes: Predicate<GraphEdge> | undefined, budget: Budget) {
    this.#view = view
    this.#isTarget = isTarget
    this.#passes = passes
    this.#budget = budget
    this.#read = neighborReader(view, 'both')
    this.#reachedIn = new Int32Array(view.nodeOrdinals)
    this.#from = new Int32Array(view.nodeOrdinals)
  }

  /** The rows from `start` to the nearest target, both included; empty when there is no way. */
  find(start: number): readonly number[] {
    this.#search++
    this.#reachedIn[start] = this.#search
    this.#from[start] = -1
    if (this.#isTarget(this.#view.node(start))) return [start]
    const queue = [start]
    for (const row of queue) {
      for (const { nodes, edges, start: first, end } of this.#read(row)) {
        for (let i = first; i < end; i++) {
          this.#budget.visit()
          const node = nodes[i]!
          if (this.#reachedIn[node] === this.#search || this.#passes?.(this.#view.edge(edges[i]!)) === false) continue
          this.#reachedIn[node] = this.#search
          this.#from[node] = row
          if (this.#isTarget(this.#view.node(node))) return this.#pathTo(node)
          queue.push(node)
        }
      }
    }
    return []
  }

  #pathTo(target: number): readonly number[] {
    const path: number[] = []
    for (let row = target; row >= 0; row = this.#from[row]!) path.push(row)
    return path.reverse()
  }
}
