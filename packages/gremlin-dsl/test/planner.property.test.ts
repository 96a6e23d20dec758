import { describe, expect, test } from '@jest/globals'
import type { GraphNode, GraphView, MetadataValue } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import fc from 'fast-check'
import { compileGraphQuery } from '../src/index.ts'

/** The same graph without any index: what the planner answers over both must be the same. */
function withoutIndexes(view: GraphView): GraphView {
  return new Proxy(view, {
    get(target, name) {
      if (name === 'nodeCardinality' || name === 'edgeCardinality') return () => -1
      const member: unknown = Reflect.get(target, name)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}

const value = fc.constantFrom<MetadataValue>('x', 'y', '7', 7, 8, true, false, 44.5, ['x', '7'], [8, true])
const metadata = fc.dictionary(fc.constantFrom('Type', 'Name', 'MTU', 'State'), value, { maxKeys: 4 })
const written = fc.constantFrom("'x'", "'y'", "'7'", '7', '8', '1', '0', '44', 'TRUE', 'FALSE')
const predicate = fc.oneof(
  written,
  fc.tuple(fc.constantFrom('NE', 'NEE'), written).map(([name, arg]) => `${name}(${arg})`),
  fc
    .tuple(fc.constantFrom('Within', 'Without'), fc.array(written, { maxLength: 3 }))
    .map(([name, args]) => `${name}(${args.join()})`),
  fc.tuple(fc.constantFrom('GT', 'LTE'), fc.constantFrom(7, 8)).map(([name, bound]) => `${name}(${bound})`),
)
const key = fc.constantFrom('Type', 'Name', 'MTU', 'Metadata.Type', '@Host', '@ID', '@Revision')
const has = fc.oneof(
  fc
    .array(fc.tuple(key, predicate), { minLength: 1, maxLength: 2 })
    .map((pairs) => `Has(${pairs.map(([k, v]) => `'${k}',${v}`).join()})`),
  fc
    .array(fc.tuple(key, predicate), { minLength: 1, maxLength: 2 })
    .map((pairs) => `HasEither(${pairs.map(([k, v]) => `'${k}',${v}`).join()})`),
  key.map((name) => `HasKey('${name}')`),
  key.map((name) => `HasNot('${name}')`),
  fc.constantFrom(
    "Has('@ID','n1')",
    "Has('@ID',Within('n1','n3','nope'))",
    "Has('@Host','alpha')",
    'Out()',
    'Both().Dedup()',
    'OutE().InV()',
  ),
)

describe('the planner', () => {
  test('answers with indexes what a scan answers', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(metadata, { minLength: 1, maxLength: 12 }),
        fc.array(has, { minLength: 1, maxLength: 3 }),
        async (nodes, steps) => {
          const graph = createGraph({ nodeIndexes: ['MTU'] })
          graph.writer({ origin: 'agent.alpha', host: 'alpha' }).transaction((tx) => {
            for (const [i, item] of nodes.entries()) tx.addNode({ id: `n${i}`, metadata: item })
            for (const i of nodes.keys()) tx.addEdge({ parent: `n${i}`, child: `n${(i * 5) % nodes.length}`, metadata: {} })
          })
          const text = `G.V().${steps.join('.')}`
          const answer = async (view: GraphView, suffix: string): Promise<unknown> => {
            const result = (await compileGraphQuery(text + suffix)).run(view)
            if (result.kind !== 'nodes') return result
            return result.nodes.map((node: GraphNode) => node.id).sort()
          }
          expect(await answer(graph.view, '')).toEqual(await answer(withoutIndexes(graph.view), ''))
          expect(await answer(graph.view, '.Count()')).toEqual(await answer(withoutIndexes(graph.view), '.Count()'))
        },
      ),
      { numRuns: 1500 },
    )
  })
})
