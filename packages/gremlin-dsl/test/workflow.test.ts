import { describe, expect, test } from '@jest/globals'
import { NotFoundError } from '@skydive/contracts'
import { createGremlin, type GremlinAnswer, resultToJson, type WorkflowRunner } from '../src/index.ts'
import { sampleGraph } from './sample-graph.ts'

const graph = sampleGraph()

/** Knows one workflow, which answers the nodes of a type and the edges between them. */
const byType: WorkflowRunner = async (name, [type, ...others], { query }) => {
  if (name === 'broken') throw new Error('x is not a function')
  if (name !== 'by-type') throw new NotFoundError(`no workflow ${name}`, { name })
  expect(others).toEqual([7, true])
  const { result } = await query(`G.V().Has('Type', Within('${type}','bridge')).SubGraph()`)
  return result.kind === 'graph' ? result : { nodes: [], edges: [] }
}

describe('Workflow', () => {
  const engine = createGremlin({ graph, workflow: byType })
  const json = async (query: string): Promise<unknown> => resultToJson((await engine.query(query)).result)

  test.each<[query: string, answer: unknown]>([
    ["G.Workflow('by-type','device',7,TRUE).V().Values('Name')", ['br0', 'eth0']],
    ["G.Workflow('by-type','device',7,TRUE).V('br0').Out().Values('Name')", ['eth0']],
    ["G.Workflow('by-type','device',7,TRUE).V('eth0').In().Values('Name')", ['br0']],
    ["G.Workflow('by-type','device',7,TRUE).E().OutV().Values('Name')", ['eth0']],
    ["G.Workflow('by-type','device',7,TRUE).V().Has('Type','device').Count()", 1],
    ["G.Workflow('by-type','none',7,TRUE).E().Count()", 0],
    ["G.Workflow('by-type','device',7,TRUE).V().ShortestPathTo(Metadata('Name','eth0')).Count()", 2],
    ["G.Workflow('by-type','device',7,TRUE).V('br0').BothE('RelationType','layer2').SubGraph().V().Count()", 2],
  ])('%s', async (query, answer) => expect(await json(query)).toEqual(answer))

  test('answers a graph', async () => {
    const [answer] = (await json("G.Workflow('by-type','device',7,TRUE)")) as [
      { Nodes: { ID: string }[]; Edges: { ID: string }[] },
    ]
    expect([answer.Nodes.map(({ ID }) => ID), answer.Edges.map(({ ID }) => ID)]).toEqual([['br0', 'eth0'], ['l1']])
  })

  test.each<[query: string, code: string, message: string]>([
    ["G.Workflow('nope')", 'ERR_NOT_FOUND', 'no workflow nope'],
    ["G.Workflow('broken')", 'ERR_GREMLIN_EXECUTION', 'error while executing workflow: x is not a function'],
    ["G.Workflow('by-type','device',7,TRUE).At('-1m')", 'ERR_GREMLIN_EXECUTION', 'Backend does not support history'],
  ])('%s is refused', async (query, code, message) => {
    await expect(engine.query(query)).rejects.toMatchObject({ code, message: expect.stringContaining(message) })
  })

  test('one that runs itself ends', async () => {
    const itself = createGremlin({
      graph,
      workflow: async (_name, _args, { query }) => {
        const { result }: GremlinAnswer = await query("G.Workflow('again')")
        return result.kind === 'graph' ? result : { nodes: [], edges: [] }
      },
    })
    await expect(itself.query("G.Workflow('again')")).rejects.toMatchObject({ code: 'ERR_LIMIT', limit: 'nesting' })
  })

  test('pays for its queries out of the budget of the one that called it', async () => {
    const poor = createGremlin({
      graph,
      budgets: { results: 3 },
      workflow: async (_name, _args, { query }) => {
        await query('G.V()')
        return { nodes: [], edges: [] }
      },
    })
    await expect(poor.query("G.Workflow('all')")).rejects.toMatchObject({ code: 'ERR_LIMIT', limit: 'results' })
  })

  test('is told when the asker gives up', async () => {
    const controller = new AbortController()
    const waiting = createGremlin({
      graph,
      workflow: (_name, _args, { signal }) =>
        new Promise((_, reject) => {
          signal!.addEventListener('abort', () => reject(signal!.reason as Error))
          controller.abort(new Error('gone'))
        }),
    })
    await expect(waiting.query("G.Workflow('slow')", { signal: controller.signal })).rejects.toMatchObject({
      message: expect.stringContaining('gone'),
    })
  })
})
