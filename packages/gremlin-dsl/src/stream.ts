import type { Filter, GraphEdge, GraphNode, GraphView } from '@skydive/contracts'
import { compileFilter, elementField, type Predicate, type RegexCompiler, term } from '@skydive/filter'
import { AccessPath, conjuncts, EDGE_ROWS, NODE_ROWS } from './access.ts'
import type { Budget } from './budget.ts'
import { GremlinError } from './error.ts'
import { ROW_BYTES } from './footprint.ts'
import { filterEdges, filterNodes, type Operator, type Sink } from './operators.ts'
import type { RowsValue, Run, Value } from './runtime.ts'

export type RowKind = 'nodes' | 'edges'

/** Where a run of steps gets its rows from. */
export interface RowSource {
  /** Takes a condition in, when the source can do so without changing the meaning. */
  absorb?(filter: Filter): void
  /** The number of rows when it is known without walking them, else -1. */
  count(input: Value, run: Run): number
  walk(input: Value, run: Run, sink: Sink): void
  view(input: Value, run: Run): GraphView
  /** The conditions taken in so far. */
  readonly conditions?: readonly Filter[]
  /** How the rows of a view are found: by what its indexes have, or the one of an id. */
  readonly access?: AccessPath | string
}

/** The rows that the step before has left. */
export const PREVIOUS_ROWS: RowSource = {
  count: (input) => (input as RowsValue).rows.length,
  walk: (input, run, sink) => {
    for (const row of (input as RowsValue).rows) {
      run.budget.visit()
      if (!sink(row)) return
    }
  },
  view: (input) => (input as RowsValue).view,
}

/** `V()` and `E()`: all rows of the current graph, with the conditions that follow at once. */
class ScanSource implements RowSource {
  readonly conditions: Filter[] = []
  readonly #kind: RowKind
  readonly #regex: RegexCompiler | undefined
  readonly #tests: Predicate<GraphNode | GraphEdge>[] = []
  #access: AccessPath | undefined

  constructor(kind: RowKind, regex: RegexCompiler | undefined) {
    this.#kind = kind
    this.#regex = regex
  }

  absorb(filter: Filter): void {
    for (const part of conjuncts(filter)) {
      this.conditions.push(part)
      this.#tests.push(compileFilter(part, elementField, this.#regex))
    }
  }

  count(_input: Value, run: Run): number {
    const view = run.graph.view!
    const path = this.access
    const chosen = path.choose(view)
    const { length } = this.conditions
    return length === 0 || (length === 1 && chosen === 0) ? path.count(view, chosen) : -1
  }

  walk(_input: Value, run: Run, sink: Sink): void {
    const view = run.graph.view!
    const path = this.access
    const chosen = path.choose(view)
    const rest = this.#tests.filter((_, position) => position !== chosen)
    path.walk(view, chosen, run.budget, rest.length === 0 ? sink : guard(view, this.#kind, rest, sink))
  }

  view(_input: Value, run: Run): GraphView {
    return run.graph.view!
  }

  /** All conditions are known when a query runs. */
  get access(): AccessPath {
    this.#access ??= new AccessPath(this.#kind === 'nodes' ? NODE_ROWS : EDGE_ROWS, this.conditions)
    return this.#access
  }
}

/** See {@link ScanSource}. */
export function scanSource(kind: RowKind, regex: RegexCompiler | undefined): RowSource {
  return new ScanSource(kind, regex)
}

function guard(view: GraphView, kind: RowKind, tests: readonly Predicate<GraphNode | GraphEdge>[], sink: Sink): Sink {
  const [only] = tests
  if (tests.length === 1) {
    return kind === 'nodes'
      ? (row) => (only!(view.node(row)) ? sink(row) : true)
      : (row) => (only!(view.edge(row)) ? sink(row) : true)
  }
  const passes = (element: GraphNode | GraphEdge): boolean => tests.every((test) => test(element))
  return kind === 'nodes'
    ? (row) => (passes(view.node(row)) ? sink(row) : true)
    : (row) => (passes(view.edge(row)) ? sink(row) : true)
}

/** `V(id)` and `E(id)`: every revision of one element. @throws ERR_GREMLIN_EXECUTION when there is none. */
export function idSource(kind: RowKind, id: string, text: string, offset: number): RowSource {
  const rows = kind === 'nodes' ? NODE_ROWS : EDGE_ROWS
  return {
    conditions: [term('@ID', id)],
    access: id,
    count: () => -1,
    walk(_input, run, sink) {
      const view = run.graph.view!
      if (rows.ordinal(view, id) < 0) {
        const what = kind === 'nodes' ? 'Node' : 'Edge'
        throw new GremlinError('ERR_GREMLIN_EXECUTION', `${what} '${id}' does not exist`, text, offset)
      }
      if (rows.cardinality(view, '@ID', id) < 0) sink(rows.ordinal(view, id))
      else rows.forEachWith(view, '@ID', id, sink)
    },
    view: (_input, run) => run.graph.view!,
  }
}

/** A source and the steps over its rows, run as one walk that stops as soon as nobody wants more. */
export class Stream {
  readonly source: RowSource
  readonly #operators: Operator[] = []
  readonly #regex: RegexCompiler | undefined
  kind: RowKind

  constructor(kind: RowKind, source: RowSource, regex: RegexCompiler | undefined) {
    this.kind = kind
    this.source = source
    this.#regex = regex
  }

  /** How many operators there are so far. */
  get length(): number {
    return this.#operators.length
  }

  /** Adds a condition; the source takes it when nothing stands between. */
  filter(filter: Filter): void {
    if (this.#operators.length === 0 && this.source.absorb) {
      this.source.absorb(filter)
      return
    }
    const test = compileFilter<GraphNode | GraphEdge>(filter, elementField, this.#regex)
    this.#operators.push(this.kind === 'nodes' ? filterNodes(test) : filterEdges(test))
  }

  push(operator: Operator, kind: RowKind = this.kind): void {
    this.#operators.push(operator)
    this.kind = kind
  }

  /** Everything that comes out, as a list. */
  collect(input: Value, run: Run): RowsValue {
    const { budget } = run
    const rows: number[] = []
    const view = this.#walk(input, run, (row) => {
      rows.push(row)
      if ((rows.length & 1023) === 0) {
        budget.results(rows.length)
        budget.hold(1024 * ROW_BYTES)
      }
      return true
    })
    if (rows.length > budget.maxResults && run.mustStop(() => budget.results(rows.length))) rows.length = budget.maxResults
    return { kind: this.kind, view, rows }
  }

  /** How many come out; without a walk where the source knows. */
  count(input: Value, run: Run): number {
    const known = this.#operators.length === 0 ? this.source.count(input, run) : -1
    if (known >= 0) return known
    let count = 0
    this.#walk(input, run, () => {
      count++
      return true
    })
    return count
  }

  #walk(input: Value, run: Run, last: Sink): GraphView {
    const view = this.source.view(input, run)
    const budget: Budget = run.budget
    const operators = run.profiler ? run.profiler.instrument(this.#operators) : this.#operators
    const sink = operators.reduceRight<Sink>((next, operator) => operator(view, budget, next), last)
    try {
      this.source.walk(input, run, sink)
    } catch (error) {
      // A budget is spent: what came out so far is the answer in part, where the asker wants that.
      if (!run.isCut(error)) throw error
    }
    return view
  }
}
