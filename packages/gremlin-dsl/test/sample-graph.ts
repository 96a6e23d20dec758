import type { EnhancedFlow, Flow, FlowQuery, FlowReader, Metadata, RawPacket } from '@skydive/contracts'
import { enhancedFlowField, prepareFilter, searchFlows } from '@skydive/filter'
import { createGraph, type Graph } from '@skydive/graph'

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

const NODES: readonly (readonly [id: string, createdAtMs: number, metadata: Metadata])[] = [
  ['h1', 1000, { Type: 'host', Name: 'alpha', Sockets: [SOCKET] }],
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

const EDGES: readonly (readonly [id: string, parent: string, child: string, relation: string])[] = [
  ['o1', 'h1', 'br0', 'ownership'],
  ['o2', 'h1', 'eth0', 'ownership'],
  ['o3', 'h1', 'ns1', 'ownership'],
  ['o4', 'ns1', 'veth1', 'ownership'],
  ['l1', 'br0', 'eth0', 'layer2'],
  ['l2', 'br0', 'veth1', 'layer2'],
]

/** Graph S of the chapter on Gremlin, section 0.1 (without the tables of routes and neighbours). */
export function sampleGraph(): Graph {
  const graph = createGraph({ clock: { now: () => 6000 }, epoch: 'sample' })
  graph.writer({ origin: 'agent.alpha', host: 'alpha' }).transaction((tx) => {
    for (const [id, createdAtMs, metadata] of NODES) tx.addNode({ id, createdAtMs, updatedAtMs: createdAtMs, metadata })
    for (const [id, parent, child, relation] of EDGES) tx.addEdge({ id, parent, child, metadata: { RelationType: relation } })
  })
  return graph
}

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

/** Flows F of section 0.2. */
export const SAMPLE_FLOWS: readonly Flow[] = [
  flow('f1', 'tid-eth0', 'T1', [10000, 13000], [3, 3, 294, 294], PING),
  flow('f2', 'tid-veth1', 'T1', [10001, 13001], [3, 3, 294, 294], PING),
  flow('f3', 'tid-eth0', 'T2', [11000, 15000], [10, 8, 2000, 9000], {
    Application: 'TCP',
    LayersPath: 'Ethernet/IPv4/TCP',
    Transport: { Protocol: 'TCP', A: 40000, B: 80, ID: 0 },
  }),
]

const PACKETS: ReadonlyMap<string, readonly RawPacket[]> = new Map([
  ['f1', [{ Timestamp: 10000, Index: 0, Data: Uint8Array.of(1, 2, 3, 255), LinkType: 1 }]],
])

/** A reader over flows at hand, as an agent's table answers. */
export function flowReader(flows: readonly Flow[], queries: FlowQuery[] = []): FlowReader {
  const search = async (query: FlowQuery): Promise<readonly EnhancedFlow[]> => {
    queries.push(query)
    const enhanced = flows.map((item) => ({ flow: item, places: {} }))
    return searchFlows(enhanced, query, await prepareFilter(query.Filter ?? {}, enhancedFlowField))
  }
  return {
    search: async (query) => ({ flows: await search(query), missing: [] }),
    metrics: async (query) => new Map((await search(query)).map((item) => [item.flow.UUID, [item.flow.LastUpdateMetric!]])),
    rawPackets: async (query) => {
      const found = (await search(query)).flatMap((item) => {
        const packets = PACKETS.get(item.flow.UUID)
        return packets ? [[item.flow.UUID, packets] as const] : []
      })
      return new Map(found)
    },
  }
}
