import { expect, test } from '@jest/globals'
import { createRecordTable } from '../src/records/index.ts'
import { NOW_MS, record } from './record-builder.ts'

test('a table of records has room for 500,000 flows unless told otherwise', () => {
  const evictions: number[] = []
  const table = createRecordTable({ onEvicted: (gone) => evictions.push(gone.length) })
  const one = record()
  for (let i = 0; i < 500_000; i++) {
    one.addresses[0] = i
    table.consume(one, NOW_MS + i)
  }
  expect([table.size, evictions]).toEqual([500_000, []])
  one.addresses[0] = -1
  table.consume(one, NOW_MS + 500_000)
  expect([table.size, evictions]).toEqual([500_001 - 7_812, [7_812]])
}, 60_000)
