import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { aggregate, splitRecord, sumRecords } from './index.ts'

const record = (n: number, Start: number, Last: number) => ({ N: n, Start, Last })
const slices = (records: readonly (readonly [number, number, number])[], from: number, to: number, step = 10) =>
  aggregate([records.map(([n, start, last]) => record(n, start, last))], { startMs: from, lastMs: to, stepMs: step }).map(
    (item) => [item['N'], item['Start'], item['Last']],
  )

test('A85 a record cut at a quarter', () => {
  expect(splitRecord(record(100, 0, 100), 25)).toEqual([record(25, 0, 25), record(75, 25, 100)])
})

describe('aggregates in slices of 10', () => {
  test.each<[item: string, records: [number, number, number][], from: number, to: number, expected: number[][]]>([
    ['A86 exactly the window', [[100, 0, 10]], 0, 10, [[100, 0, 10]]],
    ['A86 twice as long, first half', [[100, 0, 20]], 0, 10, [[50, 0, 10]]],
    ['A86 twice as long, second half', [[100, 0, 20]], 10, 20, [[50, 10, 20]]],
    ['A86 over the left edge by half', [[100, 5, 15]], 10, 20, [[50, 10, 20]]],
    ['A86 over the right edge by half', [[100, 5, 15]], 0, 10, [[50, 0, 10]]],
    ['A87 within a slice', [[100, 1, 5]], 0, 10, [[100, 0, 10]]],
    ['A88 one over a minute, from its start', [[1, 0, 60]], 0, 10, [[1, 0, 10]]],
    ['A88 one over a minute, later', [[1, 0, 60]], 10, 20, [[0, 10, 20]]],
    [
      'A89 over three slices',
      [[18000, 0, 30]],
      0,
      30,
      [
        [6000, 0, 10],
        [6000, 10, 20],
        [6000, 20, 30],
      ],
    ],
    [
      'A89 the last two of three',
      [[18000, 0, 30]],
      10,
      30,
      [
        [6000, 10, 20],
        [6000, 20, 30],
      ],
    ],
    [
      'A89 two records that overlap the slices',
      [
        [6000, 0, 15],
        [6000, 15, 30],
      ],
      10,
      30,
      [
        [4000, 10, 20],
        [4000, 20, 30],
      ],
    ],
    ['nothing outside', [[5, 0, 9]], 10, 20, []],
    ['an instant at the end', [[5, 20, 20]], 0, 20, [[5, 10, 20]]],
    ['a cut last slice', [[5, 20, 25]], 0, 25, [[5, 20, 25]]],
  ])('%s', (_item, records, from, to, expected) => expect(slices(records, from, to)).toEqual(expected))

  test.each([18000, 180, 5])('A91 the slices of %d sum up to it', (total) => {
    const parts = aggregate([[record(total, 0, 30)]], { startMs: 0, lastMs: 30, stepMs: 10 })
    expect(sumRecords(parts)).toEqual(record(total, 0, 30))
  })

  test('A90 two series with other boundaries, a window that begins and ends within slices', () => {
    const series = [
      [record(6000, 0, 10), record(12_000, 10, 30)],
      [record(3000, 0, 15), record(4000, 15, 35)],
    ]
    const merged = aggregate(series, { startMs: 5, lastMs: 30, stepMs: 10 })
    expect(merged.map((item) => [item['N'], item['Start'], item['Last']])).toEqual([
      [3000 + 6000 * 0.5 + 2000, 5, 15],
      [6000 + 2000, 15, 25],
      [3000 + 1000, 25, 30],
    ])
  })

  test('A91 A99 whatever lies in the window is conserved', () => {
    const one = fc.tuple(fc.nat(1000), fc.nat(100), fc.nat(50)).map(([n, start, length]) => record(n, start, start + length))
    fc.assert(
      fc.property(fc.array(one, { minLength: 1 }), fc.integer({ min: 1, max: 40 }), (records, stepMs) => {
        const parts = aggregate([records], { startMs: 0, lastMs: 150, stepMs })
        expect(sumRecords(parts)?.['N']).toBe(records.reduce((sum, item) => sum + item.N, 0))
      }),
      { numRuns: 500 },
    )
  })
})
