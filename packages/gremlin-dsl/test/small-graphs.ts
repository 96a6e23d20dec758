import type { Flow, Metadata } from '@skydive/contracts'
import { createGraph, type Graph } from '@skydive/graph'
import { type GremlinEngine, resultToJson } from '../src/index.ts'

/** A graph of nodes by id, and edges written `parent>child`, all with the same metadata. */
export function graphOf(
  nodes: Readonly<Record<string, Metadata>>,
  edges: readonly string[] = [],
  metadata: Metadata = {},
): Graph {
  const graph = createGraph()
  graph.writer({ origin: 'agent.alpha', host: 'alpha' }).transaction((tx) => {
    for (const [id, own] of Object.entries(nodes)) tx.addNode({ id, metadata: own })
    for (const id of edges) {
      const [parent = '', child = ''] = id.split('>')
      tx.addEdge({ id, parent, child, metadata })
    }
  })
  return graph
}

/** The JSON of an answer. */
export async function json(engine: GremlinEngine, query: string): Promise<unknown> {
  return resultToJson((await engine.query(query)).result)
}

/** A flow of nothing but what is said of it. */
export function flow(UUID: string, rest: Partial<Flow> = {}): Flow {
  return { UUID, TrackingID: UUID, Start: 0, Last: 1, ParentUUID: '', RawPacketsCaptured: 0, ...rest }
}

/** A clock that stands where it is put, and a graph that remembers. */
export function timeline() {
  const clock = { ms: 100_000, now: () => clock.ms }
  const graph = createGraph({ clock, retention: { ageMs: Number.POSITIVE_INFINITY } })
  return { clock, graph, writer: graph.writer({ origin: 'agent.alpha', host: 'alpha' }) }
}
