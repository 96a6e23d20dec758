import type { Filter, GraphEdge, GraphNode, GraphView } from '@skydive/contracts'
import { LimitError } from '@skydive/contracts'
import { AccessPath, EDGE_ROWS, NODE_ROWS } from '../access.ts'
import { Budget, type Budgets } from '../budget.ts'
import type { RowKind } from '../stream.ts'
import type { Net } from './changes.ts'
import { type Advance, ById, type Membership } from './moves.ts'
import type { DeltaBody, Sink } from './sink.ts'
import { DerivedStage, SourceStage, type Stage } from './stage.ts'
import type { WatchProgram } from './watch-compiler.ts'

/** A query that is kept up to date by what changes: a chain of stages and what they end in. */
export class DeltaQuery {
  /** What has changed since the last advance and concerns this query. */
  readonly nodes = new ById<Net<GraphNode>>()
  readonly edges = new ById<Net<GraphEdge>>()
  private readonly source: SourceStage
  private readonly stages: readonly DerivedStage[]
  private readonly last: Stage
  private readonly sink: Sink
  private readonly budgets: Budgets

  constructor(program: WatchProgram, budgets: Budgets) {
    this.budgets = budgets
    this.source = new SourceStage(program.kind, program.test(program.sourceFilters))
    this.stages = program.stages.map(
      ({ expansion, filters, distinct }) => new DerivedStage(expansion, program.test(filters), distinct),
    )
    this.last = this.stages.at(-1) ?? this.source
    this.sink = program.makeSink()
  }

  /** Finds the result as of a version. @throws ERR_LIMIT, or what the query itself would. */
  begin(program: WatchProgram, view: GraphView, membership: Membership): void {
    const budget = new Budget(this.budgets, Date, undefined)
    const advance = this.advanceOf(view, membership)
    const test = program.test(program.sourceFilters)
    const rows = program.kind === 'nodes' ? NODE_ROWS : EDGE_ROWS
    const path = new AccessPath(rows, program.sourceFilters as Filter[])
    path.walk(view, path.choose(view), budget, (row) => {
      const element = program.kind === 'nodes' ? view.node(row) : view.edge(row)
      if (!test || test(element)) this.source.begin(element, advance)
      return true
    })
    this.run(advance)
  }

  /** Takes in what has been noted; answers what it means for the result. */
  advance(view: GraphView, membership: Membership): DeltaBody | undefined {
    const advance = this.advanceOf(view, membership)
    this.source.advance(advance)
    const body = this.run(advance)
    this.nodes.clear()
    this.edges.clear()
    return body
  }

  whole(view: GraphView): DeltaBody {
    return this.sink.whole(this.last, view)
  }

  /** Whether changes of an element still matter. */
  holds(kind: RowKind, id: string): boolean {
    if (this.source.kind === kind && this.source.holds(id)) return true
    for (const stage of this.stages) if (stage.kind === kind && stage.holds(id)) return true
    return this.sink.holds?.(kind, id) ?? false
  }

  /** Every element whose changes matter; one may be told more than once. */
  forEachHeld(visit: (kind: RowKind, id: string) => void): void {
    for (const stage of [this.source, ...this.stages]) stage.forEachHeld((id) => visit(stage.kind, id))
    this.sink.forEachHeld?.(visit)
  }

  /** How many elements it remembers. */
  get size(): number {
    return this.stages.reduce((sum, stage) => sum + stage.size, this.source.size + this.sink.size)
  }

  private run(advance: Advance): DeltaBody | undefined {
    let previous: Stage = this.source
    for (const stage of this.stages) {
      stage.advance(advance, previous)
      previous = stage
    }
    const body = this.sink.advance(this.last, advance)
    if (this.size > this.budgets.results) {
      throw new LimitError(
        `the continuous query keeps more than ${this.budgets.results} elements (budget "results"); narrow it`,
        'results',
      )
    }
    return body
  }

  private advanceOf(view: GraphView, membership: Membership): Advance {
    return { view, nodes: this.nodes, edges: this.edges, membership }
  }
}
