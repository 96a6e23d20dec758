// The program by which the kernel spreads packets over several readers, held against which packets are one flow to a table.
import { describe, expect, test } from '@jest/globals'
import type { Flow } from '@skydive/contracts'
import { createPacketFilter, encodePcap, LINK_TYPE, spreadProgram } from '@skydive/packet'
import { createFlowTable, type FlowTable, type FlowTableOptions } from '../src/index.ts'
import * as p from './packet-builder.ts'
import { randomCaptures } from './random-captures.ts'

const SEED = Number(process.env['SKYDIVE_SEED'] ?? 20_261_127)
const PCAP_HEADER_BYTES = 24
const T0 = 1_700_000_000_000

interface Packet {
  readonly timeMs: number
  readonly data: Uint8Array
}

function feed(table: FlowTable, packets: readonly Packet[], linkType: number): void {
  const file = encodePcap(packets)
  const layout = { format: 'pcap' as const, littleEndian: true, nanoseconds: false }
  table.consumer({ layout, linkType })(file, PCAP_HEADER_BYTES, file.length - PCAP_HEADER_BYTES)
}

function numberOf(linkType: number, byAddresses = false): (bytes: Uint8Array) => number {
  const run = createPacketFilter(spreadProgram({ linkType, byAddresses }))
  return (bytes) => run(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length, bytes.length)
}

/** What several readers with a table each have, beside what one has. */
function readBy(readers: number, packets: readonly Packet[], linkType: number, options: FlowTableOptions = {}) {
  const spread = numberOf(linkType, options.ipDefrag)
  const flowsOf = (some: readonly Packet[]) => {
    const table = createFlowTable(options)
    feed(table, some, linkType)
    return [...table.snapshot()].flat()
  }
  const byReader = Array.from({ length: readers }, (_, reader) =>
    flowsOf(packets.filter(({ data }) => spread(data) % readers === reader)),
  )
  const sorted = (flows: readonly Flow[]) =>
    flows.toSorted((a, b) => `${a.UUID} ${a.LayersPath}`.localeCompare(`${b.UUID} ${b.LayersPath}`))
  return { one: sorted(flowsOf(packets)), several: sorted(byReader.flat()), readers: byReader.map(({ length }) => length) }
}

describe(`packets of 600 captures (seed ${SEED}), in any nesting of tags and tunnels`, () => {
  const captures = randomCaptures(SEED, 0, 600).map(({ packets }) => packets)
  const packets = captures.flat().map((data, i) => ({ timeMs: T0 + i, data }))

  test.each([2, 3, 8])('%d readers have the very flows of one, none of them twice', (readers) => {
    const { one, several, readers: shares } = readBy(readers, packets, LINK_TYPE.ETHERNET)
    expect(several).toEqual(one)
    // None of them idle, none with everything.
    expect(Math.min(...shares)).toBeGreaterThan(one.length / readers / 2)
  })

  test('the same of packets without a link layer', () => {
    const isIp = (data: Uint8Array) => data[12] === 0x08 || data[12] === 0x86
    const bare = packets.filter(({ data }) => isIp(data)).map(({ timeMs, data }) => ({ timeMs, data: data.slice(14) }))
    const { one, several } = readBy(4, bare, LINK_TYPE.RAW)
    expect(several).toEqual(one)
  })
})

describe('single packets', () => {
  const number = numberOf(LINK_TYPE.ETHERNET)
  const hosts = { source: '10.0.0.1', destination: '10.0.0.2' }
  const back = { source: '10.0.0.2', destination: '10.0.0.1' }
  const bytes = (frame: number[]) => Uint8Array.from(frame)
  const ip = (payload: number[], protocol: number, ends: { source: string; destination: string }) =>
    bytes(p.ethernet(p.ipv4(payload, protocol, ends), 0x0800))

  test('connections of two hosts are spread, both directions of each together', () => {
    const numbers = Array.from({ length: 1000 }, (_, i) => {
      const there = number(ip(p.tcp([], 20_000 + i, 80), 6, hosts))
      expect(number(ip(p.tcp([], 80, 20_000 + i), 6, back))).toBe(there)
      return there % 4
    })
    const shares = [0, 1, 2, 3].map((reader) => numbers.filter((one) => one === reader).length)
    expect(Math.min(...shares)).toBeGreaterThan(150)
  })

  test('a tag that a card took away changes nothing', () => {
    const inner = p.ipv4(p.udp([], 5000, 53), 17, hosts)
    const untagged = number(bytes(p.ethernet(inner, 0x0800)))
    const tagged = bytes(p.ethernet(p.vlan(inner, 8, 0x0800), 0x8100))
    expect([untagged === number(tagged), number(tagged) === 0]).toEqual([true, false])
  })

  test('ARP and its answer between the same two cards go together', () => {
    const arp = (source: string, destination: string) =>
      number(bytes(p.ethernet([0, 1, 8, 0, 6, 4, 0, 1], 0x0806, source, destination)))
    expect(arp('02:00:00:00:00:01', '02:00:00:00:00:02')).toBe(arp('02:00:00:00:00:02', '02:00:00:00:00:01'))
  })

  test('the ports of tunnels that a node names do not count', () => {
    const program = (tunnelUdpPorts: number[]) => {
      const run = createPacketFilter(spreadProgram({ linkType: LINK_TYPE.ETHERNET, tunnelUdpPorts }))
      return (frame: Uint8Array) => run(new DataView(frame.buffer), 0, frame.length, frame.length)
    }
    const [a, b] = [40_001, 40_002].map((port) => ip(p.udp([1], port, 51_234), 17, hosts))
    expect([program([])(a!) === program([])(b!), program([51_234])(a!) === program([51_234])(b!)]).toEqual([false, true])
    const many = Array.from({ length: 61 }, (_, i) => 10_000 + i)
    expect(() => program(many)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }))
    expect(program(many.slice(1))(a!)).toBe(program([])(a!))
  })

  test.each([0, 1, 13, 14, 33, 34, 37])('one that is cut to %d bytes, before its ports, goes to the first reader', (length) => {
    expect(number(ip(p.tcp([], 1, 2), 6, hosts).slice(0, length))).toBe(0)
  })
})
