// The index of flows where it is most crowded: factors of the hash that everybody knows, and keys that share a place.
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { finish } from '../flow-columns.ts'
import { coldOf, RECEIVED_MS, RecordColumns, STATE, wideOf, wordOf } from './record-columns.ts'

const WORDS = 11
const SLOTS = 2048
/** The hash of a key is then that of the sum of its words. */
const ones = () => new RecordColumns(new Int32Array(WORDS).fill(1))
const find = (columns: RecordColumns, key: readonly number[]) => {
  columns.key.set(key)
  return columns.find()
}
const insert = (columns: RecordColumns, key: readonly number[]) => {
  const id = find(columns, key)
  if (id >= 0) throw new Error(`${key} was found at ${id}`)
  return columns.insert()
}
/** A key of one word that is not 0. */
const single = (word: number, value: number) => Array.from({ length: WORDS }, (_, i) => (i === word ? value : 0))

test('keys of one hash are told apart by each of their words', () => {
  const columns = ones()
  const keys = Array.from({ length: WORDS }, (_, word) => single(word, 7))
  const ids = keys.map((key) => insert(columns, key))
  expect(ids).toEqual(keys.map((_, i) => i))
  expect(keys.map((key) => find(columns, key))).toEqual(ids)
  expect(find(columns, [1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0])).toBe(-1)
})

test.each([1023, 1024, 1025, 2048, 2049, 4097])('%i flows are found again with what they hold', (count) => {
  const columns = new RecordColumns()
  for (let i = 0; i < count; i++) {
    const id = insert(columns, single(1, i))
    columns.words[wordOf(id, STATE + 1)] = i
    columns.wide[wideOf(id, RECEIVED_MS)] = i + 0.5
    columns.cold[coldOf(id, 0)] = -i
    columns.cold[coldOf(id, 18)] = i
  }
  const held = Array.from({ length: count }, (_, i) => {
    const id = find(columns, single(1, i))
    const { words, wide, cold } = columns
    return [id, words[wordOf(id, STATE + 1)], wide[wideOf(id, RECEIVED_MS)], cold[coldOf(id, 0)], cold[coldOf(id, 18)]]
  })
  expect(held).toEqual(Array.from({ length: count }, (_, i) => [i, i, i + 0.5, -i, i]))
  expect([columns.size, columns.limit]).toEqual([count, count])
})

test('a place that is used again holds nothing of the flow before', () => {
  const columns = new RecordColumns()
  insert(columns, single(1, 1))
  const id = insert(columns, single(1, 2))
  insert(columns, single(1, 3))
  const range = [wordOf(id, 0), wordOf(id + 1, 0)] as const
  columns.words.fill(-1, range[0] + WORDS, range[1])
  columns.cold.fill(-1, coldOf(id, 0), coldOf(id + 1, 0))
  columns.remove(id)
  expect([columns.size, columns.limit, columns.isLive(id), columns.isLive(id + 1)]).toEqual([2, 3, false, true])
  expect(insert(columns, single(1, 4))).toBe(id)
  expect([...columns.words.subarray(...range)]).toEqual([...single(1, 4), 1, ...Array.from({ length: 20 }, () => 0)])
  expect(columns.cold.subarray(coldOf(id, 0), coldOf(id + 1, 0)).every((value) => value === 0)).toBe(true)
  expect([columns.size, columns.limit]).toEqual([3, 3])
})

test.each<[count: number, expected: readonly number[]]>([
  [0, []],
  [1, [2]],
  [2, [2, 0]],
  [9, [2, 0, 3]],
])('the %i that were told of the longest ago', (count, expected) => {
  const columns = new RecordColumns()
  for (const [i, receivedMs] of [20, 5, 10, 30].entries()) {
    columns.wide[wideOf(insert(columns, single(1, i)), RECEIVED_MS)] = receivedMs
  }
  columns.remove(1)
  expect(columns.oldest(count)).toEqual(expected)
})

describe('where entries crowd', () => {
  /** Keys that belong into the last slots of the index and the first ones, so that what waits behind them runs over its end. */
  const crowded: number[][] = []
  for (let sum = 1; crowded.length < 40; sum++) {
    const home = finish(sum) & (SLOTS - 1)
    if (home < 3 || home >= SLOTS - 4) crowded.push(single(crowded.length % WORDS, sum))
  }
  /** And some of one and the same hash. */
  const alike = Array.from({ length: WORDS }, (_, word) => single(word, Math.max(...crowded[0]!)))
  const keys = [...new Map([...crowded, ...alike].map((key) => [key.join(), key])).values()]

  test('whatever comes and goes, each is found where it is, and nothing else', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(keys.length - 1), { minLength: 1, maxLength: 300 }), (steps) => {
        const columns = ones()
        const held = new Map<number, number>()
        for (const at of steps) {
          const id = held.get(at)
          if (id === undefined) held.set(at, insert(columns, keys[at]!))
          else {
            columns.remove(id)
            held.delete(at)
          }
        }
        expect(keys.map((key) => find(columns, key))).toEqual(keys.map((_, at) => held.get(at) ?? -1))
        expect([columns.size, new Set(held.values()).size]).toEqual([held.size, held.size])
      }),
    )
  })

  test('also while the index grows', () => {
    const columns = ones()
    const ids = keys.map((key) => insert(columns, key))
    const more = Array.from({ length: 3000 }, (_, i) => insert(columns, single(3, 1_000_000 + i)))
    for (const id of more) columns.remove(id)
    expect(keys.map((key) => find(columns, key))).toEqual(ids)
    expect(columns.size).toBe(keys.length)
  })
})
