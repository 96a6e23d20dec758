import type { Clock, FlowReader, GraphSource, GraphView, ReadOptions, SliceCoverage } from '@skydive/contracts'
import { InvariantError, LimitError } from '@skydive/contracts'
import { ELEMENT_FIELDS, FLOW_FIELDS, listPaths } from '@skydive/filter'
import type { GremlinQuery } from './ast.ts'
import { Budget, type Budgets, checkSignal, DEFAULT_BUDGETS } from './budget.ts'
import { compilePlan, needsRegexEngine, preparePlan } from './compile.ts'
import { GremlinError } from './error.ts'
import type { Explanation } from './explain.ts'
import { heldBytes } from './footprint.ts'
import { parseGremlin } from './parser.ts'
import type { Plan } from './plan-builder.ts'
import { createPlanCache } from './plan-cache.ts'
import type { Profiler } from './profiler.ts'
import { type GremlinAnswer, type GremlinResult, resultOf } from './result.ts'
import { type PacketFilterCompiler, type QuerySources, Run, type Value, type WorkflowRunner } from './runtime.ts'
import { KIND_WORDS } from './steps.ts'
import { suggest } from './suggest.ts'

/** What an engine reads and how much a query may cost. */
export interface GremlinOptions {
  /** What is asked: a graph of `@skydive/graph`, or a store. */
  readonly graph: GraphSource
  /** Without it the step `Flows` is refused with `ERR_UNAVAILABLE`. */
  readonly flows?: FlowReader
  /** Compiles the expressions of `BPF`; without it that step is refused with `ERR_UNSUPPORTED`. */
  readonly packetFilter?: PacketFilterCompiler
  /** Runs the stored workflows of `Workflow`; without it that step is refused with `ERR_GREMLIN_UNSUPPORTED`. */
  readonly workflow?: WorkflowRunner
  /** What `NOW` and durations count from; the system's by default. */
  readonly clock?: Pick<Clock, 'now'>
  /** {@link DEFAULT_BUDGETS} where nothing else is said. */
  readonly budgets?: Partial<Budgets>
  /** How many compiled queries are kept, each from the second time that it is asked; 256 by default. */
  readonly cachedPlans?: number
  /** Keys that elements have, for hints about mistyped ones; absent: those of the first thousand elements of the live graph. */
  readonly knownKeys?: () => Iterable<string>
}

/** Options of one query. */
export interface QueryOptions extends ReadOptions {
  /**
   * What happens when a budget is spent: an error, or the answer as far as it goes, whose `partial` names the budget. An answer in part
   * holds nothing wrong, but a count is a lower bound and an order may lack its first. A step that can't stop halfway, such as
   * `Descendants`, still fails. @default 'error'
   */
  readonly onBudget?: 'error' | 'partial'
}

/** Answers queries over one graph and its flows. */
export interface GremlinEngine {
  /**
   * Runs a query (spec graph 4). Plans of what is asked again are kept by text, so from the third time on a query costs no parsing.
   * @throws GremlinError; ERR_LIMIT naming the budget; ERR_CANCELLED; what the sources raise.
   */
  query(text: string, options?: QueryOptions): Promise<GremlinAnswer>
  /**
   * As {@link query}, without a promise where nothing has to be waited for: a query of the present, of a graph that has it at hand, unless it
   * loads what few ask for. What was wrong then is thrown, not rejected.
   */
  answer(text: string, options?: QueryOptions): GremlinAnswer | Promise<GremlinAnswer>
  /**
   * How a query would be run: which index, which scan, what is asked of a store or of agents, and hints. Nothing is run: the live graph is
   * looked at for estimates, another time is not read. @throws GremlinError.
   */
  explain(text: string, options?: ReadOptions): Promise<Explanation>
  /** Runs a query and tells rows and time of every step besides. A few times slower than {@link query}. @throws as `query`. */
  profile(text: string, options?: QueryOptions): Promise<Explanation>
}

const LARGEST_CACHED_QUERY = 4096
/** Workflows ask queries that may run workflows. */
const MAX_NESTING = 8

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** What only those load who explain or profile a query. */
const loadExplain = () => import('./explain.ts')

/** An engine over a graph and, when given, flows. Holds nothing but compiled plans. */
export function createGremlin(options: GremlinOptions): GremlinEngine {
  const plans = createPlanCache<Plan>(options.cachedPlans ?? 256)
  const clock = options.clock ?? Date
  const budgets = { ...DEFAULT_BUDGETS, ...options.budgets }
  const sources: QuerySources = { ...options, clock, nested }

  /** The plan of a text: one that is kept, or a new one; at once, unless the query has a pattern whose engine must be loaded. */
  function planOf(text: string): Plan | Promise<Plan> {
    const known = plans.get(text)
    if (known) return known
    const query = parseGremlin(text)
    const keep = (plan: Plan): Plan => {
      if (text.length <= LARGEST_CACHED_QUERY) plans.set(text, plan)
      return plan
    }
    return needsRegexEngine(query) ? preparePlan(query).then(keep) : keep(compilePlan(query, undefined))
  }

  async function nested(text: string, { budget, signal, depth }: Run): Promise<GremlinAnswer> {
    if (depth >= MAX_NESTING) {
      throw new LimitError(`workflows are nested more than ${MAX_NESTING} deep; one of them probably runs itself`, 'nesting')
    }
    const plan = await planOf(text)
    return finish(new Run(sources, budget, { signal }, plan.selection, depth + 1), plan)
  }

  function run(plan: Plan, own: QueryOptions, profiler?: Profiler): GremlinAnswer | Promise<GremlinAnswer> {
    return finish(new Run(sources, new Budget(budgets, clock, own.signal), own, plan.selection, 0, profiler), plan)
  }

  /** Runs the stages from one on; at once as far as none has to wait. */
  function finish(run: Run, plan: Plan, from = 0, input: Value = run.graph): GremlinAnswer | Promise<GremlinAnswer> {
    const { stages } = plan
    let value = input
    for (let next = from; next < stages.length; ) {
      run.profiler?.begin(value)
      const output = stages[next++]!(value, run)
      if (output instanceof Promise)
        return output.then((made) => finish(run, plan, isOver(run, made) ? stages.length : next, made))
      value = output
      if (isOver(run, value)) break
    }
    return value.kind === 'flows' || run.graph.slice ? conclude(run, value) : answerOf(run, value)
  }

  /** A stage has ended; answers whether a budget is spent, so that those that follow are left out. */
  function isOver(run: Run, value: Value): boolean {
    const { profiler, budget } = run
    profiler?.end(value)
    return budget.holdsTooMuch(heldBytes(value, run)) && run.mustStop(() => budget.checkMemory())
  }

  async function conclude(run: Run, input: Value): Promise<GremlinAnswer> {
    const { profiler } = run
    const { slice } = run.graph
    let value = input
    if (value.kind === 'flows') {
      profiler?.begin(value)
      value = { ...value, flows: await run.flowsOf(value) }
      profiler?.end(value)
    }
    return answerOf(run, value, slice && (await options.graph.coverage(slice)))
  }

  function answerOf(run: Run, value: Value, coverage?: SliceCoverage): GremlinAnswer {
    const answer: Mutable<GremlinAnswer> = { result: resultOf(value, run), missing: [...run.missing], coverage }
    const flowCoverage = run.asksFlows && sources.flows?.coverage?.(run.graph.slice)
    if (flowCoverage) answer.flowCoverage = flowCoverage
    if (run.partial) answer.partial = run.partial
    return answer
  }

  /** A query that is explained but not run, and what explains it. */
  async function explained(text: string, { signal }: ReadOptions = {}) {
    checkSignal(signal)
    const plan = await preparePlan(parseGremlin(text), true)
    const explain = await loadExplain()
    const explanation = await explain.explainPlan(plan, {
      sources,
      run: new Run(sources, new Budget(DEFAULT_BUDGETS, clock, undefined), {}),
      words: KIND_WORDS,
      knownKeys: options.knownKeys,
      elementFields: ELEMENT_FIELDS,
      flowFields: FLOW_FIELDS,
      listPaths,
      suggest,
    })
    return { plan, explain, explanation }
  }

  function answer(text: string, own: QueryOptions = {}): GremlinAnswer | Promise<GremlinAnswer> {
    checkSignal(own.signal)
    const plan = planOf(text)
    return plan instanceof Promise ? plan.then((made) => run(made, own)) : run(plan, own)
  }

  return {
    answer,
    query: async (text, own) => answer(text, own),
    explain: async (text, own) => (await explained(text, own)).explanation,
    async profile(text, own = {}) {
      const { plan, explain, explanation } = await explained(text, own)
      const profiler = new explain.Profiler(() => performance.now())
      const startedMs = performance.now()
      const answer = await run(plan, own, profiler)
      return explain.explainRun(explanation, plan, profiler, answer, performance.now() - startedMs)
    },
  }
}

/** A query over one graph at one time, which can be run again and again at once. */
export interface GraphQuery {
  /** The query, as given. */
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
    const run = new Run(NO_SOURCES, new Budget(limits, Date, undefined), {})
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

const askedAnother = (): Promise<never> => Promise.reject(new InvariantError('a query of one graph asked another'))

/** Never asked: a graph query brings its view along. */
const NO_SOURCES: QuerySources = {
  graph: { open: askedAnother, coverage: askedAnother },
  clock: Date,
  nested: askedAnother,
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
