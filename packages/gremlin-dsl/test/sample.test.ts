import { describe, expect, test } from '@jest/globals'
import { createGremlin, resultToJson } from '../src/index.ts'
import { flowReader, SAMPLE_FLOWS, sampleGraph } from './sample-graph.ts'

const engine = createGremlin({
  graph: sampleGraph(),
  flows: flowReader(SAMPLE_FLOWS),
  clock: { now: () => 20_000 },
  packetFilter: () => (packet) => packet.Data[0] === 1,
})

/** Answers with elements told by their ids, as the chapter writes its examples. */
async function ask(query: string): Promise<unknown> {
  const { result } = await engine.query(query)
  switch (result.kind) {
    case 'graph':
      return { nodes: result.nodes.map((node) => node.id), edges: result.edges.map((edge) => edge.id) }
    case 'nodes':
      return result.nodes.map((node) => node.id)
    case 'edges':
      return result.edges.map((edge) => edge.id)
    case 'paths':
      return result.paths.map((path) => path.map((node) => node.id))
    case 'flows':
      return result.flows.map((item) => item.flow.UUID)
    default:
      return resultToJson(result)
  }
}

describe('the examples of the chapter, on graph S and flows F', () => {
  test.each<[query: string, answer: unknown]>([
    ["G.V('eth0')", ['eth0']],
    ['G.E()', ['o1', 'o2', 'o3', 'o4', 'l1', 'l2']],
    ["G.V().Has('MTU', 1500)", ['br0', 'eth0']],
    ["G.V().Has('MTU', 1500.0)", ['br0', 'eth0']],
    ["G.V().Has('MTU', NE(1500))", ['veth1']],
    ["G.V().Has('MTU', NEE(1500))", ['h1', 'ns1', 'veth1']],
    ["G.V().Has('MTU', LT(9000))", ['br0', 'eth0']],
    ["G.V().Has('MTU', GTE(9000))", ['veth1']],
    ["G.V().Has('MTU', INSIDE(1500,9001))", ['veth1']],
    ["G.V().Has('MTU', BETWEEN(1500,9000))", ['br0', 'eth0']],
    ["G.V().Has('MTU', OUTSIDE(2000,8000))", ['br0', 'eth0', 'veth1']],
    ["G.V().Has('MTU', WITHIN(1500,9000))", ['br0', 'eth0', 'veth1']],
    ["G.V().Has('MTU', WITHIN())", []],
    ["G.V().Has('MTU', WITHOUT(1500))", ['h1', 'ns1', 'veth1']],
    ["G.V().Has('MTU', WITHOUT())", ['h1', 'br0', 'eth0', 'ns1', 'veth1']],
    ["G.V().Has('Name', REGEX('.*eth.*'))", ['eth0', 'veth1']],
    ["G.V().Has('Name', REGEX('a|eth0'))", ['eth0']],
    ["G.V().Has('IPV4', IPV4RANGE('192.168.0.0/24'))", ['eth0']],
    ["G.V().Has('MTU',1500,'State','UP')", ['eth0']],
    ["G.V().Has('State')", ['eth0', 'veth1']],
    ["G.V().Has('Features.highdma', TRUE)", ['eth0']],
    ["G.V().Has('Ports.Speed', GT(20))", ['veth1']],
    ["G.V().Has('@Host','alpha').Count()", 5],
    ["G.V().Has('@ID','eth0').Count()", 1],
    ["G.V().Has('@ID','none').Count()", 0],
    ["G.V().Has('Metadata.Type','host')", ['h1']],
    ["G.E().Has('Child','veth1')", ['o4', 'l2']],
    ["G.V().HasKey('TID')", ['br0', 'eth0', 'veth1']],
    ["G.V().HasNot('State')", ['h1', 'br0', 'ns1']],
    ["G.V().HasKey('@DeletedAt')", []],
    ["G.V().HasEither('Type','host','State','DOWN')", ['h1', 'veth1']],
    ["G.V('h1').Out()", ['br0', 'eth0', 'ns1']],
    ["G.V('h1').Out('Type','bridge')", ['br0']],
    ["G.V('eth0').In()", ['h1', 'br0']],
    ["G.V('br0').Both()", ['eth0', 'veth1', 'h1']],
    ["G.V('br0').OutE()", ['l1', 'l2']],
    ["G.V('eth0').InE('RelationType','layer2')", ['l1']],
    ["G.V('br0').BothE()", ['l1', 'l2', 'o1']],
    ["G.E('l1').OutV()", ['eth0']],
    ["G.E('l1').InV()", ['br0']],
    ["G.E('l1').BothV()", ['br0', 'eth0']],
    ['G.V().Out().Dedup()', ['br0', 'eth0', 'ns1', 'veth1']],
    ["G.V().Dedup('MTU').Count()", 4],
    ['G.V().Count()', 5],
    ["G.V().Has('Type','device').Count()", 1],
    ["G.V().Has('Type','nope').Count()", 0],
    ['G.V().Range(1,3).Count()', 2],
    ['G.V().Limit(0)', []],
    ["G.V().Limit(1).Has('Type','device')", []],
    ["G.V().Has('MTU').Sort(DESC,'MTU').Limit(1)", ['veth1']],
    ['G.V().Sort(DESC)', ['veth1', 'ns1', 'eth0', 'br0', 'h1']],
    ["G.V().Values('State')", ['UP', 'DOWN']],
    ["G.V('eth0').Values('IPV4')", [['10.0.0.1/24', '192.168.0.34/24']]],
    ["G.V('veth1').Values('Ports.Name')", [['p1', 'p2']]],
    ["G.V('veth1').Values('Nope')", null],
    ["G.V('eth0').ValueMap('Name','MTU','Nope')", [{ Name: 'eth0', MTU: 1500 }]],
    [
      "G.V('ns1').Keys()",
      ['@ID', '@Host', '@Origin', '@CreatedAt', '@UpdatedAt', '@DeletedAt', '@Revision', 'Type', 'Name', 'Manager'],
    ],
    ["G.V().Sum('MTU')", 12000],
    ["G.V('h1').ShortestPathTo(Metadata('Name','veth1'), Metadata('RelationType','ownership'))", [['h1', 'ns1', 'veth1']]],
    ["G.V('eth0').ShortestPathTo(Metadata('Name','veth1'), Metadata('RelationType','layer2'))", [['eth0', 'br0', 'veth1']]],
    ["G.V().Has('Type', Within('bridge','device')).SubGraph()", { nodes: ['br0', 'eth0'], edges: ['l1'] }],
    ["G.E().Has('RelationType','layer2').SubGraph().V().Count()", 3],
    ["G.V('eth0').As('a').G.V('veth1').As('b').Select('a','b')", ['eth0', 'veth1']],
    ["G.V('h1').Descendants()", ['h1', 'br0', 'eth0', 'ns1']],
    ["G.V('h1').Descendants(2)", ['h1', 'br0', 'eth0', 'ns1', 'veth1']],
    ["G.V('h1').Descendants(0).Count()", 5],
    ["G.V('br0').Descendants('RelationType','layer2')", ['br0', 'eth0', 'veth1']],
    ["G.V('veth1').Ascendants(2)", ['veth1', 'ns1', 'h1']],
    ["G.V('eth0').Neighbors()", ['eth0', 'h1']],
    ["G.V('eth0').Neighbors('RelationType','layer2',2)", ['eth0', 'br0', 'veth1']],
    ["G.V('eth0').Neighbors(0)", ['eth0']],
    ['G.Flows().Count()', 3],
    ["G.Flows().Has('Network','10.0.0.1').Count()", 3],
    ["G.Flows('Application','TCP')", ['f3']],
    ["G.Flows().Has('ICMP.ID',222)", ['f1', 'f2']],
    ["G.Flows().Has('ICMP.Code',0)", ['f1', 'f2']],
    ["G.Flows().HasEither('Application','TCP','NodeTID','tid-veth1')", ['f2', 'f3']],
    ["G.V('eth0').Flows()", ['f1', 'f3']],
    ["G.V('h1').Flows()", []],
    ["G.V('eth0').ShortestPathTo(Metadata('Name','veth1'),Metadata('RelationType','layer2')).Flows()", ['f1', 'f2', 'f3']],
    ['G.Flows().Sort()', ['f1', 'f2', 'f3']],
    ["G.Flows().Sort(DESC,'Start').Limit(1)", ['f3']],
    ["G.Flows().Limit(1).Has('Application','TCP')", []],
    ['G.Flows().Limit(2).Limit(1)', ['f1']],
    ['G.Flows().Dedup().Count()', 2],
    ["G.Flows().Dedup('NodeTID').Count()", 2],
    ["G.Flows().Dedup('NodeTID','TrackingID').Count()", 3],
    ["G.Flows().Values('Application')", ['ICMPv4', 'ICMPv4', 'TCP']],
    ["G.Flows().Values('Transport.B')", [80]],
    ["G.Flows().Sum('Metric.ABPackets')", 16],
    ['G.Flows().Sort().Hops()', ['eth0', 'veth1', 'eth0']],
    ["G.Flows().CaptureNode().Dedup('Name').Count()", 2],
    ['G.Flows().Nodes().Dedup()', ['eth0', 'veth1']],
    ['G.Flows().In().Dedup()', ['eth0']],
    ["G.Flows().Nodes().Has('Type','veth').Has('MTU',9000).Dedup()", ['veth1']],
    ['G.Flows().Out().Count()', 3],
    ['G.Flows().RawPackets()', [{ f1: [{ Timestamp: 10000, Index: 0, Data: 'AQID/w==', LinkType: 1 }] }]],
    ["G.Flows().RawPackets().BPF('icmp')", [{ f1: [{ Timestamp: 10000, Index: 0, Data: 'AQID/w==', LinkType: 1 }] }]],
    ["G.V().Sockets().Values('Name')", ['nginx']],
    ["G.V().Sockets().Has('LocalPort',80).Values('Pid')", [42]],
    ["G.V().Sockets().Has('LocalPort',81)", []],
    ["G.Flows().Sockets().Values('Process')", ['/usr/sbin/nginx']],
    ['G.V().Metrics().Count()', 2],
    [
      "G.V('eth0').Metrics()",
      [{ eth0: [{ RxBytes: 1000, RxPackets: 10, TxBytes: 500, TxPackets: 5, Start: 10000, Last: 20000 }] }],
    ],
    ["G.V().Metrics().Sum('RxBytes')", 1300],
    ['G.V().Metrics().Sum()', { RxBytes: 1300, RxPackets: 13, TxBytes: 1200, TxPackets: 12, Start: 10000, Last: 20000 }],
    [
      'G.V().Metrics().Aggregates(10)',
      [{ Aggregated: [{ RxBytes: 1300, RxPackets: 13, TxBytes: 1200, TxPackets: 12, Start: 10000, Last: 20000 }] }],
    ],
    ["G.V('h1').Metrics().Sum()", null],
    ["G.V('h1').Metrics().Aggregates(10)", [{ Aggregated: [] }]],
    ["G.Flows().Metrics().Sum('ABBytes')", 2588],
    ["g.v().HAS('Name', ipv4range('10.0.0.0/8'))", []],
    ["G.V()\r\n\t.Has( 'Name' 'br0' ,, )", ['br0']],
    ["G.V().Values('State').Dedup().Limit(1)", ['UP']],
    ["G.V().ValueMap('Name','MTU').Has('MTU',9000)", [{ Name: 'veth1', MTU: 9000 }]],
    ["G.E().Values('RelationType').Dedup()", ['ownership', 'layer2']],
    ["G.V('h1').ShortestPathTo(Metadata('Name','veth1')).Count()", 1],
    ["G.V('h1').ShortestPathTo(Metadata('Name',Regex('veth.*'))).Dedup().Count()", 3],
  ])('%s', async (query, answer) => {
    expect(await ask(query)).toEqual(answer)
  })

  test('G', async () => {
    expect(await ask('G')).toEqual({
      nodes: ['h1', 'br0', 'eth0', 'ns1', 'veth1'],
      edges: ['o1', 'o2', 'o3', 'o4', 'l1', 'l2'],
    })
  })
})
