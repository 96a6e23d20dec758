import type { ElementSelection, Filter, TimeSlice } from '@skydive/contracts'
import type { RegexCompiler } from '@skydive/filter'
import type { Step } from './ast.ts'
import type { FlowDraft } from './flow-draft.ts'
import type { Operator } from './operators.ts'
import { selectionOf } from './push-down.ts'
import type { Stage } from './runtime.ts'
import { PREVIOUS_ROWS, type RowKind, type RowSource, Stream } from './stream.ts'
import type { Kind } from './vocabulary.ts'

/** Where a step of the query runs. */
export interface PlannedStep {
  readonly step: Step
  /** What the query answers after it. */
  readonly kind: Kind
  /** The stage that does its work. */
  readonly stage: number
  /**
   * In a walk: the operators [from, to) that are its own. `source` for a step that finds rows, or a condition that what finds them takes in;
   * `result` for one that ends the walk.
   */
  readonly place: 'stage' | 'source' | 'result' | readonly [from: number, to: number]
}

/** Which step is done where. */
export interface PlanOutline {
  /** In their order. */
  readonly steps: readonly PlannedStep[]
  /** The walk that a stage is, by the number of the stage; with gaps. */
  readonly walks: readonly (Stream | undefined)[]
  /** The question to readers of flows that a stage asks, by its number; with gaps. */
  readonly drafts: readonly (FlowDraft | undefined)[]
}

/** What a compiled query is. Immutable and without state of a run. */
export interface Plan {
  readonly text: string
  readonly kind: Kind
  readonly stages: readonly Stage[]
  /** What a store may find by itself instead of giving the whole graph of a time. */
  readonly selection: ElementSelection | undefined
  /** How the plan came about; only when it was asked for, because plans are kept. */
  readonly outline: PlanOutline | undefined
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
  #isGraphOnly = true
  readonly #stages: Stage[] = []
  /** Noted when somebody wants it, or when the query reads another time: a query of the present needs none of it to run. */
  #outline:
    | { readonly steps: PlannedStep[]; readonly walks: (Stream | undefined)[]; readonly drafts: (FlowDraft | undefined)[] }
    | undefined
  #stream: Stream | undefined
  #stagesBefore = 0
  #streamBefore: Stream | undefined
  #operatorsBefore = 0

  readonly #isOutlined: boolean

  constructor(text: string, regex: RegexCompiler | undefined, isOutlined = false) {
    this.text = text
    this.regex = regex
    this.#isOutlined = isOutlined
    if (isOutlined) this.#outline = { steps: [], walks: [], drafts: [] }
  }

  /** A step is about to be added. */
  beginStep(): void {
    if (!this.#outline) return
    this.#stagesBefore = this.#stages.length
    this.#streamBefore = this.#stream
    this.#operatorsBefore = this.#stream ? this.#stream.length : 0
  }

  /** Notes where the step is done that was added since {@link beginStep}. */
  endStep(step: Step): void {
    const outline = this.#outline
    if (!outline) return
    const stage = this.#stream ? this.#stages.length : this.#stages.length - 1
    if (this.flowDraft) outline.drafts[stage] = this.flowDraft
    outline.steps.push({ step, kind: this.kind, stage, place: this.#place() })
  }

  #place(): PlannedStep['place'] {
    const stream = this.#stream
    const streamBefore = this.#streamBefore
    // A walk that went on until this step and ended with it.
    if (!stream)
      return streamBefore && this.#stages.length === this.#stagesBefore + 1 && this.kind === 'number' ? 'result' : 'stage'
    if (stream !== streamBefore && stream.source !== PREVIOUS_ROWS) return 'source'
    const from = stream === streamBefore ? this.#operatorsBefore : 0
    return from === stream.length ? 'source' : [from, stream.length]
  }

  /** Adds a stage that works on a whole result. */
  stage(kind: Kind, stage: Stage): void {
    this.#flush()
    this.flowDraft = undefined
    this.#stages.push(stage)
    this.kind = kind
  }

  /** Adds a stage that reads flows, or another time. */
  outerStage(kind: Kind, stage: Stage): void {
    this.#isGraphOnly = false
    this.#outline ??= { steps: [], walks: [], drafts: [] }
    this.stage(kind, stage)
  }

  /** Makes sure that the current graph, which is what the query answers so far, has a view. */
  openGraph(): void {
    this.stage('graph', (_input, run) => {
      const view = run.openView()
      return view instanceof Promise ? view.then(() => run.graph) : run.graph
    })
  }

  /** Begins a walk over rows from a source. */
  from(kind: RowKind, source: RowSource): void {
    this.#flush()
    this.#stream = new Stream(kind, source, this.regex)
    this.kind = kind
  }

  filter(filter: Filter): void {
    this.noteKeys(filter)
    this.#rows().filter(filter)
  }

  operator(operator: Operator, kind?: RowKind): void {
    const stream = this.#rows()
    stream.push(operator, kind)
    this.kind = stream.kind
  }

  /** Ends the walk that runs with a count. */
  count(): void {
    const stream = this.#rows()
    this.#stream = undefined
    if (this.#outline) this.#outline.walks[this.#stages.length] = stream
    this.#stages.push((input, run) => ({ kind: 'number', value: stream.count(input, run) }))
    this.kind = 'number'
  }

  noteKeys(filter: Filter): void {
    if (filter.BoolFilter) for (const child of filter.BoolFilter.Filters ?? []) this.noteKeys(child)
    else for (const kind in filter) this.keys.add((filter as Record<string, { Key: string }>)[kind]!.Key)
  }

  build(): Plan {
    this.#flush()
    const { text, kind, keys } = this
    const stages = this.#stages
    const isGraphOnly = this.#isGraphOnly
    const outline = this.#outline
    const selection = outline && !isGraphOnly ? selectionOf(outline) : undefined
    return { text, kind, stages, isGraphOnly, keys, selection, outline: this.#isOutlined ? outline : undefined }
  }

  #rows(): Stream {
    this.#stream ??= new Stream(this.kind as RowKind, PREVIOUS_ROWS, this.regex)
    return this.#stream
  }

  /** Ends the walk that runs with the list of its rows. */
  #flush(): void {
    const stream = this.#stream
    if (!stream) return
    this.#stream = undefined
    if (this.#outline) this.#outline.walks[this.#stages.length] = stream
    this.#stages.push((input, run) => stream.collect(input, run))
  }
}
