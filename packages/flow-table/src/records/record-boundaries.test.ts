// Where the table of records decides: one less, as much, one more.
import { describe, expect, test } from '@jest/globals'
import type { Flow } from '@skydive/contracts'
import { A, all, back, consume, counters, NOW_MS, type Over, record } from '../../test/record-builder.ts'
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

test('totals of both directions that begin anew leave each other, their flow and the next one alone', () => {
  const table = createRecordTable()
  const told = { isTotal: true, exporterAddress: '192.0.2.1', inputIndex: 3, outputIndex: 4 }
  const flows = [1, 2, 3].map((sourcePort) => record({ ...told, sourcePort }))
  consume(table, flows)
  all(table.update(NOW_MS))
  for (const [packets, bytes] of [
    [7, 700],
    [2, 300],
    [4, 400],
  ] as const) {
    consume(
      table,
      [2, 1].map((port) => back({ ...told, destinationPort: port, packets, bytes })),
    )
    consume(
      table,
      [2, 1].map((sourcePort) => record({ ...told, sourcePort, packets, bytes })),
    )
  }
  const since = (flow: Flow) => {
    const { ABPackets, ABBytes, BAPackets, BABytes } = flow.LastUpdateMetric!
    return [flow.Transport!.A, [ABPackets, ABBytes, BAPackets, BABytes], flow.Exporter]
  }
  const exporter = { Address: '192.0.2.1', Input: 3, Output: 4 }
  // 10 and 1000 were told before; then 7 and 4 packets, 700 and 400 bytes.
  expect(all(table.update(NOW_MS + 1_000)).map(since)).toEqual([
    [1, [11, 1100, 11, 1100], exporter],
    [2, [11, 1100, 11, 1100], exporter],
  ])
})

test('what a record tells of the way back counts there, whichever end sent it', () => {
  const table = createRecordTable()
  consume(table, [record({ reversePackets: 1, reverseBytes: 60 }), back({ reversePackets: 2, reverseBytes: 120 })])
  expect(all(table.snapshot()).map(counters)).toEqual([[12, 1120, 8, 760]])
})

/** How many flows leave with each eviction while one more than the table holds comes. */
function evictedWith(maxFlows: number, flows: number): readonly number[] {
  const evictions: number[] = []
  const table = createRecordTable({ maxFlows, onEvicted: (gone) => evictions.push(gone.length) })
  for (let i = 0; i < flows; i++) table.consume(record({ source: [A + 16 + i] }), NOW_MS + i)
  // Flows that are there already need no room.
  for (let i = flows - table.size; i < flows; i++) table.consume(record({ source: [A + 16 + i] }), NOW_MS + flows)
  expect(table.stats().evictedFlows).toBe(evictions.reduce((sum, count) => sum + count, 0))
  return evictions
}

describe('room', () => {
  test.each<[maxFlows: number, flows: number, evicted: readonly number[]]>([
    [1, 1, []],
    [1, 2, [1]],
    [63, 64, [1]],
    [64, 64, []],
    [64, 65, [1]],
    [127, 128, [1]],
    [128, 128, []],
    [128, 129, [2]],
    [128, 130, [2]],
    [128, 131, [2, 2]],
    [192, 193, [3]],
  ])('for %i flows, when %i come: %j leave', (maxFlows, flows, evicted) => {
    expect(evictedWith(maxFlows, flows)).toEqual(evicted)
  })

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('for %p flows is refused', (maxFlows) => {
    expect(() => createRecordTable({ maxFlows })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', message: `maxFlows: ${maxFlows} is out of range; give 1 or more` }),
    )
  })
})

describe('times', () => {
  test.each<[title: string, flags: number, afterMs: number, stays: boolean]>([
    ['with a FIN', 1, 14_999, true],
    ['with a FIN', 1, 15_000, false],
    ['with a RST', 4, 14_999, true],
    ['with a RST', 4, 15_000, false],
    ['without either', 2 | 8 | 16, 3_600_000, true],
  ])('a connection %s (%i) after %i ms stays: %s', (_title, tcpFlags, afterMs, stays) => {
    const table = createRecordTable()
    consume(table, [record({ tcpFlags })])
    expect([all(table.update(NOW_MS)).length, table.size]).toEqual([1, 1])
    expect([all(table.update(NOW_MS + afterMs)).length, table.size]).toEqual([0, stays ? 1 : 0])
  })

  test.each<[sinceMs: number, leaves: boolean]>([
    [-1, true],
    [0, false],
    [1, false],
  ])('a flow whose last record came %i ms after an expiry leaves with the next one: %s', (sinceMs, leaves) => {
    const table = createRecordTable()
    consume(table, [record()], NOW_MS - 1_000)
    consume(table, [record()], NOW_MS + sinceMs)
    expect(all(table.expire(NOW_MS))).toEqual([])
    expect([all(table.expire(NOW_MS + 60_000)).length, table.size]).toEqual(leaves ? [1, 0] : [0, 1])
    // At the latest with the one after it.
    expect([all(table.expire(NOW_MS + 120_000)).length, table.size]).toEqual(leaves ? [0, 0] : [1, 0])
  })

  test.each<[startMs: number, lastMs: number, expected: readonly [number, number]]>([
    [1_000, 2_000, [1_000, 2_000]],
    [999, 1_999, [999, 2_000]],
    [1_001, 2_001, [1_000, 2_001]],
  ])('a record of %i to %i after one of 1000 to 2000', (startMs, lastMs, expected) => {
    const table = createRecordTable()
    consume(table, [record({ startMs: 1_000, lastMs: 2_000 }), back({ startMs, lastMs })])
    const [flow] = all(table.snapshot())
    expect([flow!.Start, flow!.Last]).toEqual(expected)
    expect([flow!.Metric!.Start, flow!.Metric!.Last]).toEqual(expected)
  })

  test('the difference of a flow that leaves is that since the last update, and of its own time', () => {
    const spans = (flows: readonly Flow[]) =>
      flows.map(({ LastUpdateMetric: last }) => [last!.ABPackets, last!.Start, last!.Last])
    const table = createRecordTable()
    consume(table, [record({ sourcePort: 1 }), record({ sourcePort: 2 })])
    all(table.update(NOW_MS))
    consume(table, [record({ sourcePort: 2, lastMs: NOW_MS + 700 }), record({ sourcePort: 3, lastMs: NOW_MS + 800 })])
    expect(spans(all(table.drain()))).toEqual([
      [0, NOW_MS, NOW_MS],
      [10, NOW_MS, NOW_MS + 700],
      [10, NOW_MS - 5_000, NOW_MS + 800],
    ])
  })
})

test('an exporter of which no flow is left is forgotten', () => {
  const table = createRecordTable()
  const addresses = () => all(table.snapshot()).map(({ Exporter: exporter }) => exporter?.Address)
  consume(table, [record({ observer: 7, exporterAddress: '192.0.2.7' })])
  all(table.expire(NOW_MS + 1))
  consume(table, [record({ observer: 7, sourcePort: 9 })])
  expect(addresses()).toEqual(['192.0.2.7', '192.0.2.7'])
  all(table.expire(NOW_MS + 2))
  consume(table, [record({ observer: 7 })])
  expect(addresses()).toEqual([undefined])
  // Also where its last flow had to go for another one.
  const full = createRecordTable({ maxFlows: 1 })
  consume(full, [record({ observer: 7, exporterAddress: '192.0.2.7' }), record(), record({ observer: 7 })])
  expect(all(full.snapshot()).map(({ Exporter: exporter }) => exporter)).toEqual([undefined])
})

describe('what an update tells', () => {
  const NOTHING = { packets: 0, bytes: 0 }
  test.each<[counts: string, over: Over, told: boolean]>([
    ['nothing', NOTHING, false],
    ['packets', { ...NOTHING, packets: 1 }, true],
    ['bytes', { ...NOTHING, bytes: 1 }, true],
    ['packets of the way back', { ...NOTHING, reversePackets: 1 }, true],
    ['bytes of the way back', { ...NOTHING, reverseBytes: 1 }, true],
  ])('a record that counts %s', (_counts, over, told) => {
    const table = createRecordTable()
    consume(table, [record(over)])
    expect(all(table.update(NOW_MS)).length).toBe(told ? 1 : 0)
    consume(table, [record(over)])
    expect(all(table.update(NOW_MS + 1_000)).length).toBe(told ? 1 : 0)
    const fresh = createRecordTable()
    consume(fresh, [record(over)])
    expect(all(fresh.drain()).map(({ LastUpdateMetric }) => LastUpdateMetric !== undefined)).toEqual([told])
    // Nobody was told of a flow without a packet, and it did not end.
    expect(all(table.drain()).length).toBe(1)
  })

  test.each<[flows: number, batches: readonly number[]]>([
    [0, []],
    [1, [1]],
    [249, [249]],
    [250, [250]],
    [251, [250, 1]],
    [500, [250, 250]],
  ])('%i flows come in batches of %j', (flows, batches) => {
    const table = createRecordTable()
    for (let i = 0; i < flows; i++) consume(table, [record({ source: [i] })])
    expect([...table.update(NOW_MS)].map((batch) => batch.length)).toEqual(batches)
  })
})

test.each<[packets: number, times: number]>([
  [2 ** 31, 3],
  [2 ** 32 - 1, 2],
  [2 ** 40 + 1, 5],
])('%i packets, %i times, are counted to the last one', (packets, times) => {
  const table = createRecordTable()
  const one = record({ packets, bytes: packets * 64, reversePackets: packets, reverseBytes: packets })
  for (let i = 0; i < times; i++) consume(table, [one])
  const sum = packets * times
  const [flow] = all(table.update(NOW_MS))
  expect(counters(flow!)).toEqual([sum, sum * 64, sum, sum])
  expect(flow!.LastUpdateMetric!.ABPackets).toBe(sum)
})
