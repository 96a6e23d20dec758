import type { EnhancedFlow, GraphEdge, GraphNode, MetadataObject, MetadataValue, RawPacket } from '@skydive/contracts'
import type { NextHop } from '../next-hop.ts'
import type { MetricRecord } from '../runtime.ts'
import type { Condition } from './conditions.ts'
import type { EdgeFields, FieldOf, FieldsOf, FlowFields, KeyOf, NodeFields, Scalar, ValueOf } from './fields.ts'

declare const RESULT: unique symbol

/** A query under construction: immutable, every step answers a new one. `String(query)` is its text; `R` is what it answers. */
export interface Query<R> {
  /** Never there: it carries the type of the answer. */
  readonly [RESULT]?: R
  /** The text of the query: `G.V().Has("Type", "host")`. */
  toString(): string
}

/** What a query answers: `ResultOf<typeof query>`. */
export type ResultOf<Q> = Q extends Query<infer R> ? R : never

/** A value, or a condition on values, of a key. */
export type Wanted<F, K> = K extends keyof F ? ValueOf<F, K> | Condition<ValueOf<F, K>> : Scalar | Condition<never>
/** Conditions by key: `{ Type: 'veth', MTU: gt(1500) }`. */
export type Where<F> = { readonly [K in keyof F]?: Wanted<F, K> } & {
  readonly [key: string]: Scalar | Condition<never> | undefined
}
/** Edge conditions and how far to go, of `descendants` and its like. */
export interface ReachOptions {
  /** Any of these; `{ RelationType: 'ownership' }` by default. */
  readonly edges?: Where<EdgeFields>
  /** How many edges to go; 1 by default. With 0 there is no end, except for `neighbors`, where it is the inputs alone. */
  readonly depth?: number
}

/** Conditions, in all the ways to write them. */
interface Conditional<F, Self> {
  /** The key is there. */
  has<K extends KeyOf<F>>(key: K): Self
  /** The key has the value, or a value that passes. */
  has<K extends KeyOf<F>>(key: K, value: Wanted<F, K>): Self
  /** All of these. */
  where(conditions: Where<F>): Self
  /** Any of these. */
  whereAny(conditions: Where<F>): Self
}

/** What lists of nodes and of edges have in common. */
interface Elements<F, E, Self> extends Query<readonly E[]>, Conditional<F, Self> {
  /** The key is there; the same as `has(key)`. */
  hasKey(key: KeyOf<F>): Self
  /** The key is absent. */
  hasNot(key: KeyOf<F>): Self
  /** The first of each id, or of each tuple of values. */
  dedup(...keys: readonly KeyOf<F>[]): Self
  /** The first `count`. */
  limit(count: number): Self
  /** Elements [from, to). */
  range(from: number, to: number): Self
  /** Ascending by default, by time of creation when no key is given. */
  sort(key?: KeyOf<F>, order?: 'ASC' | 'DESC'): Self
  /** Names the list, for `select`, and hands it on. */
  as(name: string): Self
  /** How many there are, doubles counted. */
  count(): Query<number>
  /** The value of each that has the key; empty arrays and objects are left out. */
  values<K extends KeyOf<F>>(key: K): ValuesQuery<FieldOf<F, K>>
  /** An object of these keys for each that has one of them: `{ Name: 'eth0', MTU: 1500 }`. */
  valueMap<K extends KeyOf<F>>(...keys: readonly K[]): ValuesQuery<FieldsOf<F, K>>
  /** Every key that one of them has, once. */
  keys(): ValuesQuery<string>
  /** The sum of an integer key; who lacks it counts nothing. A value that is no number fails the query. */
  sum(key: KeyOf<F>): Query<number>
  /** By a key; without one nodes by `Type` and edges by `RelationType`. */
  group(key?: KeyOf<F>): GroupsQuery<E>
  /** A graph of these alone: nodes with the edges between them that pass, edges that pass with their ends. */
  subGraph(edges?: Where<EdgeFields>): GraphQueryBuilder
  /** Back to the graph; what `as` has named is kept. */
  g(): GraphQueryBuilder
}

/** Nodes. Steps and their meaning: spec graph 4.7. */
export interface NodesQuery extends Elements<NodeFields, GraphNode, NodesQuery> {
  /** Children, one for each edge, so that one may come twice. The conditions are on the child. */
  out(nodes?: Where<NodeFields>): NodesQuery
  /** Parents; see `out`. */
  in(nodes?: Where<NodeFields>): NodesQuery
  /** Parents and children; see `out`. */
  both(nodes?: Where<NodeFields>): NodesQuery
  /** The edges to children. */
  outE(edges?: Where<EdgeFields>): EdgesQuery
  /** The edges from parents. */
  inE(edges?: Where<EdgeFields>): EdgesQuery
  /** The edges to children and from parents. */
  bothE(edges?: Where<EdgeFields>): EdgesQuery
  /** The inputs and the nodes below them, nearest first, each once. */
  descendants(options?: ReachOptions): NodesQuery
  /** The inputs and the nodes above them, nearest first, each once. */
  ascendants(options?: ReachOptions): NodesQuery
  /** The inputs and the nodes around them, by edges of either direction, nearest first, each once. */
  neighbors(options?: ReachOptions): NodesQuery
  /** From each input the shortest path to a node that passes, by edges of either direction that pass; none where there is no way. */
  shortestPathTo(target: Where<NodeFields>, edges?: Where<EdgeFields>): PathsQuery
  /** The lists that `as` has named, one after the other. */
  select(...names: readonly string[]): NodesQuery
  /** The flows that were captured at these nodes. */
  flows(conditions?: Where<FlowFields>): FlowsQuery
  /** The counters that the nodes hold: `LastUpdateMetric` by default, `SFlow` or `Ovs`. */
  metrics(field?: string): MetricsQuery
  /** The `Sockets` of each node that has some, by node id. */
  sockets(): SocketsQuery
  /** Where each node would send a packet for this address, by its `RoutingTables`; by node id, nodes without a route left out. */
  nextHop(ip: string): Query<ReadonlyMap<string, NextHop>>
}

/** Edges. `outV` is the child and `inV` the parent, as the language has it. */
export interface EdgesQuery extends Elements<EdgeFields, GraphEdge, EdgesQuery> {
  /** The child of each edge. */
  outV(nodes?: Where<NodeFields>): NodesQuery
  /** The parent of each edge. */
  inV(nodes?: Where<NodeFields>): NodesQuery
  /** Parent and child of each edge. */
  bothV(nodes?: Where<NodeFields>): NodesQuery
}

/** The graph at a time. */
export interface GraphQueryBuilder extends Query<{ readonly nodes: readonly GraphNode[]; readonly edges: readonly GraphEdge[] }> {
  /** All nodes, or the one with this id; an id that is not there fails the query. */
  V(id?: string): NodesQuery
  /** All edges, or the one with this id; an id that is not there fails the query. */
  E(id?: string): EdgesQuery
  /** Another time: a date, ms since the epoch, a duration such as `-1h`, or `NOW`; with a duration everything within it. */
  at(time: Date | number | string, duration?: number | string): GraphQueryBuilder
  /** All flows of this time. */
  flows(conditions?: Where<FlowFields>): FlowsQuery
  /** The lists that `as` has named, one after the other. */
  select(...names: readonly string[]): NodesQuery
  /** What a stored workflow answers, as a graph; needs the `workflow` of `GremlinOptions`. */
  workflow(idOrName: string, ...args: readonly Scalar[]): GraphQueryBuilder
}

/** Paths of nodes. */
export interface PathsQuery extends Query<readonly (readonly GraphNode[])[]> {
  /** The nodes on the paths, each once. */
  dedup(): NodesQuery
  /** The first `count`. */
  limit(count: number): PathsQuery
  /** How many paths there are. */
  count(): Query<number>
  /** The nodes on the paths and every edge between them that passes. */
  subGraph(edges?: Where<EdgeFields>): GraphQueryBuilder
  /** The flows that were captured at the nodes on the paths. */
  flows(conditions?: Where<FlowFields>): FlowsQuery
}

/** Values of one type. */
export interface ValuesQuery<T = MetadataValue> extends Query<readonly T[]> {
  /** Each value once. */
  dedup(): ValuesQuery<T>
  /** The first `count`. */
  limit(count: number): ValuesQuery<T>
  /** How many values there are. */
  count(): Query<number>
}

/** Flows. Steps and their meaning: spec graph 4.8. */
export interface FlowsQuery extends Query<readonly EnhancedFlow[]>, Conditional<FlowFields, FlowsQuery> {
  /** The first of each `TrackingID`, or of each tuple of values. */
  dedup(...keys: readonly KeyOf<FlowFields>[]): FlowsQuery
  /** The first `count`. */
  limit(count: number): FlowsQuery
  /** Flows [from, to). */
  range(from: number, to: number): FlowsQuery
  /** Ascending by default, by `Last` when no key is given. */
  sort(key?: KeyOf<FlowFields>, order?: 'ASC' | 'DESC'): FlowsQuery
  /** How many flows there are. */
  count(): Query<number>
  /** The value of each flow that has the key. A key that no flow ever has fails the query. */
  values<K extends KeyOf<FlowFields>>(key: K): ValuesQuery<FieldOf<FlowFields, K>>
  /** The sum of a key of `Metric` or `LastUpdateMetric`, such as `Metric.ABBytes`. */
  sum(key: KeyOf<FlowFields>): Query<number>
  /** The node where each flow was captured. */
  captureNode(nodes?: Where<NodeFields>): NodesQuery
  /** The same as `captureNode`. */
  hops(nodes?: Where<NodeFields>): NodesQuery
  /** Where it was captured, where it comes from and where it goes. */
  nodes(nodes?: Where<NodeFields>): NodesQuery
  /** Where each flow comes from: the node whose `MAC` or `PeerIntfMAC` is its `Link.A`. */
  in(nodes?: Where<NodeFields>): NodesQuery
  /** Where each flow goes: the node whose `MAC` or `PeerIntfMAC` is its `Link.B`. */
  out(nodes?: Where<NodeFields>): NodesQuery
  /** Where each flow comes from and where it goes. */
  both(nodes?: Where<NodeFields>): NodesQuery
  /** By a key, `TrackingID` by default. */
  group(key?: KeyOf<FlowFields>): GroupsQuery<EnhancedFlow>
  /** Counters by flow UUID: of a live flow its last update, of a time what was recorded within it. */
  metrics(): MetricsQuery
  /** The kept packets of each flow that has some. */
  rawPackets(): RawPacketsQuery
  /** The sockets at either end of each TCP or UDP flow, anywhere in the graph; flows without one are left out. */
  sockets(): SocketsQuery
}

/** Nodes, edges or flows in groups. */
export interface GroupsQuery<T> extends Query<ReadonlyMap<string, readonly T[]>> {
  /** Groups of more than so many members; 1 by default. */
  moreThan(count?: number): GroupsQuery<T>
}

/** Records of counters by node id or flow UUID. */
export interface MetricsQuery extends Query<ReadonlyMap<string, readonly MetricRecord[]>> {
  /** Merged into slices of so many seconds, 30 by default. */
  aggregates(seconds?: number): MetricsQuery
  /** Everything in one record. */
  sum(): Query<MetricRecord | undefined>
  /** The sum of one counter, such as `RxBytes`. */
  sum(key: string): Query<number>
  /** How many nodes or flows have records. */
  count(): Query<number>
}

/** Kept packets by flow UUID. */
export interface RawPacketsQuery extends Query<ReadonlyMap<string, readonly RawPacket[]>> {
  /** Those that pass a pcap filter. */
  bpf(expression: string): RawPacketsQuery
}

/** Sockets by node id or flow UUID. */
export interface SocketsQuery extends Query<ReadonlyMap<string, readonly MetadataObject[]>> {
  /** Those of which a socket passes all of these; only such sockets stay: `{ LocalPort: 80 }`. */
  where(conditions: { readonly [key: string]: Scalar | Condition<never> }): SocketsQuery
  /** The value of each socket, such as its `Name`; one that lacks the key fails the query. */
  values(key: string): ValuesQuery
}
