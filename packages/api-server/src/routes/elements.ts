import {
  type GraphEdge,
  type GraphNode,
  type GraphTransaction,
  type GraphWriter,
  InvalidArgumentError,
  type Metadata,
  PermissionError,
  SkydiveError,
  toWireEdge,
  toWireNode,
} from '@skydive/contracts'
import { checkEdgeSchema, checkNodeSchema, decodeMetadata, decodeWireEdge, decodeWireNode } from '@skydive/protocol'
import { equalJson } from '../json-patch.ts'
import { type Resource, step } from './resource.ts'

/** A patch may not change what identifies a node: these keep their stored values (spec platform 1.4.7). */
const PINNED_KEYS = ['TID', 'Name', 'Type']

/** `/api/node`: nodes of the live graph; made ones have origin `api.<host>`. */
export function nodeResource(writer: GraphWriter, now: () => number): Resource {
  const find = (id: string) => nodeOf(writer, id)
  return {
    name: 'node',
    title: 'Node',
    async list() {
      const nodes = new Map<string, object>()
      writer.view.forEachNode((ordinal) => {
        const node = writer.view.node(ordinal)
        nodes.set(node.id, toWireNode(node))
        return undefined
      })
      return nodes
    },
    async read(id) {
      const node = find(id)
      return node && toWireNode(node)
    },
    async create(body) {
      const node = decodeWireNode(body, { nowMs: now(), origin: writer.origin })
      checkNodeSchema(node)
      return toWireNode(write(writer, (tx) => tx.addNode(initOf(node))))
    },
    async update(id, patched) {
      const node = find(id)
      if (node === undefined) return undefined
      const metadata: Record<string, Metadata[string]> = { ...patchedMetadata(patched) }
      step('validating patched resource', () => checkNodeSchema({ ...node, metadata }))
      for (const key of PINNED_KEYS) {
        const stored = node.metadata[key]
        if (stored === undefined) delete metadata[key]
        else metadata[key] = stored
      }
      if (equalJson(node.metadata, metadata)) return undefined
      refuseForeign(writer, node)
      return toWireNode(write(writer, (tx) => tx.replaceNode(id, metadata)))
    },
    async remove(id) {
      const node = find(id)
      if (node === undefined) return false
      refuseForeign(writer, node)
      return write(writer, (tx) => tx.deleteNode(id))
    },
  }
}

/** `/api/edge`, as {@link nodeResource}. */
export function edgeResource(writer: GraphWriter, now: () => number): Resource {
  const find = (id: string) => edgeOf(writer, id)
  return {
    name: 'edge',
    title: 'Edge',
    async list() {
      const edges = new Map<string, object>()
      writer.view.forEachEdge((ordinal) => {
        const edge = writer.view.edge(ordinal)
        edges.set(edge.id, toWireEdge(edge))
        return undefined
      })
      return edges
    },
    async read(id) {
      const edge = find(id)
      return edge && toWireEdge(edge)
    },
    async create(body) {
      const edge = decodeWireEdge(body, { nowMs: now(), origin: writer.origin })
      checkEdgeSchema(edge)
      return toWireEdge(write(writer, (tx) => tx.addEdge({ ...initOf(edge), parent: edge.parent, child: edge.child })))
    },
    async update(id, patched) {
      const edge = find(id)
      if (edge === undefined) return undefined
      const metadata = patchedMetadata(patched)
      step('validating patched resource', () => checkEdgeSchema({ ...edge, metadata }))
      if (equalJson(edge.metadata, metadata)) return undefined
      refuseForeign(writer, edge)
      return toWireEdge(write(writer, (tx) => tx.replaceEdge(id, metadata)))
    },
    async remove(id) {
      const edge = find(id)
      if (edge === undefined) return false
      refuseForeign(writer, edge)
      return write(writer, (tx) => tx.deleteEdge(id))
    },
  }
}

function nodeOf(writer: GraphWriter, id: string): GraphNode | undefined {
  const ordinal = writer.view.nodeOrdinal(id)
  return ordinal < 0 ? undefined : writer.view.node(ordinal)
}

function edgeOf(writer: GraphWriter, id: string): GraphEdge | undefined {
  const ordinal = writer.view.edgeOrdinal(id)
  return ordinal < 0 ? undefined : writer.view.edge(ordinal)
}

function initOf(element: GraphNode | GraphEdge) {
  const { id, metadata, host, createdAtMs, updatedAtMs, revision } = element
  return { id, metadata, host, createdAtMs, updatedAtMs, revision }
}

/** The original answers a taken id and a missing end with 400, not 409 and 404: only the resource of the path is ever "not found". */
function write<T>(writer: GraphWriter, body: (tx: GraphTransaction) => T): T {
  try {
    return writer.transaction(body)
  } catch (error) {
    if (!SkydiveError.isInstance(error, 'ERR_CONFLICT') && !SkydiveError.isInstance(error, 'ERR_NOT_FOUND')) throw error
    throw new InvalidArgumentError(error.message, error.fields, error)
  }
}

function patchedMetadata(patched: unknown): Metadata {
  const metadata = (patched as { Metadata?: unknown } | null)?.Metadata
  return step('validating patched resource', () => decodeMetadata(metadata))
}

/** What an agent or a publisher wrote is theirs: a change made here would be undone by their next one. */
function refuseForeign(writer: GraphWriter, element: GraphNode | GraphEdge): void {
  if (element.origin === writer.origin) return
  throw new PermissionError(
    `${element.kind} '${element.id}' belongs to ${element.origin}: only what was made through this API can be changed here`,
    {},
  )
}
