import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type ApiServer, createApiServer, createBasicAuth } from '@skydive/api-server'
import type { KeyValueEntry } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import { checkGremlin, createGremlin, resultToJson } from '@skydive/gremlin-dsl'
import { createPublisherEndpoint } from '@skydive/sync'

const execute = promisify(execFile)

/** Other people's software is the proof of compatibility: the client as it is on PyPI, in an environment that is kept between runs. */
const PACKAGE = 'skydive-client==0.10.0'
const ENVIRONMENT = join(import.meta.dirname, '../.cache/python-client')
const PYTHON = join(ENVIRONMENT, 'bin/python')
const WS_CLIENT = join(ENVIRONMENT, 'bin/skydive-ws-client')

async function install(): Promise<boolean> {
  if (existsSync(WS_CLIENT)) return true
  try {
    await execute('python3', ['-m', 'venv', ENVIRONMENT])
    await execute(PYTHON, ['-m', 'pip', 'install', '--quiet', PACKAGE], { timeout: 120_000 })
    return true
  } catch (error) {
    if (process.env['SKYDIVE_CI'] === '1') throw error
    return false
  }
}

const isInstalled = await install()
const suite = isInstalled ? describe : describe.skip

suite(`the Python client ${PACKAGE}`, () => {
  const graph = createGraph()
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  let server: ApiServer
  let address: string

  beforeAll(async () => {
    const gremlin = createGremlin({ graph })
    const entries = new Map<string, KeyValueEntry>()
    const put = async (key: string, value: string) => {
      const entry = { key, value, modified: 1 }
      entries.set(key, entry)
      return entry
    }
    writer.transaction((tx) => tx.addNode({ id: 'h', metadata: { Name: 'alpha', Type: 'host' } }))
    server = createApiServer({
      service: 'analyzer',
      hostId: 'an1',
      version: '0',
      listen: { host: '127.0.0.1', port: 0 },
      auth: { api: await createBasicAuth({ users: { admin: 'pass:word' } }) },
      graph,
      query: async (text, options) => {
        const { result } = await gremlin.query(text, options)
        return { json: () => JSON.stringify(resultToJson(result)), ...(result.kind === 'graph' && { graph: result }) }
      },
      resources: {
        store: {
          get: async (key) => entries.get(key),
          list: async (prefix) => [...entries.values()].filter(({ key }) => key.startsWith(prefix)),
          create: put,
          set: put,
          delete: async (key) => entries.delete(key),
          watch: () => () => {},
          close: async () => {},
        },
        writer: graph.writer({ origin: 'api.an1', host: 'an1' }),
        validators: { gremlin: (text) => void checkGremlin(text), bpf() {} },
      },
      status: () => ({}),
      endpoints: [createPublisherEndpoint({ replica: (origin) => graph.replica(origin), graph })],
    })
    address = `127.0.0.1:${(await server.start()).port}`
  })
  afterAll(() => server.stop())

  const python = async (script: string) => {
    const source = `import json\nfrom skydive.rest.client import RESTClient, BadRequest\nc = RESTClient("${address}", username="admin", password="pass:word")\n${script}`
    const { stdout } = await execute(PYTHON, ['-c', source], { timeout: 30_000 })
    return JSON.parse(stdout)
  }

  it('queries the topology', async () => {
    const found = await python(
      `print(json.dumps([[n.id, n.host, n.metadata] for n in c.lookup_nodes("G.V().Has('Type','host')")] + [c.lookup("G.V().Count()")]))`,
    )
    expect(found).toEqual([['h', 'alpha', { Name: 'alpha', Type: 'host' }], 1])
  })

  it('creates, lists and deletes a capture', async () => {
    const found = await python(
      [
        `cap = c.capture_create("G.V().Has('Name','x')", name="n", bpf_filter="icmp", raw_pkt_limit=3)`,
        'before = [x.uuid for x in c.capture_list()]',
        'c.capture_delete(cap.uuid)',
        'print(json.dumps([cap.query, cap.bpf_filter, cap.raw_pkt_limit, before == [cap.uuid], len(c.capture_list())]))',
      ].join('\n'),
    )
    expect(found).toEqual(["G.V().Has('Name','x')", 'icmp', 3, true, 0])
  })

  it('creates, patches and deletes nodes and edges', async () => {
    const found = await python(
      [
        'c.node_create("n1", metadata={"Name": "n1", "Type": "fake"})',
        'c.node_create("n2", metadata={"Name": "n2", "Type": "fake"})',
        'e = c.edge_create("n1", "n2", metadata={"RelationType": "layer2"})',
        'n = c.node_update("n1", [{"op": "add", "path": "/Metadata/Foo", "value": 1}])',
        'counts = [len(c.node_list()), len(c.edge_list())]',
        'c.edge_delete(e.id); c.node_delete("n1"); c.node_delete("n2")',
        'print(json.dumps([e.parent, n.metadata, n.revision, counts]))',
      ].join('\n'),
    )
    expect(found).toEqual(['n1', { Name: 'n1', Type: 'fake', Foo: 1 }, 2, [3, 1]])
  })

  it('is told what is wrong', async () => {
    const found = await python(
      'try:\n  c.lookup("G.V(")\nexcept BadRequest as e:\n  print(json.dumps(json.loads(e.args[0])["Message"].split("\\n")[0]))',
    )
    expect(found).toBe('Expected right parenthesis')
  })

  it('skydive-ws-client follows the topology', async () => {
    const flags = ['--analyzer', address, '--host', 'py1', '--username', 'admin', '--password', 'pass:word']
    const child = execFile(WS_CLIENT, [...flags, 'listen', '--sync-request'])
    let output = ''
    await new Promise<void>((resolve, reject) => {
      let ticks = 0
      child.once('error', reject)
      child.stderr?.on('data', (chunk) => {
        output += chunk
        if (output.includes('"SyncReply"') && ticks++ === 0) writer.transaction((tx) => tx.patchNode('h', { State: 'UP' }))
        if (output.includes('"NodeUpdated"')) resolve()
      })
    })
    child.kill()
    expect(output).toMatch(/"SyncReply"[\s\S]*"Name":"alpha"[\s\S]*"NodeUpdated"[\s\S]*"State":"UP"/)
  }, 30_000)
})
