import type { GraphEdge, GraphEvent, GraphNode, MetadataOp } from '@skydive/contracts'
import type { FieldReader } from '@skydive/filter'
import { Adjacency } from './adjacency.ts'
import { IndexSet } from './index-set.ts'
import { type Revision, RowTable } from './row-table.ts'

/** What one step of a transaction did: enough to tell it, to undo it and to forget it. */
export interface Change {
  readonly event: GraphEvent
  readonly row: number
  /** The revision that the step made. */
  readonly revision: Revision<GraphNode> | Revision<GraphEdge>
}

/**
 * The rows, the adjacency and the indexes, and the one way to change them. Every change goes through here within a transaction, is
 * visible at once to who reads the newest state, and is taken back by {@link GraphState.rollback}. It knows nothing of rights and times.
 */
export class GraphState {
  readonly nodes = new RowTable<GraphNode>()
  readonly edges = new RowTable<GraphEdge>()
  readonly adjacency = new Adjacency()
  readonly nodeIndexes: IndexSet<GraphNode>
  readonly edgeIndexes: IndexSet<GraphEdge>
  /** The committed version, and how much it has: what views may see while a transaction runs. */
  version = 0
  committed = { nodes: 0, edges: 0, nodeOrdinals: 0, edgeOrdinals: 0 }
  /** The steps of the transaction that runs; empty outside. */
  journal: Change[] = []

  constructor(
    nodeIndexes: ReadonlyMap<string, FieldReader<GraphNode>>,
    edgeIndexes: ReadonlyMap<string, FieldReader<GraphEdge>>,
  ) {
    this.nodeIndexes = new IndexSet(this.nodes, nodeIndexes)
    this.edgeIndexes = new IndexSet(this.edges, edgeIndexes)
  }

  insertNode(node: GraphNode): void {
    const row = this.nodes.insert(node, this.version + 1)
    this.nodeIndexes.add(row, node)
    this.journal.push({ event: { kind: 'node-added', node }, row, revision: this.nodes.heads[row]! })
  }

  updateNode(row: number, node: GraphNode, ops: readonly MetadataOp[]): void {
    const previous = this.nodes.heads[row]!.element
    const revision = this.nodes.update(row, node, this.version + 1)
    this.nodeIndexes.update(row, previous, node)
    this.journal.push({ event: { kind: 'node-updated', node, previous, ops }, row, revision })
  }

  /** Removes the edges of the node first, in order of creation, outgoing before incoming. */
  removeNode(row: number, deletedAtMs: number): void {
    const { outgoing, incoming } = this.adjacency
    for (let edge = outgoing.first(row); edge >= 0; edge = outgoing.first(row)) this.removeEdge(edge, deletedAtMs)
    for (let edge = incoming.first(row); edge >= 0; edge = incoming.first(row)) this.removeEdge(edge, deletedAtMs)
    const last = this.nodes.heads[row]!.element
    const node: GraphNode = { ...last, deletedAtMs }
    this.nodeIndexes.remove(row, last)
    const revision = this.nodes.remove(row, node, this.version + 1)
    this.journal.push({ event: { kind: 'node-deleted', node }, row, revision })
  }

  insertEdge(edge: GraphEdge, parent: number, child: number): void {
    const row = this.edges.insert(edge, this.version + 1)
    this.adjacency.link(row, parent, child)
    this.edgeIndexes.add(row, edge)
    this.journal.push({ event: { kind: 'edge-added', edge }, row, revision: this.edges.heads[row]! })
  }

  updateEdge(row: number, edge: GraphEdge, ops: readonly MetadataOp[]): void {
    const previous = this.edges.heads[row]!.element
    const revision = this.edges.update(row, edge, this.version + 1)
    this.edgeIndexes.update(row, previous, edge)
    this.journal.push({ event: { kind: 'edge-updated', edge, previous, ops }, row, revision })
  }

  removeEdge(row: number, deletedAtMs: number): void {
    const last = this.edges.heads[row]!.element
    const edge: GraphEdge = { ...last, deletedAtMs }
    this.edgeIndexes.remove(row, last)
    this.adjacency.unlink(row)
    const revision = this.edges.remove(row, edge, this.version + 1)
    this.journal.push({ event: { kind: 'edge-deleted', edge }, row, revision })
  }

  /** Makes what the journal holds the new version and hands the steps over. */
  commit(): readonly Change[] {
    const changes = this.journal
    this.journal = []
    this.version++
    this.committed = {
      nodes: this.nodes.count,
      edges: this.edges.count,
      nodeOrdinals: this.nodes.ordinals,
      edgeOrdinals: this.edges.ordinals,
    }
    return changes
  }

  /** Takes back what the journal holds from step `mark` on, newest first. */
  rollback(mark = 0): void {
    while (this.journal.length > mark) this.undo(this.journal.pop()!)
  }

  private undo({ event, row }: Change): void {
    switch (event.kind) {
      case 'node-added':
        this.nodeIndexes.remove(row, event.node)
        this.nodes.undoInsert(row)
        break
      case 'node-updated':
        this.nodes.undoUpdate(row)
        this.nodeIndexes.update(row, event.node, event.previous)
        break
      case 'node-deleted':
        this.nodes.undoRemove(row)
        this.nodeIndexes.add(row, this.nodes.heads[row]!.element)
        break
      case 'edge-added':
        this.edgeIndexes.remove(row, event.edge)
        this.adjacency.unlink(row)
        this.edges.undoInsert(row)
        break
      case 'edge-updated':
        this.edges.undoUpdate(row)
        this.edgeIndexes.update(row, event.edge, event.previous)
        break
      case 'edge-deleted':
        this.edges.undoRemove(row)
        this.adjacency.relink(row)
        this.edgeIndexes.add(row, this.edges.heads[row]!.element)
        break
    }
  }

  /** Lets go of what only the past needed of a change that is forgotten. */
  forget({ event, row, revision }: Change): void {
    if (event.kind === 'node-deleted') this.nodes.release(row)
    else if (event.kind === 'edge-deleted') this.edges.release(row)
    else revision.previous = undefined
  }
}
