import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { SortedList } from './sorted-list.ts'

const all = (list: SortedList<number>): readonly number[] => {
  const items: number[] = []
  list.walk((item) => items.push(item) > 0)
  return items
}

test('a list of many hundreds holds what was put in and not taken out, in order', () => {
  // Long runs of insertions, so that pieces of the list are split at its beginning, in its middle and at its end.
  const insertion = fc.tuple(fc.constant(true), fc.nat(99_999), fc.constantFrom(1, 7, 200, 700))
  const removal = fc.tuple(fc.constant(false), fc.nat(99_999), fc.constantFrom(1, 7, 200, 700))
  fc.assert(
    fc.property(fc.array(fc.oneof({ weight: 3, arbitrary: insertion }, removal), { maxLength: 12 }), (steps) => {
      const list = new SortedList<number>((a, b) => a - b)
      const held = new Set<number>()
      for (const [puts, start, count] of steps) {
        for (let i = 0; i < count; i++) {
          const item = (start + i * 7919) % 100_000
          if (!puts) {
            list.remove(item)
            held.delete(item)
          } else if (!held.has(item)) {
            list.insert(item)
            held.add(item)
          }
        }
        expect(all(list)).toEqual([...held].sort((a, b) => a - b))
      }
    }),
    { numRuns: 60 },
  )
})

test('a walk ends where the visitor says so', () => {
  const list = new SortedList<number>((a, b) => a - b)
  for (const item of [3, 1, 2]) list.insert(item)
  const seen: number[] = []
  list.walk((item) => seen.push(item) < 2)
  expect(seen).toEqual([1, 2])
})
