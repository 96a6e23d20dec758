import type { Filter, GraphEdge, GraphNode, GraphView } from '@skydive/contracts'
import { allOf, anyOf, compileFilter, elementField, term } from '@skydive/filter'
import { elementKey, type StepArguments } from './arguments.ts'
import { contextSlice } from './context.ts'
import { type Direction, toEdges, toEnds, toNeighbors } from './operators.ts'
import type { PlanBuilder } from './plan-builder.ts'
import { RestrictedView } from './restricted-view.ts'
import type { RowsValue, Value } from './runtime.ts'
import { PathFinder, reach } from './search.ts'
import { idSource, type RowKind, scanSource } from './stream.ts'

/** Adds a step to a plan; its input kind has been checked. */
export type Binder = (plan: PlanBuilder, args: StepArguments) => void

export const bindContext: Binder = (plan, args) => {
  const slice = contextSlice(args)
  plan.outerStage('graph', (_input, run) => {
    if (run.graph.free) {
      throw args.error('ERR_GREMLIN_EXECUTION', 'Backend does not support history')
    }
    run.graph = { kind: 'graph', slice: slice(run.sources.clock.now()), view: undefined, free: false }
    return run.graph
  })
}

/** A bare `G`: back to the graph that is being traversed. */
export const bindG: Binder = (plan) => plan.stage('graph', (_input, run) => run.graph)

function bindElements(kind: RowKind, name: 'V' | 'E'): Binder {
  return (plan, args) => {
    if (args.params.length > 1) throw args.wrong(`${name} accepts at most one parameter : ${args.shown()}`)
    plan.openGraph()
    if (args.params.length === 0) {
      plan.from(kind, scanSource(kind, plan.regex))
      return
    }
    const id = args.string(0, `${name} parameter must be a string : ${args.shown()}`)
    plan.from(kind, idSource(kind, id, plan.text, args.step.start))
  }
}

export const bindV = bindElements('nodes', 'V')
export const bindE = bindElements('edges', 'E')

export function bindNeighbors(direction: Direction): Binder {
  return (plan, args) => {
    const filters = args.optionalFilters(elementKey)
    plan.operator(toNeighbors(direction), 'nodes')
    for (const filter of filters) plan.filter(filter)
  }
}

export function bindIncidentEdges(direction: Direction): Binder {
  return (plan, args) => {
    const filters = args.optionalFilters(elementKey)
    plan.operator(toEdges(direction), 'edges')
    for (const filter of filters) plan.filter(filter)
  }
}

export function bindEnds(direction: Direction): Binder {
  return (plan, args) => {
    const filters = args.optionalFilters(elementKey)
    plan.operator(toEnds(direction), 'nodes')
    for (const filter of filters) plan.filter(filter)
  }
}

/** `[k, v, …] [, depth]`: an edge filter of any of the pairs, and how far to go. */
function reachArguments(plan: PlanBuilder, args: StepArguments): { filter: Filter; depth: number } {
  const { params } = args
  const hasDepth = params.length % 2 === 1
  const last = params.at(-1)
  if (hasDepth && !(last?.kind === 'number' && Number.isInteger(last.value) && last.value >= 0)) {
    throw args.fail(`${args.step.name} last argument must be the maximum depth specified as an integer`, last!)
  }
  const depth = hasDepth ? (last as { value: number }).value : 1
  const pairs = args.pairs(hasDepth ? params.slice(0, -1) : params, elementKey)
  const filter = pairs.length > 0 ? anyOf(pairs) : term('RelationType', 'ownership')
  plan.noteKeys(filter)
  return { filter, depth }
}

/** `Descendants` and `Ascendants`; depth 0 means without end. */
export function bindReach(direction: Direction): Binder {
  return (plan, args) => {
    const { filter, depth } = reachArguments(plan, args)
    const passes = compileFilter<GraphEdge>(filter, elementField, plan.regex)
    // Around a node, depth 0 is the node alone.
    const levels = depth === 0 && direction !== 'both' ? Number.POSITIVE_INFINITY : depth
    plan.stage('nodes', (input, run) => {
      const { view, rows } = input as RowsValue
      return { kind: 'nodes', view, rows: reach(view, rows, direction, passes, levels, run.budget) }
    })
  }
}

export const bindShortestPath: Binder = (plan, args) => {
  if (args.params.length < 1 || args.params.length > 2) {
    throw args.wrong(`ShortestPathTo predicate accepts only 1 or 2 parameters : ${args.shown()}`)
  }
  const target = args.metadata(0, elementKey)!
  const edges = args.metadata(1, elementKey)
  plan.noteKeys(target)
  if (edges) plan.noteKeys(edges)
  const isTarget = compileFilter<GraphNode>(target, elementField, plan.regex)
  const passes = edges && compileFilter<GraphEdge>(edges, elementField, plan.regex)
  plan.stage('paths', (input, run) => {
    const { view, rows } = input as RowsValue
    const finder = new PathFinder(view, isTarget, passes, run.budget)
    const paths = rows.map((row) => finder.find(row)).filter((path) => path.length > 0)
    return { kind: 'paths', view, paths }
  })
}

/** The newest row of every id, in order of creation. */
function distinctByAge<E extends GraphNode | GraphEdge>(rows: Iterable<number>, elementOf: (row: number) => E): Set<number> {
  const newest = new Map<string, number>()
  for (const row of rows) {
    const element = elementOf(row)
    const known = newest.get(element.id)
    if (known === undefined || elementOf(known).revision < element.revision) newest.set(element.id, row)
  }
  const ordered = [...newest.values()].sort((a, b) => {
    const left = elementOf(a)
    const right = elementOf(b)
    return left.createdAtMs - right.createdAtMs || (left.id < right.id ? -1 : 1)
  })
  return new Set(ordered)
}

/** The rows of nodes that a value is about, for `SubGraph`. */
function nodeRows(input: Value): { view: GraphView; rows: readonly number[] } {
  if (input.kind === 'paths') return { view: input.view, rows: input.paths.flat() }
  return input as RowsValue
}

export const bindSubGraph: Binder = (plan, args) => {
  const filters = args.optionalFilters(elementKey)
  for (const filter of filters) plan.noteKeys(filter)
  const passes = compileFilter<GraphEdge>(allOf(filters), elementField, plan.regex)
  const ofEdges = plan.kind === 'edges'
  plan.stage('graph', (input, run) => {
    const view = ofEdges
      ? edgeSubGraph(input as RowsValue, passes)
      : nodeSubGraph(nodeRows(input), passes, () => run.budget.visit())
    run.graph = { kind: 'graph', slice: run.graph.slice, view, free: true }
    return run.graph
  })
}

/** The nodes and every edge between them. */
function nodeSubGraph(
  { view, rows }: { view: GraphView; rows: readonly number[] },
  passes: (edge: GraphEdge) => boolean,
  visited: () => void,
): GraphView {
  const nodes = distinctByAge(rows, (row) => view.node(row))
  const edges = new Set<number>()
  for (const row of nodes) {
    view.forEachOut(row, (edge, child) => {
      visited()
      if (nodes.has(child) && passes(view.edge(edge))) edges.add(edge)
      return true
    })
  }
  return new RestrictedView(
    view,
    nodes,
    distinctByAge(edges, (row) => view.edge(row)),
  )
}

/** The edges and their ends. */
function edgeSubGraph({ view, rows }: RowsValue, passes: (edge: GraphEdge) => boolean): GraphView {
  const edges = distinctByAge(
    rows.filter((row) => passes(view.edge(row)) && view.parentOf(row) >= 0 && view.childOf(row) >= 0),
    (row) => view.edge(row),
  )
  const ends: number[] = []
  for (const row of edges) ends.push(view.parentOf(row), view.childOf(row))
  return new RestrictedView(
    view,
    distinctByAge(ends, (row) => view.node(row)),
    edges,
  )
}
