import type { GraphEdge, GraphNode, GraphView, Logger, Service, TopologyStore } from '@skydive/contracts'
import type { ConfigValues } from '@skydive/daemon'
import type { Graph } from '@skydive/graph'
import type { SqliteStorageOptions } from '@skydive/storage-sqlite'

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

/** All elements of a view. */
export function elementsOf(view: GraphView): { nodes: GraphNode[]; edges: GraphEdge[] } {
  const nodes: GraphNode[] = []
  const edges: GraphEdge[] = []
  view.forEachNode((ordinal) => {
    nodes.push(view.node(ordinal))
    return true
  })
  view.forEachEdge((ordinal) => {
    edges.push(view.edge(ordinal))
    return true
  })
  return { nodes, edges }
}

/** Writes the event log into the store from the start on. */
export function keepHistory(graph: Graph, store: TopologyStore, logger: Logger): Service {
  let unsubscribe = (): void => {}
  let timer: NodeJS.Timeout | undefined
  return {
    async start() {
      unsubscribe = graph.subscribe((batch) => store.append(batch))
      timer = setTimeout(() => {
        store
          .reconcile(elementsOf(graph.view), Date.now())
          .catch((error: Error) => logger.error({ error: error.message }, 'history could not be closed for what is gone'))
      }, RETURN_GRACE_MS).unref()
    },
    async stop() {
      clearTimeout(timer)
      unsubscribe()
    },
  }
}
