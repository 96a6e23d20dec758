import { expect, test } from '@jest/globals'
import type { GraphEdge, GraphNode, GraphView, Metadata, MetadataValue } from '@skydive/contracts'
import { createGraph, type Graph } from '@skydive/graph'
import fc from 'fast-check'
import { compileGraphQuery, type GremlinResult } from '../src/index.ts'
import { evaluate, type Lists, type NaiveResult } from './naive.ts'
import { type Condition, type NaiveStep, type Plain, type Predicate, writtenQuery } from './naive-query.ts'

const scalar = fc.constantFrom<Plain>('x', 'y', 'yx', '7', 7, 8, -3, true, false, 44.5)
const value = fc.oneof(
  { weight: 5, arbitrary: scalar as fc.Arbitrary<MetadataValue> },
  fc.constantFrom<MetadataValue>(null, ['x', 7], [8, true, 'y'], [], {}, { b: 7 }, [{ b: 'x' }, { b: 8 }]),
)
const keyName = fc.constantFrom('Type', 'Name', 'a', 'M')
const metadata = fc.dictionary(keyName, value, { maxKeys: 4 })
const integer = fc.constantFrom(7, 8, -3, 0, 44)
const predicate: fc.Arbitrary<Predicate> = fc.oneof(
  { weight: 3, arbitrary: scalar.map((wanted) => ({ name: 'is', value: wanted }) as const) },
  fc.tuple(fc.constantFrom('NE' as const, 'NEE' as const), scalar).map(([name, wanted]) => ({ name, value: wanted })),
  fc
    .tuple(fc.constantFrom('LT' as const, 'GT' as const, 'LTE' as const, 'GTE' as const), integer)
    .map(([name, bound]) => ({ name, value: bound })),
  fc
    .tuple(fc.constantFrom('Inside' as const, 'Between' as const, 'Outside' as const), integer, integer)
    .map(([name, from, to]) => ({ name, from, to })),
  fc
    .tuple(fc.constantFrom('Within' as const, 'Without' as const), fc.array(scalar, { maxLength: 3 }))
    .map(([name, values]) => ({ name, values })),
  fc.constantFrom('x|y', '.*x', '[xy]', 'y').map((pattern) => ({ name: 'Regex', pattern }) as const),
)
const key = fc.constantFrom(
  'Type',
  'Name',
  'a',
  'a.b',
  'M',
  'Metadata.Type',
  '@ID',
  '@Host',
  '@Revision',
  'RelationType',
  'Parent',
)
const condition: fc.Arbitrary<Condition> = fc.record({ key, predicate })
const some = fc.array(condition, { maxLength: 2 })
const direction = fc.constantFrom('Out' as const, 'In' as const, 'Both' as const)

const BY_ID: NaiveStep = { step: 'Sort', key: '@ID', descending: false }

/** Steps that take elements and give elements; what depends on the order is sorted first, because else the order is anybody's. */
const common: fc.Arbitrary<readonly NaiveStep[]> = fc.oneof(
  fc.array(condition, { minLength: 1, maxLength: 2 }).map((conditions) => [{ step: 'Has', conditions } as const]),
  fc.array(condition, { minLength: 1, maxLength: 2 }).map((conditions) => [{ step: 'HasEither', conditions } as const]),
  key.map((own) => [{ step: 'HasNot', key: own } as const]),
  fc.constant([{ step: 'Dedup', keys: [] } as const]),
  fc.array(key, { minLength: 1, maxLength: 2 }).map((keys) => [BY_ID, { step: 'Dedup', keys } as const]),
  fc.tuple(fc.nat(3), fc.nat(4)).map(([from, more]) => [BY_ID, { step: 'Range', from, to: from + more } as const]),
  fc.boolean().map((descending) => [{ step: 'Sort', key: '@ID', descending } as const]),
)
const fromNodes: fc.Arbitrary<readonly NaiveStep[]> = fc.oneof(
  fc.tuple(direction, some).map(([own, conditions]) => [{ step: 'neighbors', direction: own, conditions } as const]),
  fc
    .tuple(fc.constantFrom('Descendants' as const, 'Ascendants' as const, 'Neighbors' as const), fc.nat(3))
    .map(([name, depth]) => [{ step: 'reach', name, depth } as const]),
  fc.constant([{ step: 'SubGraph' } as const, { step: 'V' } as const]),
  // Through edges and back to nodes.
  fc
    .tuple(direction, some, fc.array(common, { maxLength: 1 }), direction, some)
    .map(([out, edgeConditions, between, back, nodeConditions]) => [
      { step: 'edges', direction: out, conditions: edgeConditions } as const,
      ...between.flat(),
      { step: 'ends', direction: back, conditions: nodeConditions } as const,
    ]),
)
const last: fc.Arbitrary<readonly NaiveStep[]> = fc.oneof(
  { weight: 3, arbitrary: fc.constant([]) },
  fc.constantFrom('Count' as const, 'Keys' as const).map((step) => [{ step }]),
  key.map((own) => [{ step: 'Values', key: own } as const]),
  fc.array(key, { minLength: 1, maxLength: 3 }).map((keys) => [{ step: 'ValueMap', keys: [...new Set(keys)] } as const]),
  fc.constantFrom('@Revision', 'N').map((own) => [{ step: 'Sum', key: own } as const]),
  fc.constant([{ step: 'SubGraph' } as const, { step: 'E' } as const]),
  fc.constant([{ step: 'SubGraph' } as const]),
)
const query: fc.Arbitrary<readonly NaiveStep[]> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        fc.constantFrom(undefined, 'n0', 'n1'),
        fc.array(fc.oneof(common, fromNodes), { maxLength: 4 }),
        fc.oneof(
          last,
          condition.map((target) => [{ step: 'path', target } as const]),
        ),
      )
      .map(([id, steps, end]) => [{ step: 'V', ...(id !== undefined && { id }) } as const, ...steps.flat(), ...end]),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.array(common, { maxLength: 3 }), last)
      .map(([steps, end]) => [{ step: 'E' } as const, ...steps.flat(), ...end]),
  },
)

const relation = fc.constantFrom('ownership', 'layer2')
const graphInit = fc.record({
  nodes: fc.array(metadata, { minLength: 2, maxLength: 7 }),
  edges: fc.array(fc.tuple(fc.nat(6), fc.nat(6), relation, metadata), { maxLength: 9 }),
})

function build({
  nodes,
  edges,
}: {
  nodes: readonly Metadata[]
  edges: readonly (readonly [number, number, string, Metadata])[]
}): Graph {
  const graph = createGraph({ clock: { now: () => 5 }, nodeIndexes: ['M', 'a'] })
  graph.writer({ origin: 'agent.alpha', host: 'alpha' }).transaction((tx) => {
    for (const [i, own] of nodes.entries()) tx.addNode({ id: `n${i}`, metadata: own })
    for (const [i, [from, to, RelationType, own]] of edges.entries()) {
      tx.addEdge({
        id: `e${i}`,
        parent: `n${from % nodes.length}`,
        child: `n${to % nodes.length}`,
        metadata: { ...own, RelationType },
      })
    }
  })
  return graph
}

function listsOf(view: GraphView): Lists {
  const nodes: GraphNode[] = []
  const edges: GraphEdge[] = []
  view.forEachNode((row) => nodes.push(view.node(row)) > 0)
  view.forEachEdge((row) => edges.push(view.edge(row)) > 0)
  return { nodes, edges }
}

const ids = (elements: readonly { readonly id: string }[]): readonly string[] => elements.map(({ id }) => id).sort()
const texts = (values: readonly unknown[]): readonly string[] => values.map((own) => JSON.stringify(own)).sort()

/** Both answers in one form: the order is nobody's promise, so multisets are compared. */
function ofNaive(result: NaiveResult): unknown {
  switch (result.kind) {
    case 'elements':
      return ids(result.elements)
    case 'graph':
      return [ids(result.lists.nodes), ids(result.lists.edges)]
    case 'number':
      return result.value
    case 'values':
      return texts(result.values)
    case 'paths':
      return [...result.lengths].sort()
  }
}

function ofEngine(result: GremlinResult): unknown {
  switch (result.kind) {
    case 'nodes':
      return ids(result.nodes)
    case 'edges':
      return ids(result.edges)
    case 'graph':
      return [ids(result.nodes), ids(result.edges)]
    case 'number':
      return result.value
    case 'values':
      return texts(result.values)
    case 'paths':
      return result.paths.map((path) => path.length).sort()
    default:
      throw new Error(result.kind)
  }
}

test('the engine answers what lists answer', async () => {
  await fc.assert(
    fc.asyncProperty(graphInit, fc.array(query, { minLength: 5, maxLength: 5 }), async (init, queries) => {
      const { view } = build(init)
      const lists = listsOf(view)
      for (const steps of queries) {
        const text = writtenQuery(steps)
        const compiled = await compileGraphQuery(text)
        expect({ text, answer: ofEngine(compiled.run(view)) }).toEqual({ text, answer: ofNaive(evaluate(steps, lists)) })
      }
    }),
    { numRuns: 600 },
  )
})
