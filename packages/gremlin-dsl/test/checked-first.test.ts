import { describe, expect, test } from '@jest/globals'
import type { GraphSource } from '@skydive/contracts'
import { checkGremlin, createGremlin, GremlinError, STEP_NAMES, type StepName } from '../src/index.ts'

/** For each step arguments that it refuses, with a query before it that does much. */
const REFUSED: { readonly [Name in StepName]: readonly string[] } = {
  G: ['G.V().G()'],
  Context: [
    'G.V().G.Context()',
    "G.Context('x')",
    'G.Context(TRUE)',
    "G.Context(1, 'x')",
    'G.Context(1, TRUE)',
    'G.Context(1,2,3)',
  ],
  At: ['G.V().G.At()', "G.At('now')", 'G.At(-1, -5)'],
  V: ['G.V(1)', "G.V('a','b')"],
  E: ['G.E(TRUE)', "G.E('a','b')"],
  Has: [
    'G.V().Has()',
    'G.V().Has(1)',
    "G.V().Has(1,'a')",
    "G.V().Has('a','b','c')",
    "G.V().Has('a', ASC)",
    "G.Flows().Has('a')",
    "G.V().Sockets().Has('a')",
    "G.V().Values('a').Has()",
  ],
  HasKey: ['G.V().HasKey()', 'G.V().HasKey(1)', "G.V().HasKey('a','b')"],
  HasNot: ['G.V().HasNot()', "G.E().HasNot('a','b')"],
  HasEither: ['G.V().HasEither()', "G.V().HasEither('a','b','c')", "G.Flows().HasEither('a')", "G.V().Sockets().HasEither('a')"],
  Out: ["G.V().Out('a','b','c')", 'G.V().Out(1)', 'G.Flows().Out(1,2)'],
  In: ["G.V().In('a','b','c')", 'G.V().In(1)'],
  Both: ["G.V().Both('a','b','c')", 'G.V().Both(1)'],
  OutE: ['G.V().OutE(1)'],
  InE: ['G.V().InE(1)'],
  BothE: ['G.V().BothE(1)'],
  OutV: ['G.E().OutV(1)'],
  InV: ['G.E().InV(1)'],
  BothV: ['G.E().BothV(1)'],
  Dedup: ['G.V().Dedup(1)', 'G.Flows().Dedup(TRUE)'],
  ShortestPathTo: [
    'G.V().ShortestPathTo()',
    "G.V().ShortestPathTo('a')",
    "G.V().ShortestPathTo(Metadata('a',1),Metadata('b',1),Metadata('c',1))",
    'G.V().ShortestPathTo(Metadata(1,2))',
  ],
  SubGraph: ['G.V().SubGraph(1)', "G.V().SubGraph('a','b','c')"],
  Count: ['G.V().Count(1)', "G.Flows().Count('a')"],
  Range: [
    'G.V().Range()',
    'G.V().Range(1)',
    "G.V().Range(0,'a')",
    'G.V().Range(-1,2)',
    'G.V().Range(0.5,2)',
    'G.Flows().Range(1)',
  ],
  Limit: ['G.V().Limit()', "G.V().Limit('a')", 'G.V().Limit(1,2)', 'G.V().Limit(-1)', 'G.V().Limit(1.5)'],
  Sort: ['G.V().Sort(1)', "G.V().Sort('a','b')", 'G.V().Sort(ASC, 1)', "G.V().Sort(ASC,'a','b')", 'G.Flows().Sort(1)'],
  Values: ['G.V().Values()', 'G.V().Values(1)', "G.V().Values('a','b')", 'G.Flows().Values()', 'G.V().Sockets().Values()'],
  ValueMap: ['G.V().ValueMap()', 'G.V().ValueMap(1)'],
  Keys: ['G.V().Keys(1)', 'G.Flows().Keys(1)', 'G.V().Metrics().Keys(1)'],
  Sum: ['G.V().Sum()', 'G.V().Sum(1)', 'G.Flows().Sum()', "G.Flows().Sum('NodeTID')", "G.V().Metrics().Sum('a','b')"],
  As: ['G.V().As()', 'G.V().As(1)', "G.V().As('a','b')"],
  Select: ['G.V().Select()', 'G.V().Select(1)', "G.V().Select('a')", "G.V().As('a').OutE().As('b').Select('a','b')"],
  Flows: ["G.Flows('a')", 'G.Flows(1,2)', "G.Flows('a', ASC)"],
  Hops: ['G.Flows().Hops(1)'],
  Nodes: ['G.Flows().Nodes(1)'],
  CaptureNode: ['G.Flows().CaptureNode(1)'],
  Node: ['G.Flows().Node(1)'],
  Group: ['G.Flows().Group(1)', "G.Flows().Group('a','b')"],
  MoreThan: ["G.Flows().Group().MoreThan('a')", 'G.Flows().Group().MoreThan(1,2)', 'G.Flows().Group().MoreThan(-1)'],
  Metrics: ["G.V().Metrics('x')", 'G.V().Metrics(1)', "G.Flows().Metrics('x')"],
  Aggregates: [
    "G.V().Metrics().Aggregates('a')",
    'G.V().Metrics().Aggregates(0)',
    'G.V().Metrics().Aggregates(1.5)',
    'G.V().Metrics().Aggregates(1,2)',
  ],
  RawPackets: ['G.Flows().RawPackets(1)'],
  BPF: ['G.Flows().RawPackets().BPF()', 'G.Flows().RawPackets().BPF(1)', "G.Flows().RawPackets().BPF('a','b')"],
  Sockets: ['G.V().Sockets(1)', 'G.Flows().Sockets(1)'],
  NextHop: ['G.V().NextHop()', 'G.V().NextHop(1)', "G.V().NextHop('x')", "G.V().NextHop('1.2.3.4','5')"],
  Descendants: ["G.V().Descendants('a')", 'G.V().Descendants(-1)', 'G.V().Descendants(1.5)', 'G.V().Descendants(1,2)'],
  Ascendants: ["G.V().Ascendants('a')", 'G.V().Ascendants(-1)'],
  Neighbors: ["G.V().Neighbors('a')", 'G.V().Neighbors(-1)'],
  Workflow: ['G.Workflow()', 'G.Workflow(1)', "G.Workflow('a', ASC)"],
}

/** Fails whoever reads it. */
const untouchable: GraphSource = {
  open: () => Promise.reject(new Error('the graph was opened')),
  coverage: () => Promise.reject(new Error('coverage was asked')),
}

describe('arguments are checked before anything runs', () => {
  const engine = createGremlin({
    graph: untouchable,
    flows: {
      search: () => Promise.reject(new Error('flows were asked')),
      metrics: () => Promise.reject(new Error('flows were asked')),
      rawPackets: () => Promise.reject(new Error('flows were asked')),
    },
    packetFilter: () => Promise.reject(new Error('a packet filter was compiled')),
    workflow: () => Promise.reject(new Error('a workflow was run')),
  })

  test.each(STEP_NAMES.flatMap((name) => REFUSED[name].map((query) => [query] as const)))('%s', async (query) => {
    const error: unknown = await engine.query(query).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(GremlinError)
    expect(['ERR_GREMLIN_ARGUMENT', 'ERR_GREMLIN_SYNTAX']).toContain((error as GremlinError).code)
    expect(() => checkGremlin(query)).toThrow((error as GremlinError).summary)
  })

  test.each(['LT', 'GT', 'LTE', 'GTE', 'Inside', 'Between', 'Outside', 'Regex', 'Ipv4Range', 'Ipv6Range', 'NE', 'Within'])(
    '%s with an argument of another type',
    async (name) => {
      const two = name === 'Inside' || name === 'Between' || name === 'Outside'
      const query = `G.V().Has('a', ${name}(${two ? "'x','y'" : name === 'NE' || name === 'Within' ? 'ASC' : name.startsWith('Ip') || name === 'Regex' ? '7' : "'x'"}))`
      await expect(engine.query(query)).rejects.toBeInstanceOf(GremlinError)
    },
  )
})
