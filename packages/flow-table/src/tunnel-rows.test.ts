import { expect, test } from '@jest/globals'
import { Dissector, LINK_TYPE, TunnelPorts } from '@skydive/packet'
import * as fc from 'fast-check'
import * as p from '../test/packet-builder.ts'
import { AddressPairs } from './address-pairs.ts'
import { COLD_SERIAL, KEY_PARENT, MAX_ROWS, ROW_HASH, ROW_SHIFT } from './layout.ts'
import { PacketLoop } from './packet-loop.ts'
import { RowKeys } from './row-keys.ts'
import { SequenceRows } from './sequence-rows.ts'
import { TableMemory } from './table-memory.ts'
import { TPACKET3 } from './tpacket.ts'

// Rows of tunnels as the packet loop makes them, word by word beside those of the dissector.

const RING = { layout: { format: 'tpacket-v3' }, linkType: LINK_TYPE.ETHERNET } as const
const ROW_WORDS = 1 << ROW_SHIFT
const SERIAL = 77
const FACTORS = Int32Array.from([3, 5, 7, 11, 13, 17, 19, 23])
const NO_TAG = -1

/** A block of one packet, with `slack` behind it that is none of it. */
function blockOf(frame: Uint8Array, wireBytes: number, tag: number, slack: number): Uint8Array {
  const header: number = TPACKET3.BLOCK_HEADER_BYTES
  const block = new Uint8Array(header + TPACKET3.HEADER_BYTES + frame.length + 64).fill(slack)
  block.fill(0, 0, header + TPACKET3.HEADER_BYTES)
  const view = new DataView(block.buffer)
  view.setUint32(TPACKET3.BLOCK_PACKETS, 1, true)
  view.setUint32(TPACKET3.BLOCK_FIRST_PACKET, header, true)
  view.setUint32(header + TPACKET3.SECONDS, 1_700_000_000, true)
  view.setUint32(header + TPACKET3.NANOSECONDS, 5, true)
  view.setUint32(header + TPACKET3.CAPTURED_BYTES, frame.length, true)
  view.setUint32(header + TPACKET3.WIRE_BYTES, wireBytes, true)
  view.setUint32(header + TPACKET3.STATUS, tag === NO_TAG ? 0 : TPACKET3.STATUS_VLAN_VALID, true)
  view.setUint16(header + TPACKET3.VLAN_TCI, tag === NO_TAG ? 0 : tag, true)
  view.setUint16(header + TPACKET3.MAC_OFFSET, TPACKET3.HEADER_BYTES, true)
  block.set(frame, header + TPACKET3.HEADER_BYTES)
  return block
}

/** A packet loop that is asked for nothing but what it can't do itself, and what is asked. */
function loopOf(keysLink: boolean, mplsPorts: readonly number[]) {
  const memory = new TableMemory(1024, FACTORS)
  memory.cold[COLD_SERIAL] = SERIAL
  const tunnelPorts = new TunnelPorts(mplsPorts)
  const pairs = new AddressPairs()
  const sequences = new SequenceRows(new RowKeys(memory, pairs, FACTORS), new Dissector({ tunnelPorts }), keysLink, undefined)
  const asked = { dissections: 0 }
  const loop = new PacketLoop(memory, {
    ...{ keysLink, hasFilter: false, isFollowing: false, keepsFlagTimes: false, tunnelPorts },
    ...{ makeRoom: () => {}, room: () => MAX_ROWS, plainRoom: () => 0 },
    calls: {
      dissect: () => {
        asked.dissections++
        return 0
      },
      pair: (first, second) => pairs.number(memory.view, first, second),
      ...{ filter: () => 1, create: () => 0, lookCloser: () => {}, wrap: () => {}, follow: () => {} },
    },
  })
  return { memory, sequences, loop, asked }
}

const octet = fc.nat(255)
const hosts = fc.record(
  {
    source: fc.constantFrom('10.0.0.1', '10.0.0.2'),
    destination: fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.1.1'),
    ttl: octet,
  },
  { noNullPrototype: true },
)
const port = fc.oneof(fc.nat(65_535), fc.constantFrom(53, 2152, 4789, 6081, 8472, 4000))
const mac = fc.constantFrom('02:00:00:00:00:01', '02:00:00:00:00:02', '02:00:00:01:00:01')

/** What an IP datagram carries that carries nothing. */
const innermost = fc.oneof(
  fc.tuple(port, port, octet).map(([a, b, flags]) => [6, p.tcp([1, 2], a, b, flags)] as const),
  fc.tuple(port, port).map(([a, b]) => [17, p.udp([1, 2, 3], a, b)] as const),
  fc.tuple(fc.constantFrom(8, 0, 3), fc.nat(3)).map(([type, code]) => [1, p.icmp(type, code, 99, 1, [0])] as const),
)

const { datagram } = fc.letrec<{ datagram: number[]; frame: number[]; tunnel: readonly [number, number[]] }>((tie) => ({
  datagram: fc
    .tuple(hosts, fc.oneof({ maxDepth: 5, depthIdentifier: 'tunnels' }, innermost, tie('tunnel')))
    .map(([given, [protocol, bytes]]) => p.ipv4(bytes, protocol, given)),
  frame: fc.tuple(mac, mac, fc.option(fc.nat(0xffff)), fc.boolean(), tie('datagram')).map(([a, b, tag, isIpv6, ip]) => {
    const payload = isIpv6 ? p.ipv6(p.tcp([], 1000, 80), 6) : ip
    const type = isIpv6 ? 0x86dd : 0x0800
    return tag === null ? p.ethernet(payload, type, a, b) : p.ethernet(p.vlan(payload, tag, type), 0x8100, a, b)
  }),
  tunnel: fc.oneof<fc.Arbitrary<readonly [number, number[]]>[]>(
    fc
      .tuple(port, fc.constantFrom(4789, 8472, 4000), fc.nat(0xffffff), tie('frame'))
      .map(([from, to, vni, frame]) => [17, p.udp(p.vxlan(frame, vni), from, to)] as const),
    fc
      .tuple(port, fc.nat(0xffffff), fc.constantFrom([], [0, 0, 1, 1, 1, 2, 3, 4]), fc.boolean(), tie('frame'), tie('datagram'))
      .map(([from, vni, options, isFrame, frame, ip]) => {
        const carried = isFrame ? p.geneve(frame, vni, 0x6558, options) : p.geneve(ip, vni, 0x0800, options)
        return [17, p.udp(carried, from, 6081)] as const
      }),
    fc
      .tuple(fc.option(fc.nat()), tie('frame'))
      .map(([key, frame]) => [47, key === null ? p.gre(frame, 0x6558) : p.gre(frame, 0x6558, key)] as const),
    fc
      .tuple(fc.constantFrom(0, 0, 0, 0x80, 0x90, 0xb0, 0x40, 0x10), fc.constantFrom(0, 0, 1, 0x81), octet, tie('datagram'))
      .map(([flags, version, word, ip]) => {
        const words = [0x80, 0x20, 0x10].filter((bit) => (flags & bit) !== 0).length + (version === 0x81 ? 1 : 0)
        return [47, [flags, version, 0x08, 0, ...new Array<number>(words * 4).fill(word), ...ip]] as const
      }),
  ),
}))

const packet = fc.record(
  {
    frame: fc
      .tuple(mac, mac, fc.option(fc.nat(0xffff)), datagram)
      .map(([a, b, tag, ip]) =>
        tag === null ? p.ethernet(ip, 0x0800, a, b) : p.ethernet(p.vlan(ip, tag, 0x0800), 0x8100, a, b),
      ),
    changes: fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      { weight: 2, arbitrary: fc.array(fc.tuple(fc.nat(), fc.oneof(octet, fc.constantFrom(0, 1, 0xff))), { maxLength: 3 }) },
    ),
    cut: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, fc.nat(150)),
    uncapturedBytes: fc.constantFrom(0, 0, 1000, -60, -200),
    stripped: fc.oneof({ weight: 3, arbitrary: fc.constant(NO_TAG) }, fc.nat(0xffff)),
    slack: octet,
  },
  { noNullPrototype: true },
)

test.each([
  ['L2', []],
  ['L3', []],
  ['L2', [4000]],
  ['L2', [4789, 6081]],
] as const)('tunnels make the same rows as in the dissector, keyed by %s, with MPLS at %j', (mode, mplsPorts) => {
  const { memory, sequences, loop, asked } = loopOf(mode === 'L2', mplsPorts)
  const seen = new Map<number, number>()
  fc.assert(
    fc.property(packet, ({ frame, changes, cut, uncapturedBytes, stripped, slack }) => {
      const bytes = Uint8Array.from(frame)
      for (const [at, value] of changes) bytes[at % bytes.length] = value
      const captured = bytes.subarray(0, cut)
      const block = blockOf(captured, Math.max(0, bytes.length + uncapturedBytes), stripped, slack)
      asked.dissections = 0
      memory.rows.fill(0)
      expect(loop.consume(RING, block, 0, block.length, 1)).toBe(block.length)
      if (asked.dissections > 0) return
      const rows = memory.rows.slice()
      const more = sequences.fill(memory.view, 0, LINK_TYPE.ETHERNET)
      seen.set(more, (seen.get(more) ?? 0) + 1)
      if (more === 0) return
      for (let row = 0; row <= more; row++) {
        const at = row * ROW_WORDS
        const expected = memory.rows.subarray(at, at + ROW_WORDS)
        if (row > 0) {
          // By then it is known in which flow it lies.
          expected[KEY_PARENT] = SERIAL
          new RowKeys(memory, new AddressPairs(), FACTORS).hash(at)
          expect(expected[ROW_HASH]).not.toBe(0)
        }
        expect(rows.subarray(at, at + ROW_WORDS).join()).toBe(expected.join())
      }
    }),
    { numRuns: 3000 },
  )
  // Else the comparison would say nothing.
  expect(seen.get(1)).toBeGreaterThan(100)
  expect(seen.get(2)).toBeGreaterThan(10)
})

test.each([
  [1, 0],
  [4, 0],
  [5, 1],
])('%d tunnels in one another: %d dissections', (tunnels, dissections) => {
  const { loop, asked } = loopOf(true, [])
  let ip = p.ipv4(p.udp([1]), 17)
  for (let i = 0; i < tunnels; i++) ip = p.ipv4(p.gre(ip), 47)
  const frame = Uint8Array.from(p.ethernet(ip))
  const block = blockOf(frame, frame.length, NO_TAG, 0)
  loop.consume(RING, block, 0, block.length, 1)
  expect([asked.dissections, loop.packets, loop.ignoredPackets]).toEqual([dissections, 1, 0])
})
