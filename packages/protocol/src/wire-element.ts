import { type GraphEdge, type GraphNode, InvalidArgumentError, type Metadata, type MetadataValue } from '@skydive/contracts'

/** Deeper metadata than this is refused: nothing real comes near, and recursion over foreign input must end. */
const MAX_METADATA_DEPTH = 64

/** What decoding needs besides the JSON: the time for elements that carry none, and the origin of elements that carry none. */
export interface WireDefaults {
  readonly nowMs: number
  readonly origin: string
}

/**
 * Reads a node of REST or WebSocket (spec graph 1.2). Unknown members are ignored; missing times are `nowMs`, a missing `Revision` is 0.
 *
 * @throws ERR_INVALID_ARGUMENT with the stable texts of the spec, such as `No ID found for graph element`.
 */
export function decodeWireNode(value: unknown, defaults: WireDefaults): GraphNode {
  return { kind: 'node', ...decodeElement(asRecord(value, 'node'), defaults) }
}

/** Reads an edge, as {@link decodeWireNode} reads a node. @throws ERR_INVALID_ARGUMENT, such as `parent ID wrong format`. */
export function decodeWireEdge(value: unknown, defaults: WireDefaults): GraphEdge {
  const record = asRecord(value, 'edge')
  const element = decodeElement(record, defaults)
  const { Parent: parent, Child: child } = record
  if (typeof parent !== 'string' || parent === '') throw wrong('parent ID wrong format', 'Parent', parent)
  if (typeof child !== 'string' || child === '') throw wrong('child ID wrong format', 'Child', child)
  return { kind: 'edge', ...element, parent, child }
}

/**
 * Checks that a value can be metadata: an object of JSON values, not deeper than 64 levels, without the key `__proto__`.
 * Answers the same object. `null` and `undefined` are an empty one.
 *
 * @throws ERR_INVALID_ARGUMENT naming the path.
 */
export function decodeMetadata(value: unknown, path = 'Metadata'): Metadata {
  if (value === undefined || value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) throw wrong('metadata wrong format', path, value)
  checkMetadataValue(value, path, 0)
  return value as Metadata
}

/** The same check for one value of a metadata tree. */
export function decodeMetadataValue(value: unknown, path: string): MetadataValue {
  if (value === undefined) return null
  checkMetadataValue(value, path, 0)
  return value as MetadataValue
}

function checkMetadataValue(value: unknown, path: string, depth: number): void {
  if (typeof value !== 'object' || value === null) return
  if (depth > MAX_METADATA_DEPTH) throw wrong(`metadata is nested deeper than ${MAX_METADATA_DEPTH} levels`, path, undefined)
  if (Array.isArray(value)) {
    for (const item of value) checkMetadataValue(item, path, depth + 1)
    return
  }
  for (const key of Object.keys(value)) {
    if (key === '__proto__') throw wrong('metadata key "__proto__" is not allowed', path, undefined)
    checkMetadataValue((value as Record<string, unknown>)[key], path, depth + 1)
  }
}

function decodeElement(record: Record<string, unknown>, defaults: WireDefaults) {
  const { ID: id, Host: host, Origin: origin } = record
  if (typeof id !== 'string' || id === '') throw wrong('No ID found for graph element', 'ID', id)
  if (typeof host !== 'string' && host !== undefined && host !== null) throw wrong('host wrong format', 'Host', host)
  if (typeof origin !== 'string' && origin !== undefined && origin !== null) throw wrong('origin wrong format', 'Origin', origin)
  const createdAtMs = decodeTime(record, 'CreatedAt') ?? defaults.nowMs
  return {
    id,
    metadata: decodeMetadata(record['Metadata']),
    host: host ?? '',
    origin: origin || defaults.origin,
    createdAtMs,
    updatedAtMs: decodeTime(record, 'UpdatedAt') ?? defaults.nowMs,
    deletedAtMs: decodeTime(record, 'DeletedAt'),
    revision: decodeInteger(record['Revision'], 'Revision') ?? 0,
  }
}

/** 0 and `null` both mean that a time is not set: the original's clients send either. */
function decodeTime(record: Record<string, unknown>, key: string): number | null {
  return decodeInteger(record[key], key) || null
}

function decodeInteger(value: unknown, key: string): number | null {
  if (value === undefined || value === null) return null
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw wrong(`${key} must be an integer`, key, value)
  return value
}

function asRecord(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw wrong(`a ${what} must be an object, got ${JSON.stringify(value)?.slice(0, 80)}`, what, undefined)
}

function wrong(message: string, field: string, value: unknown): InvalidArgumentError {
  return new InvalidArgumentError(message, value === undefined ? { field } : { field, value })
}
