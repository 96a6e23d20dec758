import { describe, expect, test } from '@jest/globals'
import { createGraph, type Graph } from '@skydive/graph'
import { createContinuousQueries, createWatchedResult, type Watch, type WatchDelta, watch } from '../src/watch.ts'

function hosts(): { graph: Graph; write: ReturnType<Graph['writer']>['transaction'] } {
  let now = 1000
  const graph = createGraph({ clock: { now: () => now++ } })
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  writer.transaction((tx) => {
    tx.addNode({ id: 'h', metadata: { Type: 'host', Name: 'alpha' } })
    tx.addNode({ id: 'v', metadata: { Type: 'veth', Name: 'v0', State: 'UP' } })
    tx.own('h', 'v')
  })
  return { graph, write: (body) => writer.transaction(body) }
}

async function take(watched: Watch, count: number): Promise<WatchDelta[]> {
  const iterator = watched[Symbol.asyncIterator]()
  const deltas: WatchDelta[] = []
  while (deltas.length < count) deltas.push((await iterator.next()).value)
  return deltas
}

describe('a watch', () => {
  test('tells the whole result, then what is added, changed and removed', async () => {
    const { graph, write } = hosts()
    const watched = watch(graph, "G.V().Has('Type','veth')")
    const [first] = await take(watched, 1)
    expect(first).toEqual({
      kind: 'nodes',
      version: 1,
      reset: true,
      added: [graph.view.node(graph.view.nodeOrdinal('v'))],
      removed: [],
      changed: [],
    })
    write((tx) => tx.patchNode('v', { State: 'DOWN' }))
    write((tx) => tx.addNode({ id: 'w', metadata: { Type: 'veth' } }))
    write((tx) => tx.patchNode('w', { Type: 'bridge' }))
    write((tx) => tx.deleteNode('v'))
    const [changed, added, left, deleted] = (await take(watched, 4)) as Extract<WatchDelta, { kind: 'nodes' }>[]
    expect(changed).toMatchObject({
      version: 2,
      reset: false,
      added: [],
      removed: [],
      changed: [{ before: { revision: 1, metadata: { State: 'UP' } }, after: { revision: 2, metadata: { State: 'DOWN' } } }],
    })
    expect(added).toMatchObject({ version: 3, added: [{ id: 'w', revision: 1 }], removed: [], changed: [] })
    expect(left).toMatchObject({ version: 4, added: [], removed: [{ id: 'w', revision: 1, deletedAtMs: null }], changed: [] })
    expect(deleted).toMatchObject({ version: 5, added: [], removed: [{ id: 'v', deletedAtMs: expect.any(Number) }], changed: [] })
  })

  test('tells nothing of what does not matter, nor of what comes and goes in one transaction', async () => {
    const { graph, write } = hosts()
    const queries = createContinuousQueries({ graph })
    const watched = queries.watch("G.V().Has('Type','host').Out('Type','netns').Count()")
    await take(watched, 1)
    write((tx) => tx.patchNode('v', { State: 'DOWN' }))
    write((tx) => {
      tx.addNode({ id: 'n', metadata: { Type: 'netns' } })
      tx.own('h', 'n')
      tx.deleteNode('n')
    })
    expect(queries.stats().deltas).toBe(0)
    write((tx) => {
      tx.addNode({ id: 'n', metadata: { Type: 'netns' } })
      tx.own('h', 'n')
    })
    expect(await take(watched, 1)).toEqual([{ kind: 'number', version: 4, reset: false, value: 1 }])
  })

  test('G.V(id) waits for an id that is not there', async () => {
    const { graph, write } = hosts()
    const watched = watch(graph, "G.V('later')")
    expect(await take(watched, 1)).toMatchObject([{ added: [] }])
    write((tx) => tx.addNode({ id: 'later', metadata: {} }))
    expect(await take(watched, 1)).toMatchObject([{ added: [{ id: 'later' }] }])
  })

  test('Sort with Limit keeps an order', async () => {
    const { graph, write } = hosts()
    write((tx) => {
      for (let i = 0; i < 600; i++) tx.addNode({ id: `n${i}`, metadata: { Rank: i } })
    })
    const watched = watch(graph, "G.V().Has('Rank').Sort(DESC,'Rank').Limit(2)")
    expect(await take(watched, 1)).toMatchObject([{ order: ['n599', 'n598'] }])
    write((tx) => tx.patchNode('n3', { Rank: 1000 }))
    expect(await take(watched, 1)).toMatchObject([
      { order: ['n3', 'n599'], added: [{ id: 'n3' }], removed: [{ id: 'n598' }], changed: [] },
    ])
    write((tx) => tx.deleteNode('n3'))
    expect(await take(watched, 1)).toMatchObject([{ order: ['n599', 'n598'] }])
  })

  test('within a listener that writes, every version is taken in once', async () => {
    const { graph, write } = hosts()
    let answered = false
    graph.subscribe(() => {
      if (answered) return
      answered = true
      write((tx) => tx.addNode({ id: 'echo', metadata: { Type: 'veth' } }))
    })
    const queries = createContinuousQueries({ graph })
    const watched = queries.watch("G.V().Has('Type','veth').Count()")
    await take(watched, 1)
    write((tx) => tx.addNode({ id: 'w', metadata: { Type: 'veth' } }))
    expect(await take(watched, 1)).toEqual([{ kind: 'number', version: 3, reset: false, value: 3 }])
    expect(queries.stats().deltas).toBe(1)
  })
})

describe('readers of one query', () => {
  test('share its work, and it ends with the last of them', async () => {
    const { graph, write } = hosts()
    const queries = createContinuousQueries({ graph })
    const one = queries.watch("G.V().Has('Type','veth').Count()")
    const other = queries.watch('g.v().has("Type", "veth").count()')
    await Promise.all([take(one, 1), take(other, 1)])
    expect(queries.stats()).toMatchObject({ queries: 1, readers: 2, members: 1 })
    write((tx) => tx.addNode({ id: 'w', metadata: { Type: 'veth' } }))
    expect(queries.stats().deltas).toBe(1)
    expect(await take(other, 1)).toMatchObject([{ value: 2 }])
    one.close()
    expect(queries.stats()).toMatchObject({ queries: 1, readers: 1 })
    other.close()
    expect(queries.stats()).toMatchObject({ queries: 0, readers: 0, members: 0 })
    expect(graph.stats().listeners).toBe(0)
  })

  test.each([
    ['by what changed', 'G.V().Count()'],
    ['by another run', 'G.V().Keys().Count()'],
  ])('that wait are woken, %s', async (_how, query) => {
    const { graph, write } = hosts()
    const queries = createContinuousQueries({ graph })
    const readers = [queries.watch(query), queries.watch(query)].map((watched) => watched[Symbol.asyncIterator]())
    for (const reader of readers) await reader.next()
    const waiting = readers.map((reader) => reader.next())
    write((tx) => tx.addNode({ id: 'w', metadata: { Another: 1 } }))
    const version = graph.cursor.version
    expect((await Promise.all(waiting)).map(({ value }) => [value.reset, value.version])).toEqual([
      [false, version],
      [false, version],
    ])
  })

  test('one that comes while the last one leaves is served, whenever that is', async () => {
    const { graph, write } = hosts()
    const queries = createContinuousQueries({ graph })
    for (let turns = 0; turns < 40; turns++) {
      const leaving = queries.watch('G.V().Count()')
      await take(leaving, 1)
      const coming = queries.watch('G.V().Count()')
      const first = take(coming, 1)
      for (let turn = 0; turn < turns; turn++) await undefined
      leaving.close()
      expect(await first).toMatchObject([{ reset: true, value: 2 + turns }])
      write((tx) => tx.addNode({ id: `n${turns}`, metadata: {} }))
      expect(await take(coming, 1)).toMatchObject([{ reset: false, value: 3 + turns }])
      coming.close()
      expect(queries.stats()).toMatchObject({ queries: 0, readers: 0 })
    }
  })

  test('one that falls behind starts again from the whole result', async () => {
    const { graph, write } = hosts()
    const queries = createContinuousQueries({ graph, keptDeltas: 3 })
    const slow = queries.watch("G.V().Has('Type','veth')")
    const result = createWatchedResult()
    for (const delta of await take(slow, 1)) result.apply(delta)
    for (let i = 0; i < 5; i++) write((tx) => tx.addNode({ id: `w${i}`, metadata: { Type: 'veth' } }))
    const [delta] = await take(slow, 1)
    expect(delta).toMatchObject({ reset: true, version: 6 })
    result.apply(delta!)
    expect(result.current()).toMatchObject({ nodes: { length: 6 } })
  })

  test('or ends, when it asked not to lose anything', async () => {
    const { graph, write } = hosts()
    const queries = createContinuousQueries({ graph, keptDeltas: 3 })
    const slow = queries.watch("G.V().Has('Type','veth')", { overflow: 'error' })
    await take(slow, 1)
    for (let i = 0; i < 5; i++) write((tx) => tx.addNode({ id: `w${i}`, metadata: { Type: 'veth' } }))
    await expect(take(slow, 1)).rejects.toMatchObject({ code: 'ERR_LIMIT', limit: 'deltas' })
    expect(queries.stats().queries).toBe(0)
  })

  test('a signal ends a watch that waits', async () => {
    const { graph } = hosts()
    const abort = new AbortController()
    const deltas: WatchDelta[] = []
    const done = (async () => {
      for await (const delta of watch(graph, 'G.V().Count()', { signal: abort.signal })) {
        deltas.push(delta)
        queueMicrotask(() => abort.abort())
      }
    })()
    await done
    expect(deltas).toEqual([{ kind: 'number', version: 1, reset: true, value: 2 }])
    expect(graph.stats().listeners).toBe(0)
  })

  test('a watch whose signal has fired is done at once', async () => {
    const { graph } = hosts()
    const watched = watch(graph, 'G.V().Count()', { signal: AbortSignal.abort() })
    expect(await watched[Symbol.asyncIterator]().next()).toEqual({ done: true, value: undefined })
    await watched.ready
    expect(graph.stats().listeners).toBe(0)
  })

  test('close ends all of them', async () => {
    const { graph } = hosts()
    const queries = createContinuousQueries({ graph })
    const iterator = queries.watch('G.V().Count()')[Symbol.asyncIterator]()
    await iterator.next()
    const next = iterator.next()
    queries.close()
    expect(await next).toEqual({ done: true, value: undefined })
  })
})

describe('what can not be watched', () => {
  test.each([
    ['G.V().Hass()', 'ERR_GREMLIN_SYNTAX'],
    ["G.V().Has('a','b','c')", 'ERR_GREMLIN_ARGUMENT'],
    ['G.Flows()', 'ERR_GREMLIN_UNSUPPORTED'],
    ["G.At('-1m').V()", 'ERR_GREMLIN_UNSUPPORTED'],
  ])('%s', async (text, code) => {
    const { graph } = hosts()
    const watched = watch(graph, text)
    await expect(watched.ready).rejects.toMatchObject({ code })
    await expect(take(watched, 1)).rejects.toMatchObject({ code })
  })

  test('a sum over what is no number ends with the error of the query', async () => {
    const { graph, write } = hosts()
    const watched = watch(graph, "G.V().Sum('MTU')")
    expect(await take(watched, 1)).toMatchObject([{ value: 0 }])
    write((tx) => tx.patchNode('v', { MTU: 1500 }))
    write((tx) => tx.patchNode('v', { MTU: 'large' }))
    expect(await take(watched, 1)).toMatchObject([{ value: 1500 }])
    await expect(take(watched, 1)).rejects.toMatchObject({ code: 'ERR_GREMLIN_EXECUTION' })
    expect(graph.stats().listeners).toBe(0)
  })

  test('more queries than allowed', async () => {
    const { graph } = hosts()
    const queries = createContinuousQueries({ graph, maxQueries: 1 })
    await queries.watch('G.V().Count()').ready
    await expect(queries.watch('G.E().Count()').ready).rejects.toMatchObject({ code: 'ERR_LIMIT', limit: 'maxQueries' })
    await queries.watch('G.V().Count()').ready
  })

  test('a query that remembers more than its budget', async () => {
    const { graph, write } = hosts()
    const queries = createContinuousQueries({ graph, budgets: { results: 2 } })
    const watched = queries.watch("G.V().Has('Type','veth')")
    await take(watched, 1)
    for (let i = 0; i < 2; i++) write((tx) => tx.addNode({ id: `w${i}`, metadata: { Type: 'veth' } }))
    await take(watched, 1)
    await expect(take(watched, 1)).rejects.toMatchObject({ code: 'ERR_LIMIT', limit: 'results' })
  })
})

describe('a result put together', () => {
  const { graph } = hosts()
  const element = graph.view.node(graph.view.nodeOrdinal('v'))
  const base = { version: 2, reset: false } as const
  test.each<[title: string, delta: WatchDelta]>([
    ['takes away what is not there', { ...base, kind: 'nodes', added: [], removed: [element], changed: [] }],
    [
      'changes what is not there',
      { ...base, kind: 'nodes', added: [], removed: [], changed: [{ before: element, after: element }] },
    ],
    ['takes away a value that is not there', { ...base, kind: 'values', added: [], removed: ['x'] }],
  ])('refuses a delta that %s', (_title, delta) => {
    expect(() => createWatchedResult().apply(delta)).toThrow(expect.objectContaining({ code: 'ERR_INVARIANT' }))
  })

  test('is as of the last delta', () => {
    const result = createWatchedResult()
    expect([result.version, result.current()]).toEqual([0, undefined])
    result.apply({ version: 1, reset: true, kind: 'values', added: ['x', 'x', 'y'], removed: [] })
    result.apply({ ...base, kind: 'values', added: ['z'], removed: ['x'] })
    expect([result.version, result.current()]).toEqual([2, { kind: 'values', values: ['x', 'y', 'z'] }])
    result.apply({ version: 3, reset: true, kind: 'values', added: ['w'], removed: [] })
    expect([result.version, result.current()]).toEqual([3, { kind: 'values', values: ['w'] }])
  })
})

describe('explain', () => {
  test.each([
    [
      "G.V().Has('Type','host').Out('Type','netns').Dedup().Count()",
      {
        mode: 'delta',
        operators: ['every node with 1 condition', 'neighbors out with 1 condition, distinct', 'count'],
        keys: ['Type'],
      },
    ],
    [
      'G.V().Descendants(2).SubGraph()',
      { mode: 'delta', operators: ['every node', 'reach out, distinct', 'reach out, distinct', 'subgraph of nodes'] },
    ],
    [
      "G.E().Has('RelationType','layer2').BothV()",
      { mode: 'delta', operators: ['every edge with 1 condition', 'ends both', 'rows'] },
    ],
    ["G.V().Sort('Name').Limit(3)", { mode: 'delta', operators: ['every node', 'rows 0 to 3 in order'] }],
    ['G.V().Limit(3)', { mode: 'rerun', reason: 'Limit needs a declared order: put Sort before it' }],
    ["G.V().Dedup('Name')", { mode: 'rerun', reason: 'Dedup by keys depends on the order of rows' }],
    ['G.V().Descendants(9)', { mode: 'rerun', reason: 'Descendants goes deeper than 8 levels' }],
    ["G.V().Group('State')", { mode: 'delta', operators: ['every node', 'groups by State'] }],
    ['G.V().Keys()', { mode: 'rerun', reason: 'Keys has no delta operator' }],
    ['G', { mode: 'delta', operators: ['every node', 'subgraph of nodes'] }],
  ])('%s', async (text, plan) => {
    const { graph } = hosts()
    expect(await createContinuousQueries({ graph }).explain(text)).toMatchObject(plan)
  })
})
