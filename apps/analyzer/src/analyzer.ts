/**
 * The analyzer, composed: merged graph, history, flows and API. Read {@link runAnalyzer} from top to bottom.
 *
 * @packageDocumentation
 */

import { type ApiServer, checkListen, createApiServer } from '@skydive/api-server'
import type { Service } from '@skydive/contracts'
import { type Config, createLogging, createMetrics, parseServiceAddress, runServices } from '@skydive/daemon'
import { createGraph } from '@skydive/graph'
import { createGremlin } from '@skydive/gremlin-dsl'
import { createHistory } from '@skydive/history'
import { openSqliteStorage } from '@skydive/storage-sqlite'
import { createAgentEndpoint, createPublisherEndpoint } from '@skydive/sync'
import { authenticatorOf } from './authentication.ts'
import { captureValidators } from './capture-validators.ts'
import { queryFunction } from './query.ts'
import { elementsOf, keepHistory, storeSettings } from './stores.ts'

/** Keys that queries and the matching of flows look nodes up by, besides the defaults of the graph. */
const NODE_INDEXES = ['IfIndex', 'IPV4', 'IPV6']

/** What the program gives to the analyzer. */
export interface AnalyzerOptions {
  readonly config: Config
  readonly version: string
  /** The scripts of the threads, in a bundle. */
  readonly threads: { readonly store?: URL }
  /** The folder of the built page; absent: no page. */
  readonly pageFolder?: string
  /** Called when it listens, with the address of the page. */
  onReady?(url: string): void
  readonly signal?: AbortSignal
}

/** Runs until a signal ends it. @throws what stops it from starting, with one line that says what to do. */
export async function runAnalyzer(options: AnalyzerOptions): Promise<void> {
  const { config, threads } = options
  const { values } = config
  const hostId = values.host_id
  const { logger, flush } = createLogging(values.logging, 'analyzer')
  const metrics = createMetrics()
  for (const warning of config.warnings) logger.warn({}, warning)

  const auth = {
    api: await authenticatorOf(config, values.analyzer.auth.api.backend),
    cluster: await authenticatorOf(config, values.analyzer.auth.cluster.backend),
  }
  const access = {
    listen: parseServiceAddress(values.analyzer.listen),
    insecureListen: values.http.insecure_listen,
    auth: { ...(auth.api && { api: auth.api }), ...(auth.cluster && { cluster: auth.cluster }) },
  }
  // Before anything is made: a refused start leaves nothing behind.
  checkListen({ service: 'analyzer', ...access })

  const graph = createGraph({ nodeIndexes: NODE_INDEXES })
  const storage = await openSqliteStorage(storeSettings(values), {
    logger,
    snapshot: () => elementsOf(graph.view),
    ...(threads.store && { workerUrl: threads.store }),
  })
  const keepsTopology = storeDriver(config, values.analyzer.topology.backend) === 'sqlite'
  const history = keepsTopology ? createHistory({ memory: graph, store: storage.topology }) : graph
  const engine = createGremlin({ graph: history })

  const agents = createAgentEndpoint({
    replica: (origin) => graph.replica(origin),
    graceMs: values.analyzer.topology.agent_grace * 1_000,
    logger,
    metrics,
  })
  const publishers = createPublisherEndpoint({ replica: (origin) => graph.replica(origin), graph, logger })

  const server = createApiServer({
    service: 'analyzer',
    hostId,
    version: options.version,
    ...access,
    allowedOrigins: values.http.allowed_origins,
    allowedHosts: values.http.allowed_hosts,
    graph: {
      subscribe: graph.subscribe.bind(graph),
      since: graph.since.bind(graph),
      open: history.open,
      coverage: history.coverage,
      get cursor() {
        return graph.cursor
      },
    },
    query: queryFunction(engine),
    resources: {
      store: storage.objects,
      validators: captureValidators(),
      defaultLayerKeyMode: values.flow.default_layer_key_mode,
      writer: graph.writer({ origin: `api.${hostId}`, host: hostId }),
    },
    status: () => ({ Stores: { Topology: storage.topology.status(), Flows: storage.flows.status() } }),
    configValue: (key) => config.get(key),
    metricsText: () => metrics.text(),
    ...(options.pageFolder !== undefined && { staticFolder: options.pageFolder }),
    endpoints: [agents, publishers],
    limits: {
      bodyBytes: values.http.max_body_bytes,
      pcapBytes: values.http.max_pcap_bytes,
      queuedMessages: values.http.ws.queue_size,
    },
    pingDelayMs: values.http.ws.ping_delay * 1_000,
    pongTimeoutMs: values.http.ws.pong_timeout * 1_000,
    logger,
    metrics,
  })

  try {
    await runServices(
      [
        { name: 'storage', service: { start: async () => {}, stop: () => storage.close() } },
        ...(keepsTopology ? [{ name: 'history', service: keepHistory(graph, storage.topology, logger) }] : []),
        { name: 'api', service: apiService(server, (url) => options.onReady?.(url)) },
        { name: 'agents', service: { start: async () => {}, stop: async () => agents.stop() } },
      ],
      { logger, ...(options.signal && { signal: options.signal }) },
    )
  } finally {
    flush()
  }
}

function storeDriver(config: Config, name: string): string | undefined {
  return config.values.storage[name]?.driver
}

function apiService(server: ApiServer, onReady: (url: string) => void): Service {
  return {
    async start() {
      onReady((await server.start()).url)
    },
    stop: () => server.stop(),
  }
}
