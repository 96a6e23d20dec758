import type { GraphEdge, GraphNode, MetadataValue } from '@skydive/contracts'

const LABEL_KEYS = ['Type', 'IfIndex', 'State', 'TID', 'IPV4', 'IPV6'] as const

/** Graphviz text of a graph (spec platform 1.5). Values are escaped; edges whose ends are not in the graph are left out. */
export function renderDot(graph: { readonly nodes: readonly GraphNode[]; readonly edges: readonly GraphEdge[] }): string {
  const titles = new Map(graph.nodes.map((node) => [node.id, title(node)]))
  const lines = ['digraph g {']
  for (const node of graph.nodes) lines.push(`"${title(node)}" [label="${label(node)}"]`)
  for (const edge of graph.edges) {
    const parent = titles.get(edge.parent)
    const child = titles.get(edge.child)
    if (parent === undefined || child === undefined) continue
    const type = text(edge.metadata['RelationType'] ?? '')
    const label = /^\w+$/.test(type) ? type : `"${escapeText(type)}"`
    lines.push(`"${parent}" -> "${child}" [label=${label},dir=${type === 'layer2' ? 'both' : 'forward'}]`)
  }
  return `${lines.join('\n')}\n}`
}

function title(node: GraphNode): string {
  return `${escapeText(text(node.metadata['Name'] ?? ''))}-${escapeText(node.id.slice(0, 8))}`
}

function label(node: GraphNode): string {
  const parts = [title(node)]
  for (const key of LABEL_KEYS) {
    const value = node.metadata[key]
    if (value !== undefined && value !== null) parts.push(`${key} = ${escapeText(text(value))}`)
  }
  return parts.join('\\n')
}

function text(value: MetadataValue): string {
  if (Array.isArray(value)) return `[${value.map(text).join(' ')}]`
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
}

function escapeText(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
