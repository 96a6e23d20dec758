// Where the table of records decides: one less, as much, one more.
import { describe, expect, test } from '@jest/globals'
import { all, back, consume, counters, type Over, record } from '../../test/record-builder.ts'
import { createRecordTable } from './index.ts'

describe('records of totals', () => {
  test.each<[told: string, records: readonly Over[], packets: number, bytes: number]>([
    [
      'grow',
      [
        { packets: 5, bytes: 50 },
        { packets: 6, bytes: 60 },
      ],
      6,
      60,
    ],
    [
      'stay',
      [
        { packets: 5, bytes: 50 },
        { packets: 5, bytes: 50 },
      ],
      5,
      50,
    ],
    [
      'begin anew by one less',
      [
        { packets: 5, bytes: 50 },
        { packets: 4, bytes: 40 },
      ],
      9,
      90,
    ],
    [
      'begin anew and grow: what was told since counts once',
      [
        { packets: 15, bytes: 150 },
        { packets: 2, bytes: 20 },
        { packets: 4, bytes: 40 },
        { packets: 30, bytes: 300 },
      ],
      45,
      450,
    ],
    [
      'begin anew twice',
      [
        { packets: 9, bytes: 90 },
        { packets: 3, bytes: 30 },
        { packets: 5, bytes: 50 },
        { packets: 1, bytes: 10 },
      ],
      15,
      150,
    ],
    [
      'stand among differences, as of an exporter that tells both',
      [
        { packets: 9, bytes: 90, isTotal: false },
        { packets: 9, bytes: 90 },
        { packets: 1, bytes: 10, isTotal: false },
        { packets: 10, bytes: 100 },
      ],
      10,
      100,
    ],
    [
      'leave bytes out',
      [
        { packets: 9, bytes: 90, isTotal: false },
        { packets: 9, bytes: 0 },
        { packets: 9, bytes: 0 },
      ],
      9,
      90,
    ],
  ])('totals that %s', (_told, records, packets, bytes) => {
    const table = createRecordTable()
    consume(
      table,
      records.map((over) => record({ isTotal: true, ...over })),
    )
    // Those of the other direction are others.
    consume(table, [back({ isTotal: true, packets: 1, bytes: 1 })])
    expect(all(table.snapshot()).map(counters)).toEqual([[packets, bytes, 1, 1]])
  })
})
