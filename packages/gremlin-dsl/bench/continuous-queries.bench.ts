import { createGraph, type Graph } from '@skydive/graph'
import { type Figure, median } from '../../../bench/figures.ts'
import { createGremlin } from '../src/index.ts'
import { type ContinuousQueries, createContinuousQueries } from '../src/watch.ts'

const HOSTS = 2000
const PER_HOST = 50
const NODES = HOSTS * PER_HOST
const QUERIES = 1000
const EVENTS = 20_000
const ROUNDS = 9

/** 100,000 nodes with 25 keys and 292,000 edges: hosts that own 49 nodes each, joined at random. */
function filled(): Graph {
  const graph = createGraph({ retention: { ageMs: 1000, bytes: 16 * 1024 * 1024 } })
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  const more = Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`Key${i}`, i]))
  const types = ['bridge', 'device', 'netns', 'veth', 'container']
  writer.transaction((tx) => {
    for (let i = 0; i < NODES; i++) {
      const Type = i % PER_HOST === 0 ? 'host' : types[i % 5]!
      const Name = Type === 'host' ? `host-${i / PER_HOST}` : `node-${i}`
      tx.addNode({ id: `n${i}`, metadata: { Type, Name, MTU: 1500, State: 'UP', ...more } })
    }
    let edges = 0
    for (let i = 0; i < NODES; i++) {
      if (i % PER_HOST === 0) continue
      tx.addEdge({ id: `o${i}`, parent: `n${i - (i % PER_HOST)}`, child: `n${i}`, metadata: { RelationType: 'ownership' } })
      for (let copy = 0; copy < 2 && edges < 194_000; copy++, edges++) {
        tx.addEdge({
          id: `l${i}-${copy}`,
          parent: `n${i}`,
          child: `n${(i * 7919 + copy) % NODES}`,
          metadata: { RelationType: 'layer2' },
        })
      }
    }
  })
  return graph
}

/** 80 % state flips, 10 % edges that come and go, 10 % changes of type, which make nodes enter and leave results. */
function applyEvents(graph: Graph, seed: number): number {
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  const startedAt = performance.now()
  for (let i = 0; i < EVENTS; i++) {
    const n = (Math.imul(i + seed, 2654435761) >>> 0) % NODES
    const id = `n${n}`
    if (i % 10 < 8) writer.transaction((tx) => tx.patchNode(id, { State: (i + seed) % 2 === 0 ? 'DOWN' : 'UP', Flips: i + seed }))
    else if (i % 20 === 8)
      writer.transaction((tx) =>
        tx.addEdge({ id: 'extra', parent: id, child: `n${(n + 1) % NODES}`, metadata: { RelationType: 'layer2' } }),
      )
    else if (i % 20 === 18) writer.transaction((tx) => tx.deleteEdge('extra'))
    else if (n % PER_HOST !== 0)
      writer.transaction((tx) => tx.patchNode(id, { Type: (i + seed) % 2 === 0 ? 'netns' : 'veth', Turns: i + seed }))
  }
  return ((performance.now() - startedAt) * 1000) / EVENTS
}

const queryOf = (i: number) => `G.V().Has('Type','host','Name','host-${i}').Out().Has('Type','netns')`
const SAME = "G.V().Has('Type','host').Count()"

async function watchAll(queries: ContinuousQueries, texts: readonly string[]): Promise<void> {
  await Promise.all(texts.map((text) => queries.watch(text).ready))
}

async function run(): Promise<Figure[]> {
  const graphs = { none: filled(), different: filled(), one: filled(), same: filled() }
  const texts = Array.from({ length: QUERIES }, (_, i) => queryOf(i))
  const different = createContinuousQueries({ graph: graphs.different })
  const openedAt = performance.now()
  await watchAll(different, texts)
  const openUs = ((performance.now() - openedAt) * 1000) / QUERIES
  await watchAll(createContinuousQueries({ graph: graphs.one }), [SAME])
  await watchAll(createContinuousQueries({ graph: graphs.same }), new Array<string>(QUERIES).fill(SAME))

  const times = { none: [] as number[], different: [] as number[], one: [] as number[], same: [] as number[] }
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of ['none', 'different', 'one', 'same'] as const) times[name].push(applyEvents(graphs[name], round * EVENTS))
  }
  await verify(different, graphs.different, texts)

  // What it would cost to ask again: one indexed query of the thousand.
  const gremlin = createGremlin({ graph: graphs.none })
  const askedAt = performance.now()
  for (let i = 0; i < QUERIES; i++) await gremlin.query(texts[i]!)
  const againUs = (performance.now() - askedAt) * 1000

  const none = median(times.none)
  const withThousand = median(times.different)
  const one = median(times.one)
  const same = median(times.same)
  return [
    { name: 'an event without a continuous query', value: none, unit: 'us' },
    {
      name: 'an event with 1,000 different queries',
      value: withThousand,
      unit: 'us',
      peer: 'no query',
      peerValue: none,
      ratio: withThousand / none,
    },
    { name: 'an event with 1,000 equal queries', value: same, unit: 'us', peer: 'one query', peerValue: one, ratio: same / one },
    {
      name: 'the same 1,000 asked again instead',
      value: againUs,
      unit: 'us',
      peer: 'deltas',
      peerValue: withThousand - none,
      ratio: againUs / (withThousand - none),
    },
    { name: 'begin one query', value: openUs, unit: 'us' },
  ]
}

/** The results at the end are those of asking. */
async function verify(queries: ContinuousQueries, graph: Graph, texts: readonly string[]): Promise<void> {
  const gremlin = createGremlin({ graph })
  for (const text of texts) {
    const { value } = await queries.watch(text)[Symbol.asyncIterator]().next()
    const { result } = await gremlin.query(text)
    const ids = (nodes: readonly { id: string }[]) =>
      nodes
        .map(({ id }) => id)
        .sort()
        .join()
    if (value.kind !== 'nodes' || result.kind !== 'nodes' || ids(value.added) !== ids(result.nodes)) {
      throw new Error(`the deltas of ${text} have led to another result than asking`)
    }
  }
}

export const bench = { name: 'continuous-queries', run }
