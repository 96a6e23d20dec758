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

test.each([
  [0, 2048],
  [1024, 2048],
  [1025, 4096],
  [2048, 4096],
  [2049, 8192],
])('for %i flows the index has %i slots, and keeps them', (count, slots) => {
  const columns = new RecordColumns()
  for (let i = 0; i < count; i++) insert(columns, single(5, i))
  expect(columns.slots).toBe(slots)
  for (let id = 0; id < count; id++) columns.remove(id)
  expect([columns.slots, columns.size]).toEqual([slots, 0])
})

test('a flow is taken out where it is: from a wrong place 200,000 would be looked for all day', () => {
  const columns = new RecordColumns()
  for (let i = 0; i < 200_000; i++) insert(columns, [i & 1, i, ~i, 0, i * 3, 0, 0, 0, 0, i << 16, 6])
  for (let id = 0; id < 200_000; id++) columns.remove(id)
  expect(columns.size).toBe(0)
}, 60_000)

test('a place that is used again holds nothing of the flow before, and those beside it keep what is theirs', () => {
  const columns = new RecordColumns()
  const [before, id, after] = [1, 2, 3].map((value) =>
    insert(
      columns,
      Array.from({ length: WORDS }, () => value),
    ),
  ) as [number, number, number]
  const wordsOf = (flow: number) => columns.words.subarray(wordOf(flow, 0), wordOf(flow + 1, 0))
  const coldOfFlow = (flow: number) => columns.cold.subarray(coldOf(flow, 0), coldOf(flow + 1, 0))
  for (const flow of [before, id, after]) {
    wordsOf(flow).fill(-1, WORDS)
    coldOfFlow(flow).fill(flow + 1)
  }
  columns.remove(id)
  expect([columns.size, columns.limit, columns.isLive(before), columns.isLive(id), columns.isLive(after)]).toEqual([
    ...[2, 3, true, false, true],
  ])
  expect(insert(columns, single(1, 4))).toBe(id)
  expect([columns.size, columns.limit]).toEqual([3, 3])
  const rest = (value: number) => Array.from({ length: 32 - WORDS }, () => value)
  expect([before, id, after].map((flow) => [...wordsOf(flow)])).toEqual([
    [...Array.from({ length: WORDS }, () => 1), ...rest(-1)],
    [...single(1, 4), 1, ...rest(0).slice(1)],
    [...Array.from({ length: WORDS }, () => 3), ...rest(-1)],
  ])
  expect([before, id, after].map((flow) => new Set(coldOfFlow(flow)))).toEqual([new Set([1]), new Set([0]), new Set([3])])
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
  /** A hash of 0 is none of an empty slot. */
  const ofNothing = [5, -5, 0, 0, 0, 0, 0, 0, 0, 0, 0]
  const keys = [...new Map([...crowded, ...alike, ofNothing].map((key) => [key.join(), key])).values()]

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
