import { describe, expect, test } from '@jest/globals'
import type { FlowReader } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import { createGremlin, type GremlinAnswer } from './index.ts'

const graph = createGraph()
graph.writer({ origin: 'agent.alpha', host: 'alpha' }).transaction((tx) => {
  tx.addNode({ id: 'a', metadata: { Name: 'eth0' } })
  tx.addNode({ id: 'b', metadata: { Name: 'eth1' } })
})
const flows: FlowReader = {
  search: async () => ({ flows: [], missing: [] }),
  metrics: async () => new Map(),
  rawPackets: async () => new Map(),
}
const engine = createGremlin({ graph, flows })

describe('answers without a promise', () => {
  test.each<[query: string, value: number]>([
    ['G.V().Count()', 2],
    ["G.V().Has('Name','eth1').Count()", 1],
    ["G.V().As('x').G.V().Select('x').Count()", 2],
  ])('%s', (query, value) => {
    const whole: GremlinAnswer = { result: { kind: 'number', value }, missing: [], coverage: undefined }
    // The first time it is compiled, the second time kept.
    expect([1, 2, 3].map(() => engine.answer(query))).toEqual([whole, whole, whole])
  })

  test('what is wrong is thrown', () => {
    expect(() => engine.answer('G.V().Nothing()')).toThrow(expect.objectContaining({ code: 'ERR_GREMLIN_SYNTAX' }))
    expect(() => engine.answer('G.V()', { signal: AbortSignal.abort() })).toThrow(
      expect.objectContaining({ code: 'ERR_CANCELLED' }),
    )
  })

  test('query rejects with it', async () => {
    await expect(engine.query('G.V().Nothing()')).rejects.toMatchObject({ code: 'ERR_GREMLIN_SYNTAX' })
  })
})

describe('answers with a promise', () => {
  test.each([
    ['a query of flows', 'G.Flows().Count()', 0],
    ['another time', 'G.At(0).V().Count()', 0],
    ['a pattern, whose engine is loaded', "G.V().Has('Name',Regex('eth.')).Count()", 2],
  ])('%s: %s', async (_title, query, value) => {
    const answer = engine.answer(query)
    expect(answer).toBeInstanceOf(Promise)
    expect((await answer).result).toEqual({ kind: 'number', value })
  })

  test('the present of a source that has it not at hand', async () => {
    const asked: unknown[] = []
    const far = createGremlin({
      graph: {
        open: async (slice) => {
          asked.push(slice)
          return graph.view
        },
        coverage: (slice) => graph.coverage(slice),
      },
    })
    const answer = far.answer('G.V().Count()')
    expect(answer).toBeInstanceOf(Promise)
    expect((await answer).result).toEqual({ kind: 'number', value: 2 })
    expect(asked).toEqual([undefined])
  })
})
