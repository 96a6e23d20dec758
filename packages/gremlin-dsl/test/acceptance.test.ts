import { describe, expect, test } from '@jest/globals'
import type { Flow, Metadata } from '@skydive/contracts'
import { createGraph, type Graph } from '@skydive/graph'
import { createGremlin, GremlinError, resultToJson } from '../src/index.ts'
import { flowReader } from './flow-reader.ts'

/** Graph T of the acceptance list (spec graph 5). */
function graphT(): Graph {
  const graph = createGraph({ epoch: 't' })
  const nodes: readonly (readonly [string, Metadata])[] = [
    ['n1', { Value: 1, Type: 'intf', Bytes: 1024, List: ['111', '222'], Map: { a: 1 } }],
    ['n2', { Value: 2, Type: 'intf', Bytes: 2024, IPV4: ['10.0.0.1', '10.0.1.2'] }],
    ['n3', { Value: 3, IPV4: '192.168.0.34/24', Map: {}, MTU: 1500 }],
    ['n4', { Value: 4, Name: 'Node4', Bytes: 4024, IPV4: '192.168.1.34', Indexes: [5, 6] }],
  ]
  const edges: readonly (readonly [string, string, string, Metadata])[] = [
    ['e1', 'n1', 'n2', { Direction: 'Left', Name: 'e1' }],
    ['e2', 'n2', 'n3', { Direction: 'Left', Name: 'e2' }],
    ['e3', 'n3', 'n4', { Name: 'e3' }],
    ['e4', 'n1', 'n4', { Name: 'e4' }],
    ['e5', 'n1', 'n3', { Mode: 'Direct', Name: 'e5' }],
  ]
  graph.writer({ origin: 'agent.alpha', host: 'alpha' }).transaction((tx) => {
    for (const [id, metadata] of nodes) tx.addNode({ id, metadata })
    for (const [id, parent, child, metadata] of edges) tx.addEdge({ id, parent, child, metadata })
  })
  return graph
}

function flow(uuid: string, rest: Partial<Flow>): Flow {
  return { UUID: uuid, Start: 0, Last: 1, ParentUUID: '', RawPacketsCaptured: 0, TrackingID: uuid, ...rest }
}

async function size(graph: Graph, query: string, flows: readonly Flow[] = []): Promise<unknown> {
  const { result } = await createGremlin({ graph, flows: flowReader(flows) }).query(query)
  const json = resultToJson(result)
  return Array.isArray(json) ? json.length : json
}

describe('traversal of graph T', () => {
  const graph = graphT()
  test('A41 odd arguments are refused', async () => {
    await expect(size(graph, "G.V().Has('Type','intf','x')")).rejects.toMatchObject({ code: 'ERR_GREMLIN_ARGUMENT' })
  })

  test('A72 Dedup by several keys', async () => {
    const four = createGraph()
    four.writer({ origin: 'a', host: 'a' }).transaction((tx) => {
      tx.addNode({ id: '1', metadata: { Name: 'aaa', Type: 'intf', Value: 1 } })
      tx.addNode({ id: '2', metadata: { Name: 'bbb', Type: 'intf', Value: 1 } })
      tx.addNode({ id: '3', metadata: { Name: 'aaa', Type: 'veth' } })
      tx.addNode({ id: '4', metadata: { Name: 'aaa', Type: 'intf' } })
    })
    const counts = ["'Name'", "'Name','Type'", "'Value'", "'Misc','Value'"].map((keys) => size(four, `G.V().Dedup(${keys})`))
    expect(await Promise.all(counts)).toEqual([2, 3, 3, 3])
  })
})

test('A68 Dedup passes each row once, also where there are hundreds and the first of them come again', async () => {
  const graph = createGraph()
  graph.writer({ origin: 'a', host: 'a' }).transaction((tx) => {
    for (const id of ['h', 'i']) tx.addNode({ id, metadata: { Type: 'host' } })
    for (let i = 0; i < 300; i++) {
      tx.addNode({ id: `n${i}`, metadata: { Rank: i % 150 } })
      for (const parent of ['h', 'i']) tx.addEdge({ id: `${parent}${i}`, parent, child: `n${i}`, metadata: {} })
    }
  })
  for (const [query, count] of [
    ["G.V().Has('Type','host').Out().Count()", 600],
    ["G.V().Has('Type','host').Out().Dedup().Count()", 300],
    ["G.V().Has('Type','host').Out().Dedup('Rank').Count()", 150],
    ["G.V().Has('Type','host').OutE().OutV().InE().Dedup().Count()", 600],
  ] as const) {
    expect([query, await size(graph, query)]).toEqual([query, count])
  }
})

test.each([
  ["A93 G.V('a').Neighbors()", 2],
  ["A93 G.V('a').Neighbors(2)", 3],
  ["A93 G.V('a').Neighbors('RelationType','layer2')", 2],
  ["A93 G.V('a').Neighbors('RelationType','layer2','RelationType','ownership',2)", 4],
])('%s', async (title, count) => {
  const graph = createGraph()
  graph.writer({ origin: 'a', host: 'a' }).transaction((tx) => {
    for (const id of ['a', 'b', 'c', 'd']) tx.addNode({ id, metadata: {} })
    tx.addEdge({ parent: 'a', child: 'b', metadata: { RelationType: 'ownership' } })
    tx.addEdge({ parent: 'b', child: 'c', metadata: { RelationType: 'ownership' } })
    tx.addEdge({ parent: 'd', child: 'a', metadata: { RelationType: 'layer2' } })
  })
  expect(await size(graph, title.slice('A93 '.length))).toBe(count)
})

test('A95 a socket that two nodes have is found at both', async () => {
  const socket = (Name: string) => ({
    Name,
    Protocol: 'TCP',
    LocalAddress: '10.0.0.2',
    LocalPort: 80,
    RemoteAddress: '10.0.0.1',
    RemotePort: 40_000,
    State: 'ESTABLISHED',
  })
  const graph = createGraph()
  const writer = graph.writer({ origin: 'a', host: 'a' })
  writer.transaction((tx) => tx.addNode({ id: 'one', metadata: { Sockets: [socket('one')] } }))
  const flows = [
    flow('f', {
      Network: { Protocol: 'IPV4', A: '10.0.0.1', B: '10.0.0.2', ID: 0 },
      Transport: { Protocol: 'TCP', A: 40_000, B: 80, ID: 0 },
    }),
  ]
  const names = async () => {
    const { result } = await createGremlin({ graph, flows: flowReader(flows) }).query("G.Flows().Sockets().Values('Name')")
    return resultToJson(result)
  }
  expect(await names()).toEqual(['one'])
  writer.transaction((tx) => tx.addNode({ id: 'other', metadata: { Sockets: [socket('other')] } }))
  expect(await names()).toEqual(['one', 'other'])
})

test('A82 groups by tracking id, and those of more than one flow', async () => {
  const flows = ['123', '123', '456', '789'].map((id, i) => flow(`t${i}`, { TrackingID: id }))
  const sizes = async (query: string): Promise<unknown> => {
    const { result } = await createGremlin({ graph: createGraph(), flows: flowReader(flows) }).query(query)
    return result.kind === 'groups' && [...result.groups].map(([name, group]) => [name, group.length])
  }
  expect(await sizes('G.Flows().Group()')).toEqual([
    ['123', 2],
    ['456', 1],
    ['789', 1],
  ])
  expect(await sizes('G.Flows().Group().MoreThan(1)')).toEqual([['123', 2]])
})

test('A99 aggregates in a duration come by their start, under one name, and their sum is that of the records in it', async () => {
  const clock = { ms: 1_000_000, now: () => clock.ms }
  const graph = createGraph({ clock, retention: { ageMs: Number.POSITIVE_INFINITY } })
  const writer = graph.writer({ origin: 'a', host: 'a' })
  const metric = (RxBytes: number, Start: number) => ({ LastUpdateMetric: { RxBytes, Start, Last: Start + 10_000 } })
  writer.transaction((tx) => {
    for (const id of ['a', 'b']) tx.addNode({ id, metadata: metric(1, 990_000) })
  })
  for (const [id, bytes] of [
    ['b', 100],
    ['a', 30],
    ['a', 7],
  ] as const) {
    clock.ms += 10_000
    writer.transaction((tx) => tx.patchNode(id, metric(bytes, clock.ms - 10_000)))
  }
  const ask = async (query: string) => resultToJson((await createGremlin({ graph, clock }).query(query)).result)
  expect(await ask('G.Context(1030, 30).V().Metrics().Aggregates(10)')).toEqual([
    {
      Aggregated: [
        { RxBytes: 100, Start: 1_000_000, Last: 1_010_000 },
        { RxBytes: 30, Start: 1_010_000, Last: 1_020_000 },
        { RxBytes: 7, Start: 1_020_000, Last: 1_030_000 },
      ],
    },
  ])
  expect(await ask('G.Context(1030, 30).V().Metrics().Aggregates(10).Sum()')).toEqual({
    RxBytes: 137,
    Start: 1_000_000,
    Last: 1_030_000,
  })
  expect(await ask("G.Context(1030, 30).V().Metrics().Aggregates(10).Sum('RxBytes')")).toBe(137)
})

describe('errors of execution', () => {
  const engine = createGremlin({ graph: graphT(), flows: flowReader([]) })
  test.each<[query: string, code: string, summary: string]>([
    ["G.V('x')", 'ERR_GREMLIN_EXECUTION', "Node 'x' does not exist"],
    ["G.E('x')", 'ERR_GREMLIN_EXECUTION', "Edge 'x' does not exist"],
    ['G.V(1)', 'ERR_GREMLIN_ARGUMENT', 'V parameter must be a string : [1]'],
    ["G.V('a','b')", 'ERR_GREMLIN_ARGUMENT', 'V accepts at most one parameter : [a b]'],
    ['G.V().Has()', 'ERR_GREMLIN_ARGUMENT', 'At least one parameter must be provided'],
    ['G.V().Has(1)', 'ERR_GREMLIN_ARGUMENT', 'Key must be a string'],
    ['G.V().Has(1,2)', 'ERR_GREMLIN_ARGUMENT', 'keys should be of string type'],
    ["G.V().Has('a','b','c')", 'ERR_GREMLIN_ARGUMENT', 'params should be a list of key,value'],
    ['G.V().HasKey()', 'ERR_GREMLIN_ARGUMENT', 'HasKey accepts only one parameter of type string : []'],
    ["G.V().Count('a')", 'ERR_GREMLIN_ARGUMENT', 'Count accepts no parameter : [a]'],
    ['G.V().Limit()', 'ERR_GREMLIN_ARGUMENT', 'Limit requires 1 parameter : []'],
    ["G.V().Range(0,'b')", 'ERR_GREMLIN_ARGUMENT', 'b is not an integer'],
    ['G.V().Dedup(1)', 'ERR_GREMLIN_ARGUMENT', 'Dedup parameters have to be string keys : [1]'],
    ['G.V().Sort(1)', 'ERR_GREMLIN_ARGUMENT', 'Sort parameter has to be a string key'],
    ["G.V().Sort('a','b')", 'ERR_GREMLIN_ARGUMENT', 'Use ASC or DESC predicate'],
    ['G.V().Sum()', 'ERR_GREMLIN_ARGUMENT', 'Sum requires 1 parameter : []'],
    ["G.V().Select('a')", 'ERR_GREMLIN_ARGUMENT', "Key a not registered. Need to be registered using 'As' step"],
    ["G.V().Has('a',LT('x'))", 'ERR_GREMLIN_ARGUMENT', 'LT values should be of int64 type'],
    ["G.V().Has('a',Ipv4Range('::1/64'))", 'ERR_GREMLIN_ARGUMENT', 'invalid CIDR address: ::1/64; write it as 10.0.0.0/24'],
    [
      "G.V().Descendants('a')",
      'ERR_GREMLIN_ARGUMENT',
      'Descendants last argument must be the maximum depth specified as an integer',
    ],
    ['G.V().ShortestPathTo()', 'ERR_GREMLIN_ARGUMENT', 'ShortestPathTo predicate accepts only 1 or 2 parameters : []'],
    ["G.Flows('a')", 'ERR_GREMLIN_ARGUMENT', 'slice must be defined by pair k,v: [a]'],
    ["G.Flows().Has('a')", 'ERR_GREMLIN_ARGUMENT', 'At least two parameters must be provided'],
    ["G.V().Metrics('x')", 'ERR_GREMLIN_ARGUMENT', 'Metric field unknown : [x]'],
    ['G.V().Metrics().Aggregates(0)', 'ERR_GREMLIN_ARGUMENT', 'Aggregates parameter has to be a positive number'],
    ['G.Context()', 'ERR_GREMLIN_ARGUMENT', "At least one parameter must be provided to 'Context'"],
    ["G.At('now')", 'ERR_GREMLIN_ARGUMENT', 'Time must be in RFC1123 or in Go Duration format'],
    ['G.At(TRUE)', 'ERR_GREMLIN_ARGUMENT', "Key 'Context' must be either an integer or a string"],
    ['G.Count()', 'ERR_GREMLIN_STEP', "Invalid step 'Count' on '*traversal.GraphTraversal'"],
    ['G.V().V()', 'ERR_GREMLIN_STEP', 'Error while executing the query'],
    ["G.Flows().Group('a','b')", 'ERR_GREMLIN_ARGUMENT', 'Group accepts at most one parameter : [a b]'],
    ['G.Flows().Group(1)', 'ERR_GREMLIN_ARGUMENT', 'Group parameter has to be a string key'],
    ["G.Flows().Group().MoreThan('a')", 'ERR_GREMLIN_ARGUMENT', 'a is not an integer'],
    ['G.Flows().Group().MoreThan(1,2)', 'ERR_GREMLIN_ARGUMENT', 'MoreThan accepts at most one parameter : [1 2]'],
    ['G.Flows().Group().Count()', 'ERR_GREMLIN_STEP', "Invalid step 'Count' on '*traversal.GroupTraversalStep'"],
    ['G.V().NextHop()', 'ERR_GREMLIN_ARGUMENT', 'NextHop accepts one parameter : []'],
    ['G.V().NextHop(8)', 'ERR_GREMLIN_ARGUMENT', 'NextHop parameter have to be a string'],
    ["G.V().NextHop('host')", 'ERR_GREMLIN_ARGUMENT', 'NextHop parameter have to be a valid IP address : host'],
    ["G.V().NextHop('8.8.8.8/8')", 'ERR_GREMLIN_ARGUMENT', 'NextHop parameter have to be a valid IP address : 8.8.8.8/8'],
    ['G.Workflow()', 'ERR_GREMLIN_ARGUMENT', 'Workflow requires at least 1 parameter'],
    ['G.Workflow(1)', 'ERR_GREMLIN_ARGUMENT', 'Workflow accepts a workflow id or name as first parameter'],
    ["G.Workflow('a', NE(1))", 'ERR_GREMLIN_ARGUMENT', 'Workflow arguments have to be strings, numbers or booleans'],
    ["G.Workflow('a')", 'ERR_GREMLIN_UNSUPPORTED', 'Workflow is not available here: nobody runs workflows'],
    ["G.V().Has('a',Ipv6Range(1))", 'ERR_GREMLIN_ARGUMENT', 'Ipv6Range value has to be a string'],
    [
      "G.V().Has('a',Ipv6Range('10.0.0.0/8'))",
      'ERR_GREMLIN_ARGUMENT',
      'invalid CIDR address: 10.0.0.0/8; write it as 2001:db8::/32',
    ],
    [
      "G.V().Has('a', Regex('('))",
      'ERR_GREMLIN_ARGUMENT',
      expect.stringContaining('regular expression "^($" can\'t be compiled') as unknown as string,
    ],
  ])('%s', async (query, code, summary) => {
    const error = await engine.query(query).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    expect(error).toBeInstanceOf(GremlinError)
    expect({ code: (error as GremlinError).code, summary: (error as GremlinError).summary }).toEqual({ code, summary })
  })
})
