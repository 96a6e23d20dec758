import type { GraphElement, MetadataOp, MetadataValue } from '@skydive/contracts'
import { type ChangeColumns, DELETED, UPDATED } from './change-columns.ts'
import { MANY_KEYS } from './path-codes.ts'

/** The columns of a change and of the transaction that it may be alone in. */
const CHANGE_BYTES = 60
/** An element without its metadata, and the record that holds it. */
const ELEMENT_BYTES = 184
const OBJECT_BYTES = 24
const KEY_BYTES = 8

/** The memory that a metadata value occupies, roughly: what V8 needs for plain objects of known shape. */
export function approximateBytes(value: MetadataValue): number {
  if (typeof value === 'string') return 16 + value.length
  if (typeof value !== 'object' || value === null) return KEY_BYTES
  let bytes = OBJECT_BYTES
  if (Array.isArray(value)) for (const item of value) bytes += KEY_BYTES + approximateBytes(item)
  else for (const key in value) bytes += KEY_BYTES + approximateBytes((value as Record<string, MetadataValue>)[key]!)
  return bytes
}

function opsBytes(ops: readonly MetadataOp[]): number {
  let bytes = 0
  for (const op of ops) bytes += op.op === 'delete' ? KEY_BYTES : approximateBytes(op.value)
  return bytes
}

/** What remembering a change costs beyond the elements that live anyway, bytes; `element` is the newest revision of its row. */
export function changeBytes(columns: ChangeColumns, number: number, element: GraphElement): number {
  const kind = columns.kind(number)
  if (kind === DELETED) return CHANGE_BYTES + ELEMENT_BYTES + approximateBytes(element.metadata)
  if (kind !== UPDATED) return CHANGE_BYTES
  if (columns.key(number) === MANY_KEYS) {
    const { previous, ops } = columns.whole(number)
    return CHANGE_BYTES + ELEMENT_BYTES + Object.keys(previous.metadata).length * KEY_BYTES + opsBytes(ops)
  }
  const old = columns.old(number) as MetadataValue | undefined
  return old === undefined ? CHANGE_BYTES : CHANGE_BYTES + approximateBytes(old)
}
