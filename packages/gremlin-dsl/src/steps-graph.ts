import type { Filter, GraphEdge, GraphNode, GraphView } from '@skydive/contracts'
import { allOf, anyOf, compileFilter, type ElementViewInit, elementField, elementView, term } from '@skydive/filter'
import { elementKey, type StepArguments } from './arguments.ts'
import { contextSlice } from './context.ts'
import { JoinedView } from './joined-view.ts'
import { type Direction, toEdges, toEnds, toNeighbors } from './operators.ts'
import type { PlanBuilder } from './plan-builder.ts'
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
export function reachArguments(plan: PlanBuilder, args: StepArguments): { filter: Filter; depth: number } {
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
function newestRows(rows: Iterable<number>, elementOf: (row: number) => GraphNode | GraphEdge): readonly number[] {
  const newest = new Map<string, number>()
  for (const row of rows) {
    const { id, revision } = elementOf(row)
    const known = newest.get(id)
    if (known === undefined || elementOf(known).revision < revision) newest.set(id, row)
  }
  return [...newest.values()].sort((a, b) => {
    const left = elementOf(a)
    const right = elementOf(b)
    return left.createdAtMs - right.createdAtMs || (left.id < right.id ? -1 : 1)
  })
}

/** The newest revision of every id, in order of creation. */
function nodesOf(view: GraphView, rows: Iterable<number>): readonly GraphNode[] {
  return newestRows(rows, (row) => view.node(row)).map((row) => view.node(row))
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
    const { view, rows } = nodeRows(input)
    const made = ofEdges
      ? edgeSubGraph(view, rows, passes)
      : nodeSubGraph(view, rows, (row) => {
          run.budget.visit()
          return passes(view.edge(row))
        })
    // Lists of several times have none of their own.
    const slice = view instanceof JoinedView ? undefined : view.slice
    run.graph = { kind: 'graph', slice: run.graph.slice, view: elementView({ ...made, slice }), free: true }
    return run.graph
  })
}

/** The elements of a sub-graph. */
type Part = Pick<ElementViewInit, 'nodes' | 'edges'>

/**
 * The newest revision of each node, and of every edge between them. Joined by ids, because a row has neighbours of its own time only and the
 * rows may be of several.
 */
function nodeSubGraph(view: GraphView, rows: readonly number[], passes: (edge: number) => boolean): Part {
  const nodes = nodesOf(view, rows)
  const ids = new Set(nodes.map(({ id }) => id))
  const edges = new Set<number>()
  for (const row of new Set(rows)) {
    view.forEachOut(row, (edge, child) => {
      if (passes(edge) && ids.has(view.node(child).id)) edges.add(edge)
      return true
    })
  }
  return { nodes, edges: newestRows(edges, (row) => view.edge(row)).map((row) => view.edge(row)) }
}

/** The edges and their ends. */
function edgeSubGraph(view: GraphView, rows: readonly number[], passes: (edge: GraphEdge) => boolean): Part {
  const edges = newestRows(
    rows.filter((row) => passes(view.edge(row)) && view.parentOf(row) >= 0 && view.childOf(row) >= 0),
    (row) => view.edge(row),
  )
  const ends = edges.flatMap((row) => [view.parentOf(row), view.childOf(row)])
  return { nodes: nodesOf(view, ends), edges: edges.map((row) => view.edge(row)) }
}
