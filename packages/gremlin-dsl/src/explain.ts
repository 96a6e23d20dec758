import type { ElementSelection, FlowQuery, GraphView, TimeSlice } from '@skydive/contracts'
import type { Access, AccessPath } from './access.ts'
import type { BudgetName } from './budget.ts'
import { type KeyKnowledge, keyHints } from './key-hints.ts'
import type { Plan, PlannedStep, PlanOutline } from './plan-builder.ts'
import type { Profiler, StepFigures } from './profiler.ts'
import type { GremlinAnswer } from './result.ts'
import type { QuerySources, Run } from './runtime.ts'
import type { Kind } from './vocabulary.ts'

export { Profiler } from './profiler.ts'

/** One step of a query and how it is done. */
export interface ExplainedStep {
  /** As it is written: `Has('Type','host')`. */
  readonly step: string
  /** Where it begins in the query. */
  readonly offset: number
  /** What the query answers after it: `nodes`, `flows` … */
  readonly kind: Kind
  /** One line for people. */
  readonly how: string
  /** How the first rows of a walk are found; counts are of the live graph as it is now. */
  readonly rows?: Access
  /** Elements that a store finds by itself, instead of giving the whole graph of a time. */
  readonly store?: ElementSelection
  /** What a reader of flows is asked, with the steps that it does by itself. `hosts` are known once it has run. */
  readonly flows?: FlowQuery & { readonly of: 'agents' | 'store' }
  /** Only of a query that was run. `undefined` where a step is done together with another. */
  readonly rowsIn?: number
  /** What it hands to the next step; only of a query that was run. */
  readonly rowsOut?: number
  /** Its own time, without the steps that it feeds, ms. */
  readonly timeMs?: number
}

/** How a query is run. */
export interface Explanation {
  /** The query, as given. */
  readonly query: string
  /** What it answers. */
  readonly kind: Kind
  /** The time that is read last; absent for the present. */
  readonly slice?: TimeSlice
  /** In the order in which they are written. */
  readonly steps: readonly ExplainedStep[]
  /** What could make it right or quick: a key that nobody has, an index that is missing. */
  readonly hints: readonly string[]
  /** Only of a query that was run: the whole time, ms. */
  readonly timeMs?: number
  /** Agents that did not answer. */
  readonly missing?: readonly string[]
  /** The budget that was spent, when the answer is one in part. */
  readonly partial?: BudgetName
}

/**
 * What an explanation may look at. This module is loaded when the first query is explained, so what it has in common with the rest is handed to
 * it: as imports they would become a third piece, which everybody has to load.
 */
export interface ExplainContext extends KeyKnowledge {
  readonly sources: QuerySources
  /** A run of its own. */
  readonly run: Run
  readonly words: Readonly<Record<Kind, string>>
}

/** A plan that is prepared for this has one. */
function outlineOf(plan: Plan): PlanOutline {
  return plan.outline!
}

/** Explains a plan without running it. */
export async function explainPlan(plan: Plan, context: ExplainContext): Promise<Explanation> {
  const { sources } = context
  const slice = await sliceOf(plan, context.run)
  const view = slice === undefined && sources.graph ? await sources.graph.open() : undefined
  const steps = outlineOf(plan).steps.map((planned, index) => explainStep(plan, planned, index, view, slice, context))
  return {
    query: plan.text,
    kind: plan.kind,
    ...(slice && { slice }),
    steps,
    hints: [...accessHints(steps), ...keyHints(plan, view, context)],
  }
}

/** The time of the last `Context`; these steps only set it, so they may be run. */
async function sliceOf(plan: Plan, run: Run): Promise<TimeSlice | undefined> {
  for (const { step, stage } of outlineOf(plan).steps) {
    if (step.name === 'Context' || step.name === 'At') await plan.stages[stage]!(run.graph, run)
  }
  return run.graph.slice
}

function explainStep(
  plan: Plan,
  planned: PlannedStep,
  index: number,
  view: GraphView | undefined,
  slice: TimeSlice | undefined,
  { sources, words }: ExplainContext,
): ExplainedStep {
  const { step, kind, stage, place } = planned
  const base = { step: plan.text.slice(step.start, step.end), offset: step.start, kind }
  const source = outlineOf(plan).walks[stage]?.source
  if (place === 'source') {
    const isFirst = outlineOf(plan).steps.findIndex((other) => other.stage === stage && other.place === 'source') === index
    if (!isFirst) return { ...base, how: 'done together with the step before' }
    // Behind a graph that the query makes itself nothing is known before it runs.
    const isOwnGraph = outlineOf(plan)
      .steps.slice(0, index)
      .some(({ step: { name } }) => name === 'SubGraph' || name === 'Workflow')
    const rows = accessOf(source?.access, isOwnGraph ? undefined : view)
    const store = slice && sources.graph.select ? plan.selection : undefined
    return {
      ...base,
      how: rows ? foundBy(rows, slice, store !== undefined, isOwnGraph) : 'goes on with the rows before',
      ...(rows && { rows }),
      ...(store && { store }),
    }
  }
  const draft = outlineOf(plan).drafts[stage]
  if (draft) {
    if (step.name !== 'Flows') return { ...base, how: 'done by those who are asked for flows' }
    const of = slice ? 'store' : 'agents'
    return {
      ...base,
      how: slice ? 'asks the store of flows' : 'asks the agents for their flows',
      flows: { ...draft.query(), of },
    }
  }
  if (place === 'result') return { ...base, how: 'counts what comes, keeping nothing' }
  return { ...base, how: HOW[step.name] ?? `makes ${words[kind]} of all that came before` }
}

/** The path that would be chosen. Without a view no index is known. */
function accessOf(path: AccessPath | string | undefined, view: GraphView | undefined): Access | undefined {
  if (path === undefined) return undefined
  if (typeof path === 'string') return { access: 'id', id: path }
  if (!view) return { access: 'scan', unindexed: [] }
  const condition = path.choose(view)
  const equality = path.equalities.find(({ position }) => position === condition)
  if (equality) {
    const { key, values } = equality
    return { access: 'index', key, values, estimatedRows: path.estimate(view, equality), condition }
  }
  return {
    access: 'scan',
    estimatedRows: path.rows.count(view),
    unindexed: [...new Set(path.equalities.map(({ key }) => key))],
  }
}

const HOW: Readonly<Partial<Record<string, string>>> = {
  G: 'the graph that is being read',
  Context: 'sets the time that is read',
  At: 'sets the time that is read',
  Has: 'tests each row',
  HasKey: 'tests each row',
  HasNot: 'tests each row',
  HasEither: 'tests each row',
  Out: 'follows edges from parent to child, row by row',
  In: 'follows edges from child to parent, row by row',
  Both: 'follows edges in both directions, row by row',
  OutE: 'tells the edges of each row',
  InE: 'tells the edges of each row',
  BothE: 'tells the edges of each row',
  OutV: 'tells the child of each edge',
  InV: 'tells the parent of each edge',
  BothV: 'tells both ends of each edge',
  Dedup: 'lets the first of each pass',
  Limit: 'stops the steps before as soon as it has enough',
  Range: 'stops the steps before as soon as it has enough',
  Sort: 'waits for all rows and orders them',
  As: 'keeps the list under its name',
  Select: 'joins the lists that were kept',
  ShortestPathTo: 'searches breadth first from each row',
  Descendants: 'walks breadth first, each row once',
  Ascendants: 'walks breadth first, each row once',
  Neighbors: 'walks breadth first, each row once',
  Workflow: 'runs the stored workflow',
}

function foundBy(rows: Access, slice: TimeSlice | undefined, isSelected: boolean, isOwnGraph: boolean): string {
  if (isSelected) return 'memory or store finds the rows by itself; nothing else of that time is read'
  if (slice && !isOwnGraph) return 'reads the whole graph of that time from memory or store, then looks the rows up'
  switch (rows.access) {
    case 'id':
      return `looks up the id ${rows.id}`
    case 'index': {
      const values = rows.values.map((value) => JSON.stringify(value)).join(', ')
      return `index ${rows.key} = ${values}: about ${count(rows.estimatedRows)}`
    }
    case 'scan':
      return rows.estimatedRows === undefined ? 'scans all rows' : `scans all ${count(rows.estimatedRows)}`
  }
}

function count(rows: number | undefined): string {
  return rows === undefined ? 'an unknown number of rows' : rows === 1 ? '1 row' : `${rows} rows`
}

/** Scans that an index would save. */
function accessHints(steps: readonly ExplainedStep[]): readonly string[] {
  return steps.flatMap(({ rows }) =>
    rows?.access === 'scan' && rows.unindexed.length > 0
      ? [`no index on ${rows.unindexed.join(', ')}: every element is looked at; add a condition on an indexed key, such as Type`]
      : [],
  )
}

/** Adds to an explanation what was seen while the query ran. */
export function explainRun(
  explanation: Explanation,
  plan: Plan,
  profiler: Profiler,
  answer: GremlinAnswer,
  timeMs: number,
): Explanation {
  const steps = explanation.steps.map((step, index): ExplainedStep => {
    const figures = figuresOf(plan, outlineOf(plan).steps[index]!, profiler, step)
    const flows = step.flows && { ...step.flows, ...hostsAsked(profiler) }
    return {
      ...step,
      ...(flows && { flows, how: `${step.how}${askedText(profiler)}` }),
      ...(figures?.rowsIn !== undefined && { rowsIn: figures.rowsIn }),
      ...(figures?.rowsOut !== undefined && { rowsOut: figures.rowsOut }),
      ...(figures && { timeMs: figures.timeMs }),
    }
  })
  const { missing, partial } = answer
  return { ...explanation, steps, timeMs, ...(missing.length > 0 && { missing }), ...(partial && { partial }) }
}

function hostsAsked({ asked }: Profiler): Pick<FlowQuery, 'hosts' | 'nodeTids'> {
  const [first] = asked
  return { ...(first?.hosts && { hosts: first.hosts }), ...(first?.nodeTids && { nodeTids: first.nodeTids }) }
}

function askedText({ asked }: Profiler): string {
  const hosts = asked[0]?.hosts
  if (asked.length === 0) return ': nobody had to be asked'
  return hosts ? `: those of ${hosts.join(', ') || 'no host'}` : ': all of them'
}

function figuresOf(
  plan: Plan,
  { stage, place, step }: PlannedStep,
  profiler: Profiler,
  explained: ExplainedStep,
): StepFigures | undefined {
  if (typeof place === 'object') return profiler.operators(stage, place[0], place[1])
  if (place === 'source') return explained.rows ? profiler.source(stage) : undefined
  if (outlineOf(plan).drafts[stage]) {
    if (step.name !== 'Flows') return undefined
    // Flows are asked for when a later step needs them: the question is the stage behind.
    return plan.stages.length === stage + 1 ? profiler.stage(stage + 1) : profiler.stage(stage)
  }
  if (place === 'result') {
    const walk = outlineOf(plan).walks[stage]
    return walk ? ({ ...profiler.operators(stage, walk.length, walk.length), rowsOut: 1, timeMs: 0 } as StepFigures) : undefined
  }
  return profiler.stage(stage)
}
