import { describe, expect, test } from '@jest/globals'
import type { Flow } from '@skydive/contracts'
import { Dissector, encodePcap, LINK_TYPE } from '@skydive/packet'
import { FlowStreamWriter } from '@skydive/protocol/flow'
import { createFlowTable, type FlowTable, type FlowTableOptions } from '../src/index.ts'
import { describeMutatedPackets } from './mutated-packets.ts'
import * as p from './packet-builder.ts'
import { randomCaptures } from './random-captures.ts'

/** Few: `mutated-packets.integration.test.ts` runs many. */
const RUNS = 5000
const SEED = Number(process.env['SKYDIVE_SEED'] ?? Date.now() & 0x7fffffff)
const PCAP_HEADER_BYTES = 24
const T0 = 1_700_000_000_000

function feed(table: FlowTable, packets: readonly p.Bytes[], linkType: number = LINK_TYPE.ETHERNET): FlowTable {
  const file = encodePcap(packets.map((bytes, i) => ({ timeMs: T0 + i, data: Uint8Array.from(bytes) })))
  const layout = { format: 'pcap' as const, littleEndian: true, nanoseconds: false }
  table.consumer({ layout, linkType })(file, PCAP_HEADER_BYTES, file.length - PCAP_HEADER_BYTES)
  return table
}

const flowsOf = (table: FlowTable): readonly Flow[] => [...table.snapshot()].flat()
const made = (packets: readonly p.Bytes[], options: FlowTableOptions = {}) => flowsOf(feed(createFlowTable(options), packets))
const inner = p.ipv4(p.tcp([1, 2, 3], 1234, 80), 6)
const times = (count: number, part: p.Bytes) => Array.from({ length: count }, () => [...part]).flat()

describeMutatedPackets(RUNS, SEED)

describe('stacks of headers', () => {
  test('40 tags are 40 layers; the four outermost ids are exact', () => {
    const ids = Array.from({ length: 40 }, (_, i) => i + 1)
    const packet = p.ethernet(
      ids.reduceRight((payload: number[], id, i) => p.vlan(payload, id, i === 39 ? 0x0800 : 0x8100), inner),
      0x8100,
    )
    const [flow] = made([packet])
    expect(flow?.LayersPath).toBe(`Ethernet/${'Dot1Q/'.repeat(40)}IPv4/TCP`)
    expect(flow?.Link?.ID).toBe(1 + 2 * 4096 + 3 * 4096 ** 2 + 4 * 4096 ** 3)
  })

  test.each<readonly [string, p.Bytes, string]>([
    ['labels without a bottom', p.ethernet(times(50, [0, 1, 0, 64]), 0x8847), `Ethernet${'/MPLS'.repeat(50)}`],
    [
      'IPv6 extension headers: 16 are followed',
      p.ethernet(p.ipv6([...times(40, [60, 0, 1, 4, 0, 0, 0, 0]), ...p.udp([])], 60), 0x86dd),
      `Ethernet/IPv6${'/IPv6Destination'.repeat(16)}`,
    ],
    [
      'IPv6 extension headers that claim more than there is',
      p.ethernet(p.ipv6([60, 255, 1, 4, 0, 0, 0, 0, ...p.udp([])], 60), 0x86dd),
      'Ethernet/IPv6',
    ],
    [
      'IP in IP: 17 are followed',
      p.ethernet(Array.from({ length: 30 }).reduce((payload: number[]) => p.ipv4(payload, 4), inner)),
      `Ethernet${'/IPv4'.repeat(17)}`,
    ],
    [
      'chunks of SCTP: 16 are named',
      p.ethernet(p.ipv4(p.sctp(Array.from({ length: 30 }, () => [3, []])), 132)),
      `Ethernet/IPv4/SCTP${'/SCTPSack'.repeat(16)}`,
    ],
    [
      'a GTP extension header without a length',
      p.ethernet(p.ipv4(p.udp([0x34, 255, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0x85, 0, 0, 0, 0], 1, 2152), 17)),
      'Ethernet/IPv4/UDP',
    ],
    [
      'GRE with routes that do not end',
      p.ethernet(p.ipv4([0x40, 0, 8, 0, 0, 0, 0, 0, ...times(5, [0, 1, 0, 0])], 47)),
      'Ethernet/IPv4',
    ],
    ['an IPv4 header of no length', p.ethernet([0x40, ...inner.slice(1)]), 'Ethernet/IPv4'],
    ['an IPv4 header longer than its datagram', p.ethernet([0x4f, 0, 0, 20, ...inner.slice(4)]), 'Ethernet/IPv4'],
  ])('%s', (_, packet, path) => {
    expect(made([packet]).map(({ LayersPath }) => LayersPath)[0]).toBe(path)
  })

  /** A view that counts what is read of it. */
  function countingView(bytes: Uint8Array): { view: DataView; reads: () => number } {
    const view = new DataView(bytes.buffer)
    let reads = 0
    for (const name of ['getUint8', 'getUint16', 'getUint32', 'getInt32'] as const) {
      const read = view[name].bind(view) as (at: number) => number
      view[name] = (at: number) => {
        reads++
        return read(at)
      }
    }
    return { view, reads: () => reads }
  }

  test.each<readonly [string, (size: number) => p.Bytes]>([
    ['tags', (size) => p.ethernet(times(size, [0, 1, 0x81, 0]), 0x8100)],
    ['labels', (size) => p.ethernet(times(size, [0, 0, 0, 64]), 0x8847)],
    [
      'labels, each at the bottom of its stack',
      (size) => p.ethernet(times(size, [0, 0, 1, 64, ...p.ethernet([], 0x8847)]), 0x8847),
    ],
    ['extension headers', (size) => p.ethernet(p.ipv6(times(size, [0, 0, 1, 4, 0, 0, 0, 0]), 0), 0x86dd)],
    [
      'GRE in GRE',
      (size) =>
        p.ethernet(Array.from({ length: Math.min(size, 500) }).reduce((payload: number[]) => p.ipv4(p.gre(payload), 47), inner)),
    ],
    ['chunks', (size) => p.ethernet(p.ipv4(p.sctp(Array.from({ length: size }, () => [3, []])), 132))],
    [
      'questions',
      (size) => p.ethernet(p.ipv4(p.udp([0, 1, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, ...times(size, [0, 0, 1, 0, 1])], 1, 53), 17)),
    ],
    [
      'labels of a name',
      (size) => p.ethernet(p.ipv4(p.udp([0, 1, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, ...times(size, [1, 97])], 1, 53), 17)),
    ],
    ['samples', (size) => p.ethernet(p.ipv4(p.udp([...times(3, [0, 0, 0, 5]), ...times(size, [0, 0, 0, 0])], 1, 6343), 17))],
  ])('what is read of %s grows no faster than they do', (_, make) => {
    const dissector = new Dissector()
    const reads = [100, 1000, 8000].map((size) => {
      const bytes = Uint8Array.from(make(size))
      const { view, reads: counted } = countingView(bytes)
      dissector.dissect(view, 0, bytes.length, LINK_TYPE.ETHERNET)
      while (dissector.next());
      return counted() / bytes.length
    })
    expect(reads.every((perByte) => perByte <= 3)).toBe(true)
  })
})

describe('made-up captures', () => {
  const captures = randomCaptures(SEED, 0, 200)

  test('each enclosing flow is there, identifiers tell flows apart, every packet counts in one outermost flow', () => {
    for (const { recipe, packets } of captures) {
      for (const layerKeyMode of ['L2', 'L3'] as const) {
        const flows = made(packets, { layerKeyMode })
        const uuids = new Set(flows.map(({ UUID }) => UUID))
        const outer = flows.filter(({ ParentUUID }) => ParentUUID === '')
        const sum = (read: (flow: Flow) => number) => outer.reduce((total, flow) => total + read(flow), 0)
        expect({
          recipe,
          distinct: uuids.size,
          orphans: flows.filter(({ ParentUUID }) => ParentUUID !== '' && !uuids.has(ParentUUID)).length,
          packets: sum(({ Metric }) => Metric!.ABPackets + Metric!.BAPackets),
          bytes: sum(({ Metric }) => Metric!.ABBytes + Metric!.BABytes),
        }).toEqual({
          recipe,
          distinct: flows.length,
          orphans: 0,
          packets: packets.length,
          bytes: packets.reduce((total, { length }) => total + length, 0),
        })
      }
    }
  })

  test('protobuf straight from the columns is that of the objects', () => {
    const all = captures.flatMap(({ packets }) => packets)
    for (const layerKeyMode of ['L2', 'L3'] as const) {
      const table = feed(createFlowTable({ layerKeyMode, nodeTid: 'tid', captureId: 'c', extraTcpMetric: true }), all)
      const bytes = Buffer.concat([...table.snapshotAsProtobuf()])
      expect(bytes.equals(new FlowStreamWriter().encode(flowsOf(table)))).toBe(true)
    }
  })

  test('a packet seen at two points has the same tracking ids, whatever came before it', () => {
    for (const { recipe, packets } of captures) {
      const ids = (order: readonly Uint8Array[], nodeTid: string) =>
        made(order, { nodeTid })
          .map(({ TrackingID, L3TrackingID }) => `${TrackingID} ${L3TrackingID}`)
          .sort()
      expect({ recipe, ids: ids([...packets].reverse(), 'there') }).toEqual({ recipe, ids: ids(packets, 'here') })
    }
  })
})
