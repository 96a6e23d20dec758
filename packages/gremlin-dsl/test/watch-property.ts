import { describe, expect, test } from '@jest/globals'
import type { GraphTransaction, MetadataValue } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import fc from 'fast-check'
import { compileGraphQuery, type GremlinResult } from '../src/index.ts'
import { createContinuousQueries, createWatchedResult } from '../src/watch.ts'

const IDS = ['a', 'b', 'c', 'd', 'e', 'f']

const value = fc.constantFrom<MetadataValue>('x', 'y', 1, 2, '2', true, ['x', 2])
const speed = fc.constantFrom<MetadataValue>(10, '25', 1.5)
const metadata = fc
  .tuple(fc.dictionary(fc.constantFrom('Type', 'Name', 'MTU'), value, { maxKeys: 3 }), fc.option(speed))
  .map(([other, Speed]) => (Speed === null ? other : { ...other, Speed }))
const id = fc.constantFrom(...IDS)
const relation = fc.constantFrom('ownership', 'layer2')

type Change = (tx: GraphTransaction) => void

const change: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.tuple(id, metadata).map(
      ([node, data]): Change =>
        (tx) =>
          void tx.putNode({ id: node, metadata: data }),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(id, fc.constantFrom('Type', 'Name', 'MTU', 'Other'), fc.option(value)).map(
      ([node, key, to]): Change =>
        (tx) => {
          if (tx.node(node)) tx.patchNode(node, { [key]: to ?? undefined })
        },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(id, speed).map(
      ([node, Speed]): Change =>
        (tx) => {
          if (tx.node(node)) tx.patchNode(node, { Speed })
        },
    ),
  },
  {
    weight: 1,
    arbitrary: id.map(
      (node): Change =>
        (tx) =>
          void tx.deleteNode(node),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(id, id, relation, fc.integer({ min: 0, max: 1 })).map(
      ([parent, child, type, copy]): Change =>
        (tx) => {
          if (!tx.node(parent) || !tx.node(child)) return
          // Ids of edges are used again, with other ends.
          const edge = `${[parent, child].sort()[0]}-${copy}`
          tx.deleteEdge(edge)
          tx.addEdge({ id: edge, parent, child, metadata: { RelationType: type } })
        },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(id, relation).map(
      ([edge, type]): Change =>
        (tx) => {
          if (tx.edge(`${edge}-0`)) tx.patchEdge(`${edge}-0`, { RelationType: type })
        },
    ),
  },
  {
    weight: 1,
    arbitrary: id.map(
      (edge): Change =>
        (tx) =>
          void tx.deleteEdge(`${edge}-0`),
    ),
  },
)

const written = fc.constantFrom("'x'", "'y'", "'2'", '1', '2', 'TRUE')
const condition = fc.oneof(
  written,
  written.map((arg) => `NE(${arg})`),
  fc.constantFrom('GT(1)', "Within('x',2)", 'Without(1)', "Regex('x|y')"),
)
const nodeFilter = fc.oneof(
  fc
    .array(fc.tuple(fc.constantFrom('Type', 'Name', 'MTU', '@ID', '@Revision'), condition), { minLength: 1, maxLength: 2 })
    .map((pairs) => `Has(${pairs.map(([key, to]) => `'${key}',${to}`).join()})`),
  fc.tuple(condition, condition).map(([one, other]) => `HasEither('Type',${one},'Name',${other})`),
  fc.constantFrom("HasKey('MTU')", "HasNot('Name')", "Has('@ID','a')", "Has('@ID',Within('b','c'))"),
)
const edgeFilter = fc.constantFrom("Has('RelationType','layer2')", "Has('Parent','a')", "HasNot('Nope')", "Has('Child',NE('b'))")
const hop = fc.constantFrom(
  'Out()',
  'In()',
  'Both()',
  "Out('Type','x')",
  'Descendants(2)',
  "Ascendants('RelationType','layer2',1)",
  'Neighbors(2)',
  'OutE().OutV()',
  "BothE('RelationType','layer2').BothV()",
  'InE().InV()',
)
const nodeEnd = fc.constantFrom(
  '',
  '',
  '.Dedup()',
  '.Count()',
  ".Sum('Speed')",
  ".Values('Name')",
  ".ValueMap('Name','MTU')",
  ".Group('Name')",
  '.Group()',
  '.SubGraph()',
  ".SubGraph('RelationType','ownership')",
  ".Sort('MTU').Limit(2)",
  ".Sort(DESC,'Name').Range(1,3)",
  '.Sort().Limit(3)',
)
const edgeEnd = fc.constantFrom(
  '',
  '.Group()',
  '.Count()',
  '.Dedup()',
  '.SubGraph()',
  ".SubGraph('Child','b')",
  '.BothV().Dedup().Count()',
)

const rows = (filter: fc.Arbitrary<string>, maxLength: number) =>
  fc.array(filter, { maxLength }).map((steps) => steps.map((step) => `.${step}`).join(''))

const nodeQuery = fc
  .tuple(rows(nodeFilter, 2), rows(fc.oneof(hop, nodeFilter, fc.constant('Dedup()')), 3), nodeEnd)
  .map((parts) => `G.V()${parts.join('')}`)
const edgeQuery = fc
  .tuple(rows(edgeFilter, 2), fc.constantFrom('', '.OutV()', ".BothV('Type','x')", '.InV().OutE()'), edgeEnd)
  .map(([filters, steps, end]) =>
    steps === '' || steps.endsWith('OutE()') ? `G.E()${filters}${steps}${end}` : `G.E()${filters}${steps}.Dedup()`,
  )
const supported = fc.oneof(
  { weight: 40, arbitrary: nodeQuery },
  { weight: 10, arbitrary: edgeQuery },
  { weight: 1, arbitrary: fc.constant('G') },
)

/** Queries that are run again. */
const others = fc.constantFrom(
  'G.V().Limit(2)',
  "G.V().Dedup('Type').Count()",
  "G.V().Has('Type','x').ShortestPathTo(Metadata('Name','y'))",
  'G.V().Keys()',
  "G.V().Has('Type','x').As('p').Out().As('q').Select('p','q')",
  "G.V().Sort('MTU')",
  'G.V().Descendants(0)',
  'G.V().SubGraph().E()',
)

/** Multisets in one order; lists that have one keep it. */
function comparable(result: GremlinResult | undefined, isOrdered: boolean): unknown {
  const sorted = (items: readonly unknown[]) => items.map((item) => JSON.stringify(item)).sort()
  switch (result?.kind) {
    case 'nodes':
      return isOrdered ? result.nodes : sorted(result.nodes)
    case 'edges':
      return sorted(result.edges)
    case 'graph':
      return [sorted(result.nodes), sorted(result.edges)]
    case 'values':
      return sorted(result.values)
    case 'elementgroups':
      return [...result.groups].map(([group, members]) => [group, sorted(members)]).sort()
    default:
      return result
  }
}

async function follow(text: string, steps: readonly (readonly Change[])[], expectedMode?: 'delta' | 'rerun'): Promise<void> {
  let now = 1000
  const graph = createGraph({ clock: { now: () => now } })
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  const apply = (changes: readonly Change[]) =>
    writer.transaction((tx) => {
      for (const one of changes) one(tx)
    })
  const [first = [], ...rest] = steps
  apply(first)
  const queries = createContinuousQueries({ graph })
  const watch = queries.watch(text)
  const iterator = watch[Symbol.asyncIterator]()
  const result = createWatchedResult()
  const plan = await watch.ready
  if (expectedMode) expect(plan.mode).toBe(expectedMode)
  result.apply((await iterator.next()).value)
  const query = await compileGraphQuery(text)
  const isOrdered = /Sort\(.*(Limit|Range)/.test(text)
  const check = (): void => {
    expect(comparable(result.current(), isOrdered)).toEqual(comparable(query.run(graph.view), isOrdered))
  }
  check()
  for (const changes of rest) {
    now += 1
    const told = queries.stats().deltas
    apply(changes)
    await undefined
    for (let missing = queries.stats().deltas - told; missing > 0; missing--) result.apply((await iterator.next()).value)
    check()
  }
  watch.close()
  expect(queries.stats()).toMatchObject({ queries: 0, readers: 0, members: 0 })
  expect(graph.stats().listeners).toBe(0)
}

const history = fc.array(fc.array(change, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 6 })

/** Random graphs, queries and histories: what deltas add up to is what asking again answers, after every step. */
export function describeContinuousQueries(cases: number): void {
  describe('continuous queries', () => {
    test('accumulated deltas equal the answer after every step', async () => {
      await fc.assert(
        fc.asyncProperty(supported, history, (text, steps) => follow(text, steps, 'delta')),
        { numRuns: cases },
      )
    }, 600_000)

    test('queries that are run again tell what is different', async () => {
      await fc.assert(
        fc.asyncProperty(others, history, (text, steps) => follow(text, steps, text.includes('Sort') ? undefined : 'rerun')),
        { numRuns: Math.ceil(cases / 20) },
      )
    }, 600_000)
  })
}
