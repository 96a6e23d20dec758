import type { Filter, TimeSlice } from '@skydive/contracts'
import type { RegexCompiler } from '@skydive/filter'
import type { FlowDraft } from './flow-draft.ts'
import type { Operator } from './operators.ts'
import type { Stage } from './runtime.ts'
import { PREVIOUS_ROWS, type RowKind, type RowSource, Stream } from './stream.ts'
import type { Kind } from './vocabulary.ts'

/** What a compiled query is. Immutable and without state of a run. */
export interface Plan {
  readonly text: string
  readonly kind: Kind
  readonly stages: readonly Stage[]
  /** True when it reads nothing but one graph: it can be run at once on any view of it. */
  readonly isGraphOnly: boolean
  /** Fields of elements that the answer depends on; the answer may also change with any node or edge that comes or goes. */
  readonly keys: ReadonlySet<string>
}

/** Answers the slice of a `Context` step as of now. */
export type SliceOf = (nowMs: number) => TimeSlice

/** Puts the stages of a plan together, step by step. Steps over rows are gathered into one walk. */
export class PlanBuilder {
  readonly text: string
  readonly regex: RegexCompiler | undefined
  kind: Kind = 'graph'
  readonly keys = new Set<string>()
  readonly aliases = new Map<string, RowKind>()
  /** The query of the step `Flows` while the next steps may still join it. */
  flowDraft: FlowDraft | undefined
  private isGraphOnly = true
  private readonly stages: Stage[] = []
  private stream: Stream | undefined

  constructor(text: string, regex: RegexCompiler | undefined) {
    this.text = text
    this.regex = regex
  }

  /** Adds a stage that works on a whole result. */
  stage(kind: Kind, stage: Stage): void {
    this.flush()
    this.flowDraft = undefined
    this.stages.push(stage)
    this.kind = kind
  }

  /** Adds a stage that reads flows, or another time. */
  outerStage(kind: Kind, stage: Stage): void {
    this.isGraphOnly = false
    this.stage(kind, stage)
  }

  /** Makes sure that the current graph has a view. */
  openGraph(): void {
    this.stage(this.kind, (input, run) => {
      if (run.graph.view) return input.kind === 'graph' ? run.graph : input
      return run.openView().then(() => (input.kind === 'graph' ? run.graph : input))
    })
  }

  /** Begins a walk over rows from a source. */
  from(kind: RowKind, source: RowSource): void {
    this.flush()
    this.stream = new Stream(kind, source, this.regex)
    this.kind = kind
  }

  filter(filter: Filter): void {
    this.noteKeys(filter)
    this.rows().filter(filter)
  }

  operator(operator: Operator, kind?: RowKind): void {
    const stream = this.rows()
    stream.push(operator, kind)
    this.kind = stream.kind
  }

  /** Ends the walk that runs with a count. */
  count(): void {
    const stream = this.rows()
    this.stream = undefined
    this.stages.push((input, run) => ({ kind: 'number', value: stream.count(input, run) }))
    this.kind = 'number'
  }

  noteKeys(filter: Filter): void {
    if (filter.BoolFilter) for (const child of filter.BoolFilter.Filters ?? []) this.noteKeys(child)
    else for (const leaf of Object.values(filter)) if (leaf && 'Key' in leaf) this.keys.add(leaf.Key)
  }

  build(): Plan {
    this.flush()
    return { text: this.text, kind: this.kind, stages: this.stages, isGraphOnly: this.isGraphOnly, keys: this.keys }
  }

  private rows(): Stream {
    this.stream ??= new Stream(this.kind as RowKind, PREVIOUS_ROWS, this.regex)
    return this.stream
  }

  /** Ends the walk that runs with the list of its rows. */
  private flush(): void {
    const { stream } = this
    if (!stream) return
    this.stream = undefined
    this.stages.push((input, run) => stream.collect(input, run))
  }
}
