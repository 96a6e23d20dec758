import type {
  Clock,
  ElementSelection,
  EnhancedFlow,
  FlowAnswer,
  FlowQuery,
  FlowReader,
  GraphEdge,
  GraphNode,
  GraphSource,
  GraphView,
  MetadataObject,
  MetadataValue,
  RawPacket,
  ReadOptions,
  TimeSlice,
} from '@skydive/contracts'
import { UnavailableError } from '@skydive/contracts'
import { elementView } from '@skydive/filter'
import type { Budget, BudgetName } from './budget.ts'
import { ELEMENT_BYTES, FLOW_BYTES } from './footprint.ts'
import type { NextHop } from './next-hop.ts'
import type { Profiler } from './profiler.ts'
import type { GremlinAnswer } from './result.ts'

/** Tests a kept packet against a compiled expression. */
export type PacketTest = (packet: RawPacket) => boolean
/** Compiles a pcap filter for a link type. @throws ERR_INVALID_ARGUMENT for a bad expression, ERR_UNSUPPORTED where there is no compiler. */
export type PacketFilterCompiler = (expression: string, linkType: number) => PacketTest | Promise<PacketTest>

/** What a workflow may be given. */
export type WorkflowArgument = string | number | boolean

/** What a workflow answers: the elements of a graph. */
export interface WorkflowGraph {
  /** In the order in which the graph shall tell them. */
  readonly nodes: readonly GraphNode[]
  /** Edges, whose ends are among the nodes. */
  readonly edges: readonly GraphEdge[]
}

/**
 * Runs a stored workflow by id or name. `query` asks the same engine, out of the budget of the query that called. Rejects with `ERR_NOT_FOUND`
 * for a workflow that is not there; any other error is told as the workflow's own.
 */
export type WorkflowRunner = (
  idOrName: string,
  args: readonly WorkflowArgument[],
  options: ReadOptions & { readonly query: (text: string) => Promise<GremlinAnswer> },
) => Promise<WorkflowGraph>

/** What queries read. */
export interface QuerySources {
  readonly graph: GraphSource
  readonly flows?: FlowReader
  /** For the step `BPF`; without it that step is refused. */
  readonly packetFilter?: PacketFilterCompiler
  /** For the step `Workflow`; without it that step is refused. */
  readonly workflow?: WorkflowRunner
  readonly clock: Pick<Clock, 'now'>
  /** Asks the same engine from within a query, out of its budget. */
  nested(text: string, run: Run): Promise<GremlinAnswer>
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
  | { readonly kind: 'groups'; readonly groups: ReadonlyMap<string, readonly EnhancedFlow[]> }
  | { readonly kind: 'elementgroups'; readonly groups: ReadonlyMap<string, readonly (GraphNode | GraphEdge)[]> }
  | { readonly kind: 'nexthops'; readonly nextHops: ReadonlyMap<string, NextHop> }

/** One step of a plan. It answers a promise only where something has to be waited for. */
export type Stage = (input: Value, run: Run) => Value | Promise<Value>

/** What a run may do besides reading. */
export interface RunOptions {
  readonly signal?: AbortSignal | undefined
  /** Stop where a budget is spent and answer what there is. */
  readonly onBudget?: 'error' | 'partial'
}

/** Longer timers than this overflow. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** One execution of a plan. */
export class Run {
  readonly sources: QuerySources
  readonly budget: Budget
  readonly signal: AbortSignal | undefined
  readonly profiler: Profiler | undefined
  readonly depth: number
  readonly #selection: ElementSelection | undefined
  readonly aliases = new Map<string, RowsValue>()
  /** Rows that the lists of {@link Run.aliases} have together. */
  aliasedRows = 0
  /** Sources of flows that did not answer. */
  readonly missing = new Set<string>()
  asksFlows = false
  /** The first budget that was spent, when the answer may be in part. */
  partial: BudgetName | undefined
  /** What `V`, `E`, `Flows` and a bare `G` refer to. */
  graph: GraphValue = { kind: 'graph', slice: undefined, view: undefined, free: false }
  readonly #allowsPartial: boolean

  /**
   * `selection`: what a store may find by itself instead of giving the whole graph of a time. `depth`: how many workflows stand between this
   * query and the one that somebody asked.
   */
  constructor(
    sources: QuerySources,
    budget: Budget,
    options: RunOptions,
    selection?: ElementSelection,
    depth = 0,
    profiler?: Profiler,
  ) {
    this.sources = sources
    this.budget = budget
    this.signal = options.signal
    this.#allowsPartial = options.onBudget === 'partial'
    this.#selection = selection
    this.depth = depth
    this.profiler = profiler
  }

  /** The view of the current graph; opened on first need, at once where the present is at hand. */
  openView(): GraphView | Promise<GraphView> {
    const { graph } = this
    const opened = (view: GraphView): GraphView => {
      graph.view = view
      this.budget.check()
      return view
    }
    const atHand = graph.view ?? (graph.slice ? undefined : this.sources.graph.view)
    return atHand ? opened(atHand) : this.#viewOf(graph.slice).then(opened)
  }

  /** The graph of a time, or what of it the query needs, where the source can find that by itself. */
  #viewOf(slice: TimeSlice | undefined): Promise<GraphView> {
    const { graph } = this.sources
    const selection = this.#selection
    if (!slice || !selection || !graph.select) return this.wait((options) => graph.open(slice, options))
    return this.wait(async (options) => {
      const nodes: GraphNode[] = []
      const edges: GraphEdge[] = []
      for await (const batch of graph.select!(selection, slice, options)) {
        for (const element of batch) {
          if (element.kind === 'node') nodes.push(element)
          else edges.push(element)
        }
        const isSpent = this.mustStop(() => {
          this.budget.check()
          this.budget.hold(batch.length * ELEMENT_BYTES)
        })
        if (isSpent) break
      }
      return elementView({ nodes, edges, slice })
    })
  }

  /** Asks a source that may take long: it is told to stop when the asker gives up or the time of the query is over. */
  async wait<T>(ask: (options: ReadOptions) => Promise<T>): Promise<T> {
    const { signal } = this
    const told = { onMissing: (source: string) => void this.missing.add(source), ...(signal && { signal }) }
    const remainingMs = this.budget.remainingMs()
    if (remainingMs > MAX_TIMER_MS) return ask(told)
    const deadline = AbortSignal.timeout(Math.ceil(remainingMs))
    try {
      return await ask({ ...told, signal: signal ? AbortSignal.any([signal, deadline]) : deadline })
    } catch (error) {
      if (deadline.aborted && signal?.aborted !== true) throw this.budget.timeIsUp()
      throw error
    }
  }

  /** A query from within a query. */
  nested(text: string): Promise<GremlinAnswer> {
    return this.sources.nested(text, this)
  }

  /** Whether an error only means that a budget is spent and the answer may be in part; that is noted then. */
  isCut(error: unknown): boolean {
    const name = this.#allowsPartial ? this.budget.forgive(error) : undefined
    if (name === undefined) return false
    this.partial ??= name
    return true
  }

  /** {@link Budget.check} and others, for places where what is there can be kept. True when it has to stop. */
  mustStop(check: () => void): boolean {
    try {
      check()
      return false
    } catch (error) {
      if (this.isCut(error)) return true
      throw error
    }
  }

  /** A list within the budget of results. */
  within<T>(items: readonly T[]): readonly T[] {
    const { budget } = this
    if (items.length <= budget.maxResults) return items
    return this.mustStop(() => budget.results(items.length)) ? items.slice(0, budget.maxResults) : items
  }

  /** @throws ERR_UNAVAILABLE when there is nothing that knows flows. */
  flowReader(): FlowReader {
    const { flows } = this.sources
    if (!flows) {
      throw new UnavailableError('No storage backend has been configured', { retryable: false })
    }
    this.asksFlows = true
    return flows
  }

  /** The flows of a value, asked for now if they are not known yet. */
  async flowsOf(value: FlowsValue): Promise<readonly EnhancedFlow[]> {
    if (value.flows) return value.flows
    if (value.query.nodeTids?.length === 0) return []
    const reader = this.flowReader()
    this.profiler?.asked.push(value.query)
    let answer: FlowAnswer
    try {
      answer = await this.wait((options) => reader.search(value.query, value.slice, options))
    } catch (error) {
      if (!this.isCut(error)) throw error
      return []
    }
    for (const source of answer.missing) this.missing.add(source)
    this.mustStop(() => this.budget.check())
    const kept = this.within(answer.flows)
    this.mustStop(() => this.budget.hold(kept.length * FLOW_BYTES))
    return kept
  }
}
