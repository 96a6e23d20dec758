/** One value of a metadata tree: what JSON can say. Integers are exact up to 2^53. */
export type MetadataValue = string | number | boolean | null | readonly MetadataValue[] | MetadataObject

/** An inner object of a metadata tree. */
export interface MetadataObject {
  readonly [key: string]: MetadataValue
}

/**
 * The metadata of an element. Shape: `{ Type: 'veth', Name: 'v0', MTU: 1500, Features: { gro: true } }`.
 * Immutable: whoever holds one may keep it for ever; nobody may write into it.
 */
export type Metadata = MetadataObject

/** What nodes and edges have in common. One object is one immutable revision of the element. Times are ms since the epoch. */
export interface GraphElement {
  readonly id: string
  readonly metadata: Metadata
  /** The host that owns the element, such as `alpha`. */
  readonly host: string
  /** Who published it: `<service type>.<host id>`, such as `agent.alpha`. */
  readonly origin: string
  readonly createdAtMs: number
  readonly updatedAtMs: number
  /** `null` while the element lives. */
  readonly deletedAtMs: number | null
  /** 1 at creation, +1 with every change of the metadata; deletion does not count. */
  readonly revision: number
}

/** A node revision (spec graph 1.1). */
export interface GraphNode extends GraphElement {
  readonly kind: 'node'
}

/** An edge revision. `parent` is the source and `child` the target, both node ids. Parallel edges and self loops are legal. */
export interface GraphEdge extends GraphElement {
  readonly kind: 'edge'
  readonly parent: string
  readonly child: string
}

/**
 * One effective change of metadata. `key` is a dotted path; `set` carries the new value, `delete` removes the path.
 * A `replace` carries the whole new metadata (what the wire sends as a full update).
 */
export type MetadataOp =
  | { readonly op: 'set'; readonly key: string; readonly value: MetadataValue }
  | { readonly op: 'delete'; readonly key: string }
  | { readonly op: 'replace'; readonly value: Metadata }

/** A span of time in ms since the epoch, both ends inclusive. `startMs === lastMs` is a point in time. */
export interface TimeSlice {
  readonly startMs: number
  readonly lastMs: number
}
