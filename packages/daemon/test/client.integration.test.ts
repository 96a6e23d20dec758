import { afterEach, describe, expect, it } from '@jest/globals'
import { createApiServer, createBasicAuth } from '@skydive/api-server'
import { createRestClient, type SubscriptionState, subscribeTopology } from '@skydive/client'
import { publishGraph, WebSocket } from '@skydive/client/node'
import { InvalidArgumentError, type KeyValueEntry, type KeyValueStore, type ReplicaChange } from '@skydive/contracts'
import { createGraph, type Graph } from '@skydive/graph'
import { createPublisherEndpoint } from '@skydive/sync'

const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function mapStore(): KeyValueStore {
  const entries = new Map<string, KeyValueEntry>()
  const put = async (key: string, value: string) => {
    const entry = { key, value, modified: entries.size }
    entries.set(key, entry)
    return entry
  }
  return {
    get: async (key) => entries.get(key),
    list: async (prefix) => [...entries.values()].filter(({ key }) => key.startsWith(prefix)),
    create: put,
    set: put,
    delete: async (key) => entries.delete(key),
    watch: () => () => {},
    close: async () => {},
  }
}

async function startServer(options: { graph?: Graph; port?: number; users?: Record<string, string> } = {}) {
  const graph = options.graph ?? createGraph()
  const received: Uint8Array[] = []
  const server = createApiServer({
    service: 'analyzer',
    hostId: 'an1',
    version: '0',
    listen: { host: '127.0.0.1', port: options.port ?? 0 },
    graph,
    ...(options.users && { auth: { api: await createBasicAuth({ users: options.users }) } }),
    query: async (text) => {
      if (text === 'G.V().Count()') return { json: () => String(graph.view.nodeCount) }
      throw new InvalidArgumentError('Expected right parenthesis\n  here', { position: 4 })
    },
    resources: {
      store: mapStore(),
      writer: graph.writer({ origin: 'api.an1', host: 'an1' }),
      validators: { gremlin() {}, bpf() {} },
    },
    importPcap: async (bytes) => {
      for await (const chunk of bytes) received.push(chunk)
    },
    status: () => ({ Captures: { IsMaster: true } }),
    configValue: () => 'value',
    endpoints: [createPublisherEndpoint({ replica: (origin) => graph.replica(origin), graph })],
  })
  const { url, port } = await server.start()
  const stop = () => server.stop()
  cleanups.push(stop)
  return { graph, server, url, port, stop, received }
}

describe('createRestClient', () => {
  it('speaks every route', async () => {
    const { url, received } = await startServer()
    const client = createRestClient({ url })
    expect(await client.identity()).toEqual({ Host: 'an1', Version: '0', Service: 'analyzer' })
    expect(await client.query('G.V().Count()')).toBe(0)
    expect(await client.query('')).toBeUndefined()
    expect(await client.status()).toMatchObject({ Captures: { IsMaster: true }, Subscribers: {} })
    expect(await client.config('host_id')).toBe('value')
    const capture = await client.captures.create({ GremlinQuery: 'G.V()', Name: 'c' }, { ttl: '60s' })
    expect(await client.captures.list()).toEqual({ [capture.UUID]: capture })
    expect(await client.captures.get(capture.UUID)).toEqual(capture)
    await client.captures.delete(capture.UUID)
    expect(await client.captures.list()).toEqual({})
    const node = await client.nodes.create({ ID: 'a/b', Metadata: { Name: 'x', Type: 'fake' } })
    const patched = await client.nodes.patch('a/b', [{ op: 'add', path: '/Metadata/Foo', value: 1 }])
    expect(patched).toMatchObject({ ID: 'a/b', Metadata: { Foo: 1 }, Revision: node.Revision + 1 })
    expect(await client.nodes.patch('a/b', [{ op: 'replace', path: '/Metadata/Name', value: 'y' }])).toBeUndefined()
    expect((await client.topology()).Nodes).toEqual([patched])
    await client.uploadPcap(new Uint8Array([1, 2, 3]))
    expect(Buffer.concat(received)).toEqual(Buffer.of(1, 2, 3))
  })

  it.each([
    [
      'a bad query',
      (client: ReturnType<typeof createRestClient>) => client.query('G.V('),
      'ERR_INVALID_ARGUMENT',
      'Expected right parenthesis\n  here',
    ],
    [
      'an unknown capture',
      (client: ReturnType<typeof createRestClient>) => client.captures.get('nosuch'),
      'ERR_NOT_FOUND',
      "Capture 'nosuch' not found",
    ],
    [
      'DOT of no graph',
      (client: ReturnType<typeof createRestClient>) => client.queryAs('G.V().Count()', 'dot'),
      'ERR_INVALID_ARGUMENT',
      'Error while encoding response: Only graph can be outputted as dot',
    ],
  ])('%s is the error of the server', async (_name, call, code, message) => {
    const { url } = await startServer()
    await expect(call(createRestClient({ url }))).rejects.toThrow(expect.objectContaining({ code, message }))
  })

  it('wrong and right credentials', async () => {
    const { url } = await startServer({ users: { alice: 's3:cret' } })
    await expect(createRestClient({ url }).identity()).rejects.toThrow(expect.objectContaining({ code: 'ERR_PERMISSION' }))
    await expect(createRestClient({ url, username: 'alice', password: 'x' }).identity()).rejects.toThrow('Unauthorized')
    expect(await createRestClient({ url, username: 'alice', password: 's3:cret' }).identity()).toMatchObject({ Host: 'an1' })
  })

  it('a server that is not there', async () => {
    await expect(createRestClient({ url: 'http://127.0.0.1:1' }).identity()).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_UNAVAILABLE', message: expect.stringContaining('cannot reach http://127.0.0.1:1') }),
    )
  })
})

describe('subscribeTopology', () => {
  /** Follows a server; `until` waits for a condition on what was heard. */
  function follow(url: string) {
    const heard: { snapshots: string[][]; changes: (readonly ReplicaChange[])[]; states: SubscriptionState[] } = {
      snapshots: [],
      changes: [],
      states: [],
    }
    let wake = () => {}
    const tell = () => wake()
    const subscription = subscribeTopology({
      url,
      WebSocket: WebSocket as never,
      onSnapshot: ({ nodes }) => {
        heard.snapshots.push(nodes.map(({ id }) => id))
        tell()
      },
      onChanges: (changes) => {
        heard.changes.push(changes)
        tell()
      },
      onState: (state) => {
        heard.states.push(state)
        tell()
      },
    })
    cleanups.push(() => subscription.stop())
    const until = async (condition: () => boolean) => {
      while (!condition()) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
    return { heard, until, subscription }
  }

  it('gets a snapshot, then each transaction, and resumes after the server was away', async () => {
    const first = await startServer()
    const writer = first.graph.writer({ origin: 'agent.alpha', host: 'alpha' })
    const add = (...ids: string[]) =>
      writer.transaction((tx) => {
        for (const id of ids) tx.addNode({ id, metadata: { Name: id, Type: 'device' } })
      })
    add('a')
    const { heard, until } = follow(first.url)
    await until(() => heard.states.at(-1)?.state === 'live')
    expect(heard.snapshots).toEqual([['a']])
    add('b', 'c')
    await until(() => heard.changes.length === 1)
    expect(heard.changes[0]?.map((change) => 'node' in change && change.node.id)).toEqual(['b', 'c'])

    await first.stop()
    add('d')
    // The same graph behind a new listener: the epoch is the same, so the client resumes.
    await startServer({ graph: first.graph, port: first.port })
    await until(() => heard.changes.length === 2)
    expect(heard.snapshots).toHaveLength(1)
    expect(heard.changes[1]).toMatchObject([{ kind: 'node-added', node: { id: 'd' } }])
    expect(heard.states.map(({ state }) => state)).toContain('waiting')
  }, 20_000)
})

it('publishGraph leaves elements with an origin of their own', async () => {
  const { url, graph } = await startServer()
  const node = (ID: string) => ({ ID, Metadata: { Name: ID, Type: 'switch' } })
  await publishGraph(
    { Nodes: [node('s1'), node('s2')], Edges: [{ ID: 'l1', Parent: 's1', Child: 's2', Metadata: { RelationType: 'layer2' } }] },
    { url, hostId: 'me' },
  )
  expect(graph.view.nodeCount).toBe(2)
  expect(graph.view.edge(graph.view.edgeOrdinal('l1'))).toMatchObject({ origin: 'cli.me', parent: 's1', child: 's2' })
})
