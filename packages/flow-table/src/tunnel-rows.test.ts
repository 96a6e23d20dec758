import { expect, test } from '@jest/globals'
import * as p from '../test/packet-builder.ts'
import { blockOf, loopOf, NO_TAG, RING } from '../test/row-loop.ts'
import { MAX_ROWS, ROW_HASH, ROW_SHIFT } from './layout.ts'

// Which tunnels the packet loop takes apart by itself. What it makes of them is held against the dissector in test/tunnel-rows.integration.test.ts.

const ROW_WORDS = 1 << ROW_SHIFT
const inner = p.ipv4(p.tcp([1]), 6)
const innerFrame = p.ethernet(inner)
const vxlan = (frame: p.Bytes, port = 4789) => p.ipv4(p.udp(p.vxlan(frame), 5555, port), 17)
const geneve = (carried: p.Bytes, type: number, options: p.Bytes = []) =>
  p.ipv4(p.udp(p.geneve(carried, 9, type, options), 5555, 6081), 17)
const gre = (...given: Parameters<typeof p.gre>) => p.ipv4(p.gre(...given), 47)
const nestedGre = (tunnels: number): number[] => (tunnels === 0 ? inner : gre(nestedGre(tunnels - 1)))
const ipv6Frame = p.ethernet(p.ipv6(p.udp([1]), 17), 0x86dd)

test.each<readonly [title: string, datagram: p.Bytes, sequences: number]>([
  ['VXLAN', vxlan(innerFrame), 2],
  ["VXLAN at Linux's port", vxlan(innerFrame, 8472), 2],
  ['VXLAN at another port', vxlan(innerFrame, 4790), 1],
  ['VXLAN with IPv6', vxlan(ipv6Frame), 2],
  ['VXLAN with a tagged frame', vxlan(p.ethernet(p.vlan(inner, 5), 0x8100)), 2],
  ['Geneve with a frame', geneve(innerFrame, 0x6558), 2],
  ['Geneve with IPv4 and options', geneve(inner, 0x0800, [0, 0, 1, 1, 1, 2, 3, 4]), 2],
  ['GRE with IPv4', gre(inner), 2],
  ['GRE with a frame and a key', gre(innerFrame, 0x6558, 7), 2],
  ['GRE with a sequence number', p.ipv4([0x10, 0, 8, 0, 0, 0, 0, 1, ...inner], 47), 2],
  ['GRE in GRE in VXLAN', vxlan(p.ethernet(gre(gre(inner)))), 4],
  ['GRE four deep', nestedGre(4), 5],
])('%s stays in the loop', (_title, datagram, sequences) => {
  const { loop, asked, memory } = loopOf(true, [])
  const frame = Uint8Array.from(p.ethernet(datagram))
  const block = blockOf(frame, frame.length, NO_TAG, 0)
  memory.rows.fill(0)
  loop.consume(RING, block, 0, block.length, 1)
  const filled = Array.from({ length: MAX_ROWS }, (_, row) => memory.rows[row * ROW_WORDS + ROW_HASH]).filter(
    (hash) => hash !== 0,
  )
  expect([asked.dissections, loop.packets, loop.ignoredPackets, filled.length]).toEqual([0, 1, 0, sequences])
})

test.each<readonly [title: string, datagram: p.Bytes]>([
  ['Geneve of a later version', p.ipv4(p.udp([0x40, ...p.geneve(innerFrame).slice(1)], 5555, 6081), 17)],
  ['Geneve with something else', geneve(innerFrame, 0x88cc)],
  ['GRE with IPv6', gre(p.ipv6(p.udp([]), 17), 0x86dd)],
  ['GRE with source routes', p.ipv4([0x40, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...inner], 47)],
  ['GRE with nothing', p.ipv4([0, 0, 8], 47)],
  ['GRE five deep', nestedGre(5)],
  ['VXLAN with ARP', vxlan(p.ethernet(p.arp(), 0x0806))],
  ['VXLAN that is cut', p.ipv4(p.udp([8, 0, 0, 0, 0, 0, 1], 5555, 4789), 17)],
  ['a fragment', p.ipv4(p.gre(inner), 47, { moreFragments: true })],
  ['ESP', p.ipv4(new Array<number>(20).fill(1), 50)],
])('%s is dissected', (_title, datagram) => {
  const { loop, asked } = loopOf(true, [])
  const frame = Uint8Array.from(p.ethernet(datagram))
  const block = blockOf(frame, frame.length, NO_TAG, 0)
  loop.consume(RING, block, 0, block.length, 1)
  expect([asked.dissections, loop.packets]).toEqual([1, 1])
})
