import { createGraph, type Graph } from '@skydive/graph'
import { createGremlin, parseGremlin } from '../src/index.ts'

interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly peer?: string
  readonly peerValue?: number
  readonly ratio?: number
}

const NODES = 100_000
const ROUNDS = 7

function filled(): Graph {
  const graph = createGraph()
  const types = ['bridge', 'device', 'netns', 'veth', 'container']
  graph.writer({ origin: 'agent.alpha', host: 'alpha' }).transaction((tx) => {
    for (let i = 0; i < NODES; i++) {
      const Type = i % 50 === 0 ? 'host' : types[i % 5]!
      tx.addNode({ id: `n${i}`, metadata: { Type, Name: `node-${i}`, MTU: i % 10 === 0 ? 9000 : 1500, State: 'UP' } })
    }
    for (let i = 0; i < NODES; i++) {
      if (i % 50 === 0) continue
      tx.addEdge({ id: `o${i}`, parent: `n${i - (i % 50)}`, child: `n${i}`, metadata: { RelationType: 'ownership' } })
      tx.addEdge({ id: `l${i}`, parent: `n${i}`, child: `n${(i * 7919) % NODES}`, metadata: { RelationType: 'layer2' } })
    }
  })
  return graph
}

async function medianUs(times: number, run: (i: number) => unknown): Promise<number> {
  const elapsed: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now()
    for (let i = 0; i < times; i++) await run(i)
    elapsed.push(((performance.now() - started) * 1000) / times)
  }
  return elapsed.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)]!
}

const LONG =
  "G.V().Has('Type', Within('host','bridge'), 'Name', Regex('node-1.*')).Out('Type','veth').Has('MTU', Gt(1500)).OutE('RelationType','layer2').OutV().Dedup('Name').Sort(DESC,'MTU').Limit(10).Values('Name')"

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
  const parseUs = await medianUs(20_000, () => parseGremlin(LONG))
  figures.push({ name: `parse ${LONG.length} characters`, value: parseUs, unit: 'us' })
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
  return figures
}

export const bench = { name: 'gremlin', run }
