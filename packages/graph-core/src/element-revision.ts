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

/**
 * One of each shape, to be kept as long as elements are made. V8 gives each object a number of its own for a key that has only held numbers beyond 31
 * bits; as the times here have held something else, the elements of a transaction share one, which spares 32 bytes of each.
 */
export const SHAPES: readonly unknown[] = [nodeRevision, edgeRevision].map((revision) =>
  revision({} as never, {}, null as never, null, 0),
)
