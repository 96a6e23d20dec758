import type { NeighborSpan, NeighborVisitor } from '@skydive/contracts'
import { growInt32 } from './grow.ts'

const INITIAL = 64
const NONE = -1

/** Lists one behind the other, for each node the outgoing one and then the incoming: what is read of one node lies together. */
interface Layout {
  /** Where the lists begin, two for each node, and one more. */
  readonly offsets: Int32Array
  readonly edges: Int32Array
  readonly nodes: Int32Array
}

/** One direction of adjacency: for every node the list of its edges in order of creation, linked through typed arrays. */
export class EdgeLists {
  #head = new Int32Array(INITIAL).fill(NONE)
  #tail = new Int32Array(INITIAL).fill(NONE)
  #next = new Int32Array(INITIAL)
  #previous = new Int32Array(INITIAL)
  /** For each edge the node at its other end. */
  #others = new Int32Array(INITIAL)

  /** Nodes behind these have no edges. */
  get places(): number {
    return this.#head.length
  }

  first(node: number): number {
    return node < this.#head.length ? this.#head[node]! : NONE
  }

  after(edge: number): number {
    return this.#next[edge]!
  }

  /** The node at the other end; stays readable after {@link unlink}, until the edge's ordinal is used again. */
  other(edge: number): number {
    return this.#others[edge]!
  }

  /** Tells the edges of a node with the nodes at their other ends; `false` when the visitor stopped. */
  forEach(node: number, visit: NeighborVisitor): boolean {
    const next = this.#next
    const others = this.#others
    for (let edge = this.first(node); edge >= 0; edge = next[edge]!) if (visit(edge, others[edge]!) === false) return false
    return true
  }

  append(node: number, edge: number, other: number): void {
    while (node >= this.#head.length) {
      const used = this.#head.length
      this.#head = growInt32(this.#head).fill(NONE, used)
      this.#tail = growInt32(this.#tail).fill(NONE, used)
    }
    while (edge >= this.#next.length) {
      this.#next = growInt32(this.#next)
      this.#previous = growInt32(this.#previous)
      this.#others = growInt32(this.#others)
    }
    const last = this.#tail[node]!
    this.#others[edge] = other
    this.#previous[edge] = last
    this.#next[edge] = NONE
    if (last === NONE) this.#head[node] = edge
    else this.#next[last] = edge
    this.#tail[node] = edge
  }

  unlink(node: number, edge: number): void {
    this.#bridge(node, edge, this.#next[edge]!, this.#previous[edge]!)
  }

  /** Takes back {@link unlink}; only right in the exact reverse order of what was done. */
  relink(node: number, edge: number): void {
    this.#bridge(node, edge, edge, edge)
  }

  /** What is around an edge leads past it, or to it again. */
  #bridge(node: number, edge: number, ahead: number, back: number): void {
    const before = this.#previous[edge]!
    const after = this.#next[edge]!
    if (before === NONE) this.#head[node] = ahead
    else this.#next[before] = ahead
    if (after === NONE) this.#tail[node] = back
    else this.#previous[after] = back
  }
}

/** Which edges leave and enter which nodes. Ordinals in, ordinals out; every operation is O(1), but for what {@link Adjacency.readOut} says. */
export class Adjacency {
  readonly outgoing = new EdgeLists()
  readonly incoming = new EdgeLists()
  #size = 0
  /** Made of what is read while nothing is linked. */
  #layout: Layout | undefined
  #readSince = 0

  link(edge: number, parent: number, child: number): void {
    this.outgoing.append(parent, edge, child)
    this.incoming.append(child, edge, parent)
    this.#changed(1)
  }

  unlink(edge: number): void {
    this.outgoing.unlink(this.incoming.other(edge), edge)
    this.incoming.unlink(this.outgoing.other(edge), edge)
    this.#changed(-1)
  }

  relink(edge: number): void {
    this.incoming.relink(this.outgoing.other(edge), edge)
    this.outgoing.relink(this.incoming.other(edge), edge)
    this.#changed(1)
  }

  /**
   * What leaves a node, at once. When as much was read as the lists hold since one has changed they are laid out one behind the other, in the memory
   * that they take anyway: then it costs no step for each edge.
   */
  readOut(node: number, span: NeighborSpan): void {
    this.#read(node, 0, this.outgoing, span)
  }

  /** The same of what enters it. */
  readIn(node: number, span: NeighborSpan): void {
    this.#read(node, 1, this.incoming, span)
  }

  #read(node: number, side: number, lists: EdgeLists, span: NeighborSpan): void {
    const layout = this.#layout
    if (layout === undefined) {
      span.clear()
      lists.forEach(node, (edge, other) => span.add(edge, other))
      this.#readSince += 1 + span.end
      if (this.#readSince > (lists.places + this.#size) * 2) this.#layOut()
      return
    }
    const { offsets } = layout
    const at = node * 2 + side
    span.edges = layout.edges
    span.nodes = layout.nodes
    const isKnown = at + 1 < offsets.length
    span.start = isKnown ? offsets[at]! : 0
    span.end = isKnown ? offsets[at + 1]! : 0
  }

  #changed(edges: number): void {
    this.#size += edges
    this.#layout = undefined
    this.#readSince = 0
  }

  #layOut(): void {
    const sides = [this.outgoing, this.incoming] as const
    const nodeCount = Math.max(sides[0].places, sides[1].places)
    const offsets = new Int32Array(nodeCount * 2 + 1)
    const edges = new Int32Array(this.#size * 2)
    const nodes = new Int32Array(this.#size * 2)
    let end = 0
    for (let node = 0, at = 0; node < nodeCount; node++) {
      for (const lists of sides) {
        for (let edge = lists.first(node); edge >= 0; edge = lists.after(edge)) {
          edges[end] = edge
          nodes[end++] = lists.other(edge)
        }
        offsets[++at] = end
      }
    }
    this.#layout = { offsets, edges, nodes }
  }
}
