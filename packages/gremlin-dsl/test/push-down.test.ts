import { describe, expect, test } from '@jest/globals'
import type { ElementSelection, FlowQuery, GraphEdge, GraphNode, GraphSource } from '@skydive/contracts'
import { allOf, elementField, not, nothing, prepareFilter, term } from '@skydive/filter'
import { createGraph } from '@skydive/graph'
import { SAMPLE_FLOWS } from '@skydive/testkit/graph'
import { createGremlin, resultToJson } from '../src/index.ts'
import { flowReader } from './flow-reader.ts'
import { sampleGraph } from './sample-graph.ts'

/** Two nodes and an edge that change at 200 s; now it is 400 s. */
function timeline() {
  const clock = { ms: 100_000, now: () => clock.ms }
  const graph = createGraph({ clock, retention: { ageMs: Number.POSITIVE_INFINITY } })
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  writer.transaction((tx) => {
    tx.addNode({ id: 'a', metadata: { Type: 'host', Name: 'a', MTU: 1 } })
    tx.addNode({ id: 'b', metadata: { Type: 'veth', Name: 'b', MTU: 2 } })
    tx.addNode({ id: 'c', metadata: { Type: 'veth', Name: 'c', MTU: 3, Sockets: [{ Pid: 1 }] } })
    tx.addEdge({ id: 'e', parent: 'a', child: 'b', metadata: { RelationType: 'ownership' } })
  })
  clock.ms = 200_000
  writer.transaction((tx) => tx.patchNode('b', { Name: 'b2' }))
  clock.ms = 400_000
  return { graph, clock }
}

/** The same source with a `select` of its own, and what it was asked. */
function selecting(graph: GraphSource) {
  const asked: (ElementSelection | 'open')[] = []
  const source: GraphSource = {
    open: (slice, options) => {
      if (slice) asked.push('open')
      return graph.open(slice, options)
    },
    coverage: (slice) => graph.coverage(slice),
    async *select(selection, slice) {
      asked.push(selection)
      const view = await graph.open(slice)
      const matches = await prepareFilter<GraphNode | GraphEdge>(selection.filter ?? {}, elementField)
      const found: (GraphNode | GraphEdge)[] = []
      if (selection.kind === 'node') view.forEachNode((row) => found.push(view.node(row)) > 0)
      else view.forEachEdge((row) => found.push(view.edge(row)) > 0)
      for (const element of found.filter(matches).slice(0, selection.limit)) yield [element]
    },
  }
  return { source, asked }
}

const { graph, clock } = timeline()
const veth = term('Type', 'veth')

describe('a source that can select', () => {
  test.each<[query: string, asked: ElementSelection | 'open']>([
    ['G.At(150).V()', { kind: 'node' }],
    ['G.At(150).E()', { kind: 'edge' }],
    ["G.At(150).V('b')", { kind: 'node', filter: term('@ID', 'b') }],
    ["G.At(250, 200).V('b')", { kind: 'node', filter: term('@ID', 'b') }],
    ["G.At(150).V().Has('Type','veth')", { kind: 'node', filter: veth }],
    [
      "G.At(150).V().Has('Type','veth','MTU',Gt(2)).HasNot('x')",
      { kind: 'node', filter: allOf([veth, { GtInt64Filter: { Key: 'MTU', Value: 2 } }, { NullFilter: { Key: 'x' } }]) },
    ],
    ["G.At(150).V().Has('Type',NEE('veth'))", { kind: 'node', filter: not(veth) }],
    ["G.At(150).V().Has('Type',Within())", { kind: 'node', filter: nothing() }],
    ["G.At(150).V().Has('Type','veth').Count()", { kind: 'node', filter: veth }],
    ["G.At(150).V().Has('Type','veth').Limit(1)", { kind: 'node', filter: veth, limit: 1 }],
    ["G.At(150).V().Range(1,2).Has('Type','veth')", { kind: 'node', limit: 2 }],
    ["G.At(150).V().Has('Type','veth').Sort('Name').Limit(1)", { kind: 'node', filter: veth }],
    ["G.At(150).V().Has('Type','veth').Limit(2).Values('Name')", { kind: 'node', filter: veth, limit: 2 }],
    ["G.At(250, 200).V().Has('Type','veth').Dedup().Limit(1).ValueMap('Name')", { kind: 'node', filter: veth }],
    ["G.At(150).V().As('x').Select('x','x').Keys()", { kind: 'node' }],
    ["G.At('-1h').At(150).V().Sockets().Has('Pid',1)", { kind: 'node' }],
    ["G.At(150).E().Has('RelationType','ownership').Count()", { kind: 'edge', filter: term('RelationType', 'ownership') }],
    // What follows edges, or comes back to the graph, needs all of it.
    ["G.At(150).V().Has('Type','host').Out()", 'open'],
    ["G.At(150).V('a').OutE()", 'open'],
    ['G.At(150).V().SubGraph()', 'open'],
    ['G.At(150)', 'open'],
    ["G.At(150).V().As('x').G.V()", 'open'],
    ["G.At(150).V().ShortestPathTo(Metadata('Name','b'))", 'open'],
    ["G.At(150).V('a').Descendants()", 'open'],
  ])('%s', async (query, expected) => {
    const { source, asked } = selecting(graph)
    const own = await createGremlin({ graph: source, clock }).query(query)
    expect(asked).toEqual([expected])
    const whole = await createGremlin({ graph, clock }).query(query)
    expect(JSON.stringify(resultToJson(own.result))).toBe(JSON.stringify(resultToJson(whole.result)))
  })

  test('is not asked about the present', async () => {
    const { source, asked } = selecting(graph)
    await createGremlin({ graph: source, clock }).query("G.V().Has('Type','veth')")
    expect(asked).toEqual([])
  })

  test('a missing id is told as ever', async () => {
    const { source } = selecting(graph)
    await expect(createGremlin({ graph: source, clock }).query("G.At(150).V('x')")).rejects.toMatchObject({
      summary: "Node 'x' does not exist",
    })
  })

  test('what it gives counts against the budget of memory', async () => {
    const { source } = selecting(graph)
    const poor = createGremlin({ graph: source, clock, budgets: { memoryBytes: 600 } })
    await expect(poor.query('G.At(150).V()')).rejects.toMatchObject({ limit: 'memoryBytes' })
    const { result, partial } = await poor.query('G.At(150).V()', { onBudget: 'partial' })
    expect([result.kind === 'nodes' && result.nodes.length, partial]).toEqual([2, 'memoryBytes'])
  })

  test('explain says so', async () => {
    const { source } = selecting(graph)
    const { steps } = await createGremlin({ graph: source, clock }).explain("G.At(150).V().Has('Type','veth').Limit(1)")
    expect(steps[2]).toMatchObject({
      how: 'memory or store finds the rows by itself; nothing else of that time is read',
      store: { kind: 'node', filter: veth, limit: 1 },
    })
  })
})

describe('what a reader of flows is asked', () => {
  const tcp = { TermStringFilter: { Key: 'Application', Value: 'TCP' } }
  test.each<[query: string, asked: FlowQuery]>([
    ['G.Flows()', {}],
    ["G.Flows('Application','TCP')", { Filter: tcp }],
    ["G.Flows().Has('Application','TCP')", { Filter: tcp }],
    [
      "G.Flows().HasEither('Application','TCP','NodeTID','x')",
      { Filter: { BoolFilter: { Op: 0, Filters: [tcp, { TermStringFilter: { Key: 'NodeTID', Value: 'x' } }] } } },
    ],
    ['G.Flows().Sort()', { Sort: true, SortBy: 'Last', SortOrder: 1 }],
    [
      "G.Flows().Sort(DESC,'Start').Has('Application','TCP').Limit(1)",
      { Filter: tcp, Sort: true, SortBy: 'Start', SortOrder: 2, PaginationRange: { From: 0, To: 1 } },
    ],
    ["G.Flows().Dedup('NodeTID').Range(1,3)", { Dedup: true, DedupBy: 'NodeTID', PaginationRange: { From: 1, To: 3 } }],
    [
      'G.Flows().Sort().Dedup().Limit(2).Count()',
      { Sort: true, SortBy: 'Last', SortOrder: 1, Dedup: true, DedupBy: 'TrackingID', PaginationRange: { From: 0, To: 2 } },
    ],
    // Only as far as the order is kept: a reader filters, sorts, removes doubles and cuts, in this order.
    ["G.Flows().Limit(2).Has('Application','TCP')", { PaginationRange: { From: 0, To: 2 } }],
    ["G.Flows().Dedup().Has('Application','TCP')", { Dedup: true, DedupBy: 'TrackingID' }],
    ['G.Flows().Dedup().Sort()', { Dedup: true, DedupBy: 'TrackingID' }],
    ['G.Flows().Limit(2).Limit(1)', { PaginationRange: { From: 0, To: 2 } }],
    ["G.Flows().Sort('Start').Sort('Last')", { Sort: true, SortBy: 'Start', SortOrder: 1 }],
    ["G.V('eth0').Flows().Has('Application','TCP').RawPackets()", { Filter: tcp, nodeTids: ['tid-eth0'], hosts: ['alpha'] }],
    ["G.Flows().Has('Application','TCP').Metrics()", { Filter: tcp }],
  ])('%s', async (query, asked) => {
    const queries: FlowQuery[] = []
    await createGremlin({ graph: sampleGraph(), flows: flowReader(SAMPLE_FLOWS, queries) }).query(query)
    expect(queries).toEqual([asked])
  })
})
