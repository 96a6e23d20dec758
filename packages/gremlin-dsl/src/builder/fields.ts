import type { MetadataObject, MetadataValue } from '@skydive/contracts'

/**
 * The types of the fields of nodes, by key. Here are those that every node has: whoever knows a vocabulary of metadata adds it, and `has`,
 * `values` and their like are then checked and completed by it.
 *
 * ```ts
 * declare module '@skydive/gremlin-dsl/builder' {
 *   interface NodeFields { Type: string; MTU: number; IPV4: string[] }
 * }
 * ```
 */
export interface NodeFields {
  /** The id. */
  '@ID': string
  /** The host that it was seen on. */
  '@Host': string
  /** Who wrote it: `agent.alpha`. */
  '@Origin': string
  /** When it came, ms since the epoch. */
  '@CreatedAt': number
  /** When it changed last, ms since the epoch. */
  '@UpdatedAt': number
  /** When it went, ms since the epoch; absent while it is there. */
  '@DeletedAt': number
  /** 1 when it came, one more with each change. */
  '@Revision': number
}

/** The same for edges. */
export interface EdgeFields {
  /** The id. */
  '@ID': string
  /** The host that it was seen on. */
  '@Host': string
  /** Who wrote it: `agent.alpha`. */
  '@Origin': string
  /** When it came, ms since the epoch. */
  '@CreatedAt': number
  /** When it changed last, ms since the epoch. */
  '@UpdatedAt': number
  /** When it went, ms since the epoch; absent while it is there. */
  '@DeletedAt': number
  /** 1 when it came, one more with each change. */
  '@Revision': number
  /** The id of the parent. */
  Parent: string
  /** The id of the child. */
  Child: string
}

/** The fields of flows that conditions are mostly about; any other dotted path is accepted too. */
export interface FlowFields {
  /** Names this flow, at this place, since this start. */
  UUID: string
  /** Names the conversation: the same wherever it is captured. */
  TrackingID: string
  /** The same, made of the network layer and what is above it alone. */
  L3TrackingID: string
  /** Of a flow within a tunnel the `UUID` of the tunnel's flow; else empty. */
  ParentUUID: string
  /** The `TID` of the node where it was captured. */
  NodeTID: string
  /** The capture that asked for it. */
  CaptureID: string
  /** The highest layer that is known: `DNS`, `TCP`. */
  Application: string
  /** All layers, from the outside: `Ethernet/IPv4/TCP`. */
  LayersPath: string
  /** Either MAC address. */
  Link: string
  /** The MAC address that sent the first packet. */
  'Link.A': string
  /** The MAC address that it went to. */
  'Link.B': string
  /** Either IP address. */
  Network: string
  /** The IP address that sent the first packet. */
  'Network.A': string
  /** The IP address that it went to. */
  'Network.B': string
  /** Either port. */
  Transport: number
  /** The port that sent the first packet. */
  'Transport.A': number
  /** The port that it went to. */
  'Transport.B': number
  /** `TCP`, `UDP` or `SCTP`. */
  'Transport.Protocol': string
  /** The identifier of an echo. */
  'ICMP.ID': number
  /** Packets from A to B since the start. */
  'Metric.ABPackets': number
  /** Bytes from A to B since the start. */
  'Metric.ABBytes': number
  /** Packets from B to A since the start. */
  'Metric.BAPackets': number
  /** Bytes from B to A since the start. */
  'Metric.BABytes': number
  /** The first packet, ms since the epoch. */
  Start: number
  /** The last packet, ms since the epoch. */
  Last: number
}

/** A key that is known, or any other; the known ones are completed. */
export type KeyOf<F> = (keyof F & string) | (string & {})

/** What a query can compare with. */
export type Scalar = string | number | boolean

/** The values that a condition on a key may name: of an array its items. */
export type ValueOf<F, K> = K extends keyof F ? (F[K] extends readonly (infer Item)[] ? Item & Scalar : F[K] & Scalar) : Scalar

/** What `values(key)` gives. */
export type FieldOf<F, K> = K extends keyof F ? F[K] : MetadataValue

/** What `valueMap(…keys)` gives. */
export type FieldsOf<F, K extends string> = string extends K ? MetadataObject : { readonly [Key in K]?: FieldOf<F, Key> }
