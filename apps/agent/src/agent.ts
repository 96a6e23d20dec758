/**
 * The agent, composed: probes write the graph of this host, which goes to the analyzers. Read {@link runAgent} from top to bottom.
 *
 * @packageDocumentation
 */

import { join } from 'node:path'
import { createApiServer } from '@skydive/api-server'
import { createCaptureAgent } from '@skydive/capture'
import type { Clock, Metadata, Service } from '@skydive/contracts'
import {
  afterRest,
  type Config,
  createLogging,
  createMetrics,
  type NamedService,
  parseServiceAddress,
  readTls,
  runServices,
} from '@skydive/daemon'
import { createGraph } from '@skydive/graph'
import { createGremlin, resultToJson } from '@skydive/gremlin-dsl'
import { elementSelector } from '@skydive/gremlin-dsl/elements'
import { explanationText } from '@skydive/gremlin-dsl/explain-text'
import { createContinuousQueries } from '@skydive/gremlin-dsl/watch'
import { openKernel, readCapabilities } from '@skydive/kernel'
import { type HardwareOptions, hardwareProbe, keepTids, openNodeIds, putHostNode } from '@skydive/probe-host'
import { netlinkProbe } from '@skydive/probe-netlink'
import { netnsProbe } from '@skydive/probe-netns'
import { createAgentLink, createFlowLink, createFlowUdpSender } from '@skydive/sync'
import { captureFlowOptions } from './capture-options.ts'
import { captureSources, type SourceScripts } from './capture-sources.ts'
import { foreignProbes, tolerated } from './foreign-probes.ts'
import { missingCapabilities } from './missing-capabilities.ts'

/** What the program gives to the agent. */
export interface AgentOptions {
  readonly config: Config
  readonly version: string
  /** The scripts of the threads, in a bundle. */
  readonly threads: { readonly readiness?: URL; readonly capture?: URL } & SourceScripts
  /** Called when the first whole snapshot is in the graph and it listens. */
  onReady?(url: string): void
  readonly signal?: AbortSignal
}

const CLOCK: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs).unref(),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
}

/** Runs until a signal ends it. @throws what stops it from starting, with one line that says what to do. */
export async function runAgent(options: AgentOptions): Promise<void> {
  const { config, threads } = options
  const { values } = config
  const hostId = values.host_id
  const { logger, flush } = createLogging(values.logging, 'agent')
  const metrics = createMetrics()
  for (const warning of config.warnings) logger.warn({}, warning)
  const tls = await readTls(values.tls)
  const unseen = missingCapabilities(readCapabilities())
  if (unseen !== undefined) logger.warn({}, unseen)

  const graph = createGraph({ retention: { ageMs: 60_000, bytes: 16 * 1024 * 1024 } })
  const writer = graph.writer({ origin: `agent.${hostId}`, host: hostId })
  const host = putHostNode(writer, { hostId, metadata: values.agent.metadata as Metadata })
  const stopTids = keepTids(graph, writer, hostId)
  const nodeIds = openNodeIds({ hostTid: host.tid, stateFile: join(values.data_dir, 'agent-nodes.json'), clock: CLOCK, logger })
  const kernel = openKernel()
  const readiness = kernel.readiness(threads.readiness ? { workerUrl: threads.readiness } : {})

  const components = {
    graph: writer,
    hostNodeId: host.id,
    hostTid: host.tid,
    nodeIds,
    kernel,
    readiness,
    clock: CLOCK,
    logger,
    metrics,
  }
  const { netns: netnsOptions, netlink: netlinkOptions } = values.agent.topology
  const hardware = hardwareProbe({
    configFiles: values.agent.metadata_config.files as NonNullable<HardwareOptions['configFiles']>,
  })(components)
  const netns = netnsProbe({
    runPaths: [netnsOptions.run_path, values.agent.topology.docker.netns.run_path],
    processes: netnsOptions.processes,
  })(components)
  const netlink = netlinkProbe({ metricsIntervalMs: netlinkOptions.metrics_update * 1_000 })({ ...components, namespaces: netns })

  const foreign = await foreignProbes(config, components, logger)

  const analyzers = (values.analyzers.length > 0 ? values.analyzers : [values.analyzer.listen]).map(parseServiceAddress)
  const { username, password } = values.agent.auth.cluster
  const credentials = username === undefined ? undefined : { username, password: password ?? '' }
  const cookies = values.http.cookie
  const access = { ...(credentials && { credentials }), ...(tls.client && { tls: tls.client }), cookies }
  const isByUdp = values.flow.protocol === 'udp'
  if (isByUdp && tls.client) logger.warn({}, 'flow.protocol is udp: flows travel in the clear, whatever tls says')
  const flowLink = isByUdp ? createFlowUdpSender({ logger, metrics }) : createFlowLink({ hostId, ...access, logger, metrics })
  const captures = createCaptureAgent({
    graph: writer,
    events: graph,
    sources: captureSources(values, threads),
    onBatch: (payload, flows) => flowLink.send(payload, flows),
    ownPeers: () => analyzers.map(({ host: address, port }) => ({ address, port })),
    flow: captureFlowOptions(values),
    fanoutWorkers: values.agent.capture.fanout_workers,
    statsUpdateMs: values.agent.capture.stats_update * 1_000,
    ...(threads.capture && { workerUrl: threads.capture }),
    logger,
    metrics,
  })
  const link = createAgentLink({
    hostId,
    analyzers,
    graph,
    commands: captures,
    ...access,
    logger,
    metrics,
  })

  link.onMaster((analyzer) => flowLink.setAnalyzer(analyzer))

  const engine = createGremlin({ graph })
  const queries = createContinuousQueries({ graph, schedule: afterRest })
  const server = createApiServer({
    service: 'agent',
    hostId,
    version: options.version,
    listen: parseServiceAddress(values.agent.listen),
    insecureListen: values.http.insecure_listen,
    ...(tls.server && { tls: tls.server }),
    allowedOrigins: values.http.allowed_origins,
    allowedHosts: values.http.allowed_hosts,
    graph,
    queries,
    query: async (text, { allowPartial, ...options }) => {
      const { result, partial } = await engine.query(text, { ...options, ...(allowPartial && { onBudget: 'partial' }) })
      return {
        json: () => JSON.stringify(resultToJson(result)),
        ...(partial && { partial }),
        ...(result.kind === 'graph' && { graph: result }),
      }
    },
    elementSelector,
    explain: async (text, { profile, ...options }) => {
      const explanation = profile ? await engine.profile(text, options) : await engine.explain(text, options)
      return { json: explanation, text: explanationText(explanation) }
    },
    status: () => ({
      Analyzers: link.status(),
      TopologyProbes: Object.fromEntries(
        [hardware, netns, netlink, ...foreign].map(({ name, status }) => [name, { Status: status.state }]),
      ),
      FlowProbes: captures.captureTypes,
      Flows: flowLink.status(),
    }),
    metricsText: () => metrics.text(),
    logger,
    metrics,
  })

  const services: NamedService[] = [
    {
      name: 'kernel',
      service: closing(async () => {
        stopTids()
        nodeIds.close()
        await readiness.close()
        kernel.dispose()
      }),
    },
    { name: 'hardware', service: hardware },
    { name: 'netns', service: netns },
    { name: 'netlink', service: netlink },
    ...foreign.map((probe) => ({ name: probe.name, service: tolerated(probe, logger) })),
    { name: 'api', service: { start: async () => options.onReady?.((await server.start()).url), stop: () => server.stop() } },
    { name: 'captures', service: captures },
    { name: 'flows', service: flowLink },
    { name: 'link', service: link },
  ]
  try {
    await runServices(services, { logger, ...(options.signal && { signal: options.signal }) })
  } finally {
    flush()
  }
}

/** A part that has nothing to start and something to release. */
function closing(stop: () => Promise<void>): Service {
  return { start: async () => {}, stop }
}
