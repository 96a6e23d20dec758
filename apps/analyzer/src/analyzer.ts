/**
 * The analyzer, composed: merged graph, history, flows and API. Read {@link runAnalyzer} from top to bottom.
 *
 * @packageDocumentation
 */

import { type ApiServer, checkListen, createApiServer } from '@skydive/api-server'
import { createCaptureCoordinator, createLiveFlowReader } from '@skydive/capture'
import { type Clock, randomId, type Service } from '@skydive/contracts'
import { afterRest, type Config, createLogging, createMetrics, parseServiceAddress, readTls, runServices } from '@skydive/daemon'
import {
  CoverageLedger,
  createCoverageArchive,
  createFlowHistory,
  createFlowPipeline,
  createPcapImport,
  flowSelector,
  PlaceIndex,
} from '@skydive/flow-pipeline'
import { createGraph } from '@skydive/graph'
import { createGremlin } from '@skydive/gremlin-dsl'
import { elementSelector } from '@skydive/gremlin-dsl/elements'
import { createContinuousQueries } from '@skydive/gremlin-dsl/watch'
import { createHistory } from '@skydive/history'
import { openSqliteStorage } from '@skydive/storage-sqlite'
import {
  createAgentEndpoint,
  createFlowEndpoint,
  createFlowUdpReceiver,
  createPublisherEndpoint,
  type FlowUdpReceiverOptions,
} from '@skydive/sync'
import { authenticatorOf } from './authentication.ts'
import { captureValidators, packetFilterCompiler } from './bpf.ts'
import { explainFunction, nodesOf, queryFunction } from './query.ts'
import { elementsOf, keepHistory, storeSettings } from './stores.ts'

/** Keys that queries and the matching of flows look nodes up by, besides the defaults of the graph. */
const NODE_INDEXES = ['IfIndex', 'IPV4', 'IPV6']

/** How long it is remembered what was watched, where the store is not told how long to remember anything: as long as that by itself. */
const COVERAGE_AGE_MS = 7 * 24 * 3_600_000

const CLOCK: Clock = {
  now: Date.now,
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
}

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

  const tls = await readTls(values.tls)
  const auth = {
    api: await authenticatorOf(config, values.analyzer.auth.api.backend),
    cluster: await authenticatorOf(config, values.analyzer.auth.cluster.backend),
  }
  const access = {
    listen: parseServiceAddress(values.analyzer.listen),
    insecureListen: values.http.insecure_listen,
    ...(tls.server && { tls: tls.server }),
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
  const agents = createAgentEndpoint({
    replica: (origin) => graph.replica(origin),
    graceMs: values.analyzer.topology.agent_grace * 1_000,
    logger,
    metrics,
  })
  const places = new PlaceIndex()
  const stopPlaces = places.follow(graph)
  const keepsFlows = storeDriver(config, values.analyzer.flow.backend) === 'sqlite'
  const retentionMs = storeSettings(values).retentionAgeMs ?? COVERAGE_AGE_MS
  const ledger = new CoverageLedger({ clock: Date, retentionMs, newId: randomId, metrics })
  const stopLedger = ledger.follow(graph)
  agents.onAgent(({ kind, hostId: agent }) => (kind === 'connected' ? ledger.agentBack(agent) : ledger.agentAway(agent)))
  const archive = createCoverageArchive({ ledger, store: storage.objects, clock: CLOCK, logger })
  const pipeline = createFlowPipeline({
    places,
    ...(keepsFlows && { store: storage.flows }),
    onLoss: (loss) => ledger.addLoss(loss),
    logger,
    metrics,
  })
  const flowEndpoint = createFlowEndpoint({
    onBatch: (batch) => pipeline.take(batch),
    onLoss: (loss) => ledger.addLoss({ cause: 'link', packets: 0, ...loss }),
    logger,
    metrics,
  })
  const live = createLiveFlowReader({
    sources: () =>
      agents.hosts().map((agent) => ({
        name: `agent.${agent}`,
        hostId: agent,
        query: (query, readOptions) => agents.queryFlowTable(agent, query, readOptions),
      })),
    enhance: (flow) => places.enhance(flow),
  })
  const flows = createFlowHistory({
    live,
    store: keepsFlows ? storage.flows : undefined,
    ledger,
    clock: Date,
    updateMs: values.flow.update * 1_000,
  })
  const engine = createGremlin({ graph: history, flows, packetFilter: packetFilterCompiler() })
  const queries = createContinuousQueries({ graph, schedule: afterRest })
  const captures = createCaptureCoordinator({
    captures: storage.objects,
    matchNodes: async (gremlin) => nodesOf((await engine.query(gremlin)).result),
    events: graph,
    transport: agents,
    onAgentConnected: (listener) =>
      agents.onAgent(({ kind, hostId: agent }) => (kind === 'connected' ? listener(agent) : undefined)),
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
      diff: (fromMs, toMs, diffOptions) => history.diff(fromMs, toMs, diffOptions),
      get cursor() {
        return graph.cursor
      },
    },
    query: queryFunction(engine),
    elementSelector,
    queries,
    explain: explainFunction(engine),
    resources: {
      store: storage.objects,
      validators: captureValidators(),
      captureRefusals: (captureId) => captures.refusals(captureId),
      defaultLayerKeyMode: values.flow.default_layer_key_mode,
      writer: graph.writer({ origin: `api.${hostId}`, host: hostId }),
    },
    importPcap: createPcapImport({
      pipeline,
      maxFlows: values.flow.max_entries,
      layerKeyMode: values.flow.default_layer_key_mode,
    }),
    status: () => ({
      // One analyzer alone has no peers, and leads.
      Peers: { Incomers: {}, Outgoers: {} },
      Captures: { IsMaster: true },
      Probes: {},
      Stores: { Topology: storage.topology.status(), Flows: storage.flows.status() },
      Flows: pipeline.status(),
    }),
    configValue: (key) => config.get(key),
    metricsText: () => metrics.text(),
    ...(options.pageFolder !== undefined && { staticFolder: options.pageFolder }),
    endpoints: [agents, flowEndpoint, publishers],
    coverage: ledger,
    flows: {
      subscribe: (listener) => pipeline.subscribe(listener),
      subscribeStats: (listener) => pipeline.subscribeStats(listener),
      selector: flowSelector,
    },
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
        ...(keepsTopology ? [{ name: 'history', service: keepHistory(graph, agents, storage.topology, logger) }] : []),
        { name: 'coverage', service: archive },
        { name: 'captures', service: captures },
        { name: 'api', service: apiService(server, (url) => options.onReady?.(url)) },
        ...(values.flow.protocol === 'udp'
          ? [{ name: 'flow datagrams', service: datagramService(server, (batch) => pipeline.take(batch), { logger, metrics }) }]
          : []),
        { name: 'agents', service: { start: async () => {}, stop: async () => agents.stop() } },
      ],
      { logger, ...(options.signal && { signal: options.signal }) },
    )
  } finally {
    stopPlaces()
    stopLedger()
    flush()
  }
}

function storeDriver(config: Config, name: string): string | undefined {
  return config.values.storage[name]?.driver
}

/** Flows by UDP come to the port of the API, which is only known when that listens. */
function datagramService(
  server: ApiServer,
  onBatch: FlowUdpReceiverOptions['onBatch'],
  components: Pick<FlowUdpReceiverOptions, 'logger' | 'metrics'>,
): Service {
  let receiver: Service | undefined
  return {
    async start() {
      const { host, port } = await server.start()
      receiver = createFlowUdpReceiver({ host, port, onBatch, ...components })
      await receiver.start()
    },
    async stop() {
      await receiver?.stop()
    },
  }
}

function apiService(server: ApiServer, onReady: (url: string) => void): Service {
  return {
    async start() {
      onReady((await server.start()).url)
    },
    stop: () => server.stop(),
  }
}
