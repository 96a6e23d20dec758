import { expect, test } from '@jest/globals'
import { LINK_TYPE } from '@skydive/packet'
import * as fc from 'fast-check'
import { AddressPairs } from '../src/address-pairs.ts'
import { KEY_PARENT, ROW_HASH, ROW_SHIFT } from '../src/layout.ts'
import { RowKeys } from '../src/row-keys.ts'
import * as p from './packet-builder.ts'
import { blockOf, FACTORS, loopOf, NO_TAG, RING, SERIAL } from './row-loop.ts'

// Rows of tunnels as the packet loop makes them, word by word beside those of the dissector.

const ROW_WORDS = 1 << ROW_SHIFT

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
