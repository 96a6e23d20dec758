import { describe, expect, test } from '@jest/globals'
import { createGraph } from '@skydive/graph'
import { elementSelector } from './elements.ts'

const graph = createGraph()
graph.writer({ origin: 'agent.alpha', host: 'alpha' }).transaction((tx) => {
  tx.addNode({ id: 'h', metadata: { Type: 'host' } })
  tx.addNode({ id: 'v', metadata: { Type: 'veth' } })
  tx.addEdge({ id: 'o', parent: 'h', child: 'v', metadata: { RelationType: 'ownership' } })
})

describe('elementSelector', () => {
  test.each([
    ["G.V().Has('Type','veth')", ['v'], []],
    ['G.E()', [], ['o']],
    ['G', ['h', 'v'], ['o']],
    ["G.V().Has('Type','netns')", [], []],
  ])('%s', async (gremlin, nodes, edges) => {
    const selected = (await elementSelector(gremlin))(graph.view)
    expect({ nodes: [...selected.nodes], edges: [...selected.edges] }).toEqual({ nodes, edges })
  })

  test('refuses what answers no elements, and what is no query of a graph', async () => {
    const count = await elementSelector('G.V().Count()')
    expect(() => count(graph.view)).toThrow('gremlin: the query answers number; it must answer nodes, edges or a graph')
    await expect(elementSelector('G.Flows()')).rejects.toMatchObject({ code: 'ERR_GREMLIN_UNSUPPORTED' })
  })
})
