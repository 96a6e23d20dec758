import type { Flow } from '@skydive/contracts'

function flow(uuid: string, rest: Partial<Flow>): Flow {
  return { UUID: uuid, Start: 10_000, Last: 11_000, ParentUUID: '', RawPacketsCaptured: 0, TrackingID: uuid, ...rest }
}

const icmp = (id: number): Partial<Flow> => ({ NodeTID: 'node1', ICMP: { Type: 'ECHO', ID: id } })
const link = (a: string, b: string): Partial<Flow> => ({ Link: { Protocol: 'ETHERNET', A: a, B: b, ID: 0 } })

const TWO = [flow('a', icmp(222)), flow('b', icmp(444))]
const SAME = [flow('a', icmp(1)), flow('b', icmp(1))]
const CAPTURED = [flow('a', { NodeTID: '123' }), flow('b', { NodeTID: '456' })]
const LINKED = [flow('a', link('123', 'p456')), flow('b', link('456', '789')), flow('c', link('123', 'p789'))]
const TRACKED = ['123', '123', '456', '789'].map((id, i) => flow(`t${i}`, { TrackingID: id }))

const PINGS = [3, 4, 3].map((packets, i) =>
  flow(`p${i}`, { Metric: { ABPackets: packets, ABBytes: 98 * packets, BAPackets: 0, BABytes: 0, Start: 10_000, Last: 11_000 } }),
)

/** Nodes that the flows below belong to, by their TID. */
export const FLOW_NODES: readonly string[] = ['123', '456', '789']

/** Items of the acceptance list on flows (spec graph 5): a query, the flows that there are, and how long the answer is. */
export const FLOW_CASES: readonly (readonly [item: string, query: string, flows: readonly Flow[], size: number])[] = [
  ['A74', "G.Flows().Has('ICMP.ID',222)", TWO, 1],
  ['A74', "G.Flows().Has('ICMP.ID',NE(555))", TWO, 2],
  ['A74', "G.Flows().Has('ICMP.ID',NE(555)).Limit(1)", TWO, 1],
  ['A75', "G.Flows().HasEither('ICMP.ID',222,'ICMP.ID',444)", TWO, 2],
  ['A76', "G.Flows().Has('NodeTID','node1')", TWO, 2],
  ['A76', "G.Flows().Has('NodeTID','node1').Has('ICMP.ID',222)", TWO, 1],
  ['A76', "G.Flows().HasEither('NodeTID','node1','ICMP.ID',444).Has('ICMP.ID',222)", TWO, 1],
  ['A77', 'G.Flows()', TWO, 2],
  ['A77', 'G.Flows().Limit(1)', TWO, 1],
  ['A78', "G.Flows().Dedup('ICMP.ID')", SAME, 1],
  ['A78', "G.Flows().Dedup('UUID').Limit(1)", TWO, 1],
  ['A79', 'G.Flows().CaptureNode()', CAPTURED, 2],
  ['A79', 'G.Flows().CaptureNode().Limit(1)', CAPTURED, 1],
  ['A79', `G.Flows().Has('NodeTID',"456")`, CAPTURED, 1],
  ['A80', 'G.Flows().In()', LINKED, 3],
  ['A80', 'G.Flows().In().Limit(1)', LINKED, 1],
  ['A81', 'G.Flows().Out()', LINKED, 3],
  ['A81', 'G.Flows().Out().Limit(1)', LINKED, 1],
  ['A81', 'G.Flows().Both().Limit(3)', LINKED, 3],
  ['A82', 'G.Flows().Group()', TRACKED, 3],
  ['A82', 'G.Flows().Group().MoreThan(1)', TRACKED, 1],
  ['A83', 'G.Flows().Dedup()', TRACKED, 3],
  ['A105', "G.Flows().Dedup().Sum('Metric.ABPackets')", PINGS, 10],
  ['A102', "G.Flows('NodeTID','123')", CAPTURED, 1],
  ['A102', "G.V('123').Flows()", CAPTURED, 1],
  ['A103', "G.Flows().Has('Link','456')", LINKED, 1],
]
