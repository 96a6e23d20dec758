import type {
  Clock,
  EnhancedFlow,
  FlowQuery,
  FlowReader,
  GraphSource,
  GraphView,
  MetadataObject,
  MetadataValue,
  RawPacket,
  TimeSlice,
} from '@skydive/contracts'
import { UnavailableError } from '@skydive/contracts'
import type { Budget } from './budget.ts'

/** Tests a kept packet against a compiled expression. */
export type PacketTest = (packet: RawPacket) => boolean
/** Compiles a pcap filter for a link type. @throws ERR_INVALID_ARGUMENT for a bad expression, ERR_UNSUPPORTED where there is no compiler. */
export type PacketFilterCompiler = (expression: string, linkType: number) => PacketTest | Promise<PacketTest>

/** What queries read. */
export interface QuerySources {
  readonly graph: GraphSource
  readonly flows?: FlowReader
  /** For the step `BPF`; without it that step is refused. */
  readonly packetFilter?: PacketFilterCompiler
  readonly clock: Pick<Clock, 'now'>
}

/** One record of counters. */
export type MetricRecord = Readonly<Record<string, number>>

/** The graph that `V` and `E` read. `view` is there once it is opened. */
export interface GraphValue {
  readonly kind: 'graph'
  readonly slice: TimeSlice | undefined
  view: GraphView | undefined
  /** Made by `SubGraph`: it has no other time. */
  readonly free: boolean
}

/** Rows of one view. */
export interface RowsValue {
  readonly kind: 'nodes' | 'edges'
  readonly view: GraphView
  readonly rows: readonly number[]
}

/** Flows that are asked for when somebody needs them: some steps ask their reader for something else. */
export interface FlowsValue {
  readonly kind: 'flows'
  readonly query: FlowQuery
  readonly slice: TimeSlice | undefined
  /** Known already, or worked on further than a reader can. */
  readonly flows: readonly EnhancedFlow[] | undefined
}

/** What goes from step to step. */
export type Value =
  | GraphValue
  | RowsValue
  | FlowsValue
  | { readonly kind: 'paths'; readonly view: GraphView; readonly paths: readonly (readonly number[])[] }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'values'; readonly values: readonly MetadataValue[] }
  | { readonly kind: 'metrics'; readonly metrics: ReadonlyMap<string, readonly MetricRecord[]>; readonly aggregated: boolean }
  | { readonly kind: 'metric'; readonly metric: MetricRecord | undefined }
  | { readonly kind: 'rawpackets'; readonly packets: ReadonlyMap<string, readonly RawPacket[]> }
  | { readonly kind: 'sockets'; readonly sockets: ReadonlyMap<string, readonly MetadataObject[]> }

/** One step of a plan. It answers a promise only where something has to be waited for. */
export type Stage = (input: Value, run: Run) => Value | Promise<Value>

/** One execution of a plan. */
export class Run {
  readonly sources: QuerySources
  readonly budget: Budget
  readonly signal: AbortSignal | undefined
  readonly aliases = new Map<string, RowsValue>()
  /** Sources of flows that did not answer. */
  readonly missing = new Set<string>()
  /** What `V`, `E`, `Flows` and a bare `G` refer to. */
  graph: GraphValue = { kind: 'graph', slice: undefined, view: undefined, free: false }

  constructor(sources: QuerySources, budget: Budget, signal: AbortSignal | undefined) {
    this.sources = sources
    this.budget = budget
    this.signal = signal
  }

  /** The view of the current graph; opened on first need. */
  async openView(): Promise<GraphView> {
    const { graph } = this
    graph.view ??= await this.sources.graph.open(graph.slice, this.readOptions())
    this.budget.check()
    return graph.view
  }

  readOptions(): { signal?: AbortSignal } {
    return this.signal ? { signal: this.signal } : {}
  }

  /** @throws ERR_UNAVAILABLE when there is nothing that knows flows. */
  flowReader(): FlowReader {
    const { flows } = this.sources
    if (!flows) {
      throw new UnavailableError('No storage backend has been configured', { retryable: false })
    }
    return flows
  }

  /** The flows of a value, asked for now if they are not known yet. */
  async flowsOf(value: FlowsValue): Promise<readonly EnhancedFlow[]> {
    if (value.flows) return value.flows
    if (value.query.nodeTids?.length === 0) return []
    const answer = await this.flowReader().search(value.query, value.slice, this.readOptions())
    for (const source of answer.missing) this.missing.add(source)
    this.budget.check()
    this.budget.results(answer.flows.length)
    return answer.flows
  }
}
