import type { GraphEdge, GraphNode, GraphView } from '@skydive/contracts'
import type { Predicate } from '@skydive/filter'
import type { Budget } from './budget.ts'
import type { Direction } from './operators.ts'

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
  let frontier: readonly number[] = [...reached]
  for (let level = 0; level < depth && frontier.length > 0; level++) {
    const next: number[] = []
    const visit = (edge: number, node: number): boolean => {
      budget.visit()
      if (!reached.has(node) && passes(view.edge(edge))) {
        reached.add(node)
        next.push(node)
      }
      return true
    }
    for (const row of frontier) {
      if (direction !== 'in') view.forEachOut(row, visit)
      if (direction !== 'out') view.forEachIn(row, visit)
    }
    frontier = next
  }
  return [...reached]
}

/** Finds shortest undirected paths over one view; keeps its scratch memory from search to search. */
export class PathFinder {
  private readonly view: GraphView
  private readonly isTarget: Predicate<GraphNode>
  private readonly passes: Predicate<GraphEdge> | undefined
  private readonly budget: Budget
  /** The search in which a row was reached, and from where. */
  private readonly reachedIn: Int32Array
  private readonly from: Int32Array
  private search = 0

  constructor(view: GraphView, isTarget: Predicate<GraphNode>, passes: Predicate<GraphEdge> | undefined, budget: Budget) {
    this.view = view
    this.isTarget = isTarget
    this.passes = passes
    this.budget = budget
    this.reachedIn = new Int32Array(view.nodeOrdinals)
    this.from = new Int32Array(view.nodeOrdinals)
  }

  /** The rows from `start` to the nearest target, both included; empty when there is no way. */
  find(start: number): readonly number[] {
    this.search++
    this.reachedIn[start] = this.search
    this.from[start] = -1
    if (this.isTarget(this.view.node(start))) return [start]
    const queue = [start]
    let found = -1
    for (let head = 0; head < queue.length && found < 0; head++) {
      const row = queue[head]!
      const visit = (edge: number, node: number): boolean => {
        this.budget.visit()
        if (this.reachedIn[node] === this.search) return true
        if (this.passes && !this.passes(this.view.edge(edge))) return true
        this.reachedIn[node] = this.search
        this.from[node] = row
        if (this.isTarget(this.view.node(node))) {
          found = node
          return false
        }
        queue.push(node)
        return true
      }
      this.view.forEachOut(row, visit)
      if (found < 0) this.view.forEachIn(row, visit)
    }
    return found < 0 ? [] : this.pathTo(found)
  }

  private pathTo(target: number): readonly number[] {
    const path: number[] = []
    for (let row = target; row >= 0; row = this.from[row]!) path.push(row)
    return path.reverse()
  }
}
