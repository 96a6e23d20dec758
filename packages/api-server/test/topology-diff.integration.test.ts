import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { InvalidArgumentError } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import { compileGraphQuery } from '@skydive/gremlin-dsl'
import { topologyDiffSchema } from '@skydive/protocol'
import { exchange, startServer, stopServers, type TestServer } from './harness.ts'

const clock = { ms: 1_764_072_000_000 }
const START_MS = clock.ms
const graph = createGraph({ clock: { now: () => clock.ms } })
let server: TestServer
let bounded: TestServer

beforeAll(async () => {
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  const at = (second: number, body: Parameters<typeof writer.transaction>[0]): void => {
    clock.ms = START_MS + second * 1_000
    writer.transaction(body)
  }
  at(1, (tx) => {
    tx.addNode({ id: 'h', metadata: { Type: 'host', Name: 'alpha' } })
    tx.addNode({ id: 'ns', metadata: { Type: 'netns', Name: 'blue' } })
    tx.addNode({ id: 'v0', metadata: { Type: 'veth', Name: 'v0', MTU: 1500, Metric: { RxBytes: 1 } } })
    tx.own('h', 'ns')
    tx.own('ns', 'v0')
  })
  at(10, (tx) => tx.patchNode('v0', { MTU: 1400, State: 'UP', 'Metric.RxBytes': 2 }))
  at(20, (tx) => tx.addNode({ id: 'd0', metadata: { Type: 'dummy', Name: 'd0' } }))
  at(30, (tx) => tx.deleteNode('d0'))
  clock.ms = START_MS + 60_000
  const options = {
    graph,
    clock: { now: () => clock.ms, setTimeout, clearTimeout: (handle: unknown) => clearTimeout(handle as NodeJS.Timeout) },
    elementSelector: async (gremlin: string) => {
      const query = await compileGraphQuery(gremlin)
      return (view: Parameters<typeof query.run>[0]) => {
        const result = query.run(view)
        if (result.kind !== 'nodes') throw new InvalidArgumentError(`gremlin: the query answers ${result.kind}`)
        return { nodes: new Set(result.nodes.map(({ id }) => id)), edges: new Set<string>() }
      }
    },
  }
  server = await startServer(options)
  bounded = await startServer({ ...options, limits: { diffElements: 2 } })
})
afterAll(stopServers)

/** The answer to a query string. */
async function ask(parameters: string, to = server): Promise<{ status: number; body: string }> {
  return exchange(to.port, 'GET', `/api/topology/diff?${parameters}`, {})
}

/** One line an element: `changed v0 MTU State`. */
async function brief(parameters: string): Promise<string[]> {
  const { status, body } = await ask(parameters)
  expect([status, status === 200 ? '' : body]).toEqual([200, ''])
  const { Nodes, Transient } = topologyDiffSchema.parse(JSON.parse(body))
  const nodes = Nodes.map(({ Change, ID, Keys }) => [Change, ID, ...Keys.map(({ Key }) => Key)].join(' '))
  return [...nodes, ...Transient.Nodes.map(({ ID }) => `transient ${ID}`)]
}

describe('GET /api/topology/diff', () => {
  test.each([
    ['from=-55s', ['changed v0 MTU State', 'transient d0']],
    ['from=-55s&all=1', ['changed v0 MTU Metric.RxBytes State', 'transient d0']],
    ['from=-55s&all=0&to=now', ['changed v0 MTU State', 'transient d0']],
    ['from=-55s&to=-35s', ['changed v0 MTU State', 'added d0']],
    [`from=${START_MS + 25_000}`, ['removed d0']],
    [`from=${START_MS / 1_000 + 25}&to=${START_MS / 1_000 + 40}`, ['removed d0']],
    ['from=2025-11-25T12:00:25Z&to=Tue,%2025%20Nov%202025%2012:00:28%20GMT', []],
    [`from=-55s&gremlin=${encodeURIComponent("G.V().Has('Type','veth')")}`, ['changed v0 MTU State']],
    [`from=-55s&gremlin=${encodeURIComponent("G.V().Has('State','UP')")}`, ['changed v0 MTU State']],
    [`from=-55s&gremlin=${encodeURIComponent("G.V().Has('MTU',1500)")}`, ['changed v0 MTU State']],
    [`from=-55s&gremlin=${encodeURIComponent("G.V().Has('Type','host')")}`, []],
  ])('%s', async (parameters, expected) => {
    expect(await brief(parameters)).toEqual(expected)
  })

  test('elements are in the form of the wire, keys with both values, places by node', async () => {
    const answer = JSON.parse((await ask('from=-55s&to=-45s&places=1')).body)
    const node = { ID: 'v0', Host: 'alpha', Origin: 'agent.alpha', CreatedAt: START_MS + 1_000, DeletedAt: null }
    expect(answer).toEqual({
      From: START_MS + 5_000,
      To: START_MS + 15_000,
      Complete: true,
      Nodes: [
        {
          Change: 'changed',
          ID: 'v0',
          Before: {
            ...node,
            Metadata: { Type: 'veth', Name: 'v0', MTU: 1500, Metric: { RxBytes: 1 } },
            UpdatedAt: START_MS + 1_000,
            Revision: 1,
          },
          After: {
            ...node,
            Metadata: { Type: 'veth', Name: 'v0', MTU: 1400, State: 'UP', Metric: { RxBytes: 2 } },
            UpdatedAt: START_MS + 10_000,
            Revision: 2,
          },
          Keys: [
            { Key: 'MTU', Before: 1500, After: 1400 },
            { Key: 'State', After: 'UP' },
          ],
          Revisions: [2],
        },
      ],
      Edges: [],
      Transient: { Nodes: [], Edges: [] },
      Places: { v0: { Name: 'v0', Type: 'veth', Owners: ['alpha', 'blue'] } },
    })
  })

  test('a time before the memory is told as such', async () => {
    const { Complete, KnownFrom, Nodes } = JSON.parse((await ask('from=-2h')).body)
    expect([Complete, KnownFrom, Nodes.length]).toEqual([false, START_MS, 3])
  })

  test.each([
    ['', 400, /from.*write \?from=-1h/s],
    ['from=yesterday', 400, /^from: "yesterday" is no time; write ms/],
    ['from=-1h&to=1y', 400, /^to: "1y" is no time/],
    ['from=now&to=-1h', 400, /^from \(now\) is after to \(-1h\): exchange them/],
    ['from=-1h&form=-1h', 400, /form/],
    ['from=-1h&all=yes', 400, /all/],
    ['from=-1h&from=-2h', 400, /from/],
    ['from=-1h&gremlin=G.V(', 400, /Expected|expected/],
    ['from=-1h&gremlin=G.V().Count()', 400, /the query answers number/],
  ])('refuses %j', async (parameters, status, words) => {
    const answer = await ask(parameters)
    expect(answer.status).toBe(status)
    expect(answer.body).toMatch(words)
  })

  test('an answer that would be too large is refused with what to do', async () => {
    const { status, body } = await ask('from=-2h', bounded)
    expect([status, body]).toEqual([
      422,
      '6 elements differ between -2h and now, more than 2: ask for less time, or give a gremlin query\n',
    ])
  })

  test('the description of the API has it', async () => {
    const { paths } = JSON.parse((await exchange(server.port, 'GET', '/api/openapi.json', {})).body)
    const { parameters, responses } = paths['/api/topology/diff'].get
    expect(parameters.map(({ name, required }: { name: string; required: boolean }) => [name, required])).toEqual([
      ['from', true],
      ['to', false],
      ['gremlin', false],
      ['all', false],
      ['places', false],
    ])
    expect(responses[200].content['application/json'].schema).toEqual({ $ref: '#/components/schemas/TopologyDiff' })
  })
})
