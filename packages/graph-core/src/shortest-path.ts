import type { GraphNode, GraphView } from '@skydive/contracts'
import type { EdgeTest, NodeTest } from './lookup.ts'

/**
 * The shortest undirected way from a node to the nearest one that passes, both ends included; `[]` when there is none or the id is unknown.
 * Breadth first: O(what lies nearer than the target).
 */
export function shortestPath(view: GraphView, from: string, isTarget: NodeTest, wanted?: EdgeTest): readonly GraphNode[] {
  const start = view.nodeOrdinal(from)
  if (start < 0) return []
  if (isTarget(view.node(start))) return [view.node(start)]
  const cameFrom = new Map<number, number>([[start, -1]])
  const queue = [start]
  let found = -1
  for (let head = 0; head < queue.length && found < 0; head++) {
    const row = queue[head]!
    const visit = (edge: number, node: number): boolean => {
      if (cameFrom.has(node) || (wanted && !wanted(view.edge(edge)))) return true
      cameFrom.set(node, row)
      if (isTarget(view.node(node))) found = node
      else queue.push(node)
      return found < 0
    }
    view.forEachOut(row, visit)
    if (found < 0) view.forEachIn(row, visit)
  }
  const path: GraphNode[] = []
  for (let row = found; row >= 0; row = cameFrom.get(row)!) path.push(view.node(row))
  return path.reverse()
}
