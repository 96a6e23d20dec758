/** V8 keeps arrays of 64 bytes among its objects, where they cost as little. */
const INITIAL = 16
const NONE = new Int32Array(0)

/**
 * The neighbours of a node as a view tells them at once: for `i` from `start` up to, but not including, `end` the edge `edges[i]` leads to the
 * node `nodes[i]`, both as ordinals of that view. The caller's own, to be used again and again; what it holds stays until the next read into it.
 * The arrays may be those of the view, so never write to them; they may be others after each read, and outside of the range they mean nothing.
 */
export class NeighborSpan {
  edges: Int32Array
  nodes: Int32Array
  start = 0
  end = 0
  /** Made when a view first writes into them. */
  #ownEdges = NONE
  #ownNodes = NONE

  constructor() {
    this.edges = this.#ownEdges
    this.nodes = this.#ownNodes
  }

  /** For views: begins an empty list in memory of the span. */
  clear(): void {
    this.edges = this.#ownEdges
    this.nodes = this.#ownNodes
    this.start = 0
    this.end = 0
  }

  /** For views: one more, after {@link clear}. Answers nothing, so it may be what a visitor does. */
  add(edge: number, node: number): undefined {
    if (this.end === this.edges.length) {
      this.#ownEdges = doubled(this.edges)
      this.#ownNodes = doubled(this.nodes)
      this.edges = this.#ownEdges
      this.nodes = this.#ownNodes
    }
    this.edges[this.end] = edge
    this.nodes[this.end++] = node
  }
}

function doubled(array: Int32Array): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(array.length * 2 || INITIAL)
  grown.set(array)
  return grown
}
