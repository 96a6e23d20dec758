import { asText, type Rendering } from './output.ts'
import type { Row } from './table.ts'

type Json = Readonly<Record<string, unknown>>

const NODE_COLUMNS = ['name', 'type', 'host', 'state', 'mac', 'addresses', 'id']
const EDGE_COLUMNS = ['relation', 'parent', 'child', 'host', 'id']
const FLOW_COLUMNS = ['protocol', 'a', 'b', 'a→b packets', 'a→b bytes', 'b→a packets', 'b→a bytes', 'last', 'capture', 'uuid']

/** Shows the answer of any query to people: tables of nodes, edges and flows, lines of values, YAML of everything else. */
export function renderResult(value: unknown): Rendering {
  if (!Array.isArray(value)) return asText(value)
  if (value.length === 0) return { kind: 'text', text: 'nothing found' }
  const [first] = value as unknown[]
  if (isGraph(first)) {
    const text = `${first.Nodes?.length ?? 0} nodes, ${first.Edges?.length ?? 0} edges`
    return { kind: 'text', text: `${text}\n${tableText(first.Nodes ?? [])}` }
  }
  if (value.every(isEdge)) return table(EDGE_COLUMNS, value.map(edgeRow))
  if (value.every(isNode)) return table(NODE_COLUMNS, value.map(nodeRow))
  if (value.every(isFlow)) return table(FLOW_COLUMNS, value.map(flowRow))
  if (value.every((item) => typeof item !== 'object' || item === null))
    return { kind: 'text', text: value.map(String).join('\n') }
  if (value.every((item) => Array.isArray(item) && item.every(isNode))) {
    const paths = value as Json[][]
    return { kind: 'text', text: paths.map((path) => path.map((node) => nodeRow(node)['name']).join(' → ')).join('\n') }
  }
  return asText(value)
}

/** Nodes by id, as REST lists them. */
export function renderNodes(nodes: readonly object[]): Rendering {
  return table(NODE_COLUMNS, (nodes as Json[]).map(nodeRow))
}

/** Edges by id, as REST lists them. */
export function renderEdges(edges: readonly object[]): Rendering {
  return table(EDGE_COLUMNS, (edges as Json[]).map(edgeRow))
}

function table(columns: readonly string[], rows: readonly Row[]): Rendering {
  return { kind: 'table', columns, rows, empty: 'nothing found' }
}

function tableText(nodes: readonly Json[]): string {
  const types = new Map<string, number>()
  for (const node of nodes) {
    const type = text(metadataOf(node)['Type'])
    types.set(type, (types.get(type) ?? 0) + 1)
  }
  return [...types]
    .sort((a, b) => b[1] - a[1])
    .map(([type, count]) => `  ${count} ${type}`)
    .join('\n')
}

function nodeRow(node: Json): Row {
  const metadata = metadataOf(node)
  return {
    name: text(metadata['Name']),
    type: text(metadata['Type']),
    host: text(node['Host']),
    state: text(metadata['State']),
    mac: text(metadata['MAC']),
    addresses: [metadata['IPV4'], metadata['IPV6']].flat().filter(Boolean).map(text).join(' '),
    id: text(node['ID']),
  }
}

function edgeRow(edge: Json): Row {
  return {
    relation: text(metadataOf(edge)['RelationType']),
    parent: text(edge['Parent']),
    child: text(edge['Child']),
    host: text(edge['Host']),
    id: text(edge['ID']),
  }
}

function flowRow(flow: Json): Row {
  const metric = (flow['Metric'] ?? {}) as Json
  const network = (flow['Network'] ?? flow['Link'] ?? {}) as Json
  const transport = (flow['Transport'] ?? {}) as Json
  const end = (side: 'A' | 'B') =>
    transport[side] === undefined ? text(network[side]) : `${text(network[side])}:${text(transport[side])}`
  return {
    protocol: text(flow['Application'] ?? flow['LayersPath']),
    a: end('A'),
    b: end('B'),
    'a→b packets': number(metric['ABPackets']),
    'a→b bytes': number(metric['ABBytes']),
    'b→a packets': number(metric['BAPackets']),
    'b→a bytes': number(metric['BABytes']),
    last: typeof flow['Last'] === 'number' ? new Date(flow['Last']).toISOString() : '',
    capture: text(flow['CaptureID']).slice(0, 8),
    uuid: text(flow['UUID']),
  }
}

function metadataOf(element: Json): Json {
  return (element['Metadata'] ?? {}) as Json
}

function isGraph(value: unknown): value is { readonly Nodes?: readonly Json[]; readonly Edges?: readonly Json[] } {
  return isObject(value) && 'Nodes' in value && 'Edges' in value
}

function isNode(value: unknown): value is Json {
  return isObject(value) && 'ID' in value && 'Metadata' in value
}

function isEdge(value: unknown): value is Json {
  return isNode(value) && 'Parent' in value && 'Child' in value
}

function isFlow(value: unknown): value is Json {
  return isObject(value) && 'UUID' in value && ('Metric' in value || 'LayersPath' in value)
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function text(value: unknown): string {
  return value === undefined || value === null ? '' : String(value)
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}
