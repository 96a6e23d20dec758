import { expect, test } from '@jest/globals'
import type { Flow } from '@skydive/contracts'
import { encodePcap, LINK_TYPE } from '@skydive/packet'
import fc from 'fast-check'
import { ringBlock } from '../../../flow-table/test/ring-block.ts'
import { ExporterTables } from './exporter-tables.ts'

const NOW_MS = 1_700_000_000_000
const FORMAT = { layout: { format: 'pcap', littleEndian: true, nanoseconds: false }, linkType: LINK_TYPE.ETHERNET } as const

/** A UDP datagram to 10.0.0.<to>. */
const datagram = (to: number) => {
  const head = { 5: 2, 11: 1, 12: 8, 14: 0x45, 17: 46, 22: 64, 23: 17, 26: 10, 30: 10, 33: to, 37: 53, 39: 26 }
  return Uint8Array.from({ length: 60 }, (_, i) => (head as Record<number, number>)[i] ?? 0)
}
const block = (to: number, timeMs = NOW_MS) => encodePcap([{ timeMs, data: datagram(to) }]).slice(24)
const all = (batches: Iterable<readonly Flow[]>): readonly Flow[] => [...batches].flat()
const seen = (flows: readonly Flow[]) =>
  flows.map(({ Exporter: exporter, Network, Metric }) => [exporter?.Address, Network?.B, Metric!.ABPackets])

/** Tables, and what they evicted. */
function tables(maxFlows = 1000) {
  const evicted: Flow[] = []
  const made = new ExporterTables({ nodeTid: 'tid', captureId: 'c', maxFlows }, FORMAT, (flows) => evicted.push(...flows))
  const send = (exporter: string | undefined, to: number, samplingRate = 1, timeMs = NOW_MS) => {
    const bytes = block(to, timeMs)
    made.consume(bytes, 0, bytes.length, samplingRate, undefined, exporter)
  }
  return { made, send, evicted }
}

test('a packet that two switches saw is one packet of each: two flows of one tracking id', () => {
  const { made, send } = tables()
  send('10.1.0.1', 1, 100)
  send('10.1.0.2', 1, 50)
  send(undefined, 1)
  const flows = all(made.update(NOW_MS))
  expect(seen(flows)).toEqual([
    ['10.1.0.1', '10.0.0.1', 100],
    ['10.1.0.2', '10.0.0.1', 50],
    [undefined, '10.0.0.1', 1],
  ])
  const different = (read: (flow: Flow) => unknown) => new Set(flows.map(read)).size
  expect([different((flow) => flow.UUID), different((flow) => flow.TrackingID)]).toEqual([3, 1])
  expect(flows.map(({ NodeTID, CaptureID }) => [NodeTID, CaptureID])).toEqual(Array(3).fill(['tid', 'c']))
  expect(made.stats()).toEqual({ flows: 3, packets: 3, ignoredPackets: 0, filteredPackets: 0, evictedFlows: 0 })
})

test('flows tell the interfaces of their switch that their first sample passed, whatever way they go', async () => {
  const evicted: Flow[] = []
  const format = { layout: { format: 'tpacket-v3', tellsInterfaces: true }, linkType: LINK_TYPE.ETHERNET } as const
  const made = new ExporterTables({ nodeTid: 'tid', maxFlows: 2 }, format, (flows) => evicted.push(...flows))
  const send = (exporter: string, to: number, input: number, output: number) => {
    const bytes = ringBlock([{ data: datagram(to), timeMs: NOW_MS + to, input, output }])
    made.consume(bytes, 0, bytes.length, 1, undefined, exporter)
  }
  send('10.1.0.1', 1, 3, 4)
  send('10.1.0.2', 1, 30, 0)
  send('10.1.0.1', 1, 5, 6)
  send('10.1.0.1', 2, 7, 8)
  send('', 1, 9, 9)
  const told = (flows: readonly Flow[]) => flows.map(({ Exporter: exporter, Network }) => [Network?.B, exporter])
  const held = [
    ['10.0.0.1', { Address: '10.1.0.1', Input: 3, Output: 4 }],
    ['10.0.0.2', { Address: '10.1.0.1', Input: 7, Output: 8 }],
    ['10.0.0.1', { Address: '10.1.0.2', Input: 30, Output: 0 }],
    ['10.0.0.1', undefined],
  ]
  expect(told(all(made.update(NOW_MS + 10)))).toEqual(held)
  expect(told(await made.search({}))).toEqual(held)
  send('10.1.0.1', 3, 1, 2)
  send('10.1.0.2', 2, 31, 32)
  expect(told(evicted)).toEqual([held[0], held[2]])
  expect(told(all(made.drain()))).toEqual([
    ['10.0.0.3', { Address: '10.1.0.1', Input: 1, Output: 2 }],
    held[1],
    ['10.0.0.2', { Address: '10.1.0.2', Input: 31, Output: 32 }],
    held[3],
  ])
})

test('a query is answered over all of them, in its order', async () => {
  const { made, send } = tables()
  for (const [exporter, to] of [
    ['a', 3],
    ['b', 1],
    ['a', 2],
    ['b', 4],
  ] as const)
    send(exporter, to, to)
  const query = { Sort: true, SortBy: 'Metric.ABPackets', PaginationRange: { From: 0, To: 3 } }
  expect(seen(await made.search({ ...query, SortOrder: 1 as const }))).toEqual([
    ['b', '10.0.0.1', 1],
    ['a', '10.0.0.2', 2],
    ['a', '10.0.0.3', 3],
  ])
  const ofNode = { TermStringFilter: { Key: 'NodeTID', Value: 'tid' } }
  expect(await made.search({ Filter: ofNode })).toHaveLength(4)
})

test('of a flood of exporters some have a table, the rest is counted together; silence makes room', () => {
  const { made, send } = tables()
  for (let i = 0; i < 200; i++) send(`e${i}`, 1)
  expect(seen(all(made.update(NOW_MS)))).toEqual([
    ...Array.from({ length: 16 }, (_, i) => [`e${i}`, '10.0.0.1', 1]),
    [undefined, '10.0.0.1', 184],
  ])
  all(made.expire(NOW_MS + 1))
  expect(all(made.expire(NOW_MS + 2))).toHaveLength(17)
  expect(made.stats()).toEqual({ flows: 0, packets: 200, ignoredPackets: 0, filteredPackets: 0, evictedFlows: 0 })
  send('e199', 1)
  expect(seen(all(made.drain()))).toEqual([['e199', '10.0.0.1', 1]])
})

test('the first exporter has all the room, a further one a sixteenth; what goes says whose it was', () => {
  const { made, send, evicted } = tables(32)
  for (let to = 0; to < 40; to++) send('first', to, 1, NOW_MS + to)
  for (let to = 0; to < 4; to++) send('second', to, 1, NOW_MS + to)
  expect(made.stats()).toMatchObject({ flows: 34, evictedFlows: 10 })
  expect(seen(evicted)).toEqual([
    ...Array.from({ length: 8 }, (_, to) => ['first', `10.0.0.${to}`, 1]),
    ['second', '10.0.0.0', 1],
    ['second', '10.0.0.1', 1],
  ])
})

test('whatever comes in which order, every packet counts once in a flow of who sampled it', () => {
  const step = fc.record({ exporter: fc.constantFrom('a', 'b', 'c', ''), to: fc.nat(5), rate: fc.integer({ min: 1, max: 9 }) })
  // One for all, because making it takes longer than all that it is asked: `drain` and `expire` leave it as it was.
  const { made, send } = tables()
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 9, arbitrary: step }, fc.constantFrom('update' as const, 'expire' as const))),
      (steps) => {
        all(made.expire(Number.MAX_SAFE_INTEGER))
        expect(made.stats().flows).toBe(0)
        const whole = new Map<string, readonly [string, number]>()
        const add = (flows: readonly Flow[]) => {
          for (const { UUID, Exporter: exporter, Metric } of flows) whole.set(UUID, [exporter?.Address ?? '', Metric!.ABPackets])
        }
        const sent: Record<string, number> = {}
        let nowMs = NOW_MS
        for (const one of steps) {
          nowMs++
          if (one === 'update') add(all(made.update(nowMs)))
          else if (one === 'expire') add(all(made.expire(nowMs)))
          else {
            send(one.exporter, one.to, one.rate, nowMs)
            sent[one.exporter] = (sent[one.exporter] ?? 0) + one.rate
          }
        }
        add(all(made.drain()))
        const told: Record<string, number> = {}
        for (const [exporter, packets] of whole.values()) told[exporter] = (told[exporter] ?? 0) + packets
        expect(told).toEqual(sent)
      },
    ),
    { numRuns: 200 },
  )
})
