import type {
  Clock,
  EnhancedFlow,
  FlowCoverage,
  FlowCoverageSummary,
  GraphEdge,
  GraphEvents,
  GraphNode,
  GraphSource,
  GraphView,
  GraphWriter,
  KeyValueStore,
  Logger,
  Metrics,
  RawPacket,
  TimeSlice,
  TlsServerSettings,
  Unsubscribe,
} from '@skydive/contracts'
import type { CaptureValidators, WebSocketEndpoint } from '@skydive/protocol'
import type { Authenticator } from './auth/authenticator.ts'

/** What a query found, ready to be rendered in any of the formats of `POST /api/topology`. */
export interface QueryAnswer {
  /**
   * The result as JSON text (spec graph 4.10). `places` adds a member `Place` to flows: between which nodes they run, for clients that ask
   * for it with the header `X-Skydive-Places`.
   */
  json(form?: { readonly places: boolean }): string
  /** Set when the result is a graph: what DOT and filtered subscriptions need. */
  readonly graph?: { readonly nodes: readonly GraphNode[]; readonly edges: readonly GraphEdge[] }
  /** Set when the result is that of `RawPackets()`. */
  readonly rawPackets?: readonly RawPacket[]
  /** What the answer lacks, such as `agent.alpha` that did not answer; told in the header `X-Skydive-Incomplete`. */
  readonly incomplete?: readonly string[]
  /** How far an answer about flows can be trusted; told in the header `X-Skydive-Coverage`. */
  readonly coverage?: FlowCoverageSummary
  /** The budget that was spent, when the asker allowed an answer in part; told in the header `X-Skydive-Partial`. */
  readonly partial?: string
}

/** How a query is asked. */
export interface QueryFunctionOptions {
  readonly signal?: AbortSignal
  /** Answer what there is when a budget is spent. @default false */
  readonly allowPartial?: boolean
}

/**
 * Runs Gremlin, and answers without a promise what need not be waited for. Throws or rejects with a `SkydiveError`; the first line of its
 * message is the stable text of the spec. What answers at once has not kept the signal, which serves the next query of its client too.
 */
export type QueryFunction = (text: string, options: QueryFunctionOptions) => QueryAnswer | Promise<QueryAnswer>

/** How a query is run, for programs and for people. */
export interface ExplainAnswer {
  readonly json: object
  readonly text: string
}

/** Explains Gremlin; `profile` runs it besides. Rejects as {@link QueryFunction} does. */
export type ExplainFunction = (
  text: string,
  options: { readonly profile: boolean; readonly signal?: AbortSignal },
) => Promise<ExplainAnswer>

/** What changed in a list of elements; see `ElementDelta` of `@skydive/gremlin-dsl/watch`. */
export interface GraphListDelta<E> {
  readonly added: readonly E[]
  readonly removed: readonly E[]
  readonly changed: readonly { readonly before: E; readonly after: E }[]
}

/** What changed in the result of a watched query. With `reset` it is the whole result. */
export interface GraphWatchDelta {
  readonly kind: string
  readonly reset: boolean
  /** Only of kind `graph`. */
  readonly nodes?: GraphListDelta<GraphNode>
  readonly edges?: GraphListDelta<GraphEdge>
}

/** A query that is kept up to date. */
export interface GraphWatch extends AsyncIterable<GraphWatchDelta> {
  /** Resolves when the query is known to be right. Rejects with `ERR_GREMLIN_UNSUPPORTED` when it can't be watched. */
  readonly ready: Promise<unknown>
  close(): void
}

/** Watches Gremlin: what `createContinuousQueries` of `@skydive/gremlin-dsl` gives. */
export interface GraphQueries {
  watch(text: string): GraphWatch
}

/** The ids that a query means in one view. */
export type ElementSelector = (view: GraphView) => { readonly nodes: ReadonlySet<string>; readonly edges: ReadonlySet<string> }

/** Flows as they pass, for `/ws/subscriber/flow`. */
export interface FlowFeed {
  subscribe(listener: (flows: readonly EnhancedFlow[]) => void): Unsubscribe
  /** Statistics of the agents' flow tables, with the wire's names. */
  subscribeStats?(listener: (stats: object) => void): Unsubscribe
  /** What a query such as `G.Flows().Has('Application', 'DNS')` says of one flow. Rejects with a `SkydiveError`. Absent: filters are refused. */
  selector?(gremlin: string): Promise<(flow: EnhancedFlow) => boolean>
}

/** What was watched when, and what was lost; times are ms since the epoch. */
export interface CoverageSource {
  read(fromMs: number, toMs: number): FlowCoverage
  summary(slice: TimeSlice): FlowCoverageSummary
}

/** Takes an uploaded capture file. Rejects with `ERR_DECODE` when it is none (answer 400). */
export type PcapImport = (bytes: AsyncIterable<Uint8Array>, options: { readonly signal: AbortSignal }) => Promise<void>

/** A node on which a capture could not be started when that was last tried, and why. */
export interface CaptureRefusal {
  readonly nodeId: string
  readonly host: string
  readonly reason: string
}

/** The resources of REST that only an analyzer has. */
export interface ResourceOptions {
  /** Where captures are kept, under `/capture/<uuid>`. */
  readonly store: KeyValueStore
  readonly validators: CaptureValidators
  /** The nodes on which a capture could not be started. */
  readonly captureRefusals?: (captureId: string) => readonly CaptureRefusal[]
  /** `flow.default_layer_key_mode`. @default 'L2' */
  readonly defaultLayerKeyMode?: string
  /** Writes what comes by `/api/node` and `/api/edge`, as origin `api.<host>`. */
  readonly writer: GraphWriter
}

/** Bounds of what comes in and of what waits to go out. */
export interface ApiServerLimits {
  /** Bytes of a JSON body. @default 1 MiB */
  readonly bodyBytes: number
  /** Bytes of an uploaded capture file. @default 1 GiB */
  readonly pcapBytes: number
  /** Messages that may wait for one slow WebSocket (`http.ws.queue_size`). @default 10000 */
  readonly queuedMessages: number
  /** Bytes that may wait for one slow WebSocket. @default 64 MiB */
  readonly queuedBytes: number
  /** Bytes of one message of a user's WebSocket. @default 16 MiB */
  readonly messageBytes: number
  /** Bytes of one message of an agent or analyzer, which sends whole graphs. @default 256 MiB */
  readonly clusterMessageBytes: number
  /** Elements that one answer of `GET /api/topology/diff` may tell. @default 20000 */
  readonly diffElements: number
  /** WebSockets open at a time. @default 4096 */
  readonly connections: number
}

/** What an {@link ApiServer} is made of. */
export interface ApiServerOptions {
  readonly service: 'analyzer' | 'agent'
  readonly hostId: string
  readonly version: string
  /** Host and port as `parseServiceAddress` reads them; port 0 takes a free one. */
  readonly listen: { readonly host: string; readonly port: number }
  /** Accept to listen beyond loopback without authentication. @default false */
  readonly insecureListen?: boolean
  /** Origins of pages of other hosts that may use the API, such as `https://noc.example`. */
  readonly allowedOrigins?: readonly string[]
  /** Names besides `localhost` and addresses that the `Host` header may carry. The host id is always one. */
  readonly allowedHosts?: readonly string[]
  /** Absent: the listener is plain. */
  readonly tls?: TlsServerSettings
  /** Absent: everybody is `admin`. */
  readonly auth?: { readonly api?: Authenticator; readonly cluster?: Authenticator }

  readonly graph: GraphEvents & GraphSource
  readonly query: QueryFunction
  /**
   * Compiles a query over the graph at one time, for `gremlin` of `GET /api/topology/diff`. Rejects with a `SkydiveError` when it answers neither
   * nodes nor edges nor a graph. Absent: the parameter is refused.
   */
  elementSelector?(gremlin: string): Promise<ElementSelector>
  /** Absent: `GET /api/topology/explain` is not there. */
  readonly explain?: ExplainFunction
  /** Keeps the filters of subscribers up to date. Absent: they are evaluated again when the graph has changed. */
  readonly queries?: GraphQueries
  /** Absent on an agent. */
  readonly resources?: ResourceOptions
  readonly flows?: FlowFeed
  /** Absent: `GET /api/coverage` is not there. */
  readonly coverage?: CoverageSource
  readonly importPcap?: PcapImport
  /** Further members of `/api/status`; the lists of connections are added by the server. */
  status(): object | Promise<object>
  /** The value of a configuration key, secrets masked; `undefined` when it is not set. Absent: no such route (agent). */
  configValue?(key: string): unknown
  /** The text of `/metrics`. */
  metricsText?(): Promise<string>
  /** The folder with the built page. */
  readonly staticFolder?: string
  /** WebSocket paths that others bring: agents, publishers, flow transport. */
  readonly endpoints?: readonly WebSocketEndpoint[]

  readonly limits?: Partial<ApiServerLimits>
  /** ms between pings (`http.ws.ping_delay`). @default 2000 */
  readonly pingDelayMs?: number
  /** ms that a pong may take on top (`http.ws.pong_timeout`). @default 5000 */
  readonly pongTimeoutMs?: number
  readonly clock?: Clock
  readonly logger?: Logger
  readonly metrics?: Metrics
}

/** The bounds that stand when the options name none. */
export const DEFAULT_LIMITS: ApiServerLimits = {
  bodyBytes: 1024 * 1024,
  pcapBytes: 1024 * 1024 * 1024,
  queuedMessages: 10_000,
  queuedBytes: 64 * 1024 * 1024,
  messageBytes: 16 * 1024 * 1024,
  clusterMessageBytes: 256 * 1024 * 1024,
  diffElements: 20_000,
  connections: 4096,
}
