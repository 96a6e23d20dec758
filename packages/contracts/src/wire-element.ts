import type { GraphEdge, GraphNode, Metadata } from './element.ts'

/** A node as JSON has it (spec graph 1.2). Times are ms; `DeletedAt` is always there. */
export interface WireNode {
  readonly ID: string
  readonly Metadata: Metadata
  readonly Host: string
  readonly Origin: string
  readonly CreatedAt: number
  readonly UpdatedAt: number
  readonly DeletedAt: number | null
  readonly Revision: number
}

/** An edge as JSON has it. */
export interface WireEdge extends WireNode {
  readonly Parent: string
  readonly Child: string
}

/** The JSON form of a node; shares the metadata object. Key order is part of the wire. */
export function toWireNode(node: GraphNode): WireNode {
  return {
    ID: node.id,
    Metadata: node.metadata,
    Host: node.host,
    Origin: node.origin,
    CreatedAt: node.createdAtMs,
    UpdatedAt: node.updatedAtMs,
    DeletedAt: node.deletedAtMs,
    Revision: node.revision,
  }
}

/** The JSON form of an edge; shares the metadata object. */
export function toWireEdge(edge: GraphEdge): WireEdge {
  return {
    ID: edge.id,
    Metadata: edge.metadata,
    Host: edge.host,
    Origin: edge.origin,
    CreatedAt: edge.createdAtMs,
    UpdatedAt: edge.updatedAtMs,
    DeletedAt: edge.deletedAtMs,
    Revision: edge.revision,
    Parent: edge.parent,
    Child: edge.child,
  }
}
