import { existsSync, readFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import {
  type GraphNode,
  InvalidArgumentError,
  type KeyValueEntry,
  type KeyValueEvent,
  type KeyValueStore,
} from '@skydive/contracts'
import { createGraph, type Graph } from '@skydive/graph'
import { createContinuousQueries } from '@skydive/gremlin-dsl/watch'
import { type ApiServer, type ApiServerOptions, createApiServer, type ResourceOptions } from '../src/index.ts'

/** The recorded answers of the original, beside the repository. */
export const GOLDEN = join(import.meta.dirname, '../../../../shared/golden')

/** Reads a recording; `undefined` where the recordings are absent, which is a failure in the project's own CI. */
export function golden<T>(path: string): T | undefined {
  const file = join(GOLDEN, path)
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as T
  if (process.env['SKYDIVE_CI'] === '1') throw new Error(`the recordings are absent: ${file}`)
  return undefined
}

/** The table of a test that has no recordings: jest takes no empty one. */
export const ABSENT: readonly string[] = ['the recordings are absent']

/** A key-value store in a map; TTLs are kept but never run out. */
export function memoryStore(): KeyValueStore {
  const entries = new Map<string, KeyValueEntry>()
  const watchers = new Set<{ prefix: string; listener: (event: KeyValueEvent) => void }>()
  let modified = 0
  const tell = (type: KeyValueEvent['type'], entry: KeyValueEntry) => {
    for (const { prefix, listener } of watchers) if (entry.key.startsWith(prefix)) listener({ type, entry })
  }
  const put = async (key: string, value: string, options?: { readonly ttlMs?: number }) => {
    const expires = options?.ttlMs === undefined ? {} : { expiresAtMs: options.ttlMs }
    const entry = { key, value, modified: ++modified, ...expires }
    entries.set(key, entry)
    tell('set', entry)
    return entry
  }
  return {
    get: async (key) => entries.get(key),
    list: async (prefix) => [...entries.values()].filter(({ key }) => key.startsWith(prefix)),
    create: put,
    set: put,
    async delete(key) {
      const entry = entries.get(key)
      if (entry) tell('delete', entry)
      return entries.delete(key)
    },
    watch(prefix, listener) {
      const watcher = { prefix, listener }
      watchers.add(watcher)
      return () => watchers.delete(watcher)
    },
    async close() {},
  }
}

/** A server on a free port of loopback, with a graph to write to. */
export interface TestServer {
  readonly server: ApiServer
  readonly graph: Graph
  readonly store: KeyValueStore
  readonly port: number
  readonly url: string
}

const running: ApiServer[] = []

/** Starts one, an analyzer unless told otherwise, whose filters are `watched` or evaluated again; {@link stopServers} ends all of them. */
export async function startServer({
  watched = false,
  captureRefusals = () => [],
  ...options
}: Partial<ApiServerOptions> & { readonly watched?: boolean } & Pick<
    ResourceOptions,
    'captureRefusals'
  > = {}): Promise<TestServer> {
  const graph = createGraph()
  const store = memoryStore()
  const ofAnalyzers: Pick<ApiServerOptions, 'resources' | 'configValue'> = {
    resources: {
      store,
      captureRefusals,
      writer: graph.writer({ origin: 'api.refhost', host: 'refhost' }),
      validators: {
        gremlin(text) {
          if (text === '') throw new InvalidArgumentError('found "", expected `G`')
          if (!text.endsWith(')')) throw new InvalidArgumentError('Expected right parenthesis')
        },
        bpf(text) {
          if (text.includes('bad')) throw new InvalidArgumentError("can't parse filter expression: syntax error")
        },
      },
    },
    configValue: (key) => ({ host_id: 'refhost', 'analyzer.listen': '127.0.0.1:8082', 'logging.level': 'INFO', ui: {} })[key],
  }
  const server = createApiServer({
    service: 'analyzer',
    hostId: 'refhost',
    version: '1.2.3',
    listen: { host: '127.0.0.1', port: 0 },
    graph,
    query: async (text) => {
      if (text === 'G') {
        const nodes: GraphNode[] = []
        graph.view.forEachNode((ordinal) => {
          nodes.push(graph.view.node(ordinal))
          return undefined
        })
        return { json: () => '[]', graph: { nodes, edges: [] } }
      }
      if (text === 'G.V().Count()') return { json: () => String(graph.view.nodeCount) }
      throw new InvalidArgumentError('Expected right parenthesis\n  G.V(\n      ^', { position: 4 })
    },
    ...(watched && { queries: createContinuousQueries({ graph }) }),
    status: () => ({ Captures: { IsMaster: true } }),
    ...(options.service !== 'agent' && ofAnalyzers),
    ...options,
  })
  running.push(server)
  const { port, url } = await server.start()
  return { server, graph, store, port, url }
}

/** Ends what {@link startServer} started. */
export async function stopServers(): Promise<void> {
  await Promise.all(running.splice(0).map((server) => server.stop()))
}

/** An answer as bytes came over the wire: nothing followed, nothing decoded. */
export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** One exchange with exactly these headers. */
export function exchange(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string | Uint8Array | null,
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString('utf8') }),
      )
      response.on('error', reject)
    })
    request.on('error', reject)
    request.end(body ?? undefined)
  })
}
