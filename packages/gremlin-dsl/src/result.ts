import type {
  EnhancedFlow,
  Flow,
  FlowCoverageSummary,
  GraphEdge,
  GraphNode,
  GraphView,
  MetadataObject,
  MetadataValue,
  RawPacket,
  SliceCoverage,
} from '@skydive/contracts'
import { toWireEdge, toWireNode } from '@skydive/contracts'
import type { BudgetName } from './budget.ts'
import type { NextHop } from './next-hop.ts'
import type { MetricRecord, Run, Value } from './runtime.ts'

/** What a query answers, by kind. Elements are immutable revisions and may be kept. */
export type GremlinResult =
  /** `G`, `SubGraph`: both lists in order of creation. */
  | { readonly kind: 'graph'; readonly nodes: readonly GraphNode[]; readonly edges: readonly GraphEdge[] }
  | { readonly kind: 'nodes'; readonly nodes: readonly GraphNode[] }
  | { readonly kind: 'edges'; readonly edges: readonly GraphEdge[] }
  | { readonly kind: 'paths'; readonly paths: readonly (readonly GraphNode[])[] }
  /** `Count`, `Sum(k)`. */
  | { readonly kind: 'number'; readonly value: number }
  /** `Values`, `ValueMap`, `Keys`. */
  | { readonly kind: 'values'; readonly values: readonly MetadataValue[] }
  | { readonly kind: 'flows'; readonly flows: readonly EnhancedFlow[] }
  /** Records by node id or flow UUID; by `Aggregated` when `aggregated`. */
  | { readonly kind: 'metrics'; readonly metrics: ReadonlyMap<string, readonly MetricRecord[]>; readonly aggregated: boolean }
  /** `Metrics().Sum()`; `undefined` when there was nothing to sum. */
  | { readonly kind: 'metric'; readonly metric: MetricRecord | undefined }
  /** Packets by flow UUID. */
  | { readonly kind: 'rawpackets'; readonly packets: ReadonlyMap<string, readonly RawPacket[]> }
  /** Sockets by node id or flow UUID. */
  | { readonly kind: 'sockets'; readonly sockets: ReadonlyMap<string, readonly MetadataObject[]> }
  /** Flows by the value of the key that they were grouped by; under the empty text those that lack it. */
  | { readonly kind: 'groups'; readonly groups: ReadonlyMap<string, readonly EnhancedFlow[]> }
  /** Nodes, or edges, by the value of the key that they were grouped by; of an array by each of its elements. */
  | { readonly kind: 'elementgroups'; readonly groups: ReadonlyMap<string, readonly (GraphNode | GraphEdge)[]> }
  /** By node id. */
  | { readonly kind: 'nexthops'; readonly nextHops: ReadonlyMap<string, NextHop> }

/** A result and how far it can be trusted. */
export interface GremlinAnswer {
  /** What the query answers. */
  readonly result: GremlinResult
  /** Sources of flows that did not answer, such as `agent.alpha`; empty when the answer is whole. */
  readonly missing: readonly string[]
  /** For a query of another time: whether the graph of that time is wholly known. */
  readonly coverage: SliceCoverage | undefined
  /** For a query about flows, where account is kept of that: what was watched in its time, and what was lost. */
  readonly flowCoverage?: FlowCoverageSummary
  /** The budget that was spent, when the asker allowed an answer in part and this is one; absent for a whole answer. */
  readonly partial?: BudgetName
}

/** Takes the elements of a value out of their views. */
export function resultOf(value: Value, run: Run): GremlinResult {
  switch (value.kind) {
    case 'graph':
      return graphOf(value.view!, run)
    case 'nodes':
      return { kind: 'nodes', nodes: value.rows.map((row) => value.view.node(row)) }
    case 'edges':
      return { kind: 'edges', edges: value.rows.map((row) => value.view.edge(row)) }
    case 'paths':
      return { kind: 'paths', paths: value.paths.map((path) => path.map((row) => value.view.node(row))) }
    case 'flows':
      return { kind: 'flows', flows: value.flows ?? [] }
    default:
      return value
  }
}

/** All of a graph; in part as many nodes as there may be, with the edges between them. */
function graphOf(view: GraphView, run: Run): GremlinResult {
  const isCut = run.mustStop(() => run.budget.results(view.nodeCount + view.edgeCount))
  const most = isCut ? run.budget.maxResults : Number.POSITIVE_INFINITY
  const nodes: GraphNode[] = []
  const edges: GraphEdge[] = []
  view.forEachNode((row) => nodes.length < most && nodes.push(view.node(row)) > 0)
  const kept = isCut ? new Set(nodes.map(({ id }) => id)) : undefined
  view.forEachEdge((row) => {
    if (nodes.length + edges.length >= most) return false
    const edge = view.edge(row)
    if (!kept || (kept.has(edge.parent) && kept.has(edge.child))) edges.push(edge)
    return true
  })
  return { kind: 'graph', nodes, edges }
}

/** Base64 of bytes (RFC 4648 section 4), by what browsers and Node have both. */
function base64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
}

function mapToJson<T>(map: ReadonlyMap<string, readonly T[]>, convert: (item: T) => unknown): unknown {
  if (map.size === 0) return []
  return [Object.fromEntries([...map].map(([key, list]) => [key, list.map(convert)]))]
}

/** A flow without its packets, which have a step of their own. */
function flowToJson({ flow: { LastRawPackets: _packets, ...flow } }: EnhancedFlow): Omit<Flow, 'LastRawPackets'> {
  return flow
}

function packetToJson({ Timestamp, Index, Data, LinkType }: RawPacket): unknown {
  return { Timestamp, Index, Data: base64(Data), LinkType }
}

/** Counters of interfaces leave zeros out, those of flows (which have `ABPackets`) tell them, but for a round trip time of 0. */
function recordToJson(record: MetricRecord): MetricRecord {
  const isFlow = 'ABPackets' in record
  const kept = Object.entries(record).filter(
    ([key, value]) => value !== 0 || key === 'Start' || key === 'Last' || (isFlow && key !== 'RTT'),
  )
  return Object.fromEntries(kept)
}

/** The JSON form of a result as the REST interface gives it (spec graph 4.10): a plain value for `JSON.stringify`. */
export function resultToJson(result: GremlinResult): unknown {
  switch (result.kind) {
    case 'graph':
      return [{ Nodes: result.nodes.map(toWireNode), Edges: result.edges.map(toWireEdge) }]
    case 'nodes':
      return result.nodes.map(toWireNode)
    case 'edges':
      return result.edges.map(toWireEdge)
    case 'paths':
      return result.paths.map((path) => path.map(toWireNode))
    case 'number':
      return result.value
    case 'values':
      // Clients know an empty list of values as null.
      return result.values.length === 0 ? null : result.values
    case 'flows':
      return result.flows.map(flowToJson)
    case 'metrics':
      return result.aggregated
        ? [{ Aggregated: (result.metrics.get('Aggregated') ?? []).map(recordToJson) }]
        : mapToJson(result.metrics, recordToJson)
    case 'metric':
      return result.metric === undefined ? null : recordToJson(result.metric)
    case 'rawpackets':
      return mapToJson(result.packets, packetToJson)
    case 'sockets':
      return mapToJson(result.sockets, (socket) => socket)
    case 'groups':
      return mapToJson(result.groups, flowToJson)
    case 'elementgroups':
      return mapToJson(result.groups, (element) => (element.kind === 'node' ? toWireNode(element) : toWireEdge(element)))
    case 'nexthops':
      return result.nextHops.size === 0 ? [] : [Object.fromEntries(result.nextHops)]
  }
}
