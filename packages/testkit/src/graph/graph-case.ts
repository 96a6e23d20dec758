import type {
  Clock,
  Flow,
  FlowReader,
  GraphEvents,
  GraphSource,
  GraphView,
  GraphWriter,
  RawPacket,
  TimeSlice,
} from '@skydive/contracts'
import type { TestRunner } from '../probe-suite.ts'

/** A graph that the suite writes to, as `createGraph` of `@skydive/graph` makes one. */
export interface WrittenGraph extends GraphSource, GraphEvents {
  readonly view: GraphView
  writer(options: { readonly origin: string; readonly host: string }): GraphWriter
}

/** What a query answered, as `@skydive/gremlin-dsl` gives it. */
export interface SuiteAnswer {
  readonly result: SuiteResult
}

type Ids = readonly { readonly id: string }[]

/** The kinds of results that the suite looks into; others are compared as JSON. */
export type SuiteResult =
  | { readonly kind: 'graph'; readonly nodes: Ids; readonly edges: Ids }
  | { readonly kind: 'nodes'; readonly nodes: Ids }
  | { readonly kind: 'edges'; readonly edges: Ids }
  | { readonly kind: 'paths'; readonly paths: readonly Ids[] }
  | { readonly kind: 'flows'; readonly flows: readonly { readonly flow: Flow }[] }
  | { readonly kind: 'groups'; readonly groups: ReadonlyMap<string, readonly { readonly flow: Flow }[]> }
  | { readonly kind: 'elementgroups'; readonly groups: ReadonlyMap<string, Ids> }
  | { readonly kind: 'number' | 'values' | 'metrics' | 'metric' | 'rawpackets' | 'sockets' | 'nexthops' }

/** The engine of `@skydive/gremlin-dsl`, as far as the suite uses it. */
export interface SuiteEngine {
  query(text: string): Promise<SuiteAnswer>
}

/** What an engine is made from. */
export interface SuiteEngineOptions {
  readonly graph: GraphSource
  readonly flows?: FlowReader
  readonly clock: Pick<Clock, 'now'>
  readonly packetFilter: () => (packet: RawPacket) => boolean
}

/** A source under test, which shows what the suite writes into a graph of its own. */
export interface GraphSourceCase {
  /** What is tested. It may be the graph itself, or follow its events. */
  readonly source: GraphSource
  /**
   * The suite has written. Resolves when `source` shows it; answers the slice to ask for, or `undefined` for the present. What is written is
   * of `nowMs` and before.
   */
  ready(nowMs: number): Promise<TimeSlice | undefined> | TimeSlice | undefined
  /** Called after each write, before the clock goes on: for sources that keep by the time at which they were told. */
  settle?(): Promise<void> | void
  /** A reader over flows, asked for the present or, where `ready` names a slice, for everything until its end; absent: flows are not tested. */
  flows?(flows: readonly Flow[]): Promise<FlowReader> | FlowReader
  /** Whether `source` answers for other times than the one of `ready`. */
  readonly hasHistory: boolean
  close?(): Promise<void> | void
}

/** What the suite needs. */
export interface GraphSuiteOptions {
  readonly runner: TestRunner
  /** `createGraph` of `@skydive/graph`. */
  readonly createGraph: (options: { readonly clock: Pick<Clock, 'now'> }) => WrittenGraph
  /** `createGremlin` and `resultToJson` of `@skydive/gremlin-dsl`. */
  readonly createGremlin: (options: SuiteEngineOptions) => SuiteEngine
  readonly resultToJson: (result: never) => unknown
  /** Called for each test, before anything is written. */
  readonly createCase: (graph: WrittenGraph, clock: { readonly now: () => number }) => Promise<GraphSourceCase> | GraphSourceCase
}
