import type { Clock, FlowReader, GraphSource, GraphView, ReadOptions } from '@skydive/contracts'
import { CancelledError, InvariantError } from '@skydive/contracts'
import type { GremlinQuery } from './ast.ts'
import { Budget, type Budgets, DEFAULT_BUDGETS } from './budget.ts'
import { compilePlan, preparePlan } from './compile.ts'
import { GremlinError } from './error.ts'
import { LruCache } from './lru.ts'
import { parseGremlin } from './parser.ts'
import type { Plan } from './plan-builder.ts'
import { type GremlinAnswer, type GremlinResult, resultOf } from './result.ts'
import { type PacketFilterCompiler, type QuerySources, Run, type Value } from './runtime.ts'

/** What an engine reads and how much a query may cost. */
export interface GremlinOptions {
  readonly graph: GraphSource
  /** Without it the step `Flows` is refused with `ERR_UNAVAILABLE`. */
  readonly flows?: FlowReader
  /** Compiles the expressions of `BPF`; without it that step is refused with `ERR_UNSUPPORTED`. */
  readonly packetFilter?: PacketFilterCompiler
  readonly clock?: Pick<Clock, 'now'>
  /** {@link DEFAULT_BUDGETS} where nothing else is said. */
  readonly budgets?: Partial<Budgets>
  /** How many compiled queries are kept; 256 by default. */
  readonly cachedPlans?: number
}

/** Answers queries over one graph and its flows. */
export interface GremlinEngine {
  /**
   * Runs a query (spec graph 4). Plans are kept by text, so repeating a query costs no parsing.
   * @throws GremlinError; ERR_LIMIT naming the budget; ERR_CANCELLED; what the sources raise.
   */
  query(text: string, options?: ReadOptions): Promise<GremlinAnswer>
}

const LARGEST_CACHED_QUERY = 4096

/** An engine over a graph and, when given, flows. Holds nothing but compiled plans. */
export function createGremlin(options: GremlinOptions): GremlinEngine {
  const plans = new LruCache<Plan>(options.cachedPlans ?? 256)
  const clock = options.clock ?? Date
  const budgets = { ...DEFAULT_BUDGETS, ...options.budgets }
  const sources: QuerySources = {
    graph: options.graph,
    clock,
    ...(options.flows && { flows: options.flows }),
    ...(options.packetFilter && { packetFilter: options.packetFilter }),
  }

  async function planOf(text: string): Promise<Plan> {
    const plan = await preparePlan(parseGremlin(text))
    if (text.length <= LARGEST_CACHED_QUERY) plans.set(text, plan)
    return plan
  }

  return {
    async query(text, { signal } = {}) {
      if (signal?.aborted) throw new CancelledError(undefined, signal.reason)
      const plan = plans.get(text) ?? (await planOf(text))
      const run = new Run(sources, new Budget(budgets, clock, signal), signal)
      let value: Value = run.graph
      for (const stage of plan.stages) {
        const output: Value | Promise<Value> = stage(value, run)
        value = output instanceof Promise ? await output : output
      }
      if (value.kind === 'flows') value = { ...value, flows: await run.flowsOf(value) }
      const result = resultOf(value, run)
      const { slice } = run.graph
      return { result, missing: [...run.missing], coverage: slice && (await options.graph.coverage(slice)) }
    },
  }
}

/** A query over one graph at one time, which can be run again and again at once. */
export interface GraphQuery {
  readonly text: string
  /** What it answers: `nodes`, `graph`, `number` … */
  readonly kind: Plan['kind']
  /**
   * Fields of elements on which the answer depends (`*`: all). Updates that touch none of them, nor a path above or below, can't change which
   * elements it answers. Added and deleted elements always can.
   */
  readonly keys: ReadonlySet<string>
  /** The answer for a view. Synchronous. @throws ERR_GREMLIN_EXECUTION, ERR_LIMIT. */
  run(view: GraphView): GremlinResult
  /** The rows of a query that answers nodes, in the ordinals of the view; cheaper than elements. */
  runNodes(view: GraphView): readonly number[]
}

/**
 * Compiles a query that reads one graph only: no flows, no other time. For captures on demand and filters of subscribers, which look again
 * after every batch. Asynchronous once, because regular expressions may have to load their engine.
 * @throws GremlinError; ERR_GREMLIN_UNSUPPORTED for a query that needs flows or another time.
 */
export async function compileGraphQuery(text: string, budgets: Partial<Budgets> = {}): Promise<GraphQuery> {
  const plan = await preparePlan(parseGremlin(text))
  if (!plan.isGraphOnly) {
    throw new GremlinError(
      'ERR_GREMLIN_UNSUPPORTED',
      'only the present topology can be asked here: no Flows, At or Context',
      text,
      0,
    )
  }
  const limits = { ...DEFAULT_BUDGETS, ...budgets }
  const execute = (view: GraphView): { value: Value; run: Run } => {
    const run = new Run({ graph: NO_SOURCE, clock: Date }, new Budget(limits, Date, undefined), undefined)
    run.graph = { kind: 'graph', slice: view.slice, view, free: false }
    let value: Value = run.graph
    for (const stage of plan.stages) {
      const output = stage(value, run)
      if (output instanceof Promise) throw new InvariantError('a query of one graph tried to wait', { text })
      value = output
    }
    return { value, run }
  }
  return {
    text,
    kind: plan.kind,
    keys: plan.keys,
    run: (view) => {
      const { value, run } = execute(view)
      return resultOf(value, run)
    },
    runNodes: (view) => {
      const { value } = execute(view)
      if (value.kind === 'nodes' && value.view === view) return value.rows
      throw new GremlinError('ERR_GREMLIN_STEP', 'the query must answer nodes of the graph', text, 0)
    },
  }
}

/** Never asked: a graph query brings its view along. */
const NO_SOURCE: GraphSource = {
  open: () => Promise.reject(new InvariantError('a query of one graph asked for another')),
  coverage: () => Promise.resolve({ complete: true }),
}

/** Whether a parsed query reads nothing but the present graph, so that {@link compileGraphQuery} accepts it. Never throws. */
export function isGraphQuery(query: GremlinQuery): boolean {
  try {
    return check(query).isGraphOnly
  } catch {
    return false
  }
}

/** Checks the whole text, arguments and order of steps, without running it. @throws GremlinError as `query` would. */
export function checkGremlin(text: string): { readonly kind: Plan['kind']; readonly isGraphOnly: boolean } {
  const { kind, isGraphOnly } = check(parseGremlin(text))
  return { kind, isGraphOnly }
}

function check(query: GremlinQuery): Plan {
  // Patterns are compiled when the query is prepared; whether they are good can't be told here.
  return compilePlan(query, () => () => false)
}
