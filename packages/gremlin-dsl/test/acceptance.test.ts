import { describe, expect, test } from '@jest/globals'
import type { Flow, Metadata } from '@skydive/contracts'
import { createGraph, type Graph } from '@skydive/graph'
import { createGremlin, GremlinError, resultToJson } from '../src/index.ts'
import { flowReader } from './sample-graph.ts'

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
  test.each<[item: string, query: string, size: unknown]>([
    ['A40', "G.V().Has('Value',1)", 1],
    ['A40', "G.V().Has('Type','intf')", 2],
    ['A40', "G.V().Has('Type')", 2],
    ['A42', "G.V().HasEither('Type','intf','Name','Node4')", 3],
    ['A42', "G.V().HasEither('Bytes',1024,'Bytes',2024)", 2],
    ['A43', "G.V().Has('List','111')", 1],
    ['A43', "G.V().Has('Indexes',6)", 1],
    ['A44', "G.V().Has('Value',1).Out().Has('Value',2).OutE().Has('Direction','Left').OutV().Out()", 1],
    ['A45', "G.V().Has('Value',3).BothE()", 3],
    ['A46', "G.V().Has('Value',1).Out().Has('Value',4)", 1],
    ['A46', "G.V().Has('Value',1).Out().Has('Name','Node4')", 1],
    ['A47', "G.V().Has('Value',1).OutE().Has('Mode','Slow').OutV()", 0],
    ['A47', "G.V().Has('Value',1).OutE().Has('Mode','Direct').OutV()", 1],
    ['A48', 'G.V().Keys()', 17],
    ['A49', "G.V().Values('Type')", 2],
    ['A49', "G.V().Values('Map')", 1],
    ['A50', "G.V().Sum('Bytes')", 7072],
    ['A51', "G.V().Has('Value',Within(1,2,4))", 3],
    ['A51', "G.V().Has('Value',Within(1.0,2,4))", 3],
    ['A51', "G.V().Has('Value',Without(1,3))", 2],
    ['A52', "G.V().Has('Value',Lt(3))", 2],
    ['A52', "G.V().Has('Value',Gt(3))", 1],
    ['A52', "G.V().Has('Value',Lte(3))", 3],
    ['A52', "G.V().Has('Value',Gte(3))", 2],
    ['A53', "G.V().Has('Value',Inside(1,4))", 2],
    ['A53', "G.V().Has('Value',Between(1,4))", 3],
    ['A54', "G.V().Has('Value',NE(1))", 3],
    ['A54', "G.V().Has('MTU',NE(1200))", 1],
    ['A54', "G.V().Has('MTU',NE(''))", 1],
    ['A54', "G.V().Has('MTU',NE(1500))", 0],
    ['A54', "G.V().Has('Nope',NE(1))", 0],
    ['A55', "G.V().Has('Value',NEE(1))", 3],
    ['A55', "G.V().Has('MTU',NEE(1200))", 4],
    ['A55', "G.V().Has('MTU',NEE(''))", 4],
    ['A55', "G.V().Has('MTU',NEE(1500))", 3],
    ['A55', "G.V().Has('Nope',NEE(1))", 4],
    ['A56', "G.V().HasKey('Name')", 1],
    ['A56', "G.V().HasKey('Unknown')", 0],
    ['A56', "G.V().HasKey('List')", 1],
    ['A56', "G.V().HasNot('Name')", 3],
    ['A57', "G.V().Has('Name',Regex('.*ode.*'))", 1],
    ['A57', "G.V().Has('Name',Regex('ode5'))", 0],
    ['A58', "G.V().Has('IPV4',Ipv4Range('192.168.0.0/24'))", 1],
    ['A58', "G.V().Has('IPV4',Ipv4Range('192.168.0.0/16'))", 2],
    ['A58', "G.V().Has('IPV4',Ipv4Range('192.168.0.0/26'))", 1],
    ['A58', "G.V().Has('IPV4',Ipv4Range('192.168.0.77/26'))", 0],
    ['A58', "G.V().Has('IPV4',Ipv4Range('192.168.2.0/24'))", 0],
    ['A58', "G.V().Has('IPV4',Ipv4Range('10.0.0.0/24'))", 1],
    ['A60', "G.V().Has('Value',2).Both()", 2],
    ['A61', 'G.V().Count()', 4],
    ['A62', "G.V().Has('Value',1).ShortestPathTo(Metadata('Value',3))", 1],
    ['A62', "G.V().Has('Value',Within(1,2)).ShortestPathTo(Metadata('Value',3))", 2],
    ['A63', "G.V().Has('Value',2).ShortestPathTo(Metadata('Value',4)).SubGraph().V()", 3],
    ['A64', "G.E().Has('Name','e3').BothV()", 2],
    ['A65', "G.E().Has('Direction','Left').SubGraph().V()", 3],
    ['A65', "G.E().Has('Direction','Left').SubGraph().E()", 2],
    ['A66', "G.V().Has('Type','intf').SubGraph().V()", 2],
    ['A66', "G.V().Has('Type','intf').SubGraph().E()", 1],
    ['A67', "G.V().SubGraph('Name',Without('e2','e3','e4','e5')).E()", 1],
    ['A68', "G.V().Out().Has('Value',4)", 2],
    ['A68', "G.V().Out().Has('Value',4).Dedup()", 1],
    ['A69', "G.E().Dedup('Direction')", 4],
    ['A69', "G.V().Dedup('Type')", 3],
    ['A70', "G.V('n1')", 1],
    ['A71', "G.V().Has('Value',NE(1)).Limit(1)", 1],
    ['A71', "G.V().HasNot('Name').Limit(1)", 1],
    ['A71', "G.V().HasKey('Name').Limit(1)", 1],
    ['A71', 'G.V().Out().Limit(1)', 1],
    ['A71', 'G.V().In().Limit(1)', 1],
    ['A71', 'G.V().Both().Limit(1)', 1],
    ['A71', 'G.V().Dedup().Limit(1)', 1],
    ['A71', 'G.V().OutE().Limit(1)', 1],
    ['A71', 'G.V().InE().Limit(1)', 1],
    ['A71', 'G.V().BothE().Limit(1)', 1],
    ['A71', 'G.V().BothE().InV().Limit(1)', 1],
    ['A71', 'G.V().BothE().OutV().Limit(1)', 1],
    ['A73', "g.v().HAS('Value', Ne(1)).coUNT()", 3],
    ['A110', "G.V('n4').InE().Has('Name','e4').InV()", 1],
  ])('%s %s', async (_item, query, expected) => {
    const got = await size(graph, query)
    expect(got ?? 0).toBe(expected)
  })

  test('A41 odd arguments are refused', async () => {
    await expect(size(graph, "G.V().Has('Type','intf','x')")).rejects.toMatchObject({ code: 'ERR_GREMLIN_ARGUMENT' })
  })

  test('A62 along edges of one direction the way is longer', async () => {
    const query = "G.V().Has('Value',1).ShortestPathTo(Metadata('Value',3), Metadata('Direction','Left'))"
    const { result } = await createGremlin({ graph }).query(query)
    expect(result.kind === 'paths' && result.paths.map((path) => path.map((node) => node.id))).toEqual([['n1', 'n2', 'n3']])
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

describe('traversal of flows', () => {
  const icmp = (id: number): Partial<Flow> => ({ NodeTID: 'node1', ICMP: { Type: 'ECHO', ID: id } })
  const two = [flow('a', icmp(222)), flow('b', { ...icmp(444), NodeTID: 'node1' })]
  const graph = createGraph()
  graph.writer({ origin: 'a', host: 'a' }).transaction((tx) => {
    for (const tid of ['123', '456', '789']) tx.addNode({ id: tid, metadata: { TID: tid, MAC: tid, PeerIntfMAC: `p${tid}` } })
  })
  const link = (a: string, b: string): Partial<Flow> => ({ Link: { Protocol: 'ETHERNET', A: a, B: b, ID: 0 } })
  const linked = [flow('a', link('123', 'p456')), flow('b', link('456', '789')), flow('c', link('123', 'p789'))]
  const captured = [flow('a', { NodeTID: '123' }), flow('b', { NodeTID: '456' })]
  test.each<[item: string, query: string, flows: readonly Flow[], size: number]>([
    ['A74', "G.Flows().Has('ICMP.ID',222)", two, 1],
    ['A74', "G.Flows().Has('ICMP.ID',NE(555))", two, 2],
    ['A74', "G.Flows().Has('ICMP.ID',NE(555)).Limit(1)", two, 1],
    ['A75', "G.Flows().HasEither('ICMP.ID',222,'ICMP.ID',444)", two, 2],
    ['A76', "G.Flows().Has('NodeTID','node1')", two, 2],
    ['A76', "G.Flows().Has('NodeTID','node1').Has('ICMP.ID',222)", two, 1],
    ['A76', "G.Flows().HasEither('NodeTID','node1','ICMP.ID',444).Has('ICMP.ID',222)", two, 1],
    ['A77', 'G.Flows()', two, 2],
    ['A77', 'G.Flows().Limit(1)', two, 1],
    ['A78', "G.Flows().Dedup('ICMP.ID')", [flow('a', icmp(1)), flow('b', icmp(1))], 1],
    ['A78', "G.Flows().Dedup('UUID').Limit(1)", two, 1],
    ['A79', 'G.Flows().CaptureNode()', captured, 2],
    ['A79', 'G.Flows().CaptureNode().Limit(1)', captured, 1],
    ['A79', `G.Flows().Has('NodeTID',"456")`, captured, 1],
    ['A80', 'G.Flows().In()', linked, 3],
    ['A80', 'G.Flows().In().Limit(1)', linked, 1],
    ['A81', 'G.Flows().Out()', linked, 3],
    ['A81', 'G.Flows().Out().Limit(1)', linked, 1],
    ['A81', 'G.Flows().Both().Limit(3)', linked, 3],
  ])('%s %s', async (_item, query, flows, expected) => {
    expect(await size(graph, query, flows)).toBe(expected)
  })
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
    [
      "G.V().Has('a',Ipv4Range('::1/64'))",
      'ERR_GREMLIN_ARGUMENT',
      'invalid CIDR address: ::1/64; write an IPv4 network such as 10.0.0.0/24',
    ],
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
    ['G.Flows().Group()', 'ERR_GREMLIN_UNSUPPORTED', 'Group is not available in this version'],
    ["G.V().NextHop('8.8.8.8')", 'ERR_GREMLIN_UNSUPPORTED', 'NextHop is not available in this version'],
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
