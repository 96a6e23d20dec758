import { CancelledError, type ErrorFault, SkydiveError, UnavailableError, type WireEdge, type WireNode } from '@skydive/contracts'
import {
  type CoverageAnswer,
  cookieHeader,
  errorAnswerSchema,
  type Identity,
  type JsonPatch,
  type TopologyDiffAnswer,
} from '@skydive/protocol'

/** How to reach a server. */
export interface RestClientOptions {
  /** Such as `http://127.0.0.1:8082`; in a page: its own origin. */
  readonly url: string
  readonly username?: string
  readonly password?: string
  /** Sent with every request, for a proxy before the server. A browser sends its own instead. */
  readonly cookies?: Readonly<Record<string, string>>
  /** ms a request may take; 0 waits for ever. @default 30000 */
  readonly timeoutMs?: number
  /** @default globalThis.fetch */
  readonly fetch?: typeof globalThis.fetch
}

/** Options of every request. */
export interface RequestOptions {
  readonly signal?: AbortSignal
}

/** A capture to be created: members as REST has them. */
export type CaptureInit = Readonly<Record<string, unknown>> & { readonly GremlinQuery: string }

/** A capture as REST answers it. */
export interface CaptureAnswer extends Readonly<Record<string, unknown>> {
  readonly UUID: string
  readonly GremlinQuery: string
  readonly Count: number
  /** Nodes on which it could not be started when that was last tried, the first twenty. Absent without any, and on agents. */
  readonly Refusals?: readonly { readonly NodeID: string; readonly Host: string; readonly Reason: string }[]
}

/** One kind of resource. */
export interface ResourceClient<Init, Answer> {
  list(options?: RequestOptions): Promise<Readonly<Record<string, Answer>>>
  /** @throws ERR_NOT_FOUND */
  get(id: string, options?: RequestOptions): Promise<Answer>
  /** `ttl` as Go writes durations: `90s`. @throws ERR_INVALID_ARGUMENT, ERR_CONFLICT */
  create(init: Init, options?: RequestOptions & { readonly ttl?: string }): Promise<Answer>
  /** What is stored then; `undefined` when the patch changed nothing. */
  patch(id: string, patch: JsonPatch, options?: RequestOptions): Promise<Answer | undefined>
  /** @throws ERR_NOT_FOUND */
  delete(id: string, options?: RequestOptions): Promise<void>
}

/** The bytes of an upload; a stream is sent as it comes. */
export type UploadBody = string | Uint8Array<ArrayBuffer> | Blob | ReadableStream<Uint8Array>

/** Between which times, and of what, a difference is asked. */
export interface DiffQuery {
  /** ms since the epoch, or as text: RFC 3339, RFC 1123, a duration from now such as `-1h`, `now`. */
  readonly from: number | string
  /** @default 'now' */
  readonly to?: number | string
  /** Only what this query finds at one of the two times. */
  readonly gremlin?: string
  /** Counters count as well. */
  readonly all?: boolean
  /** Tell name, type and owners of every node that is named. */
  readonly places?: boolean
}

/** A whole graph. */
export interface WireGraph {
  readonly Nodes: readonly WireNode[]
  readonly Edges: readonly WireEdge[]
}

/**
 * The REST interface of a server. Every method throws the server's own error with its code (such as `ERR_NOT_FOUND`);
 * ERR_UNAVAILABLE when the server cannot be reached or does not answer in time; ERR_PERMISSION for wrong credentials; ERR_CANCELLED.
 */
export interface RestClient {
  identity(options?: RequestOptions): Promise<Identity>
  /** Runs Gremlin and answers its JSON (spec graph 4.10); `undefined` for an empty query. */
  query(gremlin: string, options?: RequestOptions): Promise<unknown>
  /** How a query is run, as an object; with `profile` it is run, and rows and time of every step are told. */
  explain(gremlin: string, options?: RequestOptions & { readonly profile?: boolean }): Promise<unknown>
  /** The same for people. */
  explainText(gremlin: string, options?: RequestOptions & { readonly profile?: boolean }): Promise<string>
  /**
   * The same, rendered: Graphviz text of a graph, or a capture file of raw packets. A pcap file has packets of one link type, a pcapng file all.
   * `onIncomplete` is told what the answer lacks: `agent.beta`, which did not answer, or `linktype.228=3`.
   */
  queryAs(
    gremlin: string,
    format: 'dot' | 'pcap' | 'pcapng',
    options?: RequestOptions & { onIncomplete?(items: readonly string[]): void },
  ): Promise<Uint8Array>
  topology(options?: RequestOptions): Promise<WireGraph>
  /**
   * What differs between the graph at two times, by the server's clock. @throws ERR_INVALID_ARGUMENT for a time that is none, ERR_LIMIT when
   * too much differs.
   */
  diff(query: DiffQuery, options?: RequestOptions): Promise<TopologyDiffAnswer>
  /** What was captured when, and what was lost, by the server's clock. Times as in {@link DiffQuery}. */
  coverage(window: Pick<DiffQuery, 'from' | 'to'>, options?: RequestOptions): Promise<CoverageAnswer>
  status(options?: RequestOptions): Promise<Readonly<Record<string, unknown>>>
  config(key: string, options?: RequestOptions): Promise<unknown>
  uploadPcap(body: UploadBody, options?: RequestOptions): Promise<void>
  readonly captures: ResourceClient<CaptureInit, CaptureAnswer>
  readonly nodes: ResourceClient<Readonly<Record<string, unknown>>, WireNode>
  readonly edges: ResourceClient<Readonly<Record<string, unknown>>, WireEdge>
}

const MEDIA = {
  dot: 'text/vnd.graphviz',
  pcap: 'application/vnd.tcpdump.pcap',
  pcapng: 'application/x-pcapng',
} as const

interface Call {
  readonly method: string
  readonly path: string
  readonly body?: UploadBody
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
}

/** Makes a client; nothing is sent before the first call. Runs in a browser. */
export function createRestClient(options: RestClientOptions): RestClient {
  const call = caller(options)
  const json = async (request: Call): Promise<unknown> => {
    const response = await call({ ...request, headers: { Accept: 'application/json', ...request.headers } })
    return response.status === 204 || response.status === 304 ? undefined : JSON.parse(await response.text())
  }
  const get = (path: string, { signal }: RequestOptions = {}) => json({ method: 'GET', path, signal })

  const resource = <Init, Answer>(name: string): ResourceClient<Init, Answer> => {
    const path = `/api/${name}`
    const one = (id: string) => `${path}/${id.split('/').map(encodeURIComponent).join('/')}`
    return {
      list: async (options) => (await get(path, options)) as Readonly<Record<string, Answer>>,
      get: async (id, options) => (await get(one(id), options)) as Answer,
      async create(init, { ttl, signal } = {}) {
        const headers = ttl === undefined ? JSON_BODY : { ...JSON_BODY, 'X-Resource-TTL': ttl }
        return (await json({ method: 'POST', path, body: JSON.stringify(init), headers, signal })) as Answer
      },
      async patch(id, patch, { signal } = {}) {
        return (await json({ method: 'PATCH', path: one(id), body: JSON.stringify(patch), headers: JSON_BODY, signal })) as
          | Answer
          | undefined
      },
      async delete(id, { signal } = {}) {
        await call({ method: 'DELETE', path: one(id), headers: { Accept: 'application/json' }, signal })
      },
    }
  }

  const topologyCall = (gremlin: string): Omit<Call, 'signal'> => ({
    method: 'POST',
    path: '/api/topology',
    body: JSON.stringify({ GremlinQuery: gremlin }),
    headers: JSON_BODY,
  })

  const explainCall = (gremlin: string, { profile, signal }: RequestOptions & { readonly profile?: boolean }): Call => ({
    method: 'GET',
    path: `/api/topology/explain?gremlin=${encodeURIComponent(gremlin)}${profile ? '&profile=1' : ''}`,
    signal,
  })

  return {
    identity: async (options) => (await get('/api', options)) as Identity,
    query: (gremlin, { signal } = {}) => json({ ...topologyCall(gremlin), signal }),
    explain: (gremlin, options = {}) => json(explainCall(gremlin, options)),
    async explainText(gremlin, options = {}) {
      const response = await call({ ...explainCall(gremlin, options), headers: { Accept: 'text/plain' } })
      return (await response.text()).trimEnd()
    },
    async queryAs(gremlin, format, { signal, onIncomplete } = {}) {
      const response = await call({ ...topologyCall(gremlin), headers: { ...JSON_BODY, Accept: MEDIA[format] }, signal })
      const lacks = response.headers.get('X-Skydive-Incomplete')
      if (lacks !== null) onIncomplete?.(lacks.split(', ').map((item) => decodeURI(item)))
      return new Uint8Array(await response.arrayBuffer())
    },
    topology: async (options) => (await get('/api/topology', options)) as WireGraph,
    diff: async ({ from, to, gremlin, all, places }, options) => {
      const parameters = new URLSearchParams({
        from: String(from),
        ...(to !== undefined && { to: String(to) }),
        ...(gremlin !== undefined && { gremlin }),
        ...(all && { all: '1' }),
        ...(places && { places: '1' }),
      })
      return (await get(`/api/topology/diff?${parameters}`, options)) as TopologyDiffAnswer
    },
    coverage: async ({ from, to }, options) => {
      const parameters = new URLSearchParams({ from: String(from), ...(to !== undefined && { to: String(to) }) })
      return (await get(`/api/coverage?${parameters}`, options)) as CoverageAnswer
    },
    status: async (options) => (await get('/api/status', options)) as Readonly<Record<string, unknown>>,
    config: (key, options) => get(`/api/config/${encodeURIComponent(key)}`, options),
    async uploadPcap(body, { signal } = {}) {
      const headers = { 'Content-Type': 'application/octet-stream', Accept: 'application/json' }
      await call({ method: 'POST', path: '/api/pcap', body, headers, signal })
    },
    captures: resource('capture'),
    nodes: resource('node'),
    edges: resource('edge'),
  }
}

const JSON_BODY = { 'Content-Type': 'application/json' }

function caller(options: RestClientOptions): (call: Call) => Promise<Response> {
  const { url, username, password, timeoutMs = 30_000 } = options
  const base = url.replace(/\/$/, '')
  const credentials: Record<string, string> = username
    ? { Authorization: `Basic ${toBase64(`${username}:${password ?? ''}`)}` }
    : {}
  const cookies = cookieHeader(options.cookies)
  return async ({ method, path, body, headers, signal }) => {
    const signals = [...(signal ? [signal] : []), ...(timeoutMs > 0 ? [AbortSignal.timeout(timeoutMs)] : [])]
    const fetch = options.fetch ?? globalThis.fetch
    let response: Response
    try {
      response = await fetch(`${base}${path}`, {
        method,
        headers: { ...credentials, ...cookies, ...headers },
        signal: AbortSignal.any(signals),
        ...(body !== undefined && { body }),
        // Node asks for this where the body is a stream.
        ...(body instanceof ReadableStream && { duplex: 'half' }),
      } as RequestInit)
    } catch (error) {
      if (signal?.aborted) throw new CancelledError(undefined, error)
      throw unreachable(base, timeoutMs, error)
    }
    if (response.ok || response.status === 304) return response
    throw await toError(response)
  }
}

function unreachable(base: string, timeoutMs: number, error: unknown): UnavailableError {
  const isTimeout = (error as Error).name === 'TimeoutError'
  const cause = (error as { readonly cause?: { readonly code?: string; readonly message?: string } }).cause
  const reason = isTimeout ? `no answer within ${timeoutMs} ms` : (cause?.code ?? cause?.message ?? (error as Error).message)
  return new UnavailableError(`cannot reach ${base}: ${reason}`, { retryable: true, fields: { url: base }, cause: error })
}

/** Rebuilds the server's error; servers of the original answer text only. */
async function toError(response: Response): Promise<SkydiveError> {
  const text = await response.text()
  const fault: ErrorFault = response.status < 500 ? 'caller' : 'environment'
  try {
    const { Code, Message, Fields } = errorAnswerSchema.parse(JSON.parse(text))
    return new SkydiveError(Message, { code: Code, fault, fields: { ...Fields, status: response.status } })
  } catch {
    const message = text.trim() || `${response.status} ${response.statusText}`
    return new SkydiveError(message, {
      code: CODES[response.status] ?? 'ERR_INVALID_ARGUMENT',
      fault,
      fields: { status: response.status },
    })
  }
}

const CODES: Readonly<Record<number, string>> = {
  401: 'ERR_PERMISSION',
  403: 'ERR_PERMISSION',
  404: 'ERR_NOT_FOUND',
  405: 'ERR_PERMISSION',
  409: 'ERR_CONFLICT',
  413: 'ERR_LIMIT',
  500: 'ERR_INVARIANT',
  503: 'ERR_UNAVAILABLE',
}

function toBase64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)))
}
