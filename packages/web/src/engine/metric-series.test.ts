import { expect, test } from '@jest/globals'
import type { GraphNode, Metadata } from '@skydive/contracts'
import { MetricSeries } from './metric-series.ts'

const node = (metadata: Metadata): GraphNode => ({
  kind: 'node',
  id: 'n',
  host: '',
  origin: '',
  metadata,
  createdAtMs: 0,
  updatedAtMs: 0,
  deletedAtMs: null,
  revision: 1,
})
const reading = (Last: number, RxBytes: number, TxBytes: number): Metadata => ({ Metric: { Last, RxBytes, TxBytes } })

test.each<[string, readonly Metadata[], readonly (readonly number[])[]]>([
  ['one reading tells no rate', [reading(1_000, 5, 5)], []],
  ['two readings tell one', [reading(1_000, 100, 0), reading(3_000, 300, 50)], [[3_000, 100, 25]]],
  ['a revision without new counters adds nothing', [reading(1_000, 0, 0), reading(1_000, 9, 9)], []],
  [
    'counters that were set back begin anew',
    [reading(1_000, 900, 0), reading(2_000, 10, 0), reading(3_000, 20, 0)],
    [[3_000, 10, 0]],
  ],
  ['counters that are absent are 0', [{ Metric: { Last: 1_000 } }, { Metric: { Last: 2_000, TxBytes: 7 } }], [[2_000, 0, 7]]],
  ['no metric at all', [{}, { Metric: 'none' }, { Metric: { RxBytes: 1 } }], []],
])('%s', (_title, revisions, expected) => {
  const series = new MetricSeries()
  for (const metadata of revisions) series.add(node(metadata))
  expect(
    series.points.map(({ timeMs, rxBytesPerSecond, txBytesPerSecond }) => [timeMs, rxBytesPerSecond, txBytesPerSecond]),
  ).toEqual(expected)
})

test('no more than 240 points are kept, the newest', () => {
  const series = new MetricSeries()
  for (let second = 0; second <= 300; second++) series.add(node(reading(second * 1_000, second * 10, 0)))
  expect([series.points.length, series.points[0]?.timeMs, series.points.at(-1)?.timeMs]).toEqual([240, 61_000, 300_000])
})
