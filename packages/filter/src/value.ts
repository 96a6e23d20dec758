import type { Metadata, MetadataObject, MetadataOp, MetadataValue } from '@skydive/contracts'
import { InvalidArgumentError } from '@skydive/contracts'
import { defineKey, isMetadataObject, joinPath, setPath } from './path.ts'

/** Deeper trees are refused: no probe needs them, and recursion stays bounded. */
export const MAX_METADATA_DEPTH = 64

/** Deep equality of metadata. Order of object keys does not count. About 1 µs for 25 keys. */
export function equalValues(a: MetadataValue | undefined, b: MetadataValue | undefined): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false
    for (let i = 0; i < a.length; i++) if (!equalValues(a[i], b[i])) return false
    return true
  }
  if (Array.isArray(b)) return false
  const left = a as MetadataObject
  const right = b as MetadataObject
  const keys = Object.keys(left)
  if (keys.length !== Object.keys(right).length) return false
  for (const key of keys) if (!Object.hasOwn(right, key) || !equalValues(left[key], right[key])) return false
  return true
}

/**
 * An own deep copy of what a caller gives, so that later writes of the caller change nothing, checked on the way.
 * Members that are `undefined` are left out, as JSON does. @throws ERR_INVALID_ARGUMENT naming the path of what metadata can't hold.
 */
export function copyMetadata(metadata: Metadata): Metadata {
  return copyValue(metadata, '', 0) as Metadata
}

/** {@link copyMetadata} for one value; `path` is only named in errors. */
export function copyMetadataValue(value: MetadataValue, path: string): MetadataValue {
  return copyValue(value, path, 0)
}

function copyValue(value: MetadataValue, path: string, depth: number): MetadataValue {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      if (Number.isFinite(value)) return value
      break
    case 'object':
      if (value === null) return null
      if (depth > MAX_METADATA_DEPTH) throw refuse(path, `deeper than ${MAX_METADATA_DEPTH} levels`)
      if (Array.isArray(value)) return value.map((item: MetadataValue, i) => copyValue(item, `${path}[${i}]`, depth + 1))
      return copyObject(value as MetadataObject, path, depth)
  }
  throw refuse(path, typeof value === 'number' ? String(value) : `a ${typeof value}`)
}

function copyObject(value: MetadataObject, path: string, depth: number): MetadataObject {
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) throw refuse(path, `a ${prototype.constructor?.name}`)
  const copy: Record<string, MetadataValue> = {}
  for (const key in value) {
    const member = value[key]
    if (member !== undefined) defineKey(copy, key, copyValue(member, path === '' ? key : `${path}.${key}`, depth + 1))
  }
  return copy
}

function refuse(path: string, what: string): InvalidArgumentError {
  return new InvalidArgumentError(`metadata ${path || 'of an element'} is ${what}; only what JSON can say is allowed`, { path })
}

/**
 * Makes any plain value fit for metadata (spec graph 1.4, "Normalise"): keys with dots become nested objects, null becomes `''`, what JSON
 * can't say (functions, `undefined`) goes, big integers become numbers. When both `a` and `a.b` are keys, the later one wins.
 */
export function normaliseMetadata(value: unknown): MetadataValue {
  if (value === null || value === undefined) return ''
  if (typeof value === 'bigint') return Number(value)
  if (Array.isArray(value)) return value.map(normaliseMetadata)
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'object') return normaliseObject(value)
  if (typeof value === 'number') return Number.isFinite(value) ? value : ''
  return typeof value === 'string' || typeof value === 'boolean' ? value : ''
}

function normaliseObject(value: object): MetadataObject {
  let result: MetadataObject = {}
  for (const [key, member] of Object.entries(value)) {
    if (typeof member === 'function' || member === undefined) continue
    const below = normaliseMetadata(member)
    result = merge(result, key, below)
  }
  return result
}

function merge(object: MetadataObject, path: string, value: MetadataValue): MetadataObject {
  const escaped = path.replaceAll('\\', '\\\\')
  const changed = setPath(object, escaped, value)
  if (changed !== undefined) return changed
  // A scalar stands where an object is needed now: the later key wins.
  const [head, ...rest] = path.split('.')
  return setPath(object, joinPath([head!]), merge({}, rest.join('.'), value))!
}

/** More single changes than this are told as one whole replacement. */
const MAX_DIFF_OPS = 32

/**
 * What turns `before` into `after`: sets and deletes by path, descending into objects, arrays as a whole. Empty when they are equal.
 * A key that holds a dot, or a great many changes, give one `replace` instead.
 */
export function diffMetadata(before: Metadata, after: Metadata): readonly MetadataOp[] {
  const ops: MetadataOp[] = []
  const plain = diffObjects(before, after, '', ops)
  return plain && ops.length <= MAX_DIFF_OPS ? ops : [{ op: 'replace', value: after }]
}

function diffObjects(before: MetadataObject, after: MetadataObject, prefix: string, ops: MetadataOp[]): boolean {
  for (const key of Object.keys(before)) {
    if (Object.hasOwn(after, key)) continue
    if (key.includes('.') || key.includes('\\')) return false
    ops.push({ op: 'delete', key: prefix + key })
  }
  for (const key of Object.keys(after)) {
    const old = Object.hasOwn(before, key) ? before[key] : undefined
    const value = after[key]!
    if (old === value) continue
    if (key.includes('.') || key.includes('\\')) {
      if (!equalValues(old, value)) return false
    } else if (isMetadataObject(old) && isMetadataObject(value) && Object.keys(value).length > 0) {
      if (!diffObjects(old, value, `${prefix}${key}.`, ops)) return false
    } else if (!equalValues(old, value)) {
      ops.push({ op: 'set', key: prefix + key, value })
    }
  }
  return true
}
