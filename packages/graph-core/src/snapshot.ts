import type { GraphEdge, GraphNode, ReplicaResult } from '@skydive/contracts'
import type { Graph } from './graph.ts'

/** Elements at rest: what a topology file holds, or `view` has at one version. */
export interface Snapshot {
  /** One revision of each id. */
  readonly nodes: readonly GraphNode[]
  /** One revision of each id; ends that are missing are told by {@link loadSnapshot}. */
  readonly edges: readonly GraphEdge[]
}

function byOrigin<E extends GraphNode | GraphEdge>(elements: readonly E[]): ReadonlyMap<string, readonly E[]> {
  const groups = new Map<string, E[]>()
  for (const element of elements) {
    const group = groups.get(element.origin)
    if (group) group.push(element)
    else groups.set(element.origin, [element])
  }
  return groups
}

/**
 * Adds elements to a graph with their ids, origins, times and revisions: nodes first, so that edges between origins find both ends. What is
 * there already stays as it is; an edge without an end is `refused`. For elements of a file, decoded by `@skydive/protocol`.
 */
export function loadSnapshot(graph: Graph, { nodes, edges }: Snapshot): ReplicaResult {
  const results: ReplicaResult[] = []
  for (const [origin, group] of byOrigin(nodes)) {
    results.push(graph.replica(origin).apply(group.map((node) => ({ kind: 'node-added', node }))))
  }
  for (const [origin, group] of byOrigin(edges)) {
    results.push(graph.replica(origin).apply(group.map((edge) => ({ kind: 'edge-added', edge }))))
  }
  return {
    applied: results.reduce((sum, { applied }) => sum + applied, 0),
    ignored: results.reduce((sum, { ignored }) => sum + ignored, 0),
    refused: results.flatMap(({ refused }) => refused),
  }
}
