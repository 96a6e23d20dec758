import { describe, expect, test } from '@jest/globals'
import { EXTRA_LAYERS, type Flow } from '@skydive/contracts'
import { encodePcap, LINK_TYPE } from '@skydive/packet'
import { createFlowTable, type FlowTable, type FlowTableOptions } from '../src/index.ts'
import * as p from './packet-builder.ts'

const PCAP_HEADER_BYTES = 24
const T0 = 1_700_000_000_000

function feed(table: FlowTable, packets: readonly p.Bytes[], timeMs = T0): FlowTable {
  const file = encodePcap(packets.map((bytes, i) => ({ timeMs: timeMs + i, data: Uint8Array.from(bytes) })))
  const layout = { format: 'pcap' as const, littleEndian: true, nanoseconds: false }
  table.consumer({ layout, linkType: LINK_TYPE.ETHERNET })(file, PCAP_HEADER_BYTES, file.length - PCAP_HEADER_BYTES)
  return table
}

const flowsOf = (table: FlowTable): readonly Flow[] => [...table.snapshot()].flat()
const made = (packets: readonly p.Bytes[], options: FlowTableOptions = { ipDefrag: true }) =>
  flowsOf(feed(createFlowTable(options), packets))

/** The fragments of an IPv4 datagram, `size` bytes each. */
function fragments(payload: readonly number[], protocol: number, size: number, over: p.Ipv4Options = {}): number[][] {
  return Array.from({ length: Math.ceil(payload.length / size) }, (_, i) => {
    const part = payload.slice(i * size, (i + 1) * size)
    return p.ethernet(
      p.ipv4(part, protocol, { ...over, fragmentOffset: i * size, moreFragments: (i + 1) * size < payload.length }),
    )
  })
}

const ping = p.icmp(8, 0, 7, 1, new Array<number>(100).fill(1))
const NONE = { Fragments: 0, FragmentErrors: 0 }

describe('IP fragments', () => {
  test('are one packet of one flow when they are put together, with the bytes of the last one', () => {
    const packets = fragments(ping, 1, 48)
    const answer = p.ethernet(p.ipv4(p.icmp(0, 0, 7), 1, { source: '10.0.0.2', destination: '10.0.0.1' }))
    answer.splice(0, 12, ...p.mac('02:00:00:00:00:01'), ...p.mac('02:00:00:00:00:02'))
    const [flow, ...others] = made([...packets, answer])
    expect(others).toEqual([])
    expect(flow).toMatchObject({
      LayersPath: 'Ethernet/IPv4/Fragment/ICMPv4',
      ICMP: { Type: 'ECHO', ID: 7 },
      Metric: { ABPackets: 1, ABBytes: packets[2]!.length, BAPackets: 1, BABytes: answer.length },
      IPMetric: { Fragments: 2, FragmentErrors: 0 },
    })
  })

  test('are a flow without ports when they are not', () => {
    expect(
      made(fragments(ping, 1, 48), {}).map(({ LayersPath, Metric, IPMetric }) => [LayersPath, Metric?.ABPackets, IPMetric]),
    ).toEqual([['Ethernet/IPv4/Fragment', 3, undefined]])
  })

  test('with the bit that forbids them pass as they are', () => {
    const packet = p.ethernet(p.ipv4(ping, 1, { moreFragments: true, dontFragment: true }))
    expect(made([packet])).toMatchObject([{ LayersPath: 'Ethernet/IPv4/Fragment', IPMetric: NONE }])
  })

  test('of many datagrams in one batch each count in their flow', () => {
    const packets = Array.from({ length: 100 }, (_, i) =>
      fragments(p.udp(new Array<number>(60).fill(i), 1000 + (i % 4), 9), 17, 32, { id: i + 1 }),
    ).flat()
    const table = feed(createFlowTable({ ipDefrag: true }), packets)
    expect(
      flowsOf(table).map(({ Transport, Metric, IPMetric }) => [Transport?.A, Metric?.ABPackets, IPMetric?.Fragments]),
    ).toEqual([1000, 1001, 1002, 1003].map((port) => [port, 25, 50]))
    expect(table.stats()).toMatchObject({
      packets: 300,
      ignoredPackets: 0,
      fragments: { datagrams: 100, fragments: 300, evicted: 0 },
    })
  })

  test('that never become a datagram make no flow', () => {
    const table = feed(createFlowTable({ ipDefrag: true }), fragments(ping, 1, 48).slice(0, 2))
    expect([table.size, table.stats().packets, table.stats().fragments]).toEqual([
      0,
      2,
      { datagrams: 0, fragments: 2, errors: 0, evicted: 0, timedOut: 0 },
    ])
  })

  test('that overlap are counted as errors of the flow', () => {
    const bytes = p.udp(new Array<number>(40).fill(1))
    const overlapping = p.ethernet(p.ipv4(bytes.slice(0, 32), 17, { moreFragments: true }))
    const shifted = p.ethernet(p.ipv4(bytes.slice(16, 40), 17, { fragmentOffset: 16, moreFragments: true }))
    const last = p.ethernet(p.ipv4(bytes.slice(40), 17, { fragmentOffset: 40 }))
    expect(made([overlapping, shifted, last])).toMatchObject([
      { LayersPath: 'Ethernet/IPv4/Fragment/UDP', IPMetric: { Fragments: 2, FragmentErrors: 1 } },
    ])
  })

  test('of a tunnel give the flows inside, which tell of the fragments', () => {
    const inner = p.ethernet(p.ipv4(p.tcp(new Array<number>(200).fill(0), 1234, 80), 6))
    const flows = made(fragments(p.udp(p.vxlan(inner), 5555, 4789), 17, 64))
    expect(
      flows.map(({ LayersPath, Transport, Metric, IPMetric }) => [LayersPath, Transport?.A, Metric?.ABBytes, IPMetric]),
    ).toEqual([
      ['Ethernet/IPv4/Fragment/UDP/VXLAN', 5555, 14 + 20 + ((8 + 8 + inner.length) % 64), undefined],
      ['Ethernet/IPv4/TCP', 1234, inner.length, { Fragments: 4, FragmentErrors: 0 }],
    ])
    expect(flows[1]?.ParentUUID).toBe(flows[0]?.UUID)
  })

  test('of IPv6', () => {
    const bytes = p.udp(new Array<number>(40).fill(1), 7, 8)
    const part = (from: number, to: number) =>
      p.ethernet(p.ipv6(p.ipv6Fragment(bytes.slice(from, to), 17, 99, from, to < bytes.length), 44), 0x86dd)
    expect(made([part(16, 48), part(0, 16)])).toMatchObject([
      {
        LayersPath: 'Ethernet/IPv6/IPv6Fragment/Fragment/UDP',
        Transport: { A: 7, B: 8 },
        Metric: { ABPackets: 1 },
        IPMetric: { Fragments: 1, FragmentErrors: 0 },
      },
    ])
    const whole = p.ethernet(p.ipv6(p.ipv6Fragment(bytes, 17, 99, 0, false), 44), 0x86dd)
    expect(made([whole]).map(({ LayersPath }) => LayersPath)).toEqual(['Ethernet/IPv6/IPv6Fragment/Fragment/UDP'])
  })
})

describe('reassembly of TCP', () => {
  const { SYN, ACK, FIN } = p.TCP_FLAGS
  const there = (payload: p.Bytes, flags: number, sequence: number) =>
    p.ethernet(p.ipv4(p.tcp(payload, 1234, 80, flags, sequence), 6))

  test('tells of a direction when it has come to its end', () => {
    const table = createFlowTable({ reassembleTcp: true })
    feed(table, [there([], SYN, 99), there([1, 2, 3], ACK, 100)])
    expect(flowsOf(table)[0]?.TCPMetric).toBeUndefined()
    feed(table, [there([], FIN | ACK, 103)], T0 + 10)
    expect(flowsOf(table)[0]?.TCPMetric).toEqual({
      ...Object.fromEntries(
        ['AB', 'BA'].flatMap((side) =>
          ['SynStart', 'FinStart', 'RstStart', 'SegmentOutOfOrder', 'SegmentSkipped', 'SegmentSkippedBytes'].map((name) => [
            side + name,
            0,
          ]),
        ),
      ),
      ABPackets: 3,
      ABBytes: 3,
      ABSawStart: 1,
      ABSawEnd: 1,
      BAPackets: 0,
      BABytes: 0,
      BASawStart: 0,
      BASawEnd: 0,
    })
    expect(table.stats().streams).toEqual({ streams: 1, queuedSegments: 0, evictedGaps: 0 })
  })

  test.each<readonly [string, (table: FlowTable) => Flow | undefined]>([
    ['an update after 30 s of silence', (table) => [[...table.update(T0 + 31_000)], flowsOf(table)[0]].at(-1) as Flow],
    ['the end of the file', (table) => [table.finishStreams(), flowsOf(table)[0]].at(-1) as Flow],
    ['expiry', (table) => [...table.drain()].flat()[0]],
  ])('%s ends what is open', (_, end) => {
    const table = createFlowTable({ reassembleTcp: true, extraTcpMetric: true })
    feed(table, [there([], SYN, 99), there([1, 2, 3], ACK, 200)])
    expect(flowsOf(table)[0]?.TCPMetric).toMatchObject({ ABSynStart: T0, ABPackets: 0 })
    expect(end(table)?.TCPMetric).toMatchObject({
      ABSynStart: T0,
      ABPackets: 2,
      ABBytes: 3,
      ABSegmentSkipped: 1,
      ABSegmentSkippedBytes: 100,
    })
  })

  test('counts bytes by the length of the datagram, whatever was captured of it', () => {
    const table = createFlowTable({ reassembleTcp: true })
    const whole = [there([], SYN, 99), there(new Array<number>(1000).fill(7), ACK, 100), there([], FIN, 1100)]
    const file = encodePcap(
      whole.map((bytes) => ({ timeMs: T0, data: Uint8Array.from(bytes).subarray(0, 60), wireBytes: bytes.length })),
    )
    const layout = { format: 'pcap' as const, littleEndian: true, nanoseconds: false }
    table.consumer({ layout, linkType: 1 })(file, PCAP_HEADER_BYTES, file.length - PCAP_HEADER_BYTES)
    expect(flowsOf(table)[0]?.TCPMetric).toMatchObject({ ABPackets: 3, ABBytes: 1000 })
  })

  test('follows TCP in GRE, but not what UDP carries', () => {
    const connection = [p.ipv4(p.tcp([], 1234, 80, SYN, 99), 6), p.ipv4(p.tcp([], 1234, 80, FIN, 100), 6)]
    const pieces = (packets: readonly p.Bytes[]) => made(packets, { reassembleTcp: true })[1]?.TCPMetric?.ABPackets
    expect(pieces(connection.map((inner) => p.ethernet(p.ipv4(p.gre(inner), 47))))).toBe(2)
    expect(pieces(connection.map((inner) => p.ethernet(p.ipv4(p.udp(p.vxlan(p.ethernet(inner)), 5, 4789), 17))))).toBeUndefined()
  })
})

describe('extra layers', () => {
  const query = (id: number, name: string) => p.ethernet(p.ipv4(p.udp(p.dnsQuery(id, name), 1000, 53), 17))
  const dhcp = (server: string) => {
    const bytes = new Array<number>(240).fill(0)
    bytes.splice(0, 4, 1, 1, 6, 0)
    bytes.splice(44, server.length, ...Buffer.from(server))
    bytes.splice(236, 4, 0x63, 0x82, 0x53, 0x63)
    return p.ethernet(p.ipv4(p.udp(bytes, 68, 67), 17))
  }
  const vrrp = p.ethernet(p.ipv4([0x21, 7, 100, 1, 0, 1, 0, 0], 112, { destination: '224.0.0.18' }))

  test('DNS shows the latest message and when it came', () => {
    const [flow] = made([query(1, 'a.example'), query(2, 'bb.example')], { extraLayers: EXTRA_LAYERS.DNS })
    expect(flow?.DNS).toEqual({
      ID: 2,
      op_code: 'Query',
      RD: true,
      response_code: 'No Error',
      QDCount: 1,
      questions: [{ name: 'bb.example', type: 'A', class: 'IN' }],
      timestamp: '2023-11-14T22:13:20.001000Z',
    })
  })

  test('DHCPv4 and VRRP show the first message', () => {
    const all = { extraLayers: EXTRA_LAYERS.DHCPv4 | EXTRA_LAYERS.VRRP }
    expect(made([dhcp('one'), dhcp('two'), vrrp], all).map(({ DHCPv4, VRRPv2 }) => DHCPv4 ?? VRRPv2)).toEqual([
      { hardware_len: 6, server_name: 'one' },
      { version: 2, VirtualRtrID: 7, priority: 100, adver_int: 1 },
    ])
  })

  test.each([
    [0, []],
    [EXTRA_LAYERS.VRRP, ['VRRPv2']],
    [EXTRA_LAYERS.DNS, ['DNS']],
    [EXTRA_LAYERS.DHCPv4, ['DHCPv4']],
    [255, ['DNS', 'DHCPv4', 'VRRPv2']],
  ])('mask %d asks for %j', (extraLayers, names) => {
    const flows = made([query(1, 'a'), dhcp('one'), vrrp], { extraLayers })
    expect(flows.flatMap((flow) => ['DNS', 'DHCPv4', 'VRRPv2'].filter((name) => name in flow))).toEqual(names)
  })

  test.each([-1, 256, 1.5])('mask %d is refused', (extraLayers) => {
    expect(() => createFlowTable({ extraLayers })).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }))
  })

  test('a flow that has gone takes its layers with it', () => {
    const table = feed(createFlowTable({ extraLayers: 255, ipDefrag: true, reassembleTcp: true }), [query(1, 'a')])
    expect([...table.drain()].flat()[0]?.DNS).toMatchObject({ ID: 1 })
    feed(table, [p.ethernet(p.ipv4(p.udp([], 1, 2), 17))])
    expect(flowsOf(table).map(({ DNS }) => DNS)).toEqual([undefined])
  })
})
