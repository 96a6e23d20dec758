import {
  type GraphEdge,
  type GraphEvent,
  type GraphNode,
  InvalidArgumentError,
  type MetadataOp,
  type ReplicaChange,
  toWireEdge,
  toWireNode,
} from '@skydive/contracts'
import type { Message } from './envelope.ts'
import { decodeMetadataValue, decodeWireEdge, decodeWireNode, type WireDefaults } from './wire-element.ts'

/** The namespace of topology messages. */
export const GRAPH_NAMESPACE = 'Graph'

/** Whether updates travel whole (`full`) or as operations (`partial`). */
export type UpdatePolicy = 'full' | 'partial'

/**
 * A message of namespace `Graph` (spec platform 2.4).
 *
 * - `sync-request`: `filter` undefined keeps the filter, `''` clears it; `timeMs` 0 is the present.
 * - `sync`: everything the sender has; `reply` tells `SyncReply` from `Sync`. A large graph comes in `parts` messages, numbered from 0.
 * - `change`: one element changed.
 * - `resume`: the first message of a server that knows cursors; what follows is the log after the cursor that the client named
 *   (`resume`), or nothing until the client asks for a snapshot (`sync`).
 */
export type GraphMessage =
  | { readonly kind: 'sync-request'; readonly timeMs: number; readonly filter: string | undefined }
  | {
      readonly kind: 'sync'
      readonly reply: boolean
      readonly nodes: readonly GraphNode[]
      readonly edges: readonly GraphEdge[]
      readonly part: number
      readonly parts: number
    }
  | { readonly kind: 'change'; readonly change: ReplicaChange }
  | { readonly kind: 'resume'; readonly mode: 'resume' | 'sync' }

/** A message type with its body, ready for an envelope. */
export interface GraphBody {
  readonly type: string
  readonly body: unknown
}

const OP_SET = 1
const OP_DELETE = 2

/**
 * The wire form of an event. Under `partial` an update becomes its operations, unless one of them replaces the whole metadata:
 * then the whole element is sent, because an update without operations says nothing.
 */
export function encodeGraphEvent(event: GraphEvent, policy: UpdatePolicy): GraphBody {
  switch (event.kind) {
    case 'node-added':
      return { type: 'NodeAdded', body: toWireNode(event.node) }
    case 'node-deleted':
      return { type: 'NodeDeleted', body: toWireNode(event.node) }
    case 'edge-added':
      return { type: 'EdgeAdded', body: toWireEdge(event.edge) }
    case 'edge-deleted':
      return { type: 'EdgeDeleted', body: toWireEdge(event.edge) }
    case 'node-updated':
      return (
        partialBody('NodePartiallyUpdated', event.node, event.ops, policy) ?? {
          type: 'NodeUpdated',
          body: toWireNode(event.node),
        }
      )
    case 'edge-updated':
      return (
        partialBody('EdgePartiallyUpdated', event.edge, event.ops, policy) ?? {
          type: 'EdgeUpdated',
          body: toWireEdge(event.edge),
        }
      )
  }
}

function partialBody(
  type: string,
  element: GraphNode | GraphEdge,
  ops: readonly MetadataOp[],
  policy: UpdatePolicy,
): GraphBody | undefined {
  if (policy === 'full' || ops.length === 0) return undefined
  const wireOps: object[] = []
  for (const op of ops) {
    if (op.op === 'replace') return undefined
    wireOps.push(op.op === 'set' ? { Type: OP_SET, Key: op.key, Value: op.value } : { Type: OP_DELETE, Key: op.key })
  }
  return { type, body: { ID: element.id, UpdatedAt: element.updatedAtMs, Revision: element.revision, Ops: wireOps } }
}

/**
 * Reads a message of namespace `Graph`. Elements without an origin get `defaults.origin`.
 *
 * @throws ERR_INVALID_ARGUMENT for an unknown type or a body that is no such thing; nothing of the message is usable then.
 */
export function decodeGraphMessage(message: Message, defaults: WireDefaults): GraphMessage {
  switch (message.type) {
    case 'SyncRequest':
      return decodeSyncRequest(message.body)
    case 'Sync':
    case 'SyncReply':
      return decodeSync(message, defaults)
    case 'Resume':
      return { kind: 'resume', mode: asObject(message.body, 'Resume')['Mode'] === 'resume' ? 'resume' : 'sync' }
    case 'NodeAdded':
      return { kind: 'change', change: { kind: 'node-added', node: decodeWireNode(message.body, defaults) } }
    case 'NodeUpdated':
      return { kind: 'change', change: { kind: 'node-updated', node: decodeWireNode(message.body, defaults) } }
    case 'NodeDeleted':
      return { kind: 'change', change: { kind: 'node-deleted', node: decodeWireNode(message.body, defaults) } }
    case 'EdgeAdded':
      return { kind: 'change', change: { kind: 'edge-added', edge: decodeWireEdge(message.body, defaults) } }
    case 'EdgeUpdated':
      return { kind: 'change', change: { kind: 'edge-updated', edge: decodeWireEdge(message.body, defaults) } }
    case 'EdgeDeleted':
      return { kind: 'change', change: { kind: 'edge-deleted', edge: decodeWireEdge(message.body, defaults) } }
    case 'NodePartiallyUpdated':
      return { kind: 'change', change: decodePatch('node-patched', message.body) }
    case 'EdgePartiallyUpdated':
      return { kind: 'change', change: decodePatch('edge-patched', message.body) }
    default:
      throw new InvalidArgumentError(`unknown graph message type ${JSON.stringify(message.type)}`, { type: message.type })
  }
}

function decodeSyncRequest(body: unknown): GraphMessage {
  const { Time: time, GremlinFilter: filter } = body === null || body === undefined ? {} : asObject(body, 'SyncRequest')
  if (time !== undefined && time !== null && !Number.isSafeInteger(time)) throw badBody('SyncRequest', 'Time', time)
  if (filter !== undefined && filter !== null && typeof filter !== 'string') throw badBody('SyncRequest', 'GremlinFilter', filter)
  return { kind: 'sync-request', timeMs: (time as number | null | undefined) ?? 0, filter: filter ?? undefined }
}

function decodeSync(message: Message, defaults: WireDefaults): GraphMessage {
  const { Nodes, Edges, Part, Parts } = asObject(message.body, message.type)
  return {
    kind: 'sync',
    reply: message.type === 'SyncReply',
    nodes: asList(Nodes, 'Nodes').map((node) => decodeWireNode(node, defaults)),
    edges: asList(Edges, 'Edges').map((edge) => decodeWireEdge(edge, defaults)),
    part: typeof Part === 'number' ? Part : 0,
    parts: typeof Parts === 'number' ? Parts : 1,
  }
}

function decodePatch(kind: 'node-patched' | 'edge-patched', body: unknown): ReplicaChange {
  const { ID: id, UpdatedAt: updatedAtMs, Revision: revision, Ops } = asObject(body, kind)
  if (typeof id !== 'string' || id === '') throw new InvalidArgumentError('No ID found for graph element', { field: 'ID' })
  if (!Number.isSafeInteger(updatedAtMs)) throw badBody(kind, 'UpdatedAt', updatedAtMs)
  if (!Number.isSafeInteger(revision)) throw badBody(kind, 'Revision', revision)
  return {
    kind,
    id,
    revision: revision as number,
    updatedAtMs: updatedAtMs as number,
    ops: asList(Ops, 'Ops').map(decodeOp),
  }
}

function decodeOp(value: unknown): MetadataOp {
  const { Type: type, Key: key, Value } = asObject(value, 'Ops')
  if (typeof key !== 'string' || key === '' || key.includes('__proto__')) throw badBody('Ops', 'Key', key)
  if (type === OP_SET) return { op: 'set', key, value: decodeMetadataValue(Value, key) }
  if (type === OP_DELETE) return { op: 'delete', key }
  throw badBody('Ops', 'Type', type)
}

function asObject(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new InvalidArgumentError(`the body of ${what} must be an object, got ${JSON.stringify(value)?.slice(0, 80)}`, { what })
}

function asList(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value)) return value
  throw badBody(what, what, value)
}

function badBody(what: string, field: string, value: unknown): InvalidArgumentError {
  return new InvalidArgumentError(`${what}: ${field} has the wrong format: ${JSON.stringify(value)?.slice(0, 80)}`, { field })
}
