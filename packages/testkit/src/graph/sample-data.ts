import type { Flow, Metadata } from '@skydive/contracts'

const SOCKET = {
  Process: '/usr/sbin/nginx',
  Pid: 42,
  Name: 'nginx',
  LocalAddress: '10.0.0.2',
  LocalPort: 80,
  RemoteAddress: '10.0.0.1',
  RemotePort: 40000,
  Protocol: 'TCP',
  State: 'ESTABLISHED',
}

const ROUTES = {
  ID: 254,
  Routes: [
    { Prefix: '0.0.0.0/0', NextHops: [{ IP: '10.0.0.254', IfIndex: 2 }] },
    { Prefix: '10.0.0.0/24', NextHops: [{ IfIndex: 2 }] },
  ],
}
const NEIGHBOR = { IP: '10.0.0.254', MAC: '02:00:00:00:00:fe', IfIndex: 2 }

/** Graph S of spec graph 0.1. */
export const SAMPLE_NODES: readonly (readonly [id: string, createdAtMs: number, metadata: Metadata])[] = [
  ['h1', 1000, { Type: 'host', Name: 'alpha', Sockets: [SOCKET], RoutingTables: [ROUTES], Neighbors: [NEIGHBOR] }],
  ['br0', 2000, { Type: 'bridge', Name: 'br0', TID: 'tid-br0', MAC: '02:00:00:00:00:10', MTU: 1500 }],
  [
    'eth0',
    3000,
    {
      Type: 'device',
      Name: 'eth0',
      TID: 'tid-eth0',
      MAC: '02:00:00:00:00:01',
      MTU: 1500,
      State: 'UP',
      IPV4: ['10.0.0.1/24', '192.168.0.34/24'],
      Features: { highdma: true, gro: false },
      LastUpdateMetric: { RxBytes: 1000, RxPackets: 10, TxBytes: 500, TxPackets: 5, Start: 10000, Last: 20000 },
    },
  ],
  ['ns1', 4000, { Type: 'netns', Name: 'ns1', Manager: 'docker' }],
  [
    'veth1',
    5000,
    {
      Type: 'veth',
      Name: 'veth1',
      TID: 'tid-veth1',
      MAC: '02:00:00:00:00:02',
      MTU: 9000,
      State: 'DOWN',
      Ports: [
        { Name: 'p1', Speed: 10 },
        { Name: 'p2', Speed: 25 },
      ],
      LastUpdateMetric: { RxBytes: 300, RxPackets: 3, TxBytes: 700, TxPackets: 7, Start: 10000, Last: 20000 },
    },
  ],
]

export const SAMPLE_EDGES: readonly (readonly [id: string, parent: string, child: string, relation: string])[] = [
  ['o1', 'h1', 'br0', 'ownership'],
  ['o2', 'h1', 'eth0', 'ownership'],
  ['o3', 'h1', 'ns1', 'ownership'],
  ['o4', 'ns1', 'veth1', 'ownership'],
  ['l1', 'br0', 'eth0', 'layer2'],
  ['l2', 'br0', 'veth1', 'layer2'],
]

const ENDS = {
  Link: { Protocol: 'ETHERNET', A: '02:00:00:00:00:01', B: '02:00:00:00:00:02', ID: 0 },
  Network: { Protocol: 'IPV4', A: '10.0.0.1', B: '10.0.0.2', ID: 0 },
} as const

function flow(uuid: string, tid: string, tracking: string, times: [number, number], counts: number[], rest: Partial<Flow>): Flow {
  const [ABPackets, BAPackets, ABBytes, BABytes] = counts as [number, number, number, number]
  const [Start, Last] = times
  const metric = { ABPackets, ABBytes, BAPackets, BABytes, Start, Last }
  return {
    UUID: uuid,
    TrackingID: tracking,
    NodeTID: tid,
    ...ENDS,
    Metric: metric,
    LastUpdateMetric: metric,
    Start,
    Last,
    ParentUUID: '',
    RawPacketsCaptured: 0,
    ...rest,
  }
}

const PING = { Application: 'ICMPv4', LayersPath: 'Ethernet/IPv4/ICMPv4', ICMP: { Type: 'ECHO', ID: 222 } } as const

const PACKET = { Timestamp: 10000, Index: 1, Data: Uint8Array.of(1, 2, 3, 255), LinkType: 1 } as const

/** Flows F of spec graph 0.2; the first of them has kept a packet. */
export const SAMPLE_FLOWS: readonly Flow[] = [
  flow('f1', 'tid-eth0', 'T1', [10000, 13000], [3, 3, 294, 294], { ...PING, RawPacketsCaptured: 1, LastRawPackets: [PACKET] }),
  flow('f2', 'tid-veth1', 'T1', [10001, 13001], [3, 3, 294, 294], PING),
  flow('f3', 'tid-eth0', 'T2', [11000, 15000], [10, 8, 2000, 9000], {
    Application: 'TCP',
    LayersPath: 'Ethernet/IPv4/TCP',
    Transport: { Protocol: 'TCP', A: 40000, B: 80, ID: 0 },
  }),
]
