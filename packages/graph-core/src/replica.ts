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

/** Applies foreign operations in order; one that can't be applied is skipped, as its sender's next sync mends it. */
function applyOps(metadata: Metadata, ops: readonly MetadataOp[]): { metadata: Metadata; effective: readonly MetadataOp[] } {
  let current = metadata
  const effective: MetadataOp[] = []
  for (const op of ops) {
    const next =
      op.op === 'replace' ? op.value : op.op === 'set' ? setPath(current, op.key, op.value) : deletePath(current, op.key)
    if (next === undefined) continue
    current = next
    effective.push(op)
  }
  return { metadata: current, effective }
}

/** See `GraphReplica`. Takes ownership of the elements that it is given. */
export class StateReplica implements GraphReplica {
  readonly origin: string
  private readonly state: GraphState
  private readonly run: RunTransaction

  constructor(state: GraphState, origin: string, run: RunTransaction) {
    this.state = state
    this.origin = origin
    this.run = run
  }

  apply(changes: readonly ReplicaChange[]): ReplicaResult {
    return this.run((timeMs) => this.applyAll(changes, timeMs))
  }

  sync(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): ReplicaResult {
    return this.run((timeMs) => {
      this.deleteMissing(nodes, edges, timeMs)
      const changes = [...nodes.map((node) => this.arrivalOfNode(node)), ...edges.map((edge) => this.arrivalOfEdge(edge))]
      return this.applyAll(changes, timeMs)
    })
  }

  clear(): number {
    return this.run((timeMs) => {
      const before = this.state.nodes.count
      this.deleteMissing([], [], timeMs)
      return before - this.state.nodes.count
    })
  }

  private arrivalOfNode(node: GraphNode): ReplicaChange {
    return { kind: this.state.nodes.byId.has(node.id) ? 'node-updated' : 'node-added', node }
  }

  private arrivalOfEdge(edge: GraphEdge): ReplicaChange {
    return { kind: this.state.edges.byId.has(edge.id) ? 'edge-updated' : 'edge-added', edge }
  }

  private applyAll(changes: readonly ReplicaChange[], timeMs: number): ReplicaResult {
    let applied = 0
    let ignored = 0
    const refused: { change: ReplicaChange; reason: string }[] = []
    for (const change of changes) {
      const outcome = this.applyOne(change, timeMs)
      if (outcome === 'applied') applied++
      else if (outcome === 'ignored') ignored++
      else refused.push({ change, reason: outcome.reason })
    }
    return { applied, ignored, refused }
  }

  private applyOne(change: ReplicaChange, timeMs: number): Outcome {
    switch (change.kind) {
      case 'node-added':
        return this.addNode(change.node)
      case 'edge-added':
        return this.addEdge(change.edge)
      case 'node-updated':
        return this.updateNode(change.node)
      case 'edge-updated':
        return this.updateEdge(change.edge)
      case 'node-patched':
        return this.patchNode(change)
      case 'edge-patched':
        return this.patchEdge(change)
      case 'node-deleted':
        return remove(this.state.nodes, change.node, (row) => this.state.removeNode(row, change.node.deletedAtMs ?? timeMs))
      case 'edge-deleted':
        return remove(this.state.edges, change.edge, (row) => this.state.removeEdge(row, change.edge.deletedAtMs ?? timeMs))
    }
  }

  private addNode(node: GraphNode): Outcome {
    if (this.state.nodes.byId.has(node.id)) return 'ignored'
    this.state.insertNode(node.deletedAtMs === null ? node : { ...node, deletedAtMs: null })
    return 'applied'
  }

  private addEdge(edge: GraphEdge): Outcome {
    if (this.state.edges.byId.has(edge.id)) return 'ignored'
    const parent = this.state.nodes.byId.get(edge.parent)
    if (parent === undefined) return { reason: 'Parent node not found' }
    const child = this.state.nodes.byId.get(edge.child)
    if (child === undefined) return { reason: 'Child node not found' }
    this.state.insertEdge(edge.deletedAtMs === null ? edge : { ...edge, deletedAtMs: null }, parent, child)
    return 'applied'
  }

  private updateNode(node: GraphNode): Outcome {
    const row = this.state.nodes.byId.get(node.id)
    if (row === undefined) return { reason: 'Node not found' }
    const held = this.state.nodes.heads[row]!.element
    if (node.revision <= held.revision) return 'ignored'
    const { metadata, updatedAtMs, revision } = node
    this.state.updateNode(row, { ...held, metadata, updatedAtMs, revision }, wholeChange(held.metadata, metadata))
    return 'applied'
  }

  private updateEdge(edge: GraphEdge): Outcome {
    const row = this.state.edges.byId.get(edge.id)
    if (row === undefined) return { reason: 'Edge not found' }
    const held = this.state.edges.heads[row]!.element
    if (edge.revision <= held.revision) return 'ignored'
    const { metadata, updatedAtMs, revision } = edge
    this.state.updateEdge(row, { ...held, metadata, updatedAtMs, revision }, wholeChange(held.metadata, metadata))
    return 'applied'
  }

  private patchNode(change: Extract<ReplicaChange, { kind: 'node-patched' | 'edge-patched' }>): Outcome {
    const row = this.state.nodes.byId.get(change.id)
    if (row === undefined) return { reason: 'Node not found' }
    const held = this.state.nodes.heads[row]!.element
    if (change.revision <= held.revision) return 'ignored'
    const { metadata, effective } = applyOps(held.metadata, change.ops)
    const { updatedAtMs, revision } = change
    const ops = effective.length > 0 ? effective : unchanged(metadata)
    this.state.updateNode(row, { ...held, metadata, updatedAtMs, revision }, ops)
    return 'applied'
  }

  private patchEdge(change: Extract<ReplicaChange, { kind: 'node-patched' | 'edge-patched' }>): Outcome {
    const row = this.state.edges.byId.get(change.id)
    if (row === undefined) return { reason: 'Edge not found' }
    const held = this.state.edges.heads[row]!.element
    if (change.revision <= held.revision) return 'ignored'
    const { metadata, effective } = applyOps(held.metadata, change.ops)
    const { updatedAtMs, revision } = change
    const ops = effective.length > 0 ? effective : unchanged(metadata)
    this.state.updateEdge(row, { ...held, metadata, updatedAtMs, revision }, ops)
    return 'applied'
  }

  /** Deletes what this origin owns and the snapshot does not have. Edges first, so that each is told as its own change. */
  private deleteMissing(nodes: readonly GraphNode[], edges: readonly GraphEdge[], timeMs: number): void {
    const keptEdges = new Set(edges.map((edge) => edge.id))
    for (const row of this.owned(this.state.edges, keptEdges)) this.state.removeEdge(row, timeMs)
    const keptNodes = new Set(nodes.map((node) => node.id))
    for (const row of this.owned(this.state.nodes, keptNodes)) this.state.removeNode(row, timeMs)
  }

  private owned<E extends GraphElement>(table: RowTable<E>, kept: ReadonlySet<string>): readonly number[] {
    const rows: number[] = []
    for (let row = table.first; row >= 0; row = table.after(row)) {
      const { origin, id } = table.heads[row]!.element
      if (origin === this.origin && !kept.has(id)) rows.push(row)
    }
    return rows
  }
}

/** A revision of the sender that changes nothing here is still one: its ops say so by carrying the whole. */
function unchanged(metadata: Metadata): readonly MetadataOp[] {
  return [{ op: 'replace', value: metadata }]
}

function wholeChange(before: Metadata, after: Metadata): readonly MetadataOp[] {
  const ops = diffMetadata(before, after)
  return ops.length > 0 ? ops : unchanged(after)
}

function remove<E extends GraphElement>(table: RowTable<E>, element: E, apply: (row: number) => void): Outcome {
  const row = table.byId.get(element.id)
  if (row === undefined) return 'ignored'
  apply(row)
  return 'applied'
}
