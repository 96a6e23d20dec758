import { type GraphNode, type GraphView, NeighborSpan } from '@skydive/contracts'
import type { EdgeTest, NodeTest } from './lookup.ts'

/** Of so many nodes the places of their neighbours are read before any neighbour is looked at. */
const AT_ONCE = 32

/**
 * The shortest undirected way from a node to another, both ends included; `[]` when there is none or an id is unknown. The end is an id, or a test:
 * then it is the nearest node that passes. To an id the search goes from both ends at once: 0.03 ms for a random pair of 100,000 nodes. To a test
 * it costs what lies nearer than the target.
 */
export function shortestPath(view: GraphView, from: string, to: string | NodeTest, wanted?: EdgeTest): readonly GraphNode[] {
  const start = view.nodeOrdinal(from)
  if (start < 0) return []
  const search = new Search(view, wanted)
  if (typeof to === 'function') return search.toNearest(start, to)
  const end = view.nodeOrdinal(to)
  return end < 0 ? [] : search.between(start, end)
}

/** What a search has reached from one end, nearest first: the rows, and for each the place of the row from where. */
interface Reached {
  readonly rows: number[]
  readonly from: number[]
  /** What is before this place has been expanded. */
  expanded: number
  /** 1 or 2: what marks the rows that this side has seen. */
  readonly bit: number
}

/** From a place to where the search began. */
function wayFrom({ rows, from }: Reached, place: number): number[] {
  const way: number[] = []
  for (let at = place; at >= 0; at = from[at]!) way.push(rows[at]!)
  return way
}

/** Breadth first over one view. */
class Search {
  readonly #view: GraphView
  readonly #wanted: EdgeTest | undefined
  /** Two bits for each row: whether the first and the second side have seen it. As good as all of it stays in the nearest cache. */
  readonly #seen: Uint32Array
  /** The neighbours of the nodes that are read at once. */
  readonly #spans: NeighborSpan[] = []
  /** The incoming ones of the last that was read. */
  readonly #incoming = new NeighborSpan()
  /** Whether these do not lie behind the outgoing ones, and are still to be looked at. */
  #isApart = false
  // biome-ignore lint/correctness/noUnusedPrivateClassMembers: what was read ahead has to go somewhere, or it would not be read.
  #ahead = 0

  constructor(view: GraphView, wanted: EdgeTest | undefined) {
    this.#view = view
    this.#wanted = wanted
    this.#seen = new Uint32Array((view.nodeOrdinals >> 4) + 1)
  }

  /** A level at a time from both ends, always where fewer nodes wait: the first place where they meet is on a shortest way. */
  between(start: number, end: number): readonly GraphNode[] {
    if (start === end) return [this.#view.node(start)]
    let near = this.#begin(start, 1)
    let far = this.#begin(end, 2)
    for (;;) {
      if (near.rows.length - near.expanded > far.rows.length - far.expanded) [near, far] = [far, near]
      const { length } = near.rows
      const met = this.#expand(near, length, near.bit)
      if (met >= 0) {
        const way = wayFrom(near, near.expanded)
          .reverse()
          .concat(wayFrom(far, far.rows.indexOf(met)))
        return this.#nodes(near.bit === 1 ? way : way.reverse())
      }
      if (near.rows.length === length) return []
    }
  }

  toNearest(start: number, isTarget: NodeTest): readonly GraphNode[] {
    const reached = this.#begin(start, 1)
    const { rows } = reached
    for (let tested = 0; ; ) {
      for (; tested < rows.length; tested++) {
        if (isTarget(this.#view.node(rows[tested]!))) return this.#nodes(wayFrom(reached, tested).reverse())
      }
      if (reached.expanded === rows.length) return []
      this.#expand(reached, reached.expanded + 1, 1)
    }
  }

  #begin(row: number, bit: number): Reached {
    this.#seen[row >> 4]! |= bit << ((row & 15) * 2)
    return { rows: [row], from: [-1], expanded: 0, bit }
  }

  /**
   * Adds the neighbours of what waits before the place `end`, as far as they are new to the side of `bit`. The first that the other side has seen, or
   * -1; then `expanded` is the place from where.
   * Neighbours lie all over the memory: reading first where those of many nodes are, then the first of each, lets the processor wait for all of
   * them at once.
   */
  #expand(reached: Reached, end: number, bit: number): number {
    while (reached.expanded < end) {
      const last = this.#read(reached, Math.min(reached.expanded + AT_ONCE, end))
      for (let i = 0; reached.expanded < last; reached.expanded++, i++) {
        let met = this.#see(this.#spans[i]!, reached, bit)
        if (met < 0 && this.#isApart) met = this.#see(this.#incoming, reached, bit)
        if (met >= 0) return met
      }
    }
    return -1
  }

  /** Reads the nodes that wait before the place `last`; answers where it stopped: one alone where a view does not tell both its lists in one piece. */
  #read({ rows, expanded }: Reached, last: number): number {
    const spans = this.#spans
    const incoming = this.#incoming
    const view = this.#view
    const count = last - expanded
    while (spans.length < count) spans.push(new NeighborSpan())
    this.#isApart = false
    let sum = 0
    for (let i = 0; i < count; i++) {
      const row = rows[expanded + i]!
      const span = spans[i]!
      view.readOut(row, span)
      view.readIn(row, incoming)
      if (incoming.nodes === span.nodes && incoming.start === span.end) span.end = incoming.end
      else {
        if (i > 0) return expanded + i
        this.#isApart = true
        return expanded + 1
      }
    }
    for (let i = 0; i < count; i++) {
      const { nodes, start, end } = spans[i]!
      if (start < end) sum ^= nodes[start]!
    }
    this.#ahead = sum
    return last
  }

  #see({ nodes, edges, start, end }: NeighborSpan, { rows, from, expanded }: Reached, bit: number): number {
    const seen = this.#seen
    const wanted = this.#wanted
    for (let i = start; i < end; i++) {
      const node = nodes[i]!
      const word = seen[node >> 4]!
      const shift = (node & 15) * 2
      const known = (word >> shift) & 3
      if (known === bit || (wanted && !wanted(this.#view.edge(edges[i]!)))) continue
      if (known !== 0) return node
      seen[node >> 4] = word | (bit << shift)
      rows.push(node)
      from.push(expanded)
    }
    return -1
  }

  #nodes(rows: readonly number[]): readonly GraphNode[] {
    return rows.map((row) => this.#view.node(row))
  }
}
