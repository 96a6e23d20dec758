import { describe, expect, test } from '@jest/globals'
import type { EnhancedFlow, FlowReader } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import { type Budgets, createGremlin, type GremlinAnswer } from '../src/index.ts'

const graph = createGraph()
graph.writer({ origin: 'a', host: 'a' }).transaction((tx) => {
  for (let i = 0; i < 20_000; i++) tx.addNode({ id: `n${i}`, metadata: { Name: `n${i}`, M: i } })
  for (let i = 1; i < 1000; i++) tx.addEdge({ id: `e${i}`, parent: 'n0', child: `n${i}`, metadata: {} })
})
const flow = (i: number): EnhancedFlow => ({
  flow: { UUID: `f${i}`, TrackingID: `t${i % 3}`, Start: 0, Last: i, ParentUUID: '', RawPacketsCaptured: 0 },
  places: {},
})
const flows: FlowReader = {
  search: async () => ({ flows: Array.from({ length: 3000 }, (_, i) => flow(i)), missing: [] }),
  metrics: async () => new Map(),
  rawPackets: async () => new Map(),
}

/** Time goes on by one for every look. */
function ticking() {
  let ms = 0
  return { now: () => ms++ }
}

function sizeOf({ result }: GremlinAnswer): unknown {
  switch (result.kind) {
    case 'nodes':
      return result.nodes.length
    case 'number':
      return result.value
    case 'values':
      return result.values.length
    case 'flows':
      return result.flows.length
    case 'graph':
      return [result.nodes.length, result.edges.length]
    case 'groups':
      return [...result.groups.values()].reduce((sum, group) => sum + group.length, 0)
    default:
      throw new Error(result.kind)
  }
}

describe('a budget', () => {
  test.each<[name: keyof Budgets, budgets: Partial<Budgets>, query: string]>([
    ['memoryBytes', { memoryBytes: 50_000 }, 'G.V()'],
    ['memoryBytes', { memoryBytes: 50_000 }, "G.V().As('a').G.V().Limit(10)"],
    ['memoryBytes', { memoryBytes: 500_000 }, 'G.Flows()'],
    ['memoryBytes', { memoryBytes: 500_000 }, "G.V().Values('M')"],
    ['visited', { visited: 10_000 }, 'G.V().Out()'],
    ['visited', { visited: 5 }, "G.V().Descendants('a','b',0)"],
    ['results', { results: 100 }, 'G.Flows()'],
    // Results are counted while they are found: whoever wants too many does not look at everything first.
    ['results', { results: 100, visited: 10_000 }, "G.V().Has('M',Gte(0))"],
    ['timeMs', { timeMs: 2 }, "G.V().Has('M',-1)"],
  ])('%s is named when it is spent: %j %s', async (limit, budgets, query) => {
    const engine = createGremlin({ graph, flows, budgets, clock: ticking() })
    const error: unknown = await engine.query(query).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'ERR_LIMIT', limit, message: expect.stringContaining(`(budget "${limit}")`) })
  })

  test.each<[budgets: Partial<Budgets>, query: string]>([
    [{ memoryBytes: 50_000 }, 'G.V().Count()'],
    [{ memoryBytes: 50_000 }, "G.V().Has('Name','n5')"],
    [{ memoryBytes: 50_000 }, 'G.V().Limit(5000)'],
    [{ memoryBytes: 500_000 }, 'G.V().Out().Dedup()'],
  ])('is not touched by what holds little: %j %s', async (budgets, query) => {
    await expect(createGremlin({ graph, budgets }).query(query)).resolves.toMatchObject({ missing: [] })
  })

  test('a source that does not answer in time is left', async () => {
    const silent: FlowReader = {
      ...flows,
      search: (_query, _slice, { signal } = {}) =>
        new Promise((_, reject) => signal!.addEventListener('abort', () => reject(signal!.reason as Error))),
    }
    const engine = createGremlin({ graph, flows: silent, budgets: { timeMs: 20 } })
    await expect(engine.query('G.Flows()')).rejects.toMatchObject({ code: 'ERR_LIMIT', limit: 'timeMs' })
    expect(await engine.query('G.Flows()', { onBudget: 'partial' })).toEqual({
      result: { kind: 'flows', flows: [] },
      missing: [],
      coverage: undefined,
      partial: 'timeMs',
    })
  })

  test('an asker who gives up while a source is waited for is told so', async () => {
    const controller = new AbortController()
    const waiting: FlowReader = {
      ...flows,
      search: (_query, _slice, { signal } = {}) =>
        new Promise((_, reject) => {
          signal!.addEventListener('abort', () => reject(new Error('stopped')))
          controller.abort()
        }),
    }
    await expect(createGremlin({ graph, flows: waiting }).query('G.Flows()', { signal: controller.signal })).rejects.toThrow(
      'stopped',
    )
  })
})

describe('an answer in part', () => {
  test.each<[budgets: Partial<Budgets>, query: string, size: unknown, partial: string]>([
    [{ results: 100 }, 'G.V()', 100, 'results'],
    [{ results: 100 }, "G.V().Values('Name')", 100, 'results'],
    [{ results: 100 }, "G.V().Sort(DESC,'M').Limit(5)", 5, 'results'],
    [{ results: 100 }, 'G.Flows()', 100, 'results'],
    [{ results: 100 }, 'G.Flows().Group()', 100, 'results'],
    [{ results: 100 }, 'G', [100, 0], 'results'],
    [{ results: 20_100 }, 'G', [20_000, 100], 'results'],
    [{ visited: 10_000 }, "G.V().Has('M',Gte(0)).Count()", 16_383, 'visited'],
    [{ timeMs: 2 }, "G.V().Has('M',Gte(0)).Count()", 16_383, 'timeMs'],
    [{ memoryBytes: 50_000 }, 'G.V()', 7168, 'memoryBytes'],
  ])('%j %s', async (budgets, query, size, partial) => {
    const engine = createGremlin({ graph, flows, budgets, clock: ticking() })
    const answer = await engine.query(query, { onBudget: 'partial' })
    expect([sizeOf(answer), answer.partial]).toEqual([size, partial])
  })

  test('holds only what the whole answer holds', async () => {
    const whole = await createGremlin({ graph }).query("G.V().Out().Has('M',Gt(10))")
    const part = await createGremlin({ graph, budgets: { results: 50 } }).query("G.V().Out().Has('M',Gt(10))", {
      onBudget: 'partial',
    })
    if (whole.result.kind !== 'nodes' || part.result.kind !== 'nodes') throw new Error('kinds')
    expect(part.result.nodes).toEqual(whole.result.nodes.slice(0, 50))
  })

  test('is whole where no budget is spent, and then says nothing', async () => {
    expect('partial' in (await createGremlin({ graph }).query('G.V().Count()', { onBudget: 'partial' }))).toBe(false)
  })

  test('a step that cannot stop halfway fails all the same', async () => {
    const star = createGraph()
    star.writer({ origin: 'a', host: 'a' }).transaction((tx) => {
      for (let i = 0; i < 20_000; i++) tx.addNode({ id: `n${i}`, metadata: {} })
      for (let i = 1; i < 20_000; i++) tx.addEdge({ parent: 'n0', child: `n${i}`, metadata: { RelationType: 'ownership' } })
    })
    const poor = createGremlin({ graph: star, budgets: { visited: 100 } })
    await expect(poor.query("G.V('n0').Descendants()", { onBudget: 'partial' })).rejects.toMatchObject({ limit: 'visited' })
  })

  test('giving up is no budget', async () => {
    const signal = AbortSignal.abort()
    await expect(createGremlin({ graph }).query('G.V()', { signal, onBudget: 'partial' })).rejects.toMatchObject({
      code: 'ERR_CANCELLED',
    })
  })
})
