import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { LimitError } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import { createGremlin, resultToJson } from '@skydive/gremlin-dsl'
import { explanationText } from '@skydive/gremlin-dsl/explain-text'
import { createBasicAuth } from '../src/index.ts'
import { exchange, startServer, stopServers, type TestServer } from './harness.ts'

const graph = createGraph()
graph.writer({ origin: 'agent.a', host: 'a' }).transaction((tx) => {
  for (let i = 0; i < 20; i++) tx.addNode({ id: `n${i}`, metadata: { Type: i < 2 ? 'host' : 'device', Name: `n${i}` } })
})
const engine = createGremlin({ graph, budgets: { results: 5 } })

const options: Parameters<typeof startServer>[0] = {
  graph,
  query: async (text, { signal, allowPartial }) => {
    const { result, partial } = await engine.query(text, {
      ...(signal && { signal }),
      ...(allowPartial && { onBudget: 'partial' }),
    })
    return { json: () => JSON.stringify(resultToJson(result)), ...(partial && { partial }) }
  },
  explain: async (text, { profile, ...own }) => {
    const explanation = profile ? await engine.profile(text, own) : await engine.explain(text, own)
    return { json: explanation, text: explanationText(explanation) }
  },
}

let target: TestServer
beforeAll(async () => {
  target = await startServer(options)
})
afterAll(stopServers)

const explain = (query: string, headers: Record<string, string> = {}) =>
  exchange(target.port, 'GET', `/api/topology/explain?${query}`, headers)
const HOSTS = encodeURIComponent("G.V().Has('Type','host').Count()")

describe('GET /api/topology/explain', () => {
  it('tells the steps and runs nothing', async () => {
    const { status, headers, body } = await explain(`gremlin=${HOSTS}`)
    expect({ status, type: headers['content-type'], body: JSON.parse(body) }).toEqual({
      status: 200,
      type: 'application/json; charset=UTF-8',
      body: {
        query: "G.V().Has('Type','host').Count()",
        kind: 'number',
        steps: [
          { step: 'G', offset: 0, kind: 'graph', how: 'the graph that is being read' },
          {
            step: 'V()',
            offset: 2,
            kind: 'nodes',
            how: 'index Type = "host": about 2 rows',
            rows: { access: 'index', key: 'Type', values: ['host'], estimatedRows: 2, condition: 0 },
          },
          { step: "Has('Type','host')", offset: 6, kind: 'nodes', how: 'done together with the step before' },
          { step: 'Count()', offset: 25, kind: 'number', how: 'counts what comes, keeping nothing' },
        ],
        hints: [],
      },
    })
  })

  it('tells rows and times with profile=1', async () => {
    const { body } = await explain(`gremlin=${encodeURIComponent("G.V().Has('Type','host')")}&profile=1`)
    const { steps, timeMs } = JSON.parse(body)
    expect(steps[1]).toMatchObject({ step: 'V()', rowsOut: 2, timeMs: expect.any(Number) })
    expect(timeMs).toBeGreaterThan(0)
  })

  it('is text for people who accept that', async () => {
    const { headers, body } = await explain(`gremlin=${HOSTS}`, { accept: 'text/plain' })
    expect({ type: headers['content-type'], body }).toEqual({
      type: 'text/plain; charset=utf-8',
      body: `answers a number
1  G                   the graph that is being read
2  V()                 index Type = "host": about 2 rows
3  Has('Type','host')  done together with the step before
4  Count()             counts what comes, keeping nothing
`,
    })
  })

  it.each<[query: string, status: number, text: string]>([
    ['', 400, 'write ?gremlin=…, and &profile=1 to run it'],
    ['gremlin=', 400, 'write ?gremlin=…'],
    ['gremlin=G&profile=yes', 400, 'profile'],
    ['gremlin=G&gremlin=G', 400, 'gremlin'],
    ['gremlin=G&nope=1', 400, 'nope'],
    ['gremlin=G.Hass()', 400, 'Expected step function, got: Hass'],
    ['gremlin=G.V()&profile=1', 422, 'budget "results"'],
  ])('?%s answers %i', async (query, status, text) => {
    const answer = await explain(query)
    expect({ status: answer.status, body: answer.body }).toEqual({ status, body: expect.stringContaining(text) })
  })

  it('needs credentials like a query', async () => {
    const closed = await startServer({ ...options, auth: { api: await createBasicAuth({ users: { a: 'b' } }) } })
    expect((await exchange(closed.port, 'GET', `/api/topology/explain?gremlin=${HOSTS}`)).status).toBe(401)
  })

  it('is described', async () => {
    const { paths } = JSON.parse((await exchange(target.port, 'GET', '/api/openapi.json')).body)
    expect(paths['/api/topology/explain'].get.parameters).toMatchObject([
      { name: 'gremlin', in: 'query', required: true },
      { name: 'profile', in: 'query', required: false, schema: { enum: ['0', '1'] } },
    ])
  })

  it('is not there where nobody explains', async () => {
    const plain = await startServer()
    expect((await exchange(plain.port, 'GET', '/api/topology/explain?gremlin=G')).status).toBe(404)
  })
})

describe('a query that spends its budget', () => {
  const ask = (body: object, headers: Record<string, string> = {}) =>
    exchange(target.port, 'POST', '/api/topology', headers, JSON.stringify({ GremlinQuery: 'G.V()', ...body }))

  it('is an error', async () => {
    const { status, headers, body } = await ask({})
    expect({ status, partial: headers['x-skydive-partial'], body }).toEqual({
      status: 422,
      partial: undefined,
      body: `${new LimitError('the query has more than 5 results (budget "results"); narrow it or end it with Limit or Count', 'results').message}\n`,
    })
  })

  it.each<[body: object, headers: Record<string, string>]>([
    [{ AllowPartial: true }, {}],
    [{}, { 'x-skydive-allow-partial': '1' }],
  ])('is answered in part where that is asked for: %j %j', async (body, headers) => {
    const answer = await ask(body, headers)
    const nodes = JSON.parse(answer.body) as { ID: string }[]
    expect({ status: answer.status, partial: answer.headers['x-skydive-partial'], ids: nodes.map(({ ID }) => ID) }).toEqual({
      status: 200,
      partial: 'results',
      ids: ['n0', 'n1', 'n2', 'n3', 'n4'],
    })
  })

  it('says nothing of parts where the answer is whole', async () => {
    const answer = await exchange(
      target.port,
      'POST',
      '/api/topology',
      {},
      '{"GremlinQuery":"G.V().Count()","AllowPartial":true}',
    )
    expect([answer.status, answer.body, answer.headers['x-skydive-partial']]).toEqual([200, '20\n', undefined])
  })

  it('tells a page of an allowed origin, too', async () => {
    const open = await startServer({ ...options, allowedOrigins: ['https://noc.example'] })
    const headers = { Origin: 'https://noc.example', 'x-skydive-allow-partial': '1' }
    const answer = await exchange(open.port, 'POST', '/api/topology', headers, '{"GremlinQuery":"G.V()"}')
    expect(answer.headers).toMatchObject({
      'x-skydive-partial': 'results',
      'access-control-expose-headers': 'X-Skydive-Coverage, X-Skydive-Incomplete, X-Skydive-Partial',
    })
    const preflight = await exchange(open.port, 'OPTIONS', '/api/topology', { Origin: 'https://noc.example' })
    expect(preflight.headers['access-control-allow-headers']).toContain('X-Skydive-Allow-Partial')
  })

  it('W63 names whoever did not answer', async () => {
    const query = async () => ({ json: () => '[]', incomplete: ['agent.beta', 'agent.größe,2'] })
    const { port } = await startServer({ graph, query })
    const { status, headers } = await exchange(port, 'POST', '/api/topology', {}, '{"GremlinQuery":"G.Flows()"}')
    expect([status, headers['x-skydive-incomplete']]).toEqual([200, 'agent.beta, agent.gr%C3%B6%C3%9Fe,2'])
  })

  it('refuses a wish that is none', async () => {
    expect((await ask({ AllowPartial: 'yes' })).status).toBe(400)
  })
})
