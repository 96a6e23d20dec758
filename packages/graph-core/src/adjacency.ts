import { growInt32 } from './grow.ts'

const INITIAL = 64
const NONE = -1

/** One direction of adjacency: for every node the list of its edges in order of creation, linked through typed arrays. */
class EdgeLists {
  private head = new Int32Array(INITIAL).fill(NONE)
  private tail = new Int32Array(INITIAL).fill(NONE)
  private next = new Int32Array(INITIAL)
  private previous = new Int32Array(INITIAL)

  first(node: number): number {
    return node < this.head.length ? this.head[node]! : NONE
  }

  after(edge: number): number {
    return this.next[edge]!
  }

  append(node: number, edge: number): void {
    while (node >= this.head.length) {
      const used = this.head.length
      this.head = growInt32(this.head).fill(NONE, used)
      this.tail = growInt32(this.tail).fill(NONE, used)
    }
    while (edge >= this.next.length) {
      this.next = growInt32(this.next)
      this.previous = growInt32(this.previous)
    }
    const last = this.tail[node]!
    this.previous[edge] = last
    this.next[edge] = NONE
    if (last === NONE) this.head[node] = edge
    else this.next[last] = edge
    this.tail[node] = edge
  }

  unlink(node: number, edge: number): void {
    const before = this.previous[edge]!
    const after = this.next[edge]!
    if (before === NONE) this.head[node] = after
    else this.next[before] = after
    if (after === NONE) this.tail[node] = before
    else this.previous[after] = before
  }

  /** Takes back {@link unlink}; only right in the exact reverse order of what was done. */
  relink(node: number, edge: number): void {
    const before = this.previous[edge]!
    const after = this.next[edge]!
    if (before === NONE) this.head[node] = edge
    else this.next[before] = edge
    if (after === NONE) this.tail[node] = edge
    else this.previous[after] = edge
  }
}

/** Which edges leave and enter which nodes. Ordinals in, ordinals out; every operation is O(1). */
export class Adjacency {
  readonly outgoing = new EdgeLists()
  readonly incoming = new EdgeLists()
  private parents = new Int32Array(INITIAL)
  private children = new Int32Array(INITIAL)

  /** The ends stay readable after {@link unlink}, until the edge's ordinal is used again. */
  parentOf(edge: number): number {
    return this.parents[edge]!
  }

  childOf(edge: number): number {
    return this.children[edge]!
  }

  link(edge: number, parent: number, child: number): void {
    while (edge >= this.parents.length) {
      this.parents = growInt32(this.parents)
      this.children = growInt32(this.children)
    }
    this.parents[edge] = parent
    this.children[edge] = child
    this.outgoing.append(parent, edge)
    this.incoming.append(child, edge)
  }

  unlink(edge: number): void {
    this.outgoing.unlink(this.parents[edge]!, edge)
    this.incoming.unlink(this.children[edge]!, edge)
  }

  relink(edge: number): void {
    this.incoming.relink(this.children[edge]!, edge)
    this.outgoing.relink(this.parents[edge]!, edge)
  }
}
