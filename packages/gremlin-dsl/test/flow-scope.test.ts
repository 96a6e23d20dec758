import { expect, test } from '@jest/globals'
import type { FlowQuery } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import { createGremlin } from '../src/index.ts'
import { flowReader } from './flow-reader.ts'

/** The types of spec flows 3.2. */
const CAPTURABLE = [
  ...[
    'ovsbridge',
    'ovsport',
    'dpdkport',
    'internal',
    'veth',
    'tun',
    'bridge',
    'dummy',
    'gre',
    'bond',
    'can',
    'hsr',
    'ifb',
    'macvlan',
  ],
  ...[
    'macvtap',
    'vlan',
    'vxlan',
    'gretap',
    'ip6gretap',
    'geneve',
    'ipoib',
    'vcan',
    'ipip',
    'ipvlan',
    'lowpan',
    'ip6tnl',
    'ip6gre',
  ],
  ...['sit', 'device'],
]

/** A graph with a node of each type on a host of its own, and the queries that its reader of flows was asked. */
function engine(types: readonly string[], withTid = true) {
  const graph = createGraph()
  for (const type of types) {
    const metadata = { Name: type, Type: type, ...(withTid && { TID: `tid-${type}` }) }
    graph.writer({ origin: `agent.${type}`, host: `h-${type}` }).transaction((tx) => tx.addNode({ id: type, metadata }))
  }
  const asked: FlowQuery[] = []
  return { asked, gremlin: createGremlin({ graph, flows: flowReader([], asked) }) }
}

test.each(CAPTURABLE)('flows of a node of type %s are asked of its host', async (type) => {
  const { asked, gremlin } = engine([type, 'host'])
  await gremlin.query('G.V().Flows()')
  expect(asked).toEqual([{ nodeTids: [`tid-${type}`], hosts: [`h-${type}`] }])
})

test.each([
  ['of a type without captures', ['host', 'netns', 'container'], true],
  ['without a TID', ['veth'], false],
  ['there are none', [], true],
])('of nodes %s nobody is asked', async (_title, types, withTid) => {
  const { asked, gremlin } = engine(types, withTid)
  for (const query of ['G.V().Flows()', 'G.V().Flows().Metrics()', 'G.V().Flows().RawPackets()', 'G.V().Flows().Count()']) {
    await gremlin.query(query)
  }
  expect(asked).toEqual([])
})
