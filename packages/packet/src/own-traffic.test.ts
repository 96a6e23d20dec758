import { describe, expect, test } from '@jest/globals'
import { BPF, createPacketFilter } from './bpf.ts'
import { LINK_TYPE } from './constants.ts'
import { ownTrafficProgram } from './own-traffic.ts'

const KEEP = { code: BPF.RET | BPF.K, jt: 0, jf: 0, k: 256 }
const PEERS = [
  { address: '10.0.0.9', port: 8082 },
  { address: 'fd00::9', port: 8082 },
  { address: '192.168.7.1', port: 12345 },
]

/** Where the EtherType lies, by the length of the header: Ethernet, Linux cooked, Linux cooked 2. */
const ETHERTYPE_AT: Readonly<Record<number, number>> = { 14: 12, 16: 14, 20: 0 }

function frameV4(
  link: number,
  source: readonly number[],
  sourcePort: number,
  destination: readonly number[],
  port: number,
  protocol = 6,
  fragment = 0,
) {
  const frame = new Uint8Array(link + 40)
  const view = new DataView(frame.buffer)
  if (link > 0) view.setUint16(ETHERTYPE_AT[link]!, 0x0800)
  view.setUint8(link, 0x45)
  view.setUint16(link + 6, fragment)
  view.setUint8(link + 9, protocol)
  frame.set(source, link + 12)
  frame.set(destination, link + 16)
  view.setUint16(link + 20, sourcePort)
  view.setUint16(link + 22, port)
  return view
}

function frameV6(link: number, sourceEnd: number, sourcePort: number, destinationEnd: number, port: number) {
  const frame = new Uint8Array(link + 60)
  const view = new DataView(frame.buffer)
  if (link > 0) view.setUint16(ETHERTYPE_AT[link]!, 0x86dd)
  view.setUint8(link, 0x60)
  view.setUint8(link + 6, 17)
  view.setUint16(link + 8, 0xfd00)
  view.setUint8(link + 23, sourceEnd)
  view.setUint16(link + 24, 0xfd00)
  view.setUint8(link + 39, destinationEnd)
  view.setUint16(link + 40, sourcePort)
  view.setUint16(link + 42, port)
  return view
}

describe.each([
  ['Ethernet', LINK_TYPE.ETHERNET, 14],
  ['raw IP', LINK_TYPE.RAW, 0],
  ['Linux cooked', LINK_TYPE.LINUX_SLL, 16],
  ['Linux cooked 2', LINK_TYPE.LINUX_SLL2, 20],
] as const)('own traffic on %s', (_, linkType, link) => {
  const kept = createPacketFilter([...ownTrafficProgram(PEERS, linkType), KEEP])
  const run = (view: DataView) => kept(view, 0, view.byteLength, view.byteLength)

  test.each([
    ['to the analyzer', frameV4(link, [10, 0, 0, 1], 40000, [10, 0, 0, 9], 8082), 0],
    ['from the analyzer', frameV4(link, [10, 0, 0, 9], 8082, [10, 0, 0, 1], 40000), 0],
    ['by UDP', frameV4(link, [10, 0, 0, 1], 40000, [10, 0, 0, 9], 8082, 17), 0],
    ['to the last peer', frameV4(link, [10, 0, 0, 1], 40000, [192, 168, 7, 1], 12345), 0],
    ['to another port', frameV4(link, [10, 0, 0, 1], 40000, [10, 0, 0, 9], 8083), 256],
    ['from another port of the analyzer', frameV4(link, [10, 0, 0, 9], 8083, [10, 0, 0, 1], 8082), 256],
    ['to another host', frameV4(link, [10, 0, 0, 1], 40000, [10, 0, 0, 8], 8082), 256],
    ['a later fragment', frameV4(link, [10, 0, 0, 1], 40000, [10, 0, 0, 9], 8082, 17, 3), 256],
    ['by another protocol', frameV4(link, [10, 0, 0, 1], 40000, [10, 0, 0, 9], 8082, 1), 256],
    ['to the analyzer over IPv6', frameV6(link, 1, 40000, 9, 8082), 0],
    ['from the analyzer over IPv6', frameV6(link, 9, 8082, 1, 40000), 0],
    ['to another host over IPv6', frameV6(link, 1, 40000, 8, 8082), 256],
    ['to another port over IPv6', frameV6(link, 1, 40000, 9, 8083), 256],
  ] as const)('%s: %#', (_title, view, expected) => {
    expect(run(view)).toBe(expected)
  })

  test('cut frames are judged without reading on', () => {
    const view = frameV4(link, [10, 0, 0, 1], 40000, [10, 0, 0, 9], 8082)
    for (let bytes = 0; bytes < view.byteLength; bytes++) expect([0, 256]).toContain(kept(view, 0, bytes, 100))
  })
})

/** An ICMP message from a router, with what it quotes of the packet that it tells of. */
function errorV4(link: number, type: number, destination: readonly number[], protocol: number, fragment = 0) {
  const frame = new Uint8Array(link + 60)
  const view = frameV4(link, [10, 0, 0, 254], 0, [10, 0, 0, 1], 0, 1, fragment)
  frame.set(new Uint8Array(view.buffer))
  frame.set([type, 1, 0, 0, 0, 0, 0, 0], link + 20)
  frame.set([0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, ...destination], link + 28)
  return new DataView(frame.buffer)
}

describe.each([
  ['Ethernet', LINK_TYPE.ETHERNET, 14],
  ['raw IP', LINK_TYPE.RAW, 0],
] as const)('without ports on %s', (_, linkType, link) => {
  const peers = [
    { address: '10.0.0.9', port: 0, protocol: 47 },
    { address: '10.0.0.7', port: 0 },
    { address: 'fd00::9', port: 0, protocol: 17 },
    { address: 'fd00::7', port: 0 },
    { address: '10.0.0.5', port: 8082 },
  ]
  const kept = createPacketFilter([...ownTrafficProgram(peers, linkType), KEEP])
  const run = (view: DataView) => kept(view, 0, view.byteLength, view.byteLength)

  test.each([
    ['GRE to the collector', frameV4(link, [10, 0, 0, 1], 0, [10, 0, 0, 9], 0, 47), 0],
    ['a later fragment of GRE', frameV4(link, [10, 0, 0, 1], 0, [10, 0, 0, 9], 0, 47, 99), 0],
    ['GRE from the collector', frameV4(link, [10, 0, 0, 9], 0, [10, 0, 0, 1], 0, 47), 0],
    ['unreachable: GRE to the collector', errorV4(link, 3, [10, 0, 0, 9], 47), 0],
    ['time exceeded: GRE to the collector', errorV4(link, 11, [10, 0, 0, 9], 47), 0],
    ['an echo that looks like it', errorV4(link, 8, [10, 0, 0, 9], 47), 256],
    ['a fragment that looks like it', errorV4(link, 3, [10, 0, 0, 9], 47, 7), 256],
    ['unreachable: TCP to the collector', errorV4(link, 3, [10, 0, 0, 9], 6), 256],
    ['unreachable: GRE to another host', errorV4(link, 3, [10, 0, 0, 8], 47), 256],
    ['TCP to the collector', frameV4(link, [10, 0, 0, 1], 1, [10, 0, 0, 9], 2), 256],
    ['GRE to another host', frameV4(link, [10, 0, 0, 1], 0, [10, 0, 0, 8], 0, 47), 256],
    ['anything to a whole host', frameV4(link, [10, 0, 0, 1], 0, [10, 0, 0, 7], 0, 1), 0],
    ['anything from a whole host', frameV4(link, [10, 0, 0, 7], 5, [10, 0, 0, 1], 6), 0],
    ['a port beside them', frameV4(link, [10, 0, 0, 1], 5, [10, 0, 0, 5], 8082), 0],
    ['another port beside them', frameV4(link, [10, 0, 0, 1], 5, [10, 0, 0, 5], 8083), 256],
    ['UDP over IPv6 to the collector', frameV6(link, 1, 5, 9, 6), 0],
    ['UDP over IPv6 from a whole host', frameV6(link, 7, 5, 1, 6), 0],
    ['UDP over IPv6 to another host', frameV6(link, 1, 5, 8, 6), 256],
  ] as const)('%s: %#', (_title, view, expected) => {
    expect(run(view)).toBe(expected)
  })
})

test('a name instead of an address is refused', () => {
  expect(() => ownTrafficProgram([{ address: 'analyzer', port: 1 }], 1)).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }),
  )
})

test('no peers, no program', () => {
  expect(ownTrafficProgram([], 1)).toEqual([])
})

test('hundreds of peers still make a program that the kernel would take', () => {
  const peers = Array.from({ length: 200 }, (_, i) => ({ address: `10.1.${i >> 8}.${i & 255}`, port: 1000 + i }))
  const kept = createPacketFilter([...ownTrafficProgram(peers, LINK_TYPE.ETHERNET), KEEP])
  const view = frameV4(14, [10, 1, 0, 199], 1199, [1, 1, 1, 1], 5)
  expect(kept(view, 0, view.byteLength, 54)).toBe(0)
})
