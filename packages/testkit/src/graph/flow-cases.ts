import type { Flow } from '@skydive/contracts'

function flow(uuid: string, rest: Partial<Flow>): Flow {
  return { UUID: uuid, Start: 10_000, Last: 11_000, ParentUUID: '', RawPacketsCaptured: 0, TrackingID: uuid, ...rest }
}

const icmp = (id: number): Partial<Flow> => ({ NodeTID: 'node1', ICMP: { Type: 'ECHO', ID: id } })
const link = (a: string, b: string): Partial<Flow> => ({ Link: { Protocol: 'ETHERNET', A: a, B: b, ID: 0 } })
const tcp = (a: string, from: number, b: string, to: number): Partial<Flow> => ({
  Network: { Protocol: 'IPV4', A: a, B: b, ID: 0 },
  Transport: { Protocol: 'TCP', A: from, B: to, ID: 0 },
})

const TWO = [flow('a', icmp(222)), flow('b', icmp(444))]
const SAME = [flow('a', icmp(1)), flow('b', icmp(1))]
const CAPTURED = [flow('a', { NodeTID: '123' }), flow('b', { NodeTID: '456' })]
const LINKED = [flow('a', link('123', 'p456')), flow('b', link('456', '789')), flow('c', link('123', 'p789'))]
/** One end of each is a node, by its own address or by that of its peer. */
const MIXED = [flow('a', link('123', 'x')), flow('b', link('x', '456')), flow('c', link('p789', 'x'))]
const BETWEEN = [
  flow('a', { NodeTID: '123', TrackingID: 't', ...link('456', '789') }),
  flow('b', { NodeTID: '456', ...link('x', 'x') }),
]
const BOTH_WAYS = [flow('a', tcp('10.0.0.1', 40_000, '10.0.0.2', 80)), flow('b', tcp('10.0.0.2', 80, '10.0.0.3', 50_000))]
const TRACKED = ['123', '123', '456', '789'].map((id, i) => flow(`t${i}`, { TrackingID: id, Start: 10_000 + i }))

/** Three runs of ping, each captured at two places. */
const PINGS = [3, 4, 3].flatMap((packets, run) =>
  ['in', 'out'].map((place) =>
    flow(`${run}${place}`, {
      TrackingID: `ping${run}`,
      Metric: { ABPackets: packets, ABBytes: 98 * packets, BAPackets: 0, BABytes: 0, Start: 10_000, Last: 11_000 },
    }),
  ),
)

/** Nodes that the flows below belong to, by their TID. */
export const FLOW_NODES: readonly string[] = ['123', '456', '789']

/** Items of the acceptance list on flows (spec graph 5): a query, the flows that there are, and the answer by ids. */
export const FLOW_CASES: readonly (readonly [item: string, query: string, flows: readonly Flow[], answer: unknown])[] = [
  ['A74', "G.Flows().Has('ICMP.ID',222)", TWO, ['a']],
  ['A74', "G.Flows().Has('ICMP.ID',NE(555))", TWO, ['a', 'b']],
  ['A74', "G.Flows().Has('ICMP.ID',NE(222))", TWO, ['b']],
  ['A75', "G.Flows().HasEither('ICMP.ID',222,'ICMP.ID',444)", TWO, ['a', 'b']],
  ['A75', "G.Flows().HasEither('ICMP.ID',555,'ICMP.ID',444)", TWO, ['b']],
  ['A76', "G.Flows().Has('NodeTID','node1')", TWO, ['a', 'b']],
  ['A76', "G.Flows().Has('NodeTID','node1').Has('ICMP.ID',222)", TWO, ['a']],
  ['A76', "G.Flows().HasEither('NodeTID','node1','ICMP.ID',444).Has('ICMP.ID',222)", TWO, ['a']],
  ['A77', 'G.Flows()', TWO, ['a', 'b']],
  ['A79', 'G.Flows().CaptureNode()', CAPTURED, ['123', '456']],
  ['A79', `G.Flows().Has('NodeTID',"456")`, CAPTURED, ['b']],
  ['A80', 'G.Flows().In()', LINKED, ['123', '456', '123']],
  ['A81', 'G.Flows().Out()', LINKED, ['456', '789', '789']],
  ['A81', 'G.Flows().Both()', LINKED, ['123', '456', '456', '789', '123', '789']],
  ['A81', 'G.Flows().In()', MIXED, ['123', '789']],
  ['A81', 'G.Flows().Out()', MIXED, ['456']],
  ['A81', 'G.Flows().Both()', MIXED, ['123', '456', '789']],
  ['A82', 'G.Flows().Group()', TRACKED, { 123: ['t0', 't1'], 456: ['t2'], 789: ['t3'] }],
  ['A82', 'G.Flows().Group().MoreThan(1)', TRACKED, { 123: ['t0', 't1'] }],
  ['A83', "G.Flows().Sort(ASC,'Start').Dedup()", TRACKED, ['t0', 't2', 't3']],
  ['A83', "G.Flows().Sort(DESC,'Start').Dedup()", TRACKED, ['t3', 't2', 't1']],
  ['A83', "G.Flows().Sort(DESC,'Start').Dedup('RawPacketsCaptured')", TRACKED, ['t3']],
  ['A105', "G.Flows().Sum('Metric.ABPackets')", PINGS, 20],
  ['A105', "G.Flows().Dedup().Sum('Metric.ABPackets')", PINGS, 10],
  ['A102', "G.Flows('NodeTID','123')", CAPTURED, ['a']],
  ['A102', "G.Flows().Has('NodeTID','123')", CAPTURED, ['a']],
  ['A102', "G.V('123').Flows()", CAPTURED, ['a']],
  ['A103', "G.Flows().Has('Link','456')", LINKED, ['b']],
  ['A103', "G.Flows().Has('Network','10.0.0.2')", BOTH_WAYS, ['a', 'b']],
  ['A103', "G.Flows().Has('Network.A','10.0.0.2')", BOTH_WAYS, ['b']],
  ['A103', "G.Flows().Has('Transport',80)", BOTH_WAYS, ['a', 'b']],
  ['A103', "G.Flows().Has('Transport',50000)", BOTH_WAYS, ['b']],
  ['A103', "G.Flows().Has('Network',Ipv4Range('10.0.0.2/31'))", BOTH_WAYS, ['a', 'b']],
  ['A103', "G.Flows().Has('Network',Ipv4Range('10.0.0.0/31'))", BOTH_WAYS, ['a']],
  ['A108', "G.Flows().Has('TrackingID','t').Nodes()", BETWEEN, ['123', '456', '789']],
  ['A108', "G.Flows().Has('TrackingID','t').Hops()", BETWEEN, ['123']],
  ['A108', "G.Flows().Has('TrackingID','t').CaptureNode()", BETWEEN, ['123']],
]

/** The same where an answer is any of several: how long it is. */
export const FLOW_SIZES: readonly (readonly [item: string, query: string, flows: readonly Flow[], size: number])[] = [
  ['A74', "G.Flows().Has('ICMP.ID',NE(555)).Limit(1)", TWO, 1],
  ['A77', 'G.Flows().Limit(1)', TWO, 1],
  ['A78', "G.Flows().Dedup('ICMP.ID')", SAME, 1],
  ['A78', "G.Flows().Dedup('UUID').Limit(1)", TWO, 1],
  ['A79', 'G.Flows().CaptureNode().Limit(1)', CAPTURED, 1],
  ['A80', 'G.Flows().In().Limit(1)', LINKED, 1],
  ['A81', 'G.Flows().Out().Limit(1)', LINKED, 1],
  ['A81', 'G.Flows().Both().Limit(3)', LINKED, 3],
  ['A83', 'G.Flows().Dedup()', TRACKED, 3],
]
