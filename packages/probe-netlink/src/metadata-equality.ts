import type { MetadataValue } from '@skydive/contracts'

/** Whether two values of metadata say the same. Shared objects are recognised at once. */
export function isSameValue(a: MetadataValue | undefined, b: MetadataValue | undefined): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((value, i) => isSameValue(value, b[i]))
  }
  const [objectA, objectB] = [a as Readonly<Record<string, MetadataValue>>, b as Readonly<Record<string, MetadataValue>>]
  const keys = Object.keys(objectA)
  return keys.length === Object.keys(objectB).length && keys.every((key) => isSameValue(objectA[key], objectB[key]))
}
