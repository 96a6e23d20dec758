import { describe, expect, test } from '@jest/globals'
import type { Flow, FlowMetric } from '@skydive/contracts'
import { type ExportedFlow, FLOW_END } from '@skydive/packet/netflow'
import { ExportedDirections } from './exported-directions.ts'

const T0 = 1_700_000_000_000
const metric = (over: Partial<FlowMetric> = {}): FlowMetric => ({
  ABPackets: 3,
  ABBytes: 300,
  BAPackets: 2,
  BABytes: 200,
  Start: T0,
  Last: T0 + 60_000,
  ...over,
})
const flow = (over: Partial<Flow> = {}): Flow =>
  ({
    UUID: 'u',
    LayersPath: 'Ethernet/IPv4/TCP',
    ParentUUID: '',
    Start: T0,
    Last: T0 + 5_000,
    Link: { Protocol: 'ETHERNET', A: '02:00:00:00:00:01', B: '02:00:00:00:00:02', ID: 0 },
    Network: { Protocol: 'IPV4', A: '10.0.0.1', B: '10.0.0.2', ID: 0 },
    Transport: { Protocol: 'TCP', A: 1024, B: 80, ID: 0 },
    LastUpdateMetric: metric(),
    Metric: metric({ ABPackets: 30, ABBytes: 3000 }),
    RawPacketsCaptured: 0,
    ...over,
  }) as Flow

const without = <K extends keyof Flow>(key: K, over: Partial<Flow> = {}): Flow => {
  const { [key]: _, ...rest } = flow(over)
  return rest as Flow
}

function directionsOf(one: Flow) {
  const seen: (Omit<ExportedFlow, 'addresses'> & { addresses: readonly number[] })[] = []
  const isCarried = new ExportedDirections().visit(one, (record) =>
    seen.push({ ...record, addresses: [...record.addresses].map((word) => word >>> 0) }),
  )
  return { isCarried, seen }
}

/** One member of each direction. */
const members = <K extends keyof ExportedFlow>(one: Flow, member: K) => directionsOf(one).seen.map((record) => record[member])

describe('a flow as records', () => {
  test('one of each direction, with what it had since its last report, from IP on', () => {
    const there = {
      ipVersion: 4,
      addresses: [0x0a000001, 0, 0, 0, 0x0a000002, 0, 0, 0],
      protocol: 6,
      sourcePort: 1024,
      destinationPort: 80,
      icmpType: 0,
      icmpCode: 0,
      tcpFlags: 0,
      packets: 3,
      bytes: 300 - 3 * 14,
      startMs: T0,
      lastMs: T0 + 5_000,
      endReason: FLOW_END.ACTIVE,
      sourceMac: 0x020000000001,
      destinationMac: 0x020000000002,
      vlanId: 0,
    }
    const back = {
      ...there,
      addresses: [0x0a000002, 0, 0, 0, 0x0a000001, 0, 0, 0],
      sourcePort: 80,
      destinationPort: 1024,
      packets: 2,
      bytes: 200 - 2 * 14,
      sourceMac: 0x020000000002,
      destinationMac: 0x020000000001,
    }
    expect(directionsOf(flow())).toEqual({ isCarried: true, seen: [there, back] })
  })

  test('IPv6', () => {
    const Network = { Protocol: 'IPV6', A: 'fd00::1', B: 'fd00::2', ID: 0 } as const
    const { seen } = directionsOf(
      flow({ LayersPath: 'Ethernet/IPv6/UDP', Network, Transport: { Protocol: 'UDP', A: 1, B: 2, ID: 0 } }),
    )
    expect(seen.map(({ ipVersion, addresses, protocol }) => [ipVersion, addresses, protocol])).toEqual([
      [6, [0xfd000000, 0, 0, 1, 0xfd000000, 0, 0, 2], 17],
      [6, [0xfd000000, 0, 0, 2, 0xfd000000, 0, 0, 1], 17],
    ])
  })

  test.each([
    ['a direction without packets is none', { LastUpdateMetric: metric({ BAPackets: 0, BABytes: 0 }) }, [3]],
    ['nothing new is no record', { LastUpdateMetric: metric({ ABPackets: 0, ABBytes: 0, BAPackets: 0, BABytes: 0 }) }, []],
  ])('%s', (_, over, expected) => {
    expect(members(flow(over), 'packets')).toEqual(expected)
  })

  test('without a report so far it is all that it had', () => {
    expect(members(without('LastUpdateMetric'), 'packets')).toEqual([30, 2])
  })

  test.each<[string, Partial<Flow>]>([
    ['without a network layer', { Network: undefined as never }],
    ['with an address that is none', { Network: { Protocol: 'IPV4', A: 'x', B: '10.0.0.2', ID: 0 } }],
    ['without an address', { Network: { Protocol: 'IPV6', ID: 0 } }],
  ])('%s it can not be told', (_, over) => {
    expect(directionsOf(flow(over))).toEqual({ isCarried: false, seen: [] })
  })

  test.each([
    ['Ethernet/IPv4/TCP', 14],
    ['Ethernet/Dot1Q/Dot1Q/IPv4/TCP', 22],
    ['Ethernet/PPPoE/PPP/IPv4/TCP', 22],
    ['Ethernet/LLC/SNAP/IPv4/TCP', 22],
    ['IPv4/TCP', 0],
    ['Ethernet/IPv4/EtherIP/Ethernet/IPv4/TCP', 14],
  ])('%s: %d bytes of each packet are before IP', (LayersPath, linkBytes) => {
    expect(members(flow({ LayersPath }), 'bytes')).toEqual([300 - 3 * linkBytes, 200 - 2 * linkBytes])
  })

  test.each([
    ['Ethernet/IPv4/GRE', 47],
    ['Ethernet/IPv4/IGMP', 2],
    ['Ethernet/IPv4/IPSecESP', 50],
    ['Ethernet/IPv4/ICMPv4', 1],
    ['Ethernet/IPv6/IPv6HopByHop/ICMPv6', 58],
    ['Ethernet/IPv4/Fragment', 255],
    ['Ethernet/IPv4', 255],
  ])('%s is protocol %d', (LayersPath, protocol) => {
    expect(members(without('Transport', { LayersPath }), 'protocol')).toEqual([protocol, protocol])
  })

  test.each([
    [{ Application: 'OSPF' }, 89],
    [{ Application: 'IP-46' }, 46],
    [{ Application: 'ICMPv4', ICMP: { Type: 'ECHO' } }, 1],
  ] as const)('a flow of a collector, %j, is protocol %d, and its bytes are those of IP', (over, protocol) => {
    const { LayersPath: _, ...rest } = without('Transport', over as Partial<Flow>)
    expect([members(rest as Flow, 'protocol'), members(rest as Flow, 'bytes')]).toEqual([
      [protocol, protocol],
      [300, 200],
    ])
  })

  test.each([
    ['IPV4', 'ECHO', [8, 0]],
    ['IPV4', 'DESTINATION_UNREACHABLE', [3, 3]],
    ['IPV4', 'UNKNOWN', [255, 255]],
    ['IPV6', 'ECHO', [128, 129]],
    ['IPV6', 'NEIGHBOR', [135, 136]],
  ] as const)('%s ICMP %s is type %j', (version, type, types) => {
    const Network =
      version === 'IPV4'
        ? ({ Protocol: 'IPV4', A: '10.0.0.1', B: '10.0.0.2', ID: 0 } as const)
        : ({ Protocol: 'IPV6', A: 'fd00::1', B: 'fd00::2', ID: 0 } as const)
    const one = without('Transport', { Network, ICMP: { Type: type, Code: 5 } })
    expect([members(one, 'icmpType'), members(one, 'icmpCode')]).toEqual([types, [5, 5]])
  })

  test.each([
    [undefined, FLOW_END.ACTIVE],
    [1, FLOW_END.IDLE],
    [2, FLOW_END.END_SEEN],
    [3, FLOW_END.END_SEEN],
  ] as const)('FinishType %p ends for reason %d', (FinishType, reason) => {
    expect(members(flow(FinishType === undefined ? {} : { FinishType }), 'endReason')).toEqual([reason, reason])
  })

  test('what it had since a report lies between that and its last packet', () => {
    const times = (update: number, Last: number) => {
      const [first] = directionsOf(flow({ Last, LastUpdateMetric: metric({ Start: update }) })).seen
      return [first!.startMs - T0, first!.lastMs - T0]
    }
    expect([times(T0 + 1000, T0 + 5000), times(T0 + 9000, T0 + 5000)]).toEqual([
      [1000, 5000],
      [5000, 5000],
    ])
  })

  test('flags of which the times are known, and the outermost VLAN', () => {
    const TCPMetric = {
      ABSynStart: 1,
      BASynStart: 1,
      ABFinStart: 1,
      BAFinStart: 0,
      ABRstStart: 0,
      BARstStart: 1,
    } as Flow['TCPMetric']
    const Link = { Protocol: 'ETHERNET', A: '02:00:00:00:00:01', B: '02:00:00:00:00:02', ID: 8 + 10 * 4096 } as const
    const one = flow({ TCPMetric: TCPMetric!, Link })
    expect([members(one, 'tcpFlags'), members(one, 'vlanId')]).toEqual([
      [3, 6],
      [8, 8],
    ])
  })
})
