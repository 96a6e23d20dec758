import { describe, expect, test } from '@jest/globals'
import type { FlowReader, GraphNode, ReadOptions } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import { compileGraphQuery, createGremlin, type GremlinResult } from './index.ts'

function nodesOf(result: GremlinResult): readonly GraphNode[] {
  if (result.kind !== 'nodes') throw new Error(result.kind)
  return result.nodes
}

/** The timeline H of spec graph 0.3: one node from 100 s to 300 s, changed at 200 s. */
function timeline() {
  const clock = { ms: 50_000, now: () => clock.ms }
  const graph = createGraph({ clock, retention: { ageMs: Number.POSITIVE_INFINITY } })
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  clock.ms = 100_000
  writer.transaction((tx) => tx.addNode({ id: 'n1', metadata: { State: 'DOWN' } }))
  clock.ms = 200_000
  writer.transaction((tx) => tx.patchNode('n1', { State: 'UP' }))
  clock.ms = 300_000
  writer.transaction((tx) => tx.deleteNode('n1'))
  clock.ms = 400_000
  return { graph, clock }
}

describe('another time, on timeline H', () => {
  const { graph, clock } = timeline()
  const engine = createGremlin({ graph, clock })
  test.each<[query: string, revisions: readonly number[]]>([
    ['G.V()', []],
    ['G.At(150).V()', [1]],
    ['G.At(200).V()', [2]],
    ['G.At(250).V()', [2]],
    ['G.At(300).V()', [2]],
    ['G.At(301).V()', []],
    ['G.At(250, 100).V()', [1, 2]],
    ['G.At(250, 100).V().Dedup()', [1]],
    ["G.At(250, 100).V('n1')", [1, 2]],
    ['G.At(400, 50).V()', []],
    ['G.At(400, FOREVER).V()', [1, 2]],
    ["G.At(250).V().Has('State','DOWN')", []],
    ["G.At('-150s').V()", [2]],
    ["G.At('-150s', '1m40s').V()", [1, 2]],
    ['G.At(NOW, 250).V()', [1, 2]],
    ['G.Context(250000).V()', []],
    ['G.Context(2147483648).V()', []],
    ["G.Context('Thu, 01 Jan 1970 00:04:10 GMT').V()", [2]],
    ["G.At('-1h').At(150).V()", [1]],
    ["G.At(250).V().As('a').G.V().Select('a')", [2]],
  ])('%s', async (query, revisions) => {
    const { result } = await engine.query(query)
    expect(nodesOf(result).map((node) => node.revision)).toEqual(revisions)
  })

  test('a deleted node shows when it went', async () => {
    const { result } = await engine.query('G.At(300).V()')
    expect(nodesOf(result).map((node) => node.deletedAtMs)).toEqual([300_000])
  })

  test('the answer says whether the time is wholly known', async () => {
    expect((await engine.query('G.At(150).V()')).coverage).toEqual({ complete: true })
    expect((await engine.query('G.At(49).V()')).coverage).toEqual({ complete: false, knownFromMs: 50_000 })
    expect((await engine.query('G.V()')).coverage).toBeUndefined()
  })
})

describe('budgets and cancelling', () => {
  const graph = createGraph()
  graph.writer({ origin: 'a', host: 'a' }).transaction((tx) => {
    for (let i = 0; i < 10_000; i++) tx.addNode({ id: `n${i}`, metadata: { Name: `n${i}` } })
  })
  test.each([
    ['visited', { visited: 1000 }, "G.V().Has('Nope','x')"],
    ['results', { results: 100 }, 'G.V()'],
    ['results', { results: 100 }, 'G'],
    ['timeMs', { timeMs: -1 }, "G.V().Has('Nope','x')"],
  ])('%s is named when it is spent: %j %s', async (limit, budgets, query) => {
    await expect(createGremlin({ graph, budgets }).query(query)).rejects.toMatchObject({ code: 'ERR_LIMIT', limit })
  })

  test('what stops early stays within a small budget', async () => {
    const { result } = await createGremlin({ graph, budgets: { visited: 1000 } }).query('G.V().Limit(3)')
    expect(nodesOf(result)).toHaveLength(3)
  })

  test('a signal that fired ends the query', async () => {
    const signal = AbortSignal.abort()
    await expect(createGremlin({ graph }).query('G.V()', { signal })).rejects.toMatchObject({ code: 'ERR_CANCELLED' })
  })

  test('without a source of flows the step says so', async () => {
    await expect(createGremlin({ graph }).query('G.Flows()')).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' })
  })

  test('readers that did not answer are named', async () => {
    const flows: FlowReader = {
      search: async () => ({ flows: [], missing: ['agent.beta'] }),
      metrics: async () => new Map(),
      rawPackets: async () => new Map(),
    }
    expect(await createGremlin({ graph, flows }).query('G.Flows()')).toEqual({
      result: { kind: 'flows', flows: [] },
      missing: ['agent.beta'],
      coverage: undefined,
    })
  })

  test.each(['G.Flows().Metrics()', 'G.Flows().RawPackets()', 'G.Flows().Metrics().Sum()'])(
    'so are those that did not for %s',
    async (text) => {
      const told = async (_query: unknown, _slice: unknown, options?: ReadOptions) => {
        options?.onMissing?.('agent.beta')
        options?.onMissing?.('agent.gamma')
        options?.onMissing?.('agent.beta')
        return new Map()
      }
      const flows: FlowReader = { search: async () => ({ flows: [], missing: [] }), metrics: told, rawPackets: told }
      const { signal } = new AbortController()
      const endless = { timeMs: Number.POSITIVE_INFINITY }
      for (const budgets of [{}, endless]) {
        const engine = createGremlin({ graph, flows, budgets })
        for (const options of [{}, { signal }])
          expect((await engine.query(text, options)).missing).toEqual(['agent.beta', 'agent.gamma'])
      }
    },
  )

  test.each<[string, object | undefined]>([
    ['G.Flows()', { slice: undefined }],
    ['G.Flows().Metrics()', { slice: undefined }],
    ['G.At(2, 1).Flows().Count()', { slice: { startMs: 1_000, lastMs: 2_000 } }],
    ['G.V()', undefined],
  ])('%s tells what was watched and lost in its time: %j', async (text, expected) => {
    const flows: FlowReader = {
      search: async () => ({ flows: [], missing: [] }),
      metrics: async () => new Map(),
      rawPackets: async () => new Map(),
      coverage: (slice) => ({ complete: true, lostPackets: 0, lostFlows: 0, watched: 1, slice }),
    }
    const answer = await createGremlin({ graph, flows }).query(text)
    expect(answer.flowCoverage).toEqual(expected && { complete: true, lostPackets: 0, lostFlows: 0, watched: 1, ...expected })
  })

  test('a query that waits keeps to the version that it began with', async () => {
    const live = createGraph()
    const writer = live.writer({ origin: 'a', host: 'a' })
    writer.transaction((tx) => tx.addNode({ id: 'eth0', metadata: { Type: 'device', TID: 't', Name: 'eth0' } }))
    const found = { UUID: 'f', NodeTID: 't', Start: 0, Last: 0, ParentUUID: '', RawPacketsCaptured: 0 }
    const flows: FlowReader = {
      search: async () => {
        writer.transaction((tx) => tx.deleteNode('eth0'))
        return { flows: [{ flow: found, places: {} }], missing: [] }
      },
      metrics: async () => new Map(),
      rawPackets: async () => new Map(),
    }
    const { result } = await createGremlin({ graph: live, flows }).query("G.V('eth0').Flows().CaptureNode()")
    expect(nodesOf(result).map((node) => node.id)).toEqual(['eth0'])
  })
})

describe('compileGraphQuery', () => {
  const graph = createGraph()
  const writer = graph.writer({ origin: 'a', host: 'a' })
  writer.transaction((tx) => tx.addNode({ id: 'v0', metadata: { Type: 'veth', Name: 'v0' } }))

  test('answers again and again, each time of the view that is given', async () => {
    const query = await compileGraphQuery("G.V().Has('Type','veth','State','UP')")
    const names = (): readonly string[] => nodesOf(query.run(graph.view)).map((node) => node.id)
    expect([query.kind, [...query.keys], names()]).toEqual(['nodes', ['Type', 'State'], []])
    writer.transaction((tx) => tx.patchNode('v0', { State: 'UP' }))
    expect([names(), query.runNodes(graph.view).length]).toEqual([['v0'], 1])
  })

  test('names every key that it depends on', async () => {
    const text =
      "G.V().HasNot('A').Out('B',1).Sort('C').Dedup('D').As('x').ShortestPathTo(Metadata('E',1),Metadata('F',1)).SubGraph('G',1).V().Values('H')"
    expect([...(await compileGraphQuery(text)).keys]).toEqual(['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'])
    expect([...(await compileGraphQuery("G.V().Has('A',1).Keys()")).keys]).toEqual(['A', '*'])
  })

  test.each(['G.Flows()', "G.At('-1s').V()"])('%s is refused', async (text) => {
    await expect(compileGraphQuery(text)).rejects.toMatchObject({ code: 'ERR_GREMLIN_UNSUPPORTED' })
  })
})
