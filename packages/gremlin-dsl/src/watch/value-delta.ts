import type { MetadataValue } from '@skydive/contracts'
import { tupleKey } from '@skydive/filter'

interface Held<T> {
  readonly item: T
  count: number
}

type Bag<T> = Map<string, Held<T>>

/** Items by what makes them equal, with how often each is there. */
export function bagOf<T>(items: readonly T[], keyOf: (item: T) => string): Bag<T> {
  const bag: Bag<T> = new Map()
  for (const item of items) {
    const key = keyOf(item)
    const held = bag.get(key)
    if (held) held.count++
    else bag.set(key, { item, count: 1 })
  }
  return bag
}

/** The least that leads from one multiset of values to another. O(both). */
export function valueDelta(
  old: readonly MetadataValue[],
  now: readonly MetadataValue[],
): { added: MetadataValue[]; removed: MetadataValue[] } {
  const before = bagOf(old, (value) => tupleKey([value]))
  const after = bagOf(now, (value) => tupleKey([value]))
  const added: MetadataValue[] = []
  const removed: MetadataValue[] = []
  for (const [key, { item, count }] of after) for (let n = before.get(key)?.count ?? 0; n < count; n++) added.push(item)
  for (const [key, { item, count }] of before) for (let n = after.get(key)?.count ?? 0; n < count; n++) removed.push(item)
  return { added, removed }
}
