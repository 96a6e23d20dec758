import { describe, expect, test } from '@jest/globals'
import type { GraphEdge } from '@skydive/contracts'
import fc from 'fast-check'
import { areLinked, createGraph, type Graph, relation, shortestPath } from './index.ts'

function graphOf(edges: readonly (readonly [string, string, string?])[]): Graph {
  const graph = createGraph()
  graph.writer({ origin: 'agent.alpha', host: 'alpha' }).transaction((tx) => {
    for (const id of new Set([...edges.map(([parent]) => parent), ...edges.map(([, child]) => child)]))
      tx.addNode({ id, metadata: {} })
    for (const [i, [parent, child, RelationType = 'layer2']] of edges.entries()) {
      tx.addEdge({ id: `e${i}`, parent, child, metadata: { RelationType } })
    }
  })
  return graph
}

/** How many nodes lie on a shortest way, both ends included; 0 when there is none. */
function plainLength(edges: readonly (readonly [string, string, string])[], from: string, to: string): number {
  let level = new Set([from])
  const seen = new Set(level)
  for (let length = 1; level.size > 0; length++) {
    if (level.has(to)) return length
    const next = new Set<string>()
    for (const [a, b] of edges) {
      if (level.has(a) && !seen.has(b)) next.add(b)
      if (level.has(b) && !seen.has(a)) next.add(a)
    }
    for (const id of next) seen.add(id)
    level = next
  }
  return 0
}

function ids(graph: Graph, from: string, to: string, wanted?: (edge: GraphEdge) => boolean): string {
  return shortestPath(graph.view, from, to, wanted)
    .map(({ id }) => id)
    .join('/')
}

describe('the way between two ids', () => {
  const graph = graphOf([
    ['a', 'b'],
    ['b', 'c'],
    ['d', 'c'],
    ['a', 'x', 'ownership'],
    ['x', 'd', 'ownership'],
    ['p', 'q'],
    ['p', 'p'],
  ])
  const layer2 = relation('layer2')
  test.each([
    ['a', 'a', undefined, 'a'],
    ['a', 'b', undefined, 'a/b'],
    ['b', 'a', undefined, 'b/a'],
    ['a', 'd', undefined, 'a/x/d'],
    ['a', 'd', layer2, 'a/b/c/d'],
    ['d', 'a', layer2, 'd/c/b/a'],
    ['x', 'd', layer2, ''],
    ['a', 'p', undefined, ''],
    ['p', 'q', undefined, 'p/q'],
    ['a', 'nobody', undefined, ''],
    ['nobody', 'a', undefined, ''],
  ] as const)('%s to %s', (from, to, wanted, way) => {
    expect(ids(graph, from, to, wanted)).toBe(way)
  })

  test('is as long as the one that a search from one end finds, and goes along edges', () => {
    const small = fc.integer({ min: 0, max: 14 })
    fc.assert(
      fc.property(fc.array(fc.tuple(small, small), { minLength: 1, maxLength: 30 }), small, small, (pairs, from, to) => {
        const { view } = graphOf(pairs.map(([a, b]) => [`n${a}`, `n${b}`]))
        const way = shortestPath(view, `n${from}`, `n${to}`)
        const other = shortestPath(view, `n${from}`, ({ id }) => id === `n${to}`)
        expect([way.length, way[0]?.id, way.at(-1)?.id]).toEqual([other.length, other[0]?.id, other.at(-1)?.id])
        for (const [i, { id }] of way.slice(1).entries()) expect(areLinked(view, way[i]!.id, id)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  test('is as long as a plain search says, however often the view was read and whatever edges are wanted', () => {
    const row = fc.integer({ min: 0, max: 119 })
    const type = fc.constantFrom('ownership', 'layer2')
    fc.assert(
      fc.property(
        fc.array(fc.tuple(row, row, type), { minLength: 40, maxLength: 300 }),
        fc.array(fc.tuple(row, row), { minLength: 30, maxLength: 30 }),
        (pairs, asked) => {
          // Beside what is random, a node with more neighbours than are read at once.
          const star = Array.from({ length: 80 }, (_, i) => [0, i, i % 2 === 0 ? 'ownership' : 'layer2'] as const)
          const edges = [...pairs, ...star].map(([a, b, kind]) => [`n${a}`, `n${b}`, kind] as const)
          const { view } = graphOf(edges)
          for (const kind of [undefined, 'layer2', 'ownership']) {
            const wanted = kind === undefined ? undefined : relation(kind)
            const kept = edges.filter(([, , own]) => kind === undefined || own === kind)
            for (const [a, b] of asked) {
              const [from, to] = [`n${a}`, `n${b}`]
              const way = shortestPath(view, from, to, wanted).map(({ id }) => id)
              const isThere = view.nodeOrdinal(from) >= 0 && view.nodeOrdinal(to) >= 0
              expect([from, to, kind, way.length]).toEqual([from, to, kind, isThere ? plainLength(kept, from, to) : 0])
              for (const [i, id] of way.slice(1).entries()) expect(areLinked(view, way[i]!, id, wanted)).toBe(true)
              expect(shortestPath(view, from, ({ id }) => id === to, wanted)).toHaveLength(way.length)
            }
          }
        },
      ),
      { numRuns: 40 },
    )
  })
})
