import { expect, test } from '@jest/globals'
import type { Flow } from '@skydive/contracts'
import { encodePcap, readPcapFormat } from '@skydive/packet'
import * as fc from 'fast-check'
import { createFlowTable, type FlowTable, type FlowTableOptions } from '../src/index.ts'

const HEADER_BYTES = 24

interface Packet {
  readonly isIpv6: boolean
  readonly isTcp: boolean
  readonly tag: number | null
  readonly isReply: boolean
  readonly host: number
  readonly port: number
  readonly timeMs: number
}

function frame({ isIpv6, isTcp, tag, isReply, host, port }: Packet): Uint8Array {
  const [client, server] = [
    [...(isIpv6 ? [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0] : []), 10, 0, host >> 8, host & 255],
    [...(isIpv6 ? [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0] : []), 9, 0, 0, 1],
  ]
  const ends = isReply ? [...server, ...client] : [...client, ...server]
  const ports = isReply ? [port >> 8, port & 255, 0x30, 0x39] : [0x30, 0x39, port >> 8, port & 255]
  const transport = isTcp ? [...ports, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x10, 0, 9, 0, 0, 0, 0] : [...ports, 0, 20, 0, 0]
  const body = [...transport, ...new Array<number>(12).fill(0)]
  const protocol = isTcp ? 6 : 17
  const ip = isIpv6
    ? [0x60, 0, 0, 0, 0, body.length, protocol, 64, ...ends]
    : [0x45, 0, 0, 20 + body.length, 0, 0, 0, 0, 64, protocol, 0, 0, ...ends]
  const macs = isReply ? [2, 0, 0, 0, 0, 7, 2, 0, 0, 0, 0, host & 3] : [2, 0, 0, 0, 0, host & 3, 2, 0, 0, 0, 0, 7]
  const type = [...(tag === null ? [] : [0x81, 0, tag >> 8, tag & 255]), ...(isIpv6 ? [0x86, 0xdd] : [0x08, 0])]
  return Uint8Array.from([...macs, ...type, ...ip, ...body])
}

const captureOf = (packets: readonly Packet[]) =>
  encodePcap(packets.map((packet) => ({ timeMs: packet.timeMs, data: frame(packet) })))

function count(table: FlowTable, packets: readonly Packet[]): void {
  const file = captureOf(packets)
  expect(table.consumer(readPcapFormat(file)!)(file, HEADER_BYTES, file.length - HEADER_BYTES)).toBe(file.length - HEADER_BYTES)
}

/** Where ports have names the table makes each flow itself; port 1 is of none of them. */
const ASKED: FlowTableOptions = { applicationPorts: { tcp: { 1: 'none' } } }

const packet: fc.Arbitrary<Packet> = fc.record(
  {
    isIpv6: fc.boolean(),
    isTcp: fc.boolean(),
    tag: fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, fc.integer({ min: 0, max: 0xffff })),
    isReply: fc.boolean(),
    host: fc.integer({ min: 0, max: 300 }),
    port: fc.oneof(fc.integer({ min: 2, max: 65_535 }), fc.constantFrom(53, 123, 4789, 5060, 80)),
    timeMs: fc.integer({ min: 0, max: 4_000_000_000_000 }),
  },
  { noNullPrototype: true },
)
const step = fc.oneof(
  { weight: 3, arbitrary: fc.array(packet, { maxLength: 300 }) },
  { weight: 1, arbitrary: fc.constantFrom('update' as const, 'expire' as const, 'drain' as const, 'warmUp' as const) },
)

test('the packet loop makes the flows that the table would make', () => {
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 1, maxLength: 8 }),
      fc.record({ layerKeyMode: fc.constantFrom('L2' as const, 'L3' as const), maxFlows: fc.constantFrom(40, 500_000) }),
      (steps, options) => {
        const [told, asked] = [{}, ASKED].map((over) => {
          const flows: Flow[] = []
          const table = createFlowTable({ nodeTid: 'tid', ...options, ...over, onEvicted: (gone) => void flows.push(...gone) })
          for (const each of steps) {
            if (Array.isArray(each)) count(table, each)
            else if (each === 'warmUp') table.warmUp()
            else flows.push(...[...(each === 'drain' ? table.drain() : table[each](1_700_000_000_000))].flat())
          }
          const written = Buffer.concat([...table.snapshotAsProtobuf()]).toString('hex')
          return JSON.stringify([flows, [...table.snapshot()].flat(), table.stats(), written])
        })
        expect(told).toBe(asked)
      },
    ),
    { numRuns: 30 },
  )
}, 120_000)

test('as many flows as one likes, in the order of their first packets, each with its packets', () => {
  const packets = Array.from({ length: 6_000 }, (_, i): Packet => {
    return {
      isIpv6: i % 7 === 0,
      isTcp: i % 3 === 0,
      tag: i % 11 === 0 ? 5 : null,
      isReply: false,
      host: 1,
      port: 10_000 + i,
      timeMs: i,
    }
  })
  const [table, asked] = [createFlowTable(), createFlowTable(ASKED)]
  for (const each of [table, asked]) {
    count(each, packets)
    count(
      each,
      packets.map((one) => ({ ...one, isReply: true })),
    )
  }
  const flows = [...table.snapshot()].flat()
  expect(flows.map(({ Transport, Metric }) => [Transport?.B, Metric?.Start, Metric?.ABPackets, Metric?.BAPackets])).toEqual(
    packets.map(({ port, timeMs }) => [port, timeMs, 1, 1]),
  )
  expect(JSON.stringify(flows)).toBe(JSON.stringify([...asked.snapshot()].flat()))
}, 60_000)

test('the RTT of echoes is that of the last request that was answered, from the first of those that were not', () => {
  const echo = (isReply: boolean, timeMs: number) => {
    const bytes = frame({ isIpv6: false, isTcp: false, tag: null, isReply, host: 1, port: 0, timeMs })
    bytes[23] = 1
    bytes.set([isReply ? 0 : 8, 0, 0, 0, 0, 77, 0, 1], 34)
    return { timeMs, data: bytes }
  }
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 5000 })), { minLength: 1, maxLength: 60 }), (told) => {
      let now = 1_700_000_000_000
      let requestMs: number | undefined
      let rttMs = 0
      const packets = told.map(([isReply, afterMs]) => {
        now += afterMs
        if (!isReply) requestMs ??= now
        else if (requestMs !== undefined) {
          rttMs = now - requestMs
          requestMs = undefined
        }
        return echo(isReply, now)
      })
      const file = encodePcap(packets)
      const table = createFlowTable()
      table.consumer(readPcapFormat(file)!)(file, HEADER_BYTES, file.length - HEADER_BYTES)
      const flows = [...table.snapshot()].flat()
      expect(
        flows.map(({ ICMP, LayersPath, Metric }) => [ICMP, LayersPath, Metric?.RTT ?? 0, Metric!.ABPackets + Metric!.BAPackets]),
      ).toEqual([[{ Type: 'ECHO', ID: 77 }, 'Ethernet/IPv4/ICMPv4', rttMs * 1_000_000, packets.length]])
    }),
    { numRuns: 100 },
  )
})
