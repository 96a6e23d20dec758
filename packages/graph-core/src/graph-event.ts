import type { GraphEdge, GraphEvent, GraphNode, MetadataOp } from '@skydive/contracts'

/** By kind of change. */
const KINDS = {
  node: ['node-added', 'node-updated', 'node-deleted'],
  edge: ['edge-added', 'edge-updated', 'edge-deleted'],
} as const

/** The event of a change of this kind; `previous` and `ops` are those of an update. */
export function graphEvent(
  kind: number,
  element: GraphNode | GraphEdge,
  previous: GraphNode | GraphEdge | undefined,
  ops: readonly MetadataOp[] | undefined,
): GraphEvent {
  const name = KINDS[element.kind][kind]!
  // Written out: a key that is computed and a spread are a fifth of an update.
  const event =
    element.kind === 'node'
      ? ops
        ? { kind: name, node: element, previous, ops }
        : { kind: name, node: element }
      : ops
        ? { kind: name, edge: element, previous, ops }
        : { kind: name, edge: element }
  return event as GraphEvent
}
