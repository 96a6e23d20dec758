import type {
  GraphEdge,
  GraphElement,
  GraphNode,
  GraphReplica,
  Metadata,
  MetadataOp,
  ReplicaChange,
  ReplicaResult,
} from '@skydive/contracts'
import { deletePath, diffMetadata, setPath } from '@skydive/filter'
import type { GraphState } from './graph-state.ts'
import type { RowTable } from './row-table.ts'

/** Runs a body as one transaction at one time. */
export type RunTransaction = <T>(body: (timeMs: number) => T) => T

type Outcome = 'applied' | 'ignored' | { readonly reason: string }

/** Metadata, and the operations that make it from what was held. */
interface Revised {
  readonly metadata: Metadata
  readonly ops: readonly MetadataOp[]
}

type Patch = Extract<ReplicaChange, { readonly kind: 'node-patched' | 'edge-patched' }>

/** Applies foreign operations in order; one that can't be applied is skipped, as its sender's next sync mends it. */
function applyOps(metadata: Metadata, ops: readonly MetadataOp[]): Revised {
  let current = metadata
  const effective: MetadataOp[] = []
  for (const op of ops) {
    const next =
      op.op === 'replace' ? op.value : op.op === 'set' ? setPath(current, op.key, op.value) : deletePath(current, op.key)
    if (next === undefined) continue
    current = next
    effective.push(op)
  }
  return { metadata: current, ops: effective }
}

/** See `GraphReplica`. Takes ownership of the elements that it is given. */
export class StateReplica implements GraphReplica {
  readonly origin: string
  readonly #state: GraphState
  readonly #run: RunTransaction

  constructor(state: GraphState, origin: string, run: RunTransaction) {
    this.#state = state
    this.origin = origin
    this.#run = run
  }

  apply(changes: readonly ReplicaChange[]): ReplicaResult {
    return this.#run((timeMs) => this.#applyAll(changes, timeMs))
  }

  sync(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): ReplicaResult {
    return this.#run((timeMs) => {
      this.#deleteMissing(nodes, edges, timeMs)
      const { nodes: heldNodes, edges: heldEdges } = this.#state
      return this.#applyAll(
        [
          ...nodes.map((node) => ({ kind: heldNodes.byId.has(node.id) ? 'node-updated' : 'node-added', node }) as const),
          ...edges.map((edge) => ({ kind: heldEdges.byId.has(edge.id) ? 'edge-updated' : 'edge-added', edge }) as const),
        ],
        timeMs,
      )
    })
  }

  clear(): number {
    return this.#run((timeMs) => {
      const before = this.#state.nodes.count
      this.#deleteMissing([], [], timeMs)
      return before - this.#state.nodes.count
    })
  }

  #applyAll(changes: readonly ReplicaChange[], timeMs: number): ReplicaResult {
    let applied = 0
    let ignored = 0
    const refused: { change: ReplicaChange; reason: string }[] = []
    for (const change of changes) {
      const outcome = this.#applyOne(change, timeMs)
      if (outcome === 'applied') applied++
      else if (outcome === 'ignored') ignored++
      else refused.push({ change, ...outcome })
    }
    return { applied, ignored, refused }
  }

  #applyOne(change: ReplicaChange, timeMs: number): Outcome {
    switch (change.kind) {
      case 'node-added':
        return this.#addNode(change.node)
      case 'edge-added':
        return this.#addEdge(change.edge)
      case 'node-updated':
        return this.#update(this.#state.nodes, change.node)
      case 'edge-updated':
        return this.#update(this.#state.edges, change.edge)
      case 'node-patched':
        return this.#patch(this.#state.nodes, change)
      case 'edge-patched':
        return this.#patch(this.#state.edges, change)
      case 'node-deleted':
        return remove(this.#state.nodes, change.node, (row) => this.#state.removeNode(row, change.node.deletedAtMs ?? timeMs))
      case 'edge-deleted':
        return remove(this.#state.edges, change.edge, (row) => this.#state.removeEdge(row, change.edge.deletedAtMs ?? timeMs))
    }
  }

  #addNode(node: GraphNode): Outcome {
    if (this.#state.nodes.byId.has(node.id)) return 'ignored'
    this.#state.insertNode(node.deletedAtMs === null ? node : { ...node, deletedAtMs: null })
    return 'applied'
  }

  #addEdge(edge: GraphEdge): Outcome {
    const { nodes } = this.#state
    if (this.#state.edges.byId.has(edge.id)) return 'ignored'
    const parent = nodes.byId.get(edge.parent)
    if (parent === undefined) return { reason: 'Parent node not found' }
    const child = nodes.byId.get(edge.child)
    if (child === undefined) return { reason: 'Child node not found' }
    // With the nodes' own ids: what is equal is kept once.
    const own = { ...edge, parent: nodes.byId.idOf(parent), child: nodes.byId.idOf(child), deletedAtMs: null }
    this.#state.insertEdge(own, parent, child)
    return 'applied'
  }

  #update<E extends GraphNode | GraphEdge>(table: RowTable<E>, { id, metadata, updatedAtMs, revision }: E): Outcome {
    const revise = (held: E): Revised => ({ metadata, ops: diffMetadata(held.metadata, metadata) })
    return this.#revise(table, { id, updatedAtMs, revision }, revise)
  }

  #patch<E extends GraphNode | GraphEdge>(table: RowTable<E>, change: Patch): Outcome {
    return this.#revise(table, change, (held) => applyOps(held.metadata, change.ops))
  }

  /** Makes a younger revision the newest. */
  #revise<E extends GraphNode | GraphEdge>(
    table: RowTable<E>,
    { id, updatedAtMs, revision }: Pick<GraphElement, 'id' | 'updatedAtMs' | 'revision'>,
    revise: (held: E) => Revised,
  ): Outcome {
    const row = table.byId.get(id)
    if (row === undefined) return { reason: `${table.isEdges ? 'Edge' : 'Node'} not found` }
    const held = table.elements[row]!
    if (revision <= held.revision) return 'ignored'
    const { metadata, ops } = revise(held)
    // A revision of the sender that changes nothing here is still one: its ops say so by carrying the whole.
    const told: readonly MetadataOp[] = ops.length > 0 ? ops : [{ op: 'replace', value: metadata }]
    this.#state.update(table, row, { ...held, metadata, updatedAtMs, revision }, told)
    return 'applied'
  }

  /**
   * Deletes what this origin owns and the snapshot does not have. What was made at another time is another life of the element, whose revisions
   * began anew: nothing can be compared with those that are held. Edges first, so that each is told as its own change.
   */
  #deleteMissing(nodes: readonly GraphNode[], edges: readonly GraphEdge[], timeMs: number): void {
    for (const row of this.#missing(this.#state.edges, edges)) this.#state.removeEdge(row, timeMs)
    for (const row of this.#missing(this.#state.nodes, nodes)) this.#state.removeNode(row, timeMs)
  }

  #missing<E extends GraphElement>(table: RowTable<E>, kept: readonly E[]): readonly number[] {
    const created = new Map(kept.map(({ id, createdAtMs }) => [id, createdAtMs]))
    const rows: number[] = []
    for (let row = table.first; row >= 0; row = table.after(row)) {
      const { origin, id, createdAtMs } = table.elements[row]!
      if (origin === this.origin && created.get(id) !== createdAtMs) rows.push(row)
    }
    return rows
  }
}

function remove<E extends GraphElement>(table: RowTable<E>, element: E, apply: (row: number) => void): Outcome {
  const row = table.byId.get(element.id)
  if (row === undefined) return 'ignored'
  apply(row)
  return 'applied'
}
