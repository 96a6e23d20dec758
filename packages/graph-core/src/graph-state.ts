import type { GraphEdge, GraphEvent, GraphNode, MetadataOp } from '@skydive/contracts'
import { type FieldReader, ValuePool } from '@skydive/filter'
import { Adjacency } from './adjacency.ts'
import { ADDED, ChangeColumns, DELETED } from './change-columns.ts'
import { Journal } from './journal.ts'
import { RowTable } from './row-table.ts'

/**
 * The rows, the adjacency and the indexes, and the one way to change them. Every change goes through here within a transaction, is
 * visible at once to who reads the newest state, and is taken back by {@link GraphState.rollback}. It knows nothing of rights and times.
 */
export class GraphState {
  /** The remembered changes, and after {@link committedEnd} those of the transaction that runs. */
  readonly columns = new ChangeColumns()
  readonly nodes: RowTable<GraphNode>
  readonly edges: RowTable<GraphEdge>
  readonly adjacency = new Adjacency()
  /** Equal parts of the metadata of those who write here are one object. */
  readonly pool = new ValuePool()
  /** The committed version, and how much it has: what views may see while a transaction runs. */
  version = 0
  committed = { nodes: 0, edges: 0, nodeOrdinals: 0, edgeOrdinals: 0 }
  committedEnd = 0
  /** The objects of the transaction that runs; empty outside. */
  readonly #journal = new Journal()

  constructor(
    nodeIndexes: ReadonlyMap<string, FieldReader<GraphNode>>,
    edgeIndexes: ReadonlyMap<string, FieldReader<GraphEdge>>,
  ) {
    this.nodes = new RowTable(this.columns, false, nodeIndexes)
    this.edges = new RowTable(this.columns, true, edgeIndexes)
  }

  /** Whether no transaction runs that has changed something. */
  get isSettled(): boolean {
    return this.columns.end === this.committedEnd
  }

  insertNode(node: GraphNode): void {
    const row = this.nodes.insert(node, this.version + 1)
    this.nodes.indexes.change(row, undefined, node)
    this.#journal.added(node)
  }

  /** Puts a revision on top of a row of either kind; `ops` are what makes it from the one before. */
  update<E extends GraphNode | GraphEdge>(table: RowTable<E>, row: number, element: E, ops: readonly MetadataOp[]): void {
    const previous = table.elements[row]!
    table.update(row, element, ops)
    table.indexes.change(row, previous, element, ops)
    this.#journal.updated(element, previous, ops)
  }

  /** Removes the edges of the node first, in order of creation, outgoing before incoming. */
  removeNode(row: number, deletedAtMs: number): void {
    for (const lists of [this.adjacency.outgoing, this.adjacency.incoming]) {
      for (let edge = lists.first(row); edge >= 0; edge = lists.first(row)) this.removeEdge(edge, deletedAtMs)
    }
    const last = this.nodes.elements[row]!
    const node: GraphNode = { ...last, deletedAtMs }
    this.nodes.indexes.change(row, last, undefined)
    this.nodes.remove(row, node, this.version + 1)
    this.#journal.deleted(node, last)
  }

  insertEdge(edge: GraphEdge, parent: number, child: number): void {
    const row = this.edges.insert(edge, this.version + 1)
    this.adjacency.link(row, parent, child)
    this.edges.indexes.change(row, undefined, edge)
    this.#journal.added(edge)
  }

  removeEdge(row: number, deletedAtMs: number): void {
    const last = this.edges.elements[row]!
    const edge: GraphEdge = { ...last, deletedAtMs }
    this.edges.indexes.change(row, last, undefined)
    this.adjacency.unlink(row)
    this.edges.remove(row, edge, this.version + 1)
    this.#journal.deleted(edge, last)
  }

  /** What the transaction that runs has done, for those who listen. */
  events(): readonly GraphEvent[] {
    return this.#journal.events(this.columns, this.committedEnd)
  }

  /** Makes what the transaction has done the new version. */
  commit(): void {
    this.#journal.clear()
    this.version++
    this.committedEnd = this.columns.end
    this.committed = {
      nodes: this.nodes.count,
      edges: this.edges.count,
      nodeOrdinals: this.nodes.ordinals,
      edgeOrdinals: this.edges.ordinals,
    }
  }

  /** Takes back what the transaction has done, newest first. */
  rollback(): void {
    while (!this.isSettled) {
      const change = this.columns.end - 1
      if (this.columns.isEdge(change)) this.#undo(this.edges, change)
      else this.#undo(this.nodes, change)
    }
    this.columns.settle()
    this.#journal.clear()
  }

  #undo<E extends GraphNode | GraphEdge>(table: RowTable<E>, change: number): void {
    const row = this.columns.row(change)
    const kind = this.columns.kind(change)
    const { indexes } = table
    const element = table.elements[row]!
    const previous = this.#journal.pop(kind) as E
    if (kind === ADDED) {
      indexes.change(row, element, undefined)
      if (table.isEdges) this.adjacency.unlink(row)
      table.undoInsert(row)
    } else if (kind === DELETED) {
      table.undoRemove(row, previous)
      if (table.isEdges) this.adjacency.relink(row)
      indexes.change(row, undefined, previous)
    } else {
      table.undoUpdate(row, previous)
      indexes.change(row, element, previous)
    }
  }

  /** Lets go of what only the past needed of a change that is forgotten. */
  forget(change: number): void {
    if (this.columns.kind(change) !== DELETED) return
    const row = this.columns.row(change)
    if (this.columns.isEdge(change)) this.edges.release(row)
    else this.nodes.release(row)
  }
}
