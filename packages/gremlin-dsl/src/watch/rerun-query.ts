import type { GraphEdge, GraphNode, GraphView } from '@skydive/contracts'
import type { GraphQuery } from '../engine.ts'
import { type GremlinResult, resultToJson } from '../result.ts'
import type { Element } from './moves.ts'
import { type DeltaBody, DeltaBuilder } from './sink.ts'
import { bagOf, valueDelta } from './value-delta.ts'

function elementDelta<E extends Element>(old: readonly E[], now: readonly E[]): DeltaBuilder<E> {
  const before = bagOf(old, ({ id }) => id)
  const after = bagOf(now, ({ id }) => id)
  const builder = new DeltaBuilder<E>()
  for (const [id, { item, count }] of after) {
    const known = before.get(id)
    builder.move({ id, before: known?.item, after: item, gone: undefined, old: known?.count ?? 0, now: count })
  }
  for (const [id, { item, count }] of before) {
    if (!after.has(id)) builder.move({ id, before: item, after: undefined, gone: undefined, old: count, now: 0 })
  }
  return builder
}

/** A query that is run again when something has changed that may matter, and compared with what it answered before. */
export class RerunQuery {
  private readonly query: GraphQuery
  private result: GremlinResult | undefined

  constructor(query: GraphQuery) {
    this.query = query
  }

  /** Runs the query for the first time. @throws what the query raises. */
  begin(view: GraphView): void {
    this.result = this.query.run(view)
  }

  /** Runs it again; answers what is different. */
  advance(view: GraphView): DeltaBody | undefined {
    const old = this.result!
    this.result = this.query.run(view)
    return difference(old, this.result)
  }

  /** The ids of the elements of the last result. */
  elementIds(): ReadonlySet<string> {
    const result = this.result!
    switch (result.kind) {
      case 'nodes':
        return new Set(result.nodes.map(({ id }) => id))
      case 'edges':
        return new Set(result.edges.map(({ id }) => id))
      case 'graph':
        return new Set([...result.nodes, ...result.edges].map(({ id }) => id))
      case 'paths':
        return new Set(result.paths.flat().map(({ id }) => id))
      default:
        return new Set()
    }
  }

  whole(): DeltaBody {
    const result = this.result!
    switch (result.kind) {
      case 'nodes':
        return { kind: 'nodes', added: result.nodes, removed: [], changed: [] }
      case 'edges':
        return { kind: 'edges', added: result.edges, removed: [], changed: [] }
      case 'graph':
        return {
          kind: 'graph',
          nodes: { added: result.nodes, removed: [], changed: [] },
          edges: { added: result.edges, removed: [], changed: [] },
        }
      case 'values':
        return { kind: 'values', added: result.values, removed: [] }
      case 'number':
        return { kind: 'number', value: result.value }
      default:
        return { kind: 'result', result }
    }
  }
}

function difference(old: GremlinResult, now: GremlinResult): DeltaBody | undefined {
  if (old.kind === 'nodes' && now.kind === 'nodes') {
    const delta = elementDelta<GraphNode>(old.nodes, now.nodes)
    return delta.isEmpty ? undefined : { kind: 'nodes', ...delta.delta }
  }
  if (old.kind === 'edges' && now.kind === 'edges') {
    const delta = elementDelta<GraphEdge>(old.edges, now.edges)
    return delta.isEmpty ? undefined : { kind: 'edges', ...delta.delta }
  }
  if (old.kind === 'graph' && now.kind === 'graph') {
    const nodes = elementDelta<GraphNode>(old.nodes, now.nodes)
    const edges = elementDelta<GraphEdge>(old.edges, now.edges)
    return nodes.isEmpty && edges.isEmpty ? undefined : { kind: 'graph', nodes: nodes.delta, edges: edges.delta }
  }
  if (old.kind === 'values' && now.kind === 'values') {
    const { added, removed } = valueDelta(old.values, now.values)
    return added.length === 0 && removed.length === 0 ? undefined : { kind: 'values', added, removed }
  }
  if (old.kind === 'number' && now.kind === 'number') {
    return old.value === now.value ? undefined : { kind: 'number', value: now.value }
  }
  return JSON.stringify(resultToJson(old)) === JSON.stringify(resultToJson(now)) ? undefined : { kind: 'result', result: now }
}
