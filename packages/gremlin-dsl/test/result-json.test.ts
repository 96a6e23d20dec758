import { describe, expect, test } from '@jest/globals'
import type { Flow } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import { createGremlin, resultToJson } from '../src/index.ts'
import { flowReader } from './flow-reader.ts'

const node = {
  ID: 'n1',
  Metadata: { Name: 'a' },
  Host: 'h',
  Origin: 'o',
  CreatedAt: 5,
  UpdatedAt: 5,
  DeletedAt: null,
  Revision: 1,
}
const edge = { ...node, ID: 'e1', Metadata: { RelationType: 'x' }, Parent: 'n1', Child: 'n1' }
const metric = { ABPackets: 1, ABBytes: 2, BAPackets: 0, BABytes: 0, Start: 1, Last: 2 }
const flow: Flow = {
  UUID: 'f1',
  TrackingID: 'T1',
  Start: 1,
  Last: 2,
  ParentUUID: '',
  RawPacketsCaptured: 1,
  LastUpdateMetric: metric,
  LastRawPackets: [{ Timestamp: 1, Index: 0, Data: Uint8Array.of(1), LinkType: 1 }],
}
const { LastRawPackets: _packets, ...flowJson } = flow

function engineOf(isEmpty: boolean) {
  const graph = createGraph({ clock: { now: () => 5 } })
  const writer = graph.writer({ origin: 'o', host: 'h' })
  if (!isEmpty) {
    writer.transaction((tx) => {
      tx.addNode({ id: 'n1', metadata: { Name: 'a' } })
      tx.addEdge({ id: 'e1', parent: 'n1', child: 'n1', metadata: { RelationType: 'x' } })
      tx.addNode({
        id: 'n2',
        metadata: { M: 1, LastUpdateMetric: { RxBytes: 7, TxBytes: 0, Start: 1, Last: 2 }, Sockets: [{ a: 1 }] },
      })
      tx.addNode({ id: '__proto__', metadata: { Sockets: [{ b: 2 }] } })
    })
  }
  return createGremlin({ graph, flows: flowReader(isEmpty ? [] : [flow]), clock: { now: () => 5 } })
}

/** Text, because the order of members and what is left out count. */
async function text(isEmpty: boolean, query: string): Promise<string> {
  return JSON.stringify(resultToJson((await engineOf(isEmpty).query(query)).result))
}

describe('the JSON of every kind of result (spec graph 4.10)', () => {
  test.each<[query: string, json: unknown]>([
    ["G.V('n1').SubGraph()", [{ Nodes: [node], Edges: [edge] }]],
    ["G.V('n1')", [node]],
    ['G.E()', [edge]],
    ["G.V('n1').ShortestPathTo(Metadata('Name','a'))", [[node]]],
    ['G.V().Count()', 3],
    ["G.V().Sum('M')", 1],
    ["G.V().Values('Name')", ['a']],
    ["G.V().ValueMap('Name')", [{ Name: 'a' }]],
    ['G.E().Keys()', ['@ID', '@Host', '@Origin', '@CreatedAt', '@UpdatedAt', '@DeletedAt', '@Revision', 'RelationType']],
    ['G.Flows()', [flowJson]],
    ['G.Flows().Group()', [{ T1: [flowJson] }]],
    ['G.V().Metrics()', [{ n2: [{ RxBytes: 7, Start: 1, Last: 2 }] }]],
    ['G.V().Metrics().Sum()', { RxBytes: 7, Start: 1, Last: 2 }],
    ['G.V().Metrics().Aggregates(1)', [{ Aggregated: [{ RxBytes: 7, Start: 1, Last: 2 }] }]],
    ['G.Flows().Metrics()', [{ f1: [metric] }]],
  ])('%s', async (query, json) => expect(await text(false, query)).toBe(JSON.stringify(json)))

  test.each<[query: string, json: string]>([
    ['G', '[{"Nodes":[],"Edges":[]}]'],
    ['G.V()', '[]'],
    ['G.E()', '[]'],
    ["G.V().ShortestPathTo(Metadata('a','b'))", '[]'],
    ['G.V().Count()', '0'],
    ["G.V().Sum('M')", '0'],
    ["G.V().Values('Name')", 'null'],
    ["G.V().ValueMap('Name')", 'null'],
    ['G.V().Keys()', 'null'],
    ['G.Flows()', '[]'],
    ['G.Flows().Group()', '[]'],
    ['G.Flows().Group().MoreThan()', '[]'],
    ['G.V().Metrics()', '[]'],
    ['G.V().Metrics().Sum()', 'null'],
    ['G.V().Metrics().Aggregates()', '[{"Aggregated":[]}]'],
    ['G.Flows().RawPackets()', '[]'],
    ['G.V().Sockets()', '[]'],
    ["G.V().NextHop('8.8.8.8')", '[]'],
  ])('%s of nothing', async (query, json) => expect(await text(true, query)).toBe(json))

  test('an id such as __proto__ is a member like any other', async () => {
    expect(await text(false, 'G.V().Sockets()')).toBe('[{"n2":[{"a":1}],"__proto__":[{"b":2}]}]')
  })
})
