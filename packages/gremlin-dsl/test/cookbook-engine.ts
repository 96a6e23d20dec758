import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EnhancedFlow, Flow, FlowQuery, FlowReader, RawPacket } from '@skydive/contracts'
import { enhancedFlowField, prepareFilter, searchFlows } from '@skydive/filter'
import { createGraph, loadSnapshot } from '@skydive/graph'
import { decodeWireEdge, decodeWireNode } from '@skydive/protocol'
import { createGremlin, type GremlinEngine } from '../src/index.ts'

const EXAMPLES = join(import.meta.dirname, '../../../docs/examples')

/** When the topology of the examples was read: Tue, 14 Nov 2023 22:13:20 GMT. */
const LOADED_MS = 1_700_000_000_000
const MINUTE_MS = 60_000

function example<T>(file: string): T {
  return JSON.parse(readFileSync(join(EXAMPLES, file), 'utf8'))
}

function flowReader(flows: readonly EnhancedFlow[]): FlowReader {
  const search = async (query: FlowQuery) => searchFlows(flows, query, await prepareFilter(query.Filter ?? {}, enhancedFlowField))
  return {
    search: async (query) => ({ flows: await search(query), missing: [] }),
    metrics: async (query) => new Map((await search(query)).map(({ flow }) => [flow.UUID, [flow.LastUpdateMetric!]])),
    rawPackets: async () => new Map<string, readonly RawPacket[]>(),
  }
}

/**
 * What the cookbook asks: two hosts and their flows. Five minutes after they were read `vdb` went down, after eight the namespace `old` was
 * deleted, and now are ten minutes gone.
 */
export async function cookbookEngine(): Promise<GremlinEngine> {
  let nowMs = LOADED_MS
  const graph = createGraph({ clock: { now: () => nowMs }, retention: { ageMs: 60 * MINUTE_MS } })
  const { Nodes, Edges } = example<{ readonly Nodes: readonly unknown[]; readonly Edges: readonly unknown[] }>('two-hosts.json')
  const defaults = { nowMs, origin: 'file' }
  loadSnapshot(graph, {
    nodes: Nodes.map((node) => decodeWireNode(node, defaults)),
    edges: Edges.map((edge) => decodeWireEdge(edge, defaults)),
  })
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  nowMs += 5 * MINUTE_MS
  writer.transaction((tx) => tx.patchNode('vdb', { State: 'DOWN' }))
  nowMs += 3 * MINUTE_MS
  writer.transaction((tx) => tx.deleteNode('old'))
  nowMs += 2 * MINUTE_MS
  const flows = example<readonly Flow[]>('two-hosts-flows.json').map((flow) => ({ flow, places: {} }))
  return createGremlin({ graph, flows: flowReader(flows), clock: { now: () => nowMs } })
}
