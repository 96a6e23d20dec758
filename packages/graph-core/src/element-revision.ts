import type { GraphEdge, GraphElement, GraphNode, Metadata } from '@skydive/contracts'

/** Another revision of a node: all keys written out, which costs half of spreading the old object and gives all revisions one shape. */
export function nodeRevision(
  { kind, id, host, origin, createdAtMs }: GraphNode,
  metadata: Metadata,
  updatedAtMs: number,
  deletedAtMs: number | null,
  revision: number,
): GraphNode {
  return { kind, id, metadata, host, origin, createdAtMs, updatedAtMs, deletedAtMs, revision }
}

/** {@link nodeRevision} of an edge. */
export function edgeRevision(
  { kind, id, host, origin, createdAtMs, parent, child }: GraphEdge,
  metadata: Metadata,
  updatedAtMs: number,
  deletedAtMs: number | null,
  revision: number,
): GraphEdge {
  return { kind, id, metadata, host, origin, createdAtMs, updatedAtMs, deletedAtMs, revision, parent, child }
}

/** Another revision of whatever it is. */
export function elementRevision<E extends GraphElement>(
  element: E,
  metadata: Metadata,
  updatedAtMs: number,
  deletedAtMs: number | null,
  revision: number,
): E
export function elementRevision(
  element: GraphNode | GraphEdge,
  metadata: Metadata,
  updatedAtMs: number,
  deletedAtMs: number | null,
  revision: number,
): GraphNode | GraphEdge {
  return element.kind === 'node'
    ? nodeRevision(element, metadata, updatedAtMs, deletedAtMs, revision)
    : edgeRevision(element, metadata, updatedAtMs, deletedAtMs, revision)
}
