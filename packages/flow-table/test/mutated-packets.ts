import { describe, expect, test } from '@jest/globals'
import { Dissector, encodePcap, IpDefragmenter, TunnelPorts } from '@skydive/packet'
import { FlowStreamWriter } from '@skydive/protocol/flow'
import { createFlowTable, type FlowTableOptions } from '../src/index.ts'
import * as p from './packet-builder.ts'
import { randomCaptures, seededRandom } from './random-captures.ts'

const PCAP_HEADER_BYTES = 24
const T0 = 1_700_000_000_000
const MPLS_PORT = 51_234
const ALL_OPTIONS: FlowTableOptions = {
  ipDefrag: true,
  reassembleTcp: true,
  extraLayers: 255,
  extraTcpMetric: true,
  rawPacketLimit: 2,
  mplsUdpPorts: [MPLS_PORT],
  nodeTid: 'tid',
}

const inner = p.ipv4(p.tcp([1, 2, 3], 1234, 80), 6)

/** Real packets of all shapes, fragments among them. */
const SEEDS: readonly Uint8Array[] = [
  ...randomCaptures(7, 0, 150).flatMap(({ packets }) => packets.slice(0, 2)),
  ...[
    p.ethernet(p.arp(), 0x0806),
    p.ethernet(p.ipv4(p.udp(new Array<number>(60).fill(1)).slice(0, 32), 17, { moreFragments: true })),
    p.ethernet(p.ipv4(p.udp(new Array<number>(60).fill(1)).slice(32), 17, { fragmentOffset: 32 })),
    p.ethernet(p.ipv6(p.ipv6Fragment(new Array<number>(16).fill(0), 17, 5, 0, true), 44), 0x86dd),
    p.ethernet(p.ipv4(p.udp(p.mpls(inner, 16), 5555, MPLS_PORT), 17)),
    p.ethernet(p.ipv4([0x21, 7, 100, 1, 0, 1, 0, 0], 112)),
    p.ethernet([0xaa, 0xaa, 3, 0, 0, 0, 8, 0, ...inner], undefined),
  ].map((bytes) => Uint8Array.from(bytes)),
]

/** A packet with some of its bytes changed, cut, or joined with another one. */
function mutated(random: () => number): Uint8Array {
  const pick = () => SEEDS[Math.floor(random() * SEEDS.length)]!
  let bytes = pick().slice()
  for (let changes = Math.floor(random() * 6); changes > 0; changes--) {
    const at = Math.floor(random() * bytes.length)
    bytes[at] = random() < 0.3 ? [0, 1, 0x7f, 0x80, 0xff][Math.floor(random() * 5)]! : Math.floor(random() * 256)
  }
  if (random() < 0.2) {
    const tail = pick()
    bytes = Uint8Array.from([
      ...bytes.subarray(0, Math.floor(random() * bytes.length)),
      ...tail.subarray(Math.floor(random() * tail.length)),
    ])
  }
  return random() < 0.3 ? bytes.slice(0, Math.floor(random() * (bytes.length + 1))) : bytes
}

/** Runs `look` on mutated packets; what it throws is told with the case that did it. */
function fuzz(runs: number, seed: number, look: (bytes: Uint8Array, random: () => number, i: number) => void): void {
  const random = seededRandom(seed)
  for (let i = 0; i < runs; i++) {
    const bytes = mutated(random)
    try {
      look(bytes, random, i)
    } catch (error) {
      throw new Error(`SKYDIVE_SEED=${seed}, case ${i}: ${Buffer.from(bytes).toString('hex')}`, { cause: error })
    }
  }
}

/** Takes mutated packets apart and counts them, `runs` for each. */
export function describeMutatedPackets(runs: number, seed: number): void {
  describe(`mutated packets (${runs}, seed ${seed})`, () => {
    const linkTypes = [0, 1, 1, 1, 1, 9, 12, 51, 101, 108, 113, 228, 229, 276]

    test('the dissector never throws, never reads past what was captured, and sees what it saw whatever comes after it', () => {
      const make = () => new Dissector({ tunnelPorts: new TunnelPorts([MPLS_PORT]), defragmenter: new IpDefragmenter(8) })
      const [exact, roomy] = [make(), make()]
      const room = new Uint8Array(8192)
      fuzz(runs, seed, (bytes, random) => {
        const linkType = linkTypes[Math.floor(random() * linkTypes.length)]!
        // One view ends where the packet does: reading on would throw. Behind the other there is something else each time.
        exact.dissect(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length, linkType)
        room.fill(Math.floor(random() * 256), bytes.length)
        room.set(bytes)
        roomy.dissect(new DataView(room.buffer), 0, bytes.length, linkType)
        for (let sequences = 0; ; sequences++) {
          if (told(exact) !== told(roomy) || sequences > 100) throw new Error(`${told(exact)} but ${told(roomy)}`)
          const [more, alike] = [exact.next(), roomy.next()]
          if (more !== alike) throw new Error('one has more sequences')
          if (!more) break
        }
      })
    })

    test('the table never throws, counts every packet once, and gives flows that can be written', () => {
      const layout = { format: 'pcap' as const, littleEndian: true, nanoseconds: false }
      const writer = new FlowStreamWriter()
      let table = createFlowTable({ ...ALL_OPTIONS, maxFlows: 3000 })
      let fed = 0
      const look = () => {
        const flows = [...table.snapshot()].flat()
        expect(table.stats().packets).toBe(fed)
        expect(new Set(flows.map(({ UUID }) => UUID)).size).toBe(flows.length)
        expect(flows.every(({ Metric }) => Metric!.ABBytes >= 0 && Metric!.BABytes >= 0)).toBe(true)
        expect(writer.encode(flows).length).toBeGreaterThan(0)
      }
      fuzz(runs, seed, (bytes, random, i) => {
        const linkType = linkTypes[Math.floor(random() * linkTypes.length)]!
        // A record alone in its memory: reading on would throw.
        const record = encodePcap([{ timeMs: T0 + i, data: bytes }]).slice(PCAP_HEADER_BYTES)
        if (table.consumer({ layout, linkType })(record, 0, record.length) !== record.length) throw new Error('not consumed')
        fed++
        if (i % 5000 !== 4999) return
        look()
        table = createFlowTable({ ...ALL_OPTIONS, maxFlows: 3000, layerKeyMode: i % 10_000 === 4999 ? 'L3' : 'L2' })
        fed = 0
      })
    })
  })
}

/** What a dissector found. */
function told(dissector: Dissector): string {
  const { path, linkOffset, vlanId, ipVersion, ipOffset, ipBytes, transport, sourcePort, destinationPort, tunnelId, icmpId } =
    dissector
  const { messageOffset, messageEnd, tcpSequence, segmentBytes, headerBytes, isSwallowed } = dissector
  const numbers = [linkOffset, vlanId, ipVersion, ipOffset, ipBytes, transport, sourcePort, destinationPort, tunnelId, icmpId]
  const more = [messageOffset, messageEnd, tcpSequence, segmentBytes, headerBytes, isSwallowed]
  return [dissector.paths.text(path), ...numbers, ...more].join()
}
