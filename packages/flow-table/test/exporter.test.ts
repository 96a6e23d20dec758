import { expect, test } from '@jest/globals'
import type { Flow, PacketFormat } from '@skydive/contracts'
import { LINK_TYPE } from '@skydive/packet'
import { decodeFlowStream } from '@skydive/protocol/flow'
import fc from 'fast-check'
import { createFlowTable, type FlowTable, type FlowTableOptions } from '../src/index.ts'
import { ethernet, ipv4, tcp, udp, vxlan } from './packet-builder.ts'
import { type RingPacket, ringBlock } from './ring-block.ts'

const FORMAT: PacketFormat = { layout: { format: 'tpacket-v3', tellsInterfaces: true }, linkType: LINK_TYPE.ETHERNET }
const PLAIN_FORMAT: PacketFormat = { layout: { format: 'tpacket-v3' }, linkType: LINK_TYPE.ETHERNET }
const TIME_MS = 1_700_000_000_000

/** A TCP segment between ports, back with the ends exchanged. */
const segment = (port: number, isBack = false) =>
  Uint8Array.from(
    isBack
      ? ethernet(
          ipv4(tcp([], 80, port), 6, { source: '10.0.0.2', destination: '10.0.0.1' }),
          0x0800,
          '02:00:00:00:00:02',
          '02:00:00:00:00:01',
        )
      : ethernet(ipv4(tcp([], port, 80), 6)),
  )
/** A datagram whose application is told by its port, so that the packet is dissected. */
const dns = Uint8Array.from(ethernet(ipv4(udp([0, 0, 0, 0], 4000, 53), 17)))

const all = (batches: Iterable<readonly Flow[]>): readonly Flow[] => [...batches].flat()
const feed = (table: FlowTable, packets: readonly RingPacket[], format = FORMAT) => {
  const block = ringBlock(packets)
  table.consumer(format)(block, 0, block.length)
}
const exporters = (flows: readonly Flow[]) => flows.map(({ Exporter: exporter }) => exporter)
const told = (packets: readonly RingPacket[], options: FlowTableOptions = { exporterAddress: '192.0.2.1' }, format = FORMAT) => {
  const table = createFlowTable(options)
  feed(table, packets, format)
  return exporters(all(table.snapshot()))
}

test('a flow tells who sampled it, and the interfaces that its first packet passed', () => {
  const packets = [
    { data: segment(1000), input: 3, output: 4 },
    { data: segment(1000, true), input: 4, output: 3 },
    { data: segment(1001, true), input: 0xfffffffe, output: 0x3ffffffe },
    { data: dns, input: 0, output: 7 },
    { data: segment(1001), input: 8, output: 8 },
  ]
  expect(told(packets)).toEqual([
    { Address: '192.0.2.1', Input: 3, Output: 4 },
    { Address: '192.0.2.1', Input: 0xfffffffe, Output: 0x3ffffffe },
    { Address: '192.0.2.1', Input: 0, Output: 7 },
  ])
})

test('what a tunnel carries passed the interfaces of its outer packet', () => {
  const data = Uint8Array.from(ethernet(ipv4(udp(vxlan(ethernet(ipv4(tcp([]), 6)), 7), 4000, 4789), 17)))
  const flow = { Address: '192.0.2.1', Input: 5, Output: 6 }
  expect(told([{ data, input: 5, output: 6 }])).toEqual([flow, flow])
})

test.each([
  [
    'blocks that tell no interfaces',
    { exporterAddress: '192.0.2.1' },
    PLAIN_FORMAT,
    { Address: '192.0.2.1', Input: 0, Output: 0 },
  ],
  ['nobody who sampled', {}, FORMAT, undefined],
  ['an empty address', { exporterAddress: '' }, FORMAT, undefined],
] as const)('%s: what is not told is not shown', (_title, options, format, exporter) => {
  expect(told([{ data: segment(1000), input: 3, output: 4 }], options, format)).toEqual([exporter])
})

test('a table with both kinds of blocks keeps interfaces of the one only, also where a number is used again', () => {
  const table = createFlowTable({ exporterAddress: 'x', maxFlows: 1 })
  feed(table, [{ data: segment(1), input: 3, output: 4 }])
  feed(table, [{ data: segment(2), input: 5, output: 6 }], PLAIN_FORMAT)
  expect(exporters(all(table.snapshot()))).toEqual([{ Address: 'x', Input: 0, Output: 0 }])
  feed(table, [{ data: segment(3), input: 7, output: 8 }])
  expect(exporters(all(table.snapshot()))).toEqual([{ Address: 'x', Input: 7, Output: 8 }])
})

test('all ways out tell them: updates, evictions, expiry, queries, protobuf', async () => {
  const evicted: Flow[] = []
  const table = createFlowTable({ exporterAddress: 'x', maxFlows: 2, onEvicted: (flows) => evicted.push(...flows) })
  for (const port of [1, 2, 3]) feed(table, [{ data: segment(port), timeMs: TIME_MS + port, input: port, output: 10 + port }])
  const of = (port: number) => ({ Address: 'x', Input: port, Output: 10 + port })
  expect(exporters(evicted)).toEqual([of(1)])
  expect(exporters(all(table.update(TIME_MS + 10))).sort((a, b) => a!.Input - b!.Input)).toEqual([of(2), of(3)])
  expect(exporters(await table.search({ Filter: { TermInt64Filter: { Key: 'Transport.A', Value: 3 } } }))).toEqual([of(3)])
  const decoded = [...table.snapshotAsProtobuf()].flatMap((chunk) => decodeFlowStream(chunk))
  expect(decoded).toEqual(all(table.snapshot()))
  expect(exporters(decoded)).toEqual(exporters(all(table.snapshot())))
  all(table.expire(TIME_MS + 20_000))
  expect(exporters(all(table.expire(TIME_MS + 40_000))).map((exporter) => exporter!.Input)).toEqual(
    expect.arrayContaining([2, 3]),
  )
})

test('whatever flows come and go, each has the interfaces of its own first packet (property)', () => {
  const index = fc.nat(0xffffffff)
  const packet = fc.record({ port: fc.integer({ min: 1000, max: 1200 }), isBack: fc.boolean(), input: index, output: index })
  fc.assert(
    fc.property(fc.array(fc.array(packet, { maxLength: 300, size: 'max' }), { maxLength: 4 }), (rounds) => {
      const table = createFlowTable({ exporterAddress: 'x' })
      for (const packets of rounds) {
        const first = new Map<number, object>()
        for (const { port, input, output } of packets) {
          if (!first.has(port)) first.set(port, { Address: 'x', Input: input, Output: output })
        }
        feed(
          table,
          packets.map(({ port, isBack, ...interfaces }) => ({ data: segment(port, isBack), ...interfaces })),
        )
        // All leave: the next round takes their numbers again.
        const seen = all(table.drain()).map(
          ({ Transport, Exporter: exporter }) => [Math.max(Transport!.A, Transport!.B), exporter] as const,
        )
        expect(new Map(seen)).toEqual(first)
      }
    }),
    { numRuns: 100 },
  )
})

test('a table that grew tells them still', () => {
  const table = createFlowTable({ exporterAddress: 'x' })
  const ports = Array.from({ length: 5000 }, (_, i) => i + 100)
  feed(
    table,
    ports.map((port) => ({ data: segment(port), input: port, output: port + 1 })),
  )
  expect(exporters(all(table.snapshot()))).toEqual(ports.map((port) => ({ Address: 'x', Input: port, Output: port + 1 })))
})
