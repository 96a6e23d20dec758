import type { GraphEdge, GraphNode } from '@skydive/contracts'
import { ROOT } from './slot-layout.ts'

/** Longest chain of owners that is followed: a ring of ownership edges can't hang the page. */
export const MOST_OWNERS = 64

/** A node of the graph as the tree knows it: who owns it and whom it owns. */
export interface OwnedNode {
  readonly id: string
  node: GraphNode
  /** The id of the owner; {@link ROOT} without one. */
  owner: string
  /** The edge that makes `owner` the owner. */
  ownerEdge: string
  readonly children: Set<string>
  /** Elements below, at any depth. */
  descendants: number
}

/** Who wants to know what changed in the tree. */
export interface OwnershipListener {
  /** A node is there or changed, or how many are below it. */
  onChanged(id: string): void
  /** A node has another owner: it and what is below it stand elsewhere. */
  onMoved(node: OwnedNode): void
}

/** The nodes of a graph as a forest by ownership. */
export class OwnershipTree {
  readonly #nodes = new Map<string, OwnedNode>()
  /** Ownership edges, also those of a child that has another owner by now. */
  readonly #edges = new Set<string>()
  readonly #listener: OwnershipListener

  constructor(listener: OwnershipListener) {
    this.#listener = listener
  }

  get(id: string): OwnedNode | undefined {
    return this.#nodes.get(id)
  }

  ids(): IterableIterator<string> {
    return this.#nodes.keys()
  }

  nodes(): IterableIterator<OwnedNode> {
    return this.#nodes.values()
  }

  put(node: GraphNode): void {
    const known = this.#nodes.get(node.id)
    if (known) known.node = node
    else this.#nodes.set(node.id, { id: node.id, node, owner: ROOT, ownerEdge: '', children: new Set(), descendants: 0 })
    this.#listener.onChanged(node.id)
  }

  /** Takes a node out; what it owned is owned by nobody then. `false` when it is not there. */
  remove(id: string): boolean {
    const node = this.#nodes.get(id)
    if (!node) return false
    for (const child of [...node.children]) this.#setOwner(this.#nodes.get(child)!, ROOT, '')
    this.#setOwner(node, ROOT, '')
    this.#nodes.delete(id)
    return true
  }

  putEdge(edge: GraphEdge): void {
    this.#edges.add(edge.id)
    const child = this.#nodes.get(edge.child)
    if (child && this.#nodes.has(edge.parent)) this.#setOwner(child, edge.parent, edge.id)
  }

  /** `false` when it is no edge of this tree. */
  removeEdge(edge: GraphEdge): boolean {
    if (!this.#edges.delete(edge.id)) return false
    const child = this.#nodes.get(edge.child)
    if (child?.ownerEdge === edge.id) this.#setOwner(child, ROOT, '')
    return true
  }

  /** Makes `edges` all that there are: who has lost its edge is owned by nobody. */
  replaceEdges(edges: Iterable<GraphEdge>): void {
    this.#edges.clear()
    for (const edge of edges) this.putEdge(edge)
    for (const node of this.#nodes.values()) if (!this.#edges.has(node.ownerEdge)) this.#setOwner(node, ROOT, '')
  }

  /** How many owners are around a node. */
  depth(id: string): number {
    let depth = 0
    for (let node = this.#nodes.get(id); node && node.owner !== ROOT && depth < MOST_OWNERS; node = this.#nodes.get(node.owner))
      depth += 1
    return depth
  }

  #setOwner(node: OwnedNode, owner: string, ownerEdge: string): void {
    node.ownerEdge = ownerEdge
    if (node.owner === owner) return
    const size = node.descendants + 1
    this.#changeDescendants(node.owner, -size)
    this.#nodes.get(node.owner)?.children.delete(node.id)
    node.owner = owner
    this.#nodes.get(owner)?.children.add(node.id)
    this.#changeDescendants(owner, size)
    this.#listener.onMoved(node)
  }

  #changeDescendants(from: string, by: number): void {
    let node = this.#nodes.get(from)
    for (let depth = 0; node && depth < MOST_OWNERS; depth++) {
      node.descendants += by
      this.#listener.onChanged(node.id)
      node = this.#nodes.get(node.owner)
    }
  }
}
