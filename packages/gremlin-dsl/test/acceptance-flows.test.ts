import { expect, test } from '@jest/globals'
import type { GraphSource } from '@skydive/contracts'
import { elementView } from '@skydive/filter'
import { createGraph } from '@skydive/graph'
import { createGremlin, resultToJson } from '../src/index.ts'
import { flowReader } from './flow-reader.ts'
import { flow } from './small-graphs.ts'

/** Items of the acceptance list (spec graph 5) on what belongs to flows: sockets, packets and nodes. */

test('A109 a flow has the sockets at both ends', async () => {
  const end = (Name: string, LocalAddress: string, LocalPort: number, RemoteAddress: string, RemotePort: number) => ({
    Name,
    Protocol: 'TCP',
    LocalAddress,
    LocalPort,
    RemoteAddress,
    RemotePort,
  })
  const clock = { ms: 100_000, now: () => clock.ms }
  const graph = createGraph({ clock })
  graph.writer({ origin: 'a', host: 'a' }).transaction((tx) => {
    tx.addNode({ id: 'one', metadata: { Sockets: [end('client', '10.0.0.1', 4000, '10.0.0.2', 80)] } })
    tx.addNode({ id: 'two', metadata: { Sockets: [end('server', '10.0.0.2', 80, '10.0.0.1', 4000)] } })
    tx.addNode({ id: 'three', metadata: { Sockets: [end('other', '10.0.0.2', 80, '10.0.0.1', 4001)] } })
  })
  clock.ms = 110_000
  const Network = { Protocol: 'IPV4', A: '10.0.0.1', B: '10.0.0.2', ID: 0 } as const
  const flows = [
    flow('tcp', { Network, Transport: { Protocol: 'TCP', A: 4000, B: 80, ID: 0 } }),
    flow('udp', { Network, Transport: { Protocol: 'UDP', A: 4000, B: 80, ID: 0 } }),
  ]
  const engine = createGremlin({ graph, flows: flowReader(flows), clock })
  for (const query of ["G.Flows().Sockets().Values('Name')", "G.At('-1s', 300).Flows().Sockets().Values('Name')"]) {
    expect(resultToJson((await engine.query(query)).result)).toEqual(['client', 'server'])
  }
})

test('A107 a packet filter is asked of every packet, by its link type; a flow all of whose packets fail keeps its name', async () => {
  const packet = (Index: number, first: number, LinkType = 1) => ({
    Timestamp: Index,
    Index,
    Data: Uint8Array.of(first),
    LinkType,
  })
  const flows = [
    flow('echo', { LastRawPackets: [packet(0, 8), packet(1, 0), packet(2, 8), packet(3, 0, 101)] }),
    flow('other', { LastRawPackets: [packet(0, 3)] }),
    flow('none', {}),
  ]
  const compiled: [string, number][] = []
  const engine = createGremlin({
    graph: createGraph(),
    flows: flowReader(flows),
    packetFilter(expression, linkType) {
      compiled.push([expression, linkType])
      return ({ Data }) => Data[0] === 0
    },
  })
  const { result } = await engine.query("G.Flows().RawPackets().BPF('icmp[icmptype] == 0')")
  expect(
    result.kind === 'rawpackets' && [...result.packets].map(([uuid, list]) => [uuid, list.map(({ Index }) => Index)]),
  ).toEqual([
    ['echo', [1, 3]],
    ['other', []],
  ])
  expect(compiled).toEqual([
    ['icmp[icmptype] == 0', 1],
    ['icmp[icmptype] == 0', 101],
  ])
})

test.each([
  ['by index', ['TID', 'MAC']],
  ['by a scan', []],
])('the nodes of flows in a duration are their newest revisions, found %s', async (_how, nodeIndexes) => {
  const [first, second] = [1, 2].map((revision) => ({
    kind: 'node' as const,
    id: 'n',
    metadata: { TID: 't', MAC: 'm' },
    host: 'a',
    origin: 'a',
    createdAtMs: 100_000,
    updatedAtMs: 100_000 * revision,
    deletedAtMs: null,
    revision,
  }))
  const slice = { startMs: 50_000, lastMs: 250_000 }
  const view = elementView({ nodes: [first!, second!], edges: [], version: 0, slice, nodeIndexes, edgeIndexes: [] })
  const source: GraphSource = { open: async () => view, coverage: async () => ({ complete: true }) }
  const flows = [flow('f', { NodeTID: 't', Link: { Protocol: 'ETHERNET', A: 'm', B: 'x', ID: 0 } })]
  const { result } = await createGremlin({ graph: source, flows: flowReader(flows) }).query('G.At(250, 200).Flows().Nodes()')
  expect(result.kind === 'nodes' && result.nodes.map(({ revision }) => revision)).toEqual([2, 2])
})
