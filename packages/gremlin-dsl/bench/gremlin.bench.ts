import { createGraph, type Graph } from '@skydive/graph'
import type { Figure } from '../../../bench/figures.ts'
import { compileGraphQuery, createGremlin } from '../src/index.ts'
import { filled, NODES } from './filled-graph.ts'

const ROUNDS = 7

async function medianUs(times: number, run: (i: number) => unknown): Promise<number> {
  const elapsed: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now()
    for (let i = 0; i < times; i++) await run(i)
    elapsed.push(((performance.now() - started) * 1000) / times)
  }
  return elapsed.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)]!
}

const LARGE = 1_000_000

/** Many nodes of few types, the first of which own others. */
function large(): Graph {
  const graph = createGraph({ retention: { bytes: 0 } })
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  writer.transaction((tx) => {
    for (let i = 0; i < LARGE; i++)
      tx.addNode({ id: `n${i}`, metadata: { Type: i % 50 === 0 ? 'host' : 'veth', Name: `node-${i}` } })
    for (let i = 0; i < NODES; i++) tx.addEdge({ id: `o${i}`, parent: `n${i - (i % 50)}`, child: `n${i}`, metadata: {} })
  })
  return graph
}

async function run(): Promise<Figure[]> {
  const graph = filled()
  const gremlin = createGremlin({ graph })
  const objects = Array.from({ length: NODES }, (_, i) => graph.view.node(graph.view.nodeOrdinal(`n${i}`)))
  const figures: Figure[] = []
  const time = async (name: string, times: number, query: string | ((i: number) => string)): Promise<number> => {
    const value = await medianUs(times, (i) => gremlin.query(typeof query === 'string' ? query : query(i)))
    figures.push({ name, value, unit: 'us' })
    return value
  }
  await time('Count()', 20_000, 'G.V().Count()')
  const hasUs = await medianUs(20_000, () => gremlin.query("G.V().Has('Name','node-77777')"))
  const scanUs = await medianUs(20, () => objects.filter((node) => node.metadata['Name'] === 'node-77777'))
  figures.push({
    name: "Has('Name',x) at 100,000 nodes",
    value: hasUs,
    unit: 'us',
    peer: 'filter of an array',
    peerValue: scanUs,
    ratio: scanUs / hasUs,
  })
  await time("Has('Name',x), another text each time", 20_000, (i) => `G.V().Has('Name','node-${i}')`)
  await time("Has('Type','host').Out('Type','netns'), 100,000 nodes", 10, "G.V().Has('Type','host').Out('Type','netns').Count()")
  await time("scan Has('MTU',Gt(1500)), 100,000 nodes", 10, "G.V().Has('MTU',Gt(1500)).Count()")
  await time('Out().Out().Limit(10)', 10_000, 'G.V().Out().Out().Limit(10)')
  await time(
    "ShortestPathTo over 'layer2'",
    5,
    "G.V('n1').ShortestPathTo(Metadata('Name','node-99'),Metadata('RelationType','layer2'))",
  )
  const million = large()
  const first = await compileGraphQuery("G.V().Has('Type','host').Out().Limit(10)")
  if (first.runNodes(million.view).length !== 10) throw new Error('the limit was not reached')
  figures.push({
    name: "Has('Type','host').Out().Limit(10), 1,000,000 nodes",
    value: await medianUs(20_000, () => first.runNodes(million.view)),
    unit: 'us',
  })
  return figures
}

export const bench = { name: 'gremlin', run }
