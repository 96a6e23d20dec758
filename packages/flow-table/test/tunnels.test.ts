import { describe, expect, test } from '@jest/globals'
import type { Flow } from '@skydive/contracts'
import { encodePcap, LINK_TYPE } from '@skydive/packet'
import { FlowStreamWriter } from '@skydive/protocol/flow'
import { createFlowTable, type FlowTable, type FlowTableOptions } from '../src/index.ts'
import * as p from './packet-builder.ts'

const PCAP_HEADER_BYTES = 24
const T0 = 1_700_000_000_000

function tableOf(packets: readonly p.Bytes[], options: FlowTableOptions = {}, linkType: number = LINK_TYPE.ETHERNET): FlowTable {
  const table = createFlowTable(options)
  const file = encodePcap(packets.map((bytes, i) => ({ timeMs: T0 + i, data: Uint8Array.from(bytes) })))
  const format = { layout: { format: 'pcap' as const, littleEndian: true, nanoseconds: false }, linkType }
  table.consumer(format)(file, PCAP_HEADER_BYTES, file.length - PCAP_HEADER_BYTES)
  return table
}

const flowsOf = (...given: Parameters<typeof tableOf>): readonly Flow[] => [...tableOf(...given).snapshot()].flat()

/** Path, ends, tunnel id, counters and which of the flows encloses it. */
function brief(flow: Flow, _: number, flows: readonly Flow[]): readonly unknown[] {
  const { Network: network, Transport: transport, Metric: metric } = flow
  const parent = flow.ParentUUID === '' ? null : flows.findIndex(({ UUID }) => UUID === flow.ParentUUID)
  const end = (side: 'A' | 'B') => [network?.[side] ?? flow.Link?.[side], ...(transport ? [transport[side]] : [])].join(' ')
  return [flow.LayersPath, end('A'), end('B'), network?.ID ?? 0, metric!.ABPackets, metric!.ABBytes, metric!.BAPackets, parent]
}

const inner = p.ipv4(p.tcp([1, 2, 3], 1234, 80), 6, { source: '192.168.0.1', destination: '192.168.0.2' })
const back = p.ipv4(p.tcp([], 80, 1234), 6, { source: '192.168.0.2', destination: '192.168.0.1' })
const inner6 = p.ipv6(p.icmpv6(128, [0, 7, 0, 1]), 58)
const innerFrame = p.ethernet(inner, 0x0800, '0a:00:00:00:00:01', '0a:00:00:00:00:02')
const IN = ['192.168.0.1 1234', '192.168.0.2 80'] as const
const OUT = ['10.0.0.1', '10.0.0.2'] as const

describe('what a tunnel carries is a flow of its own', () => {
  test.each<readonly [string, p.Bytes, ...(readonly unknown[])[]]>([
    [
      'VXLAN',
      p.ethernet(p.ipv4(p.udp(p.vxlan(innerFrame, 10), 5555, 4789), 17)),
      ['Ethernet/IPv4/UDP/VXLAN', '10.0.0.1 5555', '10.0.0.2 4789', 10, 1, 107, 0, null],
      ['Ethernet/IPv4/TCP', ...IN, 0, 1, 57, 0, 0],
    ],
    [
      "VXLAN at Linux's port over IPv6",
      p.ethernet(p.ipv6(p.udp(p.vxlan(innerFrame, 0xffffff), 5555, 8472), 17), 0x86dd),
      ['Ethernet/IPv6/UDP/VXLAN', 'fd00::1 5555', 'fd00::2 8472', 0xffffff, 1, 127, 0, null],
      ['Ethernet/IPv4/TCP', ...IN, 0, 1, 57, 0, 0],
    ],
    [
      'VXLAN behind a tag, itself with a tag',
      p.ethernet(p.vlan(p.ipv4(p.udp(p.vxlan(p.ethernet(p.vlan(inner, 9), 0x8100), 10), 5, 4789), 17), 8), 0x8100),
      ['Ethernet/Dot1Q/IPv4/UDP/VXLAN', '10.0.0.1 5', '10.0.0.2 4789', 10, 1, 115, 0, null],
      ['Ethernet/Dot1Q/IPv4/TCP', ...IN, 0, 1, 61, 0, 0],
    ],
    [
      'VXLAN that is cut',
      p.ethernet(p.ipv4(p.udp([8, 0, 0, 0], 5555, 4789), 17)),
      ['Ethernet/IPv4/UDP', '10.0.0.1 5555', '10.0.0.2 4789', 0, 1, 46, 0, null],
    ],
    [
      'VXLAN with ARP',
      p.ethernet(p.ipv4(p.udp(p.vxlan(p.ethernet(p.arp(), 0x0806), 10), 5555, 4789), 17)),
      ['Ethernet/IPv4/UDP/VXLAN', '10.0.0.1 5555', '10.0.0.2 4789', 10, 1, 92, 0, null],
      ['Ethernet/ARP', '02:00:00:00:00:01', '02:00:00:00:00:02', 0, 1, 42, 0, 0],
    ],
    [
      'Geneve with options',
      p.ethernet(p.ipv4(p.udp(p.geneve(innerFrame, 11, 0x6558, [1, 2, 3, 4]), 5555, 6081), 17)),
      ['Ethernet/IPv4/UDP/Geneve', '10.0.0.1 5555', '10.0.0.2 6081', 11, 1, 111, 0, null],
      ['Ethernet/IPv4/TCP', ...IN, 0, 1, 57, 0, 0],
    ],
    [
      'Geneve with IP',
      p.ethernet(p.ipv4(p.udp(p.geneve(inner, 11, 0x0800), 5555, 6081), 17)),
      ['Ethernet/IPv4/UDP/Geneve', '10.0.0.1 5555', '10.0.0.2 6081', 11, 1, 93, 0, null],
      ['IPv4/TCP', ...IN, 0, 1, 43, 0, 0],
    ],
    [
      'GRE',
      p.ethernet(p.ipv4(p.gre(inner), 47)),
      ['Ethernet/IPv4/GRE', ...OUT, 0, 1, 81, 0, null],
      ['IPv4/TCP', ...IN, 0, 1, 43, 0, 0],
    ],
    [
      'GRE with a key, IPv6 inside',
      p.ethernet(p.ipv4(p.gre(inner6, 0x86dd, 0xfffffffe), 47)),
      ['Ethernet/IPv4/GRE', ...OUT, 0xfffffffe, 1, 90, 0, null],
      ['IPv6/ICMPv6/ICMPv6Echo', 'fd00::1', 'fd00::2', 0, 1, 48, 0, 0],
    ],
    [
      'GRE with a checksum, a key and a sequence number',
      p.ethernet(p.ipv4([0xb0, 0, 8, 0, 0xab, 0xcd, 0, 0, 0, 0, 1, 2, 0, 0, 0, 9, ...inner], 47)),
      ['Ethernet/IPv4/GRE', ...OUT, 0x102, 1, 93, 0, null],
      ['IPv4/TCP', ...IN, 0, 1, 43, 0, 0],
    ],
    [
      'GRE in GRE',
      p.ethernet(p.ipv4(p.gre(p.ipv4(p.gre(inner), 47, { source: '10.1.0.1', destination: '10.1.0.2' })), 47)),
      ['Ethernet/IPv4/GRE', ...OUT, 0, 1, 105, 0, null],
      ['IPv4/GRE', '10.1.0.1', '10.1.0.2', 0, 1, 67, 0, 0],
      ['IPv4/TCP', ...IN, 0, 1, 43, 0, 1],
    ],
    [
      'GRE with a frame',
      p.ethernet(p.ipv4(p.gre(innerFrame, 0x6558), 47)),
      ['Ethernet/IPv4/GRE', ...OUT, 0, 1, 95, 0, null],
      ['Ethernet/IPv4/TCP', ...IN, 0, 1, 57, 0, 0],
    ],
    [
      'GRE with PPP',
      p.ethernet(p.ipv4(p.gre([0xff, 3, 0, 0x21, ...inner], 0x880b), 47)),
      ['Ethernet/IPv4/GRE', ...OUT, 0, 1, 85, 0, null],
      ['PPP/IPv4/TCP', ...IN, 0, 1, 43, 0, 0],
    ],
    [
      'GRE with something else',
      p.ethernet(p.ipv4(p.gre([1, 2, 3, 4], 0x1234), 47)),
      ['Ethernet/IPv4/GRE', ...OUT, 0, 1, 42, 0, null],
    ],
    [
      'ERSPAN, whose header counts as bytes of the frame',
      p.ethernet(p.ipv4(p.erspan(innerFrame), 47)),
      ['Ethernet/IPv4/GRE', ...OUT, 0, 1, 107, 0, null],
      ['Ethernet/IPv4/TCP', ...IN, 0, 1, 65, 0, 0],
    ],
    [
      'MPLS in GRE',
      p.ethernet(p.ipv4(p.gre(p.mpls(inner, 18), 0x8847), 47)),
      ['Ethernet/IPv4/GRE/MPLS', ...OUT, 0, 1, 85, 0, null],
      ['IPv4/TCP', ...IN, 0, 1, 43, 0, 0],
    ],
    [
      'a stack of labels',
      p.ethernet(p.mpls(inner, 16, 17, 18), 0x8847),
      ['Ethernet/MPLS/MPLS/MPLS', '02:00:00:00:00:01', '02:00:00:00:00:02', 0, 1, 69, 0, null],
      ['IPv4/TCP', ...IN, 0, 1, 43, 0, 0],
    ],
    [
      'a label over a frame',
      p.ethernet(p.mpls(innerFrame, 16), 0x8847),
      ['Ethernet/MPLS', '02:00:00:00:00:01', '02:00:00:00:00:02', 0, 1, 75, 0, null],
      ['Ethernet/IPv4/TCP', ...IN, 0, 1, 57, 0, 0],
    ],
    [
      'labels without a bottom',
      p.ethernet([...p.mpls([], 16, 17).slice(0, 4), ...p.mpls([], 16, 17).slice(0, 4)], 0x8847),
      ['Ethernet/MPLS/MPLS', '02:00:00:00:00:01', '02:00:00:00:00:02', 0, 1, 22, 0, null],
    ],
    [
      'MPLS over IP',
      p.ethernet(p.ipv4(p.mpls(inner, 16), 137)),
      ['Ethernet/IPv4/MPLS', ...OUT, 0, 1, 81, 0, null],
      ['IPv4/TCP', ...IN, 0, 1, 43, 0, 0],
    ],
    [
      'MPLS at a UDP port that is registered',
      p.ethernet(p.ipv4(p.udp(p.mpls(inner, 16), 5555, 51_234), 17)),
      ['Ethernet/IPv4/UDP/MPLS', '10.0.0.1 5555', '10.0.0.2 51234', 0, 1, 89, 0, null],
      ['IPv4/TCP', ...IN, 0, 1, 43, 0, 0],
    ],
    [
      'IP in IP makes no flow of its own',
      p.ethernet(p.ipv4(inner, 4)),
      ['Ethernet/IPv4/IPv4/TCP', '10.0.0.1 1234', '10.0.0.2 80', 0, 1, 77, 0, null],
    ],
    ['IPv6 in IPv4', p.ethernet(p.ipv4(inner6, 41)), ['Ethernet/IPv4/IPv6/ICMPv6/ICMPv6Echo', ...OUT, 0, 1, 82, 0, null]],
    [
      'IPv4 in IPv6, whose addresses are shown',
      p.ethernet(p.ipv6(inner, 4), 0x86dd),
      ['Ethernet/IPv6/IPv4/TCP', ...IN, 0, 1, 97, 0, null],
    ],
    [
      'GTP-U, which shows the ports of TCP inside',
      p.ethernet(p.ipv4(p.udp(p.gtp(inner), 2152, 2152), 17)),
      ['Ethernet/IPv4/UDP/GTPv1U/IPv4/TCP', '10.0.0.1 1234', '10.0.0.2 80', 0, 1, 93, 0, null],
    ],
    ['PPPoE', p.ethernet(p.pppoe(inner), 0x8864), ['Ethernet/PPPoE/PPP/IPv4/TCP', ...IN, 0, 1, 65, 0, null]],
    [
      'a frame in IP',
      p.ethernet(p.ipv4([0x30, 0, ...innerFrame], 97)),
      ['Ethernet/IPv4/EtherIP/Ethernet/IPv4/TCP', '10.0.0.1 1234', '10.0.0.2 80', 0, 1, 93, 0, null],
    ],
    [
      'an authentication header',
      p.ethernet(p.ipv4([6, 4, ...new Array<number>(22).fill(0), ...p.tcp([], 7, 8)], 51)),
      ['Ethernet/IPv4/IPSecAH/TCP', '10.0.0.1 7', '10.0.0.2 8', 0, 1, 78, 0, null],
    ],
  ])('%s', (_, packet, ...flows) => {
    const options = { mplsUdpPorts: [51_234] }
    expect(flowsOf([packet], options).map(brief)).toEqual(flows)
    const table = tableOf([packet], { ...options, nodeTid: 'tid', extraTcpMetric: true })
    const bytes = Buffer.concat([...table.snapshotAsProtobuf()]).toString('hex')
    expect(bytes).toBe(Buffer.from(new FlowStreamWriter().encode([...table.snapshot()].flat())).toString('hex'))
  })

  test('tunnels in tunnels beyond all reason end somewhere', () => {
    let packet: p.Bytes = inner
    for (let depth = 0; depth < 40; depth++) packet = p.ipv4(p.gre(packet), 47)
    const flows = flowsOf([p.ethernet(packet)])
    expect(flows.length).toBe(16)
    expect(flows.every(({ ParentUUID }, i) => ParentUUID === (i === 0 ? '' : flows[i - 1]!.UUID))).toBe(true)
  })
})

describe('keys of tunnels', () => {
  const answer = p.ethernet(back, 0x0800, '0a:00:00:00:00:02', '0a:00:00:00:00:01')
  const reply = (payload: p.Bytes, source: number, destination: number) =>
    p.ethernet(
      p.ipv4(p.udp(payload, source, destination), 17, { source: '10.0.0.2', destination: '10.0.0.1' }),
      0x0800,
      '02:00:00:00:00:02',
      '02:00:00:00:00:01',
    )

  test('one VNI is one outer flow, whatever the source ports of both directions', () => {
    const packets = [
      p.ethernet(p.ipv4(p.udp(p.vxlan(innerFrame, 10), 51_031, 4789), 17)),
      p.ethernet(p.ipv4(p.udp(p.vxlan(innerFrame, 10), 51_032, 4789), 17)),
      reply(p.vxlan(answer, 10), 51_033, 4789),
      p.ethernet(p.ipv4(p.udp(p.vxlan(innerFrame, 11), 51_031, 4789), 17)),
    ]
    expect(flowsOf(packets).map(brief)).toEqual([
      ['Ethernet/IPv4/UDP/VXLAN', '10.0.0.1 51031', '10.0.0.2 4789', 10, 2, 214, 1, null],
      ['Ethernet/IPv4/TCP', ...IN, 0, 2, 114, 1, 0],
      ['Ethernet/IPv4/UDP/VXLAN', '10.0.0.1 51031', '10.0.0.2 4789', 11, 1, 107, 0, null],
      ['Ethernet/IPv4/TCP', ...IN, 0, 1, 57, 0, 2],
    ])
  })

  test.each(['L2', 'L3'] as const)('a flow in a tunnel has the tracking id that it has without, in mode %s', (layerKeyMode) => {
    const bare = flowsOf([innerFrame], { layerKeyMode })[0]!
    for (const packet of [
      p.ethernet(p.ipv4(p.udp(p.vxlan(innerFrame), 5555, 4789), 17)),
      p.ethernet(p.ipv6(p.udp(p.geneve(innerFrame), 5555, 6081), 17), 0x86dd),
      p.ethernet(p.ipv4(p.gre(innerFrame, 0x6558), 47)),
      p.ethernet(p.mpls(innerFrame, 16), 0x8847),
    ]) {
      const [outer, carried] = flowsOf([packet], { layerKeyMode, nodeTid: 'elsewhere' })
      expect([carried?.TrackingID, carried?.L3TrackingID]).toEqual([bare.TrackingID, bare.L3TrackingID])
      expect([carried?.UUID === bare.UUID, carried?.ParentUUID]).toEqual([false, outer?.UUID])
    }
  })

  test('the same packet at two points has one tracking id and two UUIDs', () => {
    for (const packet of [innerFrame, p.ethernet(p.ipv4(p.udp(p.vxlan(innerFrame), 5555, 4789), 17))]) {
      const [one, other] = ['a', 'b'].map((nodeTid) => flowsOf([packet], { nodeTid }))
      expect(one!.map(({ TrackingID }) => TrackingID)).toEqual(other!.map(({ TrackingID }) => TrackingID))
      expect(new Set([...one!, ...other!].map(({ UUID }) => UUID)).size).toBe(2 * one!.length)
    }
  })

  test('an outer GRE flow is one for all connections inside', () => {
    const other = p.ipv4(p.tcp([], 1235, 80), 6, { source: '192.168.0.1', destination: '192.168.0.2' })
    const flows = flowsOf([p.ethernet(p.ipv4(p.gre(inner), 47)), p.ethernet(p.ipv4(p.gre(other), 47))])
    expect(flows.map(({ LayersPath, ParentUUID }) => [LayersPath, ParentUUID === flows[0]?.UUID])).toEqual([
      ['Ethernet/IPv4/GRE', false],
      ['IPv4/TCP', true],
      ['IPv4/TCP', true],
    ])
  })

  test('mode L3 counts what the outer headers leave, also without a link', () => {
    const packet = p.ethernet(p.ipv4(p.gre(inner), 47))
    expect(flowsOf([packet], { layerKeyMode: 'L3' }).map(({ Metric }) => Metric?.ABBytes)).toEqual([81, 43])
    // 17 bytes of padding belong to every sequence by its length, but not to the datagram.
    const padded = [...packet, ...new Array<number>(17).fill(0)]
    expect(flowsOf([padded], { layerKeyMode: 'L3' }).map(({ Metric }) => Metric?.ABBytes)).toEqual([98, 60])
    expect(flowsOf([padded], { layerKeyMode: 'L2' }).map(({ Metric }) => Metric?.ABBytes)).toEqual([98, 43])
  })

  test('an inner flow starts anew when its outer flow did', () => {
    const packet = p.ethernet(p.ipv4(p.udp(p.vxlan(innerFrame), 5555, 4789), 17))
    const outerOnly = p.ethernet(p.ipv4(p.udp(p.vxlan([]), 5555, 4789), 17))
    const table = createFlowTable()
    const feed = (bytes: p.Bytes, timeMs: number) => {
      const file = encodePcap([{ timeMs, data: Uint8Array.from(bytes) }])
      const format = { layout: { format: 'pcap' as const, littleEndian: true, nanoseconds: false }, linkType: 1 }
      table.consumer(format)(file, PCAP_HEADER_BYTES, file.length - PCAP_HEADER_BYTES)
    }
    feed(outerOnly, T0)
    expect([...table.drain()].flat().length).toBe(1)
    feed(packet, T0 + 10)
    const [outer, carried] = [...table.snapshot()].flat()
    expect(carried?.ParentUUID).toBe(outer?.UUID)
    const [gone] = [...table.drain()].flat()
    feed(packet, T0 + 20)
    const again = [...table.snapshot()].flat()
    expect(new Set([gone?.UUID, outer?.UUID, carried?.UUID, ...again.map(({ UUID }) => UUID)]).size).toBe(4)
    expect(new Set(again.map(({ TrackingID }) => TrackingID))).toEqual(new Set([outer?.TrackingID, carried?.TrackingID]))
  })

  test('a table with one place evicts the outer flow for the inner one, which still names it', () => {
    const evicted: Flow[] = []
    const packet = p.ethernet(p.ipv4(p.udp(p.vxlan(innerFrame), 5555, 4789), 17))
    const table = tableOf([packet], { maxFlows: 1, onEvicted: (flows) => evicted.push(...flows) })
    const [carried] = [...table.snapshot()].flat()
    expect(evicted.map(({ UUID }) => UUID)).toEqual([carried?.ParentUUID])
  })

  test('packets of one flow are kept as they are, with a link header and without', () => {
    const outer = (payload: p.Bytes, type: number) => p.ethernet(p.ipv4(p.gre(payload, type), 47))
    const table = tableOf([outer(innerFrame, 0x6558), outer(inner, 0x0800)], { rawPacketLimit: 2, layerKeyMode: 'L3' })
    const flow = [...table.snapshot()].flat().find(({ LayersPath }) => LayersPath === 'Ethernet/IPv4/TCP')!
    expect(flow.Metric!.ABPackets).toBe(2)
    const kept = table.rawPackets().get(flow.UUID)!
    expect(kept.map(({ LinkType }) => LinkType)).toEqual([LINK_TYPE.ETHERNET, LINK_TYPE.IPV4])
    expect(kept.map(({ Data }) => [...Data])).toEqual([innerFrame, inner].map((bytes) => [...bytes]))
  })

  test('packets kept of each flow begin with its first header', () => {
    const table = tableOf([p.ethernet(p.ipv4(p.gre(inner), 47))], { rawPacketLimit: 1 })
    const kept = [...table.rawPackets().values()].flat()
    expect(kept.map(({ Data, LinkType }) => [Data.length, LinkType])).toEqual([
      [81, LINK_TYPE.ETHERNET],
      [43, LINK_TYPE.IPV4],
    ])
    expect([...kept[1]!.Data]).toEqual(inner)
  })

  test('more packets in tunnels than a batch has rows', () => {
    const packets = Array.from({ length: 500 }, (_, i) =>
      p.ethernet(p.ipv4(p.gre(p.ipv4(p.gre(p.ipv4(p.tcp([], 1 + (i % 50), 80), 6)), 47)), 47)),
    )
    const flows = flowsOf(packets)
    expect(flows.length).toBe(52)
    expect(flows.map(({ Metric }) => Metric?.ABPackets)).toEqual([500, 500, ...new Array<number>(50).fill(10)])
  })
})
