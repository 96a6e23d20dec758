import type { IndexValue, MetadataValue } from '@skydive/contracts'
import { readInteger } from './read.ts'

/**
 * The values under which a field's value is found: a scalar itself and, as integer terms also match what can be read as an integer, that
 * integer; of an array those of each element. So an index answers an equality term exactly as the filter would.
 */
export function forEachIndexValue(value: MetadataValue | undefined, visit: (value: IndexValue) => void): void {
  if (value === undefined) return
  if (Array.isArray(value)) {
    for (const item of value) if (!Array.isArray(item)) forEachIndexValue(item, visit)
    return
  }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') visit(value)
  else if (value !== null) return
  const integer = readInteger(value)
  if (integer !== undefined && integer !== value) visit(integer)
}

/** Whether an index finds `value` under `wanted`. */
export function hasIndexValue(value: MetadataValue | undefined, wanted: IndexValue): boolean {
  let found = false
  forEachIndexValue(value, (own) => {
    if (own === wanted) found = true
  })
  return found
}

/** Adds a row to the lists of all values that it is found by; rows must come in order, so that each is listed once. */
export function addToIndex(index: Map<IndexValue, number[]>, row: number, value: MetadataValue | undefined): void {
  forEachIndexValue(value, (own) => {
    const rows = index.get(own)
    if (rows === undefined) index.set(own, [row])
    else if (rows.at(-1) !== row) rows.push(row)
  })
}
