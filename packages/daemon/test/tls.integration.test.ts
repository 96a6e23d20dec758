import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { createApiServer } from '@skydive/api-server'
import { createRestClient } from '@skydive/client'
import { createSecureFetch, publishGraph } from '@skydive/client/node'
import type { TlsClientSettings, TlsServerSettings } from '@skydive/contracts'
import { createGraph, type Graph } from '@skydive/graph'
import { createAgentEndpoint, createAgentLink, createFlowEndpoint, createFlowLink, createPublisherEndpoint } from '@skydive/sync'
import { type CertificateFiles, createTestAuthority, type TestAuthority } from '@skydive/testkit'
import { readTls } from '../src/index.ts'

// Certificates of a real authority on a real listener: REST, WebSockets of users, and both lines of an agent.

let folder: string
let authority: TestAuthority
let foreign: TestAuthority
let server: CertificateFiles
let client: CertificateFiles
const cleanups: (() => Promise<void> | void)[] = []

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'skydive-tls-'))
  authority = createTestAuthority(folder)
  foreign = createTestAuthority(folder, 'foreign')
  server = authority.issue('server', ['127.0.0.1', 'localhost'])
  client = authority.issue('client', ['client'])
  writeFileSync(join(folder, 'empty.pem'), '')
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})
afterAll(() => rmSync(folder, { recursive: true }))

const pem = ({ cert, key }: CertificateFiles) => ({ cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') })
const ca = () => readFileSync(authority.cert, 'utf8')

async function listen(
  tls: TlsServerSettings,
): Promise<{ url: string; port: number; graph: Graph; payloads: Uint8Array[]; flowsArrived: Promise<void> }> {
  const graph = createGraph()
  const payloads: Uint8Array[] = []
  let tell = (): void => {}
  const flowsArrived = new Promise<void>((resolve) => {
    tell = resolve
  })
  const agents = createAgentEndpoint({ replica: (origin) => graph.replica(origin) })
  const api = createApiServer({
    service: 'analyzer',
    hostId: 'an1',
    version: '1.2.3',
    listen: { host: '127.0.0.1', port: 0 },
    tls,
    graph,
    query: async (text) => ({ json: () => JSON.stringify(text) }),
    importPcap: async (bytes) => {
      for await (const chunk of bytes) payloads.push(chunk)
    },
    status: () => ({}),
    endpoints: [
      agents,
      createFlowEndpoint({
        onBatch({ payload }) {
          payloads.push(payload)
          tell()
        },
      }),
      createPublisherEndpoint({ replica: (origin) => graph.replica(origin), graph }),
    ],
  })
  const { url, port } = await api.start()
  cleanups.push(async () => {
    agents.stop()
    await api.stop()
  })
  return { url, port, graph, payloads, flowsArrived }
}

const restOf = (url: string, tls: TlsClientSettings) =>
  createRestClient({ url, fetch: createSecureFetch(tls), timeoutMs: 10_000 })

/** Resolves when the graph has a node of this id. */
function hasNode(graph: Graph, id: string): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (graph.view.nodeOrdinal(id) < 0) return
      unsubscribe()
      resolve()
    }
    const unsubscribe = graph.subscribe(look)
    look()
  })
}

describe('a listener with a certificate', () => {
  it('answers who trusts its authority', async () => {
    const { url, payloads } = await listen(pem(server))
    expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
    const rest = restOf(url, { ca: ca() })
    expect(await rest.query('G.V()')).toBe('G.V()')
    expect(await rest.identity()).toMatchObject({ Version: '1.2.3', Service: 'analyzer' })
    await rest.uploadPcap(new Blob([Uint8Array.of(1, 2, 3)]).stream())
    expect(Buffer.concat(payloads)).toEqual(Buffer.of(1, 2, 3))
    await expect(rest.captures.get('x')).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' })
  })

  it('is not trusted by its word, unless that is asked for', async () => {
    const { url } = await listen(pem(server))
    await expect(restOf(url, {}).identity()).rejects.toMatchObject({
      code: 'ERR_UNAVAILABLE',
      message: expect.stringMatching(
        /^cannot reach https:.*the certificate of the server is not trusted \([A-Z_]+\): give its authority$/,
      ),
    })
    expect(await restOf(url, { rejectUnauthorized: false }).query('1')).toBe('1')
  })

  it('has to be called by a name of its certificate', async () => {
    const { url } = await listen(pem(authority.issue('elsewhere', ['elsewhere.example'])))
    await expect(restOf(url, { ca: ca() }).identity()).rejects.toMatchObject({
      code: 'ERR_UNAVAILABLE',
      message: expect.stringContaining('does not match certificate'),
    })
  })

  it('an upload whose source breaks is an error, not half a file', async () => {
    const { url, payloads } = await listen(pem(server))
    const broken = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.error(new Error('the source broke'))
      },
    })
    await expect(restOf(url, { ca: ca() }).uploadPcap(broken)).rejects.toMatchObject({
      code: 'ERR_UNAVAILABLE',
      message: expect.stringContaining('the source broke'),
    })
    expect(payloads).toEqual([])
  })

  it('a request that its caller gives up is cancelled', async () => {
    const { url } = await listen(pem(server))
    const signal = AbortSignal.abort()
    await expect(restOf(url, { ca: ca() }).query('1', { signal })).rejects.toMatchObject({ code: 'ERR_CANCELLED' })
  })

  it.each([
    ['TLSv1.1', undefined],
    ['TLSv1.2', 'TLSv1.2'],
    ['TLSv1.3', 'TLSv1.3'],
  ] as const)('a client that speaks %s gets %s', async (version, expected) => {
    const { port } = await listen(pem(server))
    const spoken = await new Promise<string | null | undefined>((resolve) => {
      const socket = connectTls({
        host: '127.0.0.1',
        port,
        ca: ca(),
        minVersion: version,
        maxVersion: version,
        ciphers: 'ALL:@SECLEVEL=0',
      })
      socket.on('secureConnect', () => {
        resolve(socket.getProtocol())
        socket.destroy()
      })
      socket.on('error', () => resolve(undefined))
    })
    expect(spoken).toBe(expected)
  })
})

describe('a listener that demands a certificate', () => {
  it.each([
    ['one of its authority', () => pem(client), 'answered'],
    ['one of a foreign authority', () => pem(foreign.issue('stranger', ['stranger'])), 'ERR_UNAVAILABLE'],
    ['none', () => ({}), 'ERR_UNAVAILABLE'],
  ])('%s', async (_title, shown, expected) => {
    const { url } = await listen({ ...pem(server), ca: ca(), requireClientCert: true })
    const outcome = await restOf(url, { ca: ca(), ...shown() })
      .identity()
      .then(
        () => 'answered',
        ({ code }) => code,
      )
    expect(outcome).toBe(expected)
  })
})

describe('a listener that takes a certificate', () => {
  it.each([
    ['one of its authority', () => pem(client), 'answered'],
    ['one of a foreign authority', () => pem(foreign.issue('stranger', ['stranger'])), 'ERR_UNAVAILABLE'],
    ['none', () => ({}), 'answered'],
  ])('%s', async (_title, shown, expected) => {
    const { url } = await listen({ ...pem(server), ca: ca() })
    const outcome = await restOf(url, { ca: ca(), ...shown() })
      .identity()
      .then(
        () => 'answered',
        ({ code }) => code,
      )
    expect(outcome).toBe(expected)
  })
})

describe('lines over TLS', () => {
  it('an agent brings its graph and its flows, with its certificate', async () => {
    const { port, graph, payloads, flowsArrived } = await listen({ ...pem(server), ca: ca(), requireClientCert: true })
    const own = createGraph()
    own
      .writer({ origin: 'agent.alpha', host: 'alpha' })
      .transaction((tx) => tx.addNode({ id: 'n1', metadata: { Type: 'host', Name: 'alpha' } }))
    const tls = { ca: ca(), ...pem(client) }
    const analyzer = { host: '127.0.0.1', port }
    const link = createAgentLink({ hostId: 'alpha', analyzers: [analyzer], graph: own, commands: {} as never, tls })
    const flows = createFlowLink({ hostId: 'alpha', tls })
    link.onMaster((master) => flows.setAnalyzer(master))
    cleanups.push(
      () => link.stop(),
      () => flows.stop(),
    )
    flows.send(Uint8Array.of(7), 1)
    const arrived = hasNode(graph, 'n1')
    await flows.start()
    await link.start()
    await arrived
    await flowsArrived
    expect(payloads.map((payload) => [...payload])).toEqual([[7]])
    expect(Object.keys(link.status())).toEqual(['an1'])
  })

  it('a graph is published', async () => {
    const { url, graph } = await listen(pem(server))
    const node = { ID: 'n1', Host: 'cli', Metadata: { Type: 'x', Name: 'n1' }, CreatedAt: 1, UpdatedAt: 1, Revision: 1 }
    await publishGraph({ Nodes: [node], Edges: [] }, { url, hostId: 'cli', tls: { ca: ca() } })
    expect(graph.view.nodeOrdinal('n1')).toBeGreaterThanOrEqual(0)
    await expect(publishGraph({ Nodes: [], Edges: [] }, { url, hostId: 'cli' })).rejects.toMatchObject({
      code: 'ERR_UNAVAILABLE',
    })
  })
})

describe('readTls', () => {
  it('nothing configured is nothing secured', async () => expect(await readTls({ require_client_cert: false })).toEqual({}))

  it('a listener and the other direction', async () => {
    const section = { server_cert: server.cert, server_key: server.key, ca_cert: authority.cert, require_client_cert: true }
    expect(await readTls(section)).toEqual({
      client: { ca: ca() },
      server: { ...pem(server), ca: ca(), requireClientCert: true },
    })
  })

  it('an own certificate without an authority', async () => {
    expect(await readTls({ client_cert: client.cert, client_key: client.key })).toEqual({ client: pem(client) })
  })

  it.each([
    ['a certificate alone', () => ({ server_cert: server.cert }), 'tls.server_cert needs tls.server_key, which is not set'],
    ['a key alone', () => ({ client_key: client.key }), 'tls.client_key needs tls.client_cert, which is not set'],
    ['a demand without a listener', () => ({ require_client_cert: true }), 'tls.require_client_cert needs tls.server_cert'],
    [
      'a demand without an authority',
      () => ({ require_client_cert: true, server_cert: server.cert, server_key: server.key }),
      'tls.require_client_cert needs tls.ca_cert',
    ],
    ['a file that is not there', () => ({ ca_cert: '/nonexistent/ca.pem' }), 'tls.ca_cert: ENOENT'],
    [
      'an empty file',
      () => ({ ca_cert: join(folder, 'empty.pem') }),
      /^tls\.ca_cert: .*empty\.pem holds no certificate in PEM form$/,
    ],
    [
      'the key of another certificate',
      () => ({ server_cert: server.cert, server_key: client.key }),
      /^tls\.server_cert: .*server\.pem can't be used with its key: .*key values mismatch/,
    ],
  ])('%s is refused', async (_title, section, message) => {
    await expect(readTls(section())).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    await expect(readTls(section())).rejects.toThrow(message)
  })

  it('faults of flags name the flags', async () => {
    await expect(readTls({ client_cert: client.cert }, { client_cert: '--cert', client_key: '--key' })).rejects.toThrow(
      '--cert needs --key, which is not set',
    )
  })
})
