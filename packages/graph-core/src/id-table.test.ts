import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { IdTable } from './id-table.ts'

/** Ids that begin differently, end alike, or are short; some are no UUIDs at all. */
const ids = fc.oneof(
  fc.integer({ min: 0, max: 400 }).map((i) => `n${i}`),
  fc.integer({ min: 0, max: 400 }).map((i) => `${i}/interfaces/the-same-name-for-all-of-them`),
  fc.integer({ min: 0, max: 400 }).map((i) => `${i}${'-'.repeat(300)}`),
  fc.uuid(),
  fc.string({ maxLength: 3 }),
)

/** Adds an id that is not there, deletes one that is: what a graph does with its rows, which it numbers as they are free. */
function toggle(table: IdTable, held: Map<string, number>, free: number[], id: string): void {
  const row = held.get(id)
  if (row === undefined) {
    const place = free.pop() ?? held.size
    table.add(id, place)
    held.set(id, place)
  } else {
    table.delete(id)
    held.delete(id)
    free.push(row)
  }
}

describe('IdTable', () => {
  test('knows the same rows as a Map, whatever was added and deleted', () => {
    fc.assert(
      fc.property(fc.array(ids, { maxLength: 600 }), fc.array(ids, { maxLength: 20 }), (toggled, asked) => {
        const table = new IdTable()
        const held = new Map<string, number>()
        const free: number[] = []
        for (const id of toggled) {
          // Some are asked for before, as who writes does; some are not.
          if (id.length % 2 === 0) expect(table.has(id)).toBe(held.has(id))
          toggle(table, held, free, id)
        }
        const all = [...toggled, ...asked]
        expect(all.map((id) => table.get(id))).toEqual(all.map((id) => held.get(id)))
        expect([...held.values()].map((row) => table.idOf(row))).toEqual([...held.keys()])
        expect(table.size).toBe(held.size)
      }),
    )
  })

  test.each([
    ['only by how they begin', (i: number) => `${i}${'-'.repeat(1_000)}`],
    ['in the middle', (i: number) => `${'a'.repeat(100)}${i}${'b'.repeat(100)}`],
    ['at the end', (i: number) => `${'-'.repeat(1_000)}${i}`],
    ['by their length', (i: number) => '-'.repeat(i)],
  ])('finds 3,000 ids that differ %s', (_, idOf) => {
    const table = new IdTable()
    for (let i = 0; i < 3_000; i++) table.add(idOf(i), i)
    expect(Array.from({ length: 4_000 }, (_, i) => table.get(idOf(i)))).toEqual(
      Array.from({ length: 4_000 }, (_, i) => (i < 3_000 ? i : undefined)),
    )
  })

  test('an id that was asked for is found after so many alike that more of it is read', () => {
    const table = new IdTable()
    const idOf = (i: number): string => `${i}/eth0-of-it`
    expect(table.get(idOf(99))).toBeUndefined()
    for (let i = 0; i < 40; i++) table.add(idOf(i), i)
    table.add(idOf(99), 40)
    expect(table.get(idOf(99))).toBe(40)
  })
})
