import type {
  EnhancedFlow,
  GraphEdge,
  GraphNode,
  MetadataObject,
  MetadataValue,
  RawPacket,
  SliceCoverage,
} from '@skydive/contracts'
import { toWireEdge, toWireNode } from '@skydive/contracts'
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

/** A result and how far it can be trusted. */
export interface GremlinAnswer {
  readonly result: GremlinResult
  /** Sources of flows that did not answer, such as `agent.alpha`; empty when the answer is whole. */
  readonly missing: readonly string[]
  /** For a query of another time: whether the graph of that time is wholly known. */
  readonly coverage: SliceCoverage | undefined
}

/** Takes the elements of a value out of their views. */
export function resultOf(value: Value, run: Run): GremlinResult {
  switch (value.kind) {
    case 'graph': {
      const view = value.view!
      const nodes: GraphNode[] = []
      const edges: GraphEdge[] = []
      run.budget.results(view.nodeCount + view.edgeCount)
      view.forEachNode((row) => {
        nodes.push(view.node(row))
        return true
      })
      view.forEachEdge((row) => {
        edges.push(view.edge(row))
        return true
      })
      return { kind: 'graph', nodes, edges }
    }
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

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** Base64 of bytes (RFC 4648 section 4); here because layers 0 and 1 have no `Buffer`. */
function base64(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const group = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    text += BASE64[group >> 18]! + BASE64[(group >> 12) & 63]!
    text += i + 1 < bytes.length ? BASE64[(group >> 6) & 63]! : '='
    text += i + 2 < bytes.length ? BASE64[group & 63]! : '='
  }
  return text
}

function mapToJson<T>(map: ReadonlyMap<string, readonly T[]>, convert: (item: T) => unknown): unknown {
  if (map.size === 0) return []
  return [Object.fromEntries([...map].map(([key, list]) => [key, list.map(convert)]))]
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
      return result.flows.map(({ flow: { LastRawPackets: _packets, ...flow } }) => flow)
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
  }
}
