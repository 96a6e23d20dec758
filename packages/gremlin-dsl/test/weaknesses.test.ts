import { describe, expect, test } from '@jest/globals'
import type { FlowReader, GraphView } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import { SAMPLE_FLOWS } from '@skydive/testkit/graph'
import { aggregate, createGremlin, type GremlinEngine } from '../src/index.ts'
import { flowReader } from './flow-reader.ts'
import { sampleGraph } from './sample-graph.ts'
import { flow, graphOf, json, timeline } from './small-graphs.ts'

/** Faults of the original, by their number in the table of `docs/decisions`, each with what is done instead. */

describe('consistency', () => {
  test('W2 an edge whose end is gone leads nowhere', async () => {
    const { nodes, edges } = resultOf(await createGremlin({ graph: graphOf({ a: {}, b: {} }, ['a>b']) }).query('G'))
    const engine = createGremlin({ graph: createGraph(), workflow: async () => ({ nodes: nodes.slice(0, 1), edges }) })
    expect(await json(engine, "G.Workflow('x').E().OutV()")).toEqual([])
    expect(await json(engine, "G.Workflow('x').V('a').Out()")).toEqual([])
    expect(await json(engine, "G.Workflow('x').E().BothV().Count()")).toBe(1)
    expect(await json(engine, "G.Workflow('x').E().SubGraph().E().Count()")).toBe(0)
  })

  test('W3 what a query answered stays as it was', async () => {
    const graph = graphOf({ a: { State: 'UP' } })
    const { nodes } = resultOf(await createGremlin({ graph }).query('G'))
    graph.writer({ origin: 'agent.alpha', host: 'alpha' }).transaction((tx) => tx.patchNode('a', { State: 'DOWN' }))
    expect(nodes.map(({ metadata }) => metadata['State'])).toEqual(['UP'])
  })

  test('W7 sockets and the nodes of flows are read from the version that the query began with', async () => {
    const graph = graphOf({
      h: { Sockets: [{ Protocol: 'TCP', LocalAddress: '1.1.1.1', LocalPort: 1, RemoteAddress: '2.2.2.2', RemotePort: 2 }] },
    })
    const tcp = flow('f', {
      Network: { Protocol: 'IPV4', A: '1.1.1.1', B: '2.2.2.2', ID: 0 },
      Transport: { Protocol: 'TCP', A: 1, B: 2, ID: 0 },
    })
    const flows: FlowReader = {
      ...flowReader([]),
      search: async () => {
        graph.writer({ origin: 'agent.alpha', host: 'alpha' }).transaction((tx) => tx.deleteNode('h'))
        return { flows: [{ flow: tcp, places: {} }], missing: [] }
      },
    }
    // The first step reads the graph, so its version is pinned before anybody is asked for flows.
    const answer = await json(createGremlin({ graph, flows }), "G.V('h').As('x').G.Flows().Sockets().Values('LocalPort')")
    expect(answer).toEqual([1])
  })

  test('W8 queries are read and run side by side', async () => {
    const engine = createGremlin({ graph: sampleGraph(), flows: flowReader(SAMPLE_FLOWS), cachedPlans: 2 })
    const texts = [
      'G.V().Count()',
      'G.Flows().Count()',
      "G.V('eth0').Values('Name')",
      "G.V().Has('Name',Regex('veth.*')).Count()",
    ]
    const many = Array.from({ length: 40 }, (_, i) => texts[i % 4]!)
    const answers = await Promise.all(many.map((text) => json(engine, text)))
    expect(answers).toEqual(many.map((_, i) => [5, 3, ['eth0'], 1][i % 4]))
  })

  test('W10 Aggregates leaves the records of the graph alone', async () => {
    const graph = sampleGraph()
    const before = JSON.stringify(graph.view.node(graph.view.nodeOrdinal('eth0')).metadata)
    await createGremlin({ graph }).query('G.V().Metrics().Aggregates(3).Sum()')
    expect(JSON.stringify(graph.view.node(graph.view.nodeOrdinal('eth0')).metadata)).toBe(before)
  })

  test('W11 Sort leaves lists that were kept in their order; equal ones come by age, then id', async () => {
    const engine = createGremlin({ graph: graphOf({ c: { M: 1 }, a: { M: 2 }, b: { M: 1 } }) })
    expect(await json(engine, "G.V().As('x').Sort(DESC,'@ID').Select('x').Values('@ID')")).toEqual(['c', 'a', 'b'])
    expect(await json(engine, "G.V().Sort('M').Values('@ID')")).toEqual(['b', 'c', 'a'])
    expect(await json(engine, "G.V().Sort(DESC,'M').Values('@ID')")).toEqual(['a', 'b', 'c'])
    const peers = createGraph()
    const common = {
      kind: 'node',
      host: 'beta',
      origin: 'agent.beta',
      deletedAtMs: null,
      revision: 1,
      metadata: { M: 1 },
    } as const
    for (const [id, ms] of [
      ['b', 7],
      ['c', 5],
      ['a', 9],
    ] as const) {
      const node = { ...common, id, createdAtMs: ms, updatedAtMs: ms }
      peers.replica('agent.beta').apply([{ kind: 'node-added', node }])
    }
    const aged = createGremlin({ graph: peers })
    for (const sort of ['Sort()', "Sort('M')", "Sort(DESC,'M')"]) {
      expect(await json(aged, `G.V().${sort}.Values('@ID')`)).toEqual(['c', 'b', 'a'])
    }
    expect(await json(aged, "G.V().Sort(DESC).Values('@ID')")).toEqual(['a', 'b', 'c'])
  })
})

function resultOf({ result }: Awaited<ReturnType<GremlinEngine['query']>>) {
  if (result.kind !== 'graph') throw new Error(result.kind)
  return result
}

describe('cost', () => {
  const many = createGraph()
  many.writer({ origin: 'a', host: 'a' }).transaction((tx) => {
    for (let i = 0; i < 20_000; i++)
      tx.addNode({ id: `n${i}`, metadata: { Name: `n${i}`, Type: 'device', TID: `t${i}`, MAC: `m${i}` } })
    for (let i = 1; i < 20_000; i++)
      tx.addEdge({ id: `e${i}`, parent: `n${i - 1}`, child: `n${i}`, metadata: { RelationType: 'ownership' } })
    tx.addEdge({ id: 'back', parent: 'n19999', child: 'n0', metadata: { RelationType: 'ownership' } })
  })
  /** A ring of 20,000 nodes, and a budget that allows to look at no more than one checkpoint of them. */
  const poor = (flows?: FlowReader) => createGremlin({ graph: many, budgets: { visited: 100 }, ...(flows && { flows }) })

  test('W12 a look-up by an indexed key looks at no other node', async () => {
    expect(await json(poor(), "G.V().Has('Name','n19999').Values('MAC')")).toEqual(['m19999'])
    expect(await json(poor(), "G.V().Has('Type','device','TID','t7').Count()")).toBe(1)
    await expect(poor().query("G.V().Has('Nope','x')")).rejects.toMatchObject({ limit: 'visited' })
  })

  test('W13 the nearest target is found, and the search ends there', async () => {
    const target = "ShortestPathTo(Metadata('Name',Within('n3','n9000','n19990')))"
    expect(await json(poor(), `G.V('n1').${target}.Dedup().Values('@ID')`)).toEqual(['n1', 'n2', 'n3'])
  })

  test('W14 the nodes of flows are found by index', async () => {
    const flows = flowReader([flow('f', { NodeTID: 't5', Link: { Protocol: 'ETHERNET', A: 'm19998', B: 'm2', ID: 0 } })])
    expect(await json(poor(flows), "G.Flows().Nodes().Values('@ID')")).toEqual(['n5', 'n19998', 'n2'])
    expect(await json(poor(flows), "G.Flows().Both().Values('@ID')")).toEqual(['n19998', 'n2'])
  })

  test('W15 Sockets looks at each node once, however many flows there are', async () => {
    const graph = graphOf({ a: {}, b: {} })
    let looks = 0
    const counting = new Proxy(graph.view, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name)
        if (name === 'forEachNode') looks++
        return typeof member === 'function' ? member.bind(target) : member
      },
    }) as GraphView
    const source = { open: async () => counting, coverage: async () => ({ complete: true }) as const }
    const flows = flowReader(Array.from({ length: 100 }, (_, i) => flow(`f${i}`)))
    await createGremlin({ graph: source, flows }).query('G.Flows().Sockets()')
    expect(looks).toBe(1)
  })

  test('W19 a walk without an end of its own ends on a ring, and passes each node of a mesh once', async () => {
    expect(await json(createGremlin({ graph: many }), "G.V('n0').Descendants(0).Count()")).toBe(20_000)
    const ids = Array.from({ length: 40 }, (_, i) => `m${i}`)
    const mesh = graphOf(
      Object.fromEntries(ids.map((id) => [id, {}])),
      ids.flatMap((a) => ids.filter((b) => b !== a).map((b) => `${a}>${b}`)),
      { RelationType: 'ownership' },
    )
    // 40 nodes of 39 neighbours: 1,560 looks are all it takes.
    const engine = createGremlin({ graph: mesh, budgets: { visited: 2000 } })
    expect(await json(engine, "G.V('m0').Descendants(30).Count()")).toBe(40)
    expect(await json(engine, "G.V('m0').Ascendants(0).Count()")).toBe(40)
  })
})

describe('history', () => {
  const { graph, clock, writer } = timeline()
  const metric = (Start: number) => ({ RxBytes: 1, Start, Last: Start + 10 })
  writer.transaction((tx) => tx.addNode({ id: 'a', metadata: { State: 'DOWN', LastUpdateMetric: metric(90_000) } }))
  clock.ms = 200_000
  writer.transaction((tx) => tx.patchNode('a', { State: 'UP', LastUpdateMetric: metric(190_000) }))
  clock.ms = 300_000
  const engine = createGremlin({ graph, clock })

  test('W59 at the instant of a change the new revision alone counts', async () => {
    expect(await json(engine, "G.At(200).V().Has('State','DOWN').Count()")).toBe(0)
    expect(await json(engine, "G.At(200).V().Has('State','UP').Count()")).toBe(1)
    expect(await json(engine, "G.At(199).V().Has('State','DOWN').Count()")).toBe(1)
  })

  test('W60 metrics at a time are those of that revision; records that touch a slice are in it', async () => {
    expect(await json(engine, 'G.At(250).V().Metrics()')).toEqual([{ a: [metric(190_000)] }])
    expect(await json(engine, 'G.At(250, 60).V().Metrics()')).toEqual([{ a: [metric(190_000)] }])
    expect(await json(engine, 'G.At(250, 160).V().Metrics()')).toEqual([{ a: [metric(90_000), metric(190_000)] }])
    expect(await json(engine, 'G.At(189, 99).V().Metrics()')).toEqual([{ a: [metric(90_000)] }])
    expect(await json(engine, 'G.At(250, 49).V().Metrics()')).toEqual([])
  })

  test('W61 metrics and packets are those of the flows that the steps before left', async () => {
    const asked: unknown[] = []
    const reader = flowReader(SAMPLE_FLOWS)
    const flows: FlowReader = {
      ...reader,
      metrics: (query, slice) => {
        asked.push(query)
        return reader.metrics(query, slice)
      },
    }
    const own = createGremlin({ graph: sampleGraph(), flows, clock: { now: () => 20_000 } })
    expect(Object.keys(((await json(own, 'G.Flows().Sort().Dedup().Limit(1).Metrics()')) as [object])[0])).toEqual(['f1'])
    // What a reader can't do in its order is done here, and then it is asked for these flows alone.
    expect(Object.keys(((await json(own, 'G.Flows().Limit(2).Dedup().Metrics()')) as [object])[0])).toEqual(['f1'])
    expect(asked).toEqual([
      { Sort: true, SortBy: 'Last', SortOrder: 1, Dedup: true, DedupBy: 'TrackingID', PaginationRange: { From: 0, To: 1 } },
      { Filter: { TermStringFilter: { Key: 'UUID', Value: 'f1' } } },
    ])
  })

  test('W62 nodes without a TID have no flows, and nobody is asked', async () => {
    const refusing: FlowReader = { ...flowReader([]), search: () => Promise.reject(new Error('asked')) }
    const own = createGremlin({ graph, clock, flows: refusing })
    expect(await json(own, 'G.At(250).V().Flows().Count()')).toBe(0)
    expect(await json(own, 'G.At(250).V().Flows().Metrics()')).toEqual([])
  })
})

describe('flows', () => {
  const flows = flowReader([
    flow('a', { Application: 'TCP', Transport: { Protocol: 'TCP', A: 5, B: 80, ID: 0 }, FinishType: 1 }),
    flow('b', { Application: 'ICMPv4', Network: { Protocol: 'IPV6', A: 'fe80::1', B: 'fe80::2', ID: 0 } }),
    flow('c', { Network: { Protocol: 'IPV4', A: '10.0.0.1', B: '10.0.0.2', ID: 0 } }),
  ])
  const engine = createGremlin({ graph: createGraph(), flows })

  test('W64 sorting by what some or all flows lack loses none', async () => {
    expect(await json(engine, "G.Flows().Sort('Transport.B').Values('UUID')")).toEqual(['b', 'c', 'a'])
    expect(await json(engine, "G.Flows().Sort(DESC,'Transport.B').Values('UUID')")).toEqual(['a', 'b', 'c'])
    expect(await json(engine, "G.Flows().Sort(DESC,'Nope').Values('UUID')")).toEqual(['a', 'b', 'c'])
  })

  test('W24 flows without a link or a capture lead to no node', async () => {
    const own = createGremlin({ graph: graphOf({ a: { MAC: '', TID: '', PeerIntfMAC: '' }, b: { MAC: 'm' } }), flows })
    for (const step of ['In', 'Out', 'Both', 'Nodes', 'Hops', 'CaptureNode', 'Node', 'Sockets']) {
      expect([step, await json(own, `G.Flows().${step}()`)]).toEqual([step, []])
    }
    const odd = createGremlin({ graph: graphOf({ a: { Sockets: 'none' }, b: { Sockets: [1, null, { Pid: 7 }] } }), flows })
    expect(await json(odd, 'G.V().Sockets()')).toEqual([{ b: [{ Pid: 7 }] }])
    expect(await json(odd, 'G.Flows().Sockets()')).toEqual([])
  })

  test('W65 addresses of both families are compared as numbers', async () => {
    expect(await json(engine, "G.Flows().Has('Network',Ipv6Range('fe80::/10')).Values('UUID')")).toEqual(['b'])
    expect(await json(engine, "G.Flows().Has('Network.A',Ipv4Range('10.0.0.0/31')).Values('UUID')")).toEqual(['c'])
  })

  test('W66 a record before the window hides nothing of its series', () => {
    const record = (Start: number, Last: number) => ({ ABPackets: 4, Start, Last })
    expect(aggregate([[record(0, 9), record(10, 20), record(20, 40)]], { startMs: 10, lastMs: 30, stepMs: 10 })).toEqual([
      { ABPackets: 4, Start: 10, Last: 20 },
      { ABPackets: 2, Start: 20, Last: 30 },
    ])
  })

  test('W67 every field that Keys tells can be asked, ports by their other names too, and a gap fails nothing', async () => {
    expect(await json(engine, "G.Flows().Has('FinishType',1).Values('UUID')")).toEqual(['a'])
    expect(await json(engine, "G.Flows().Has('RawPacketsCaptured',0).Count()")).toBe(3)
    expect(await json(engine, "G.Flows().Has('TCP.B',80).Values('UUID')")).toEqual(['a'])
    expect(await json(engine, "G.Flows().Values('Transport.B')")).toEqual([80])
    for (const key of (await json(engine, 'G.Flows().Keys()')) as string[]) {
      await expect(engine.query(`G.Flows().Values('${key}')`)).resolves.toBeDefined()
    }
  })
})
