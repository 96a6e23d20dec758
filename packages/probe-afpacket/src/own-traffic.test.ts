import { describe, expect, test } from '@jest/globals'
import { BPF, createPacketFilter, LINK_TYPE } from '@skydive/packet'
import { ownTrafficProgram } from './own-traffic.ts'

const KEEP = { code: BPF.RET | BPF.K, jt: 0, jf: 0, k: 256 }
const PEERS = [
  { address: '10.0.0.9', port: 8082 },
  { address: 'fd00::9', port: 8082 },
  { address: '192.168.7.1', port: 12345 },
]

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
  if (link > 0) view.setUint16(12, 0x0800)
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
  if (link > 0) view.setUint16(12, 0x86dd)
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
