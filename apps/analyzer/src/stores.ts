import type { GraphEdge, GraphNode, GraphView, Logger, Service, TopologyStore, Unsubscribe } from '@skydive/contracts'
import type { ConfigValues } from '@skydive/daemon'
import type { Graph } from '@skydive/graph'
import type { SqliteStorageOptions } from '@skydive/storage-sqlite'
import type { AgentEndpoint } from '@skydive/sync'

/**
 * How long agents have, after a start of the analyzer, to bring back what the store believes to live. What nobody brought back by then ended
 * while nobody watched.
 */
const RETURN_GRACE_MS = 60_000

/** The embedded store as the configuration wants it. */
export function storeSettings(values: ConfigValues): SqliteStorageOptions {
  const declared = Object.values(values.storage).find(({ driver }) => driver === 'sqlite')
  return {
    dataDir: values.data_dir,
    ...(declared?.driver === 'sqlite' && {
      retentionAgeMs: declared.retention_age * 1_000,
      retentionBytes: declared.retention_bytes,
    }),
  }
}

/** All elements of a view, or those of one origin. */
export function elementsOf(view: GraphView, origin?: string): { nodes: GraphNode[]; edges: GraphEdge[] } {
  const nodes: GraphNode[] = []
  const edges: GraphEdge[] = []
  view.forEachNode((ordinal) => {
    const node = view.node(ordinal)
    if (origin === undefined || node.origin === origin) nodes.push(node)
    return true
  })
  view.forEachEdge((ordinal) => {
    const edge = view.edge(ordinal)
    if (origin === undefined || edge.origin === origin) edges.push(edge)
    return true
  })
  return { nodes, edges }
}

/**
 * Writes the event log into the store from the start on. What the store believes to live and nobody brings back ends: that of an agent with
 * the first snapshot it sends, that of agents which don't come back after a minute.
 */
export function keepHistory(
  graph: Graph,
  agents: Pick<AgentEndpoint, 'onSnapshot'>,
  store: Pick<TopologyStore, 'append' | 'reconcile'>,
  logger: Logger,
): Service {
  const unsubscribe: Unsubscribe[] = []
  const returned = new Set<string>()
  let timer: NodeJS.Timeout | undefined
  const reconcile = (origin?: string): void => {
    store
      .reconcile(elementsOf(graph.view, origin), Date.now(), { ...(origin !== undefined && { origin }) })
      .catch((error: Error) => logger.error({ error: error.message, origin }, 'history is not closed yet for what is gone'))
  }
  return {
    async start() {
      unsubscribe.push(
        graph.subscribe((batch) => store.append(batch)),
        agents.onSnapshot((origin) => {
          // The next ones end what is gone in the live graph, whose events the store gets.
          if (!returned.has(origin)) reconcile(origin)
          returned.add(origin)
        }),
      )
      timer = setTimeout(reconcile, RETURN_GRACE_MS).unref()
    },
    async stop() {
      clearTimeout(timer)
      for (const end of unsubscribe.splice(0)) end()
    },
  }
}
