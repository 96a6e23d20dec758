import type {
  EdgeInit,
  GraphEdge,
  GraphElement,
  GraphNode,
  GraphTransaction,
  Metadata,
  MetadataOp,
  MetadataPatch,
  NodeInit,
} from '@skydive/contracts'
import {
  ConflictError,
  InvalidArgumentError,
  InvariantError,
  NotFoundError,
  PermissionError,
  relationId,
} from '@skydive/contracts'
import {
  copyMetadata,
  copyMetadataValue,
  deletePath,
  diffMetadata,
  equalValues,
  getPath,
  setPath,
  type ValuePool,
} from '@skydive/filter'
import { elementRevision, SHAPES } from './element-revision.ts'
import type { GraphState } from './graph-state.ts'
import type { RowTable } from './row-table.ts'

/** Who writes, and when. */
export interface TransactionContext {
  readonly origin: string
  readonly host: string
  /** The one time of everything in the transaction, ms since the epoch. */
  readonly timeMs: number
}

interface Patched {
  readonly metadata: Metadata
  readonly ops: readonly MetadataOp[]
}

/** What a patch does to metadata: only what really changes becomes an operation. */
function applyPatch(metadata: Metadata, patch: MetadataPatch, pool: ValuePool): Patched {
  const ops: MetadataOp[] = []
  let current = metadata
  for (const key of Object.keys(patch)) {
    const given = patch[key]
    if (given === undefined) {
      const smaller = deletePath(current, key)
      if (smaller === undefined) continue
      current = smaller
      ops.push({ op: 'delete', key })
      continue
    }
    const old = getPath(current, key)
    if (old === given || (typeof given === 'object' && equalValues(old, given))) continue
    const value = copyMetadataValue(given, key, pool)
    const changed = setPath(current, key, value)
    if (changed === undefined) {
      throw new InvalidArgumentError(`metadata "${key}" can't be set: a part of its path is no object`, { key })
    }
    current = changed
    ops.push({ op: 'set', key, value })
  }
  return { metadata: current, ops }
}

/** The operations of a writer over the state. Closed after its transaction: a kept reference can't write. */
export class StateTransaction implements GraphTransaction {
  /** Kept here, where elements are made. */
  protected static readonly shapes = SHAPES
  readonly #state: GraphState
  readonly #context: TransactionContext
  /** The time of the context; after {@link close} none. It has held no number at first, so that V8 keeps one box of it, which all elements share. */
  #timeMs: number | undefined

  constructor(state: GraphState, context: TransactionContext) {
    this.#state = state
    this.#context = context
    this.#timeMs = context.timeMs
  }

  /** After this every operation throws. */
  close(): void {
    this.#timeMs = undefined
  }

  node(id: string): GraphNode | undefined {
    return current(this.#state.nodes, id)
  }

  edge(id: string): GraphEdge | undefined {
    return current(this.#state.edges, id)
  }

  addNode(init: NodeInit): GraphNode {
    this.#checkOpen()
    if (this.#state.nodes.byId.has(init.id)) throw new ConflictError('Node ID conflict', { id: init.id })
    checkId(init.id)
    const { host, origin } = this.#context
    const timeMs = this.#timeMs!
    const node: GraphNode = {
      kind: 'node',
      id: init.id,
      metadata: init.handedOver ? init.metadata : copyMetadata(init.metadata, this.#state.pool),
      host: init.host ?? host,
      origin,
      createdAtMs: init.createdAtMs ?? timeMs,
      updatedAtMs: init.updatedAtMs ?? timeMs,
      deletedAtMs: null,
      revision: init.revision ?? 1,
    }
    this.#state.insertNode(node)
    return node
  }

  putNode(init: NodeInit): GraphNode {
    return this.#state.nodes.byId.has(init.id) ? this.replaceNode(init.id, init.metadata) : this.addNode(init)
  }

  patchNode(id: string, patch: MetadataPatch): GraphNode {
    return this.#change(this.#state.nodes, id, (metadata) => applyPatch(metadata, patch, this.#state.pool))
  }

  replaceNode(id: string, metadata: Metadata): GraphNode {
    return this.#change(this.#state.nodes, id, (before) => replacement(before, metadata, this.#state.pool))
  }

  deleteNode(id: string): boolean {
    const row = this.#rowOf(this.#state.nodes, id)
    if (row === undefined) return false
    this.#state.removeNode(row, this.#timeMs!)
    return true
  }

  addEdge(init: EdgeInit): GraphEdge {
    this.#checkOpen()
    const id = init.id ?? defaultEdgeId(init)
    const { nodes, edges } = this.#state
    if (edges.byId.has(id)) throw new ConflictError('Edge ID conflict', { id })
    const parent = nodes.byId.get(init.parent)
    if (parent === undefined) throw new NotFoundError('Parent node not found', { id, parent: init.parent })
    const child = nodes.byId.get(init.child)
    if (child === undefined) throw new NotFoundError('Child node not found', { id, child: init.child })
    checkId(id)
    const { host, origin } = this.#context
    const timeMs = this.#timeMs!
    const edge: GraphEdge = {
      kind: 'edge',
      id,
      metadata: init.handedOver ? init.metadata : copyMetadata(init.metadata, this.#state.pool),
      host: init.host ?? host,
      origin,
      createdAtMs: init.createdAtMs ?? timeMs,
      updatedAtMs: init.updatedAtMs ?? timeMs,
      deletedAtMs: null,
      revision: init.revision ?? 1,
      // The nodes' own ids: what is equal is kept once.
      parent: nodes.byId.idOf(parent),
      child: nodes.byId.idOf(child),
    }
    this.#state.insertEdge(edge, parent, child)
    return edge
  }

  putEdge(init: EdgeInit): GraphEdge {
    const id = init.id ?? defaultEdgeId(init)
    const known = this.edge(id)
    if (!known) return this.addEdge(init)
    if (known.parent !== init.parent || known.child !== init.child) {
      throw new ConflictError('Edge ID conflict: the ends of an edge never change; delete it first', { id })
    }
    return this.replaceEdge(id, init.metadata)
  }

  patchEdge(id: string, patch: MetadataPatch): GraphEdge {
    return this.#change(this.#state.edges, id, (metadata) => applyPatch(metadata, patch, this.#state.pool))
  }

  replaceEdge(id: string, metadata: Metadata): GraphEdge {
    return this.#change(this.#state.edges, id, (before) => replacement(before, metadata, this.#state.pool))
  }

  deleteEdge(id: string): boolean {
    const row = this.#rowOf(this.#state.edges, id)
    if (row === undefined) return false
    this.#state.removeEdge(row, this.#timeMs!)
    return true
  }

  own(parent: string, child: string): GraphEdge {
    this.#checkOpen()
    let kept: GraphEdge | undefined
    const superseded: GraphEdge[] = []
    for (const edge of this.#edgesInto(child)) {
      if (edge.metadata['RelationType'] !== 'ownership') continue
      if (edge.parent === parent && !kept) kept = edge
      else superseded.push(edge)
    }
    for (const edge of superseded) this.deleteEdge(edge.id)
    return kept ?? this.addEdge({ parent, child, metadata: { RelationType: 'ownership' } })
  }

  linkLayer2(a: string, b: string, metadata: Metadata = {}): GraphEdge {
    this.#checkOpen()
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      for (const edge of this.#edgesInto(to)) if (edge.parent === from && edge.metadata['RelationType'] === 'layer2') return edge
    }
    return this.addEdge({ parent: a, child: b, metadata: { RelationType: 'layer2', ...metadata } })
  }

  *#edgesInto(child: string): Iterable<GraphEdge> {
    const { nodes, edges, adjacency } = this.#state
    const row = nodes.byId.get(child)
    if (row === undefined) return
    const lists = adjacency.incoming
    for (let edge = lists.first(row); edge >= 0; edge = lists.after(edge)) yield edges.elements[edge]!
  }

  #change<E extends GraphNode | GraphEdge>(table: RowTable<E>, id: string, change: (metadata: Metadata) => Patched): E {
    const row = this.#rowOf(table, id)
    if (row === undefined) throw new NotFoundError(`${table.isEdges ? 'Edge' : 'Node'} not found`, { id })
    const held = table.elements[row]!
    const { metadata, ops } = change(held.metadata)
    if (ops.length === 0) return held
    const changed = elementRevision(held, metadata, this.#timeMs!, held.deletedAtMs, held.revision + 1)
    this.#state.update(table, row, changed, ops)
    return changed
  }

  /** Where an element is that is to be changed, if it is there. @throws when it may not be changed. */
  #rowOf<E extends GraphNode | GraphEdge>(table: RowTable<E>, id: string): number | undefined {
    this.#checkOpen()
    const row = table.byId.get(id)
    if (row !== undefined) this.#checkOrigin(table.elements[row]!)
    return row
  }

  #checkOpen(): void {
    if (this.#timeMs === undefined)
      throw new InvariantError('a transaction was used after its body had returned; write within the body')
  }

  #checkOrigin(element: GraphElement): void {
    if (element.origin === this.#context.origin) return
    throw new PermissionError(
      `"${element.id}" belongs to ${element.origin}; a writer of ${this.#context.origin} may link to it, not change it`,
      {},
    )
  }
}

function checkId(id: string): void {
  if (id === '') throw new InvalidArgumentError('an element needs an id', { id })
}

function current<E extends GraphElement>(table: RowTable<E>, id: string): E | undefined {
  const row = table.byId.get(id)
  return row === undefined ? undefined : table.elements[row]!
}

function replacement(before: Metadata, given: Metadata, pool: ValuePool): Patched {
  if (equalValues(before, given)) return { metadata: before, ops: [] }
  const metadata = copyMetadata(given, pool)
  return { metadata, ops: diffMetadata(before, metadata) }
}

function defaultEdgeId(init: EdgeInit): string {
  const relation = init.metadata['RelationType']
  return relationId(init.parent, init.child, typeof relation === 'string' ? relation : '')
}
