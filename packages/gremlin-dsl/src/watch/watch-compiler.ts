import type { Filter, MetadataObject, MetadataValue } from '@skydive/contracts'
import {
  allOf,
  compileFilter,
  elementField,
  isNull,
  isPresent,
  type Predicate,
  type RegexCompiler,
  readInteger,
  term,
} from '@skydive/filter'
import { conjuncts, type Equality, equalityOf } from '../access.ts'
import { elementKey, StepArguments } from '../arguments.ts'
import type { GremlinQuery } from '../ast.ts'
import type { Direction } from '../operators.ts'
import { PlanBuilder } from '../plan-builder.ts'
import { isEmpty, onlyKey, rangeArguments, shownValue, sortArguments, sumKey } from '../steps-element.ts'
import { reachArguments } from '../steps-graph.ts'
import { elementGroupKey, groupNames } from '../steps-group.ts'
import type { RowKind } from '../stream.ts'
import type { StepName } from '../vocabulary.ts'
import { type Expansion, ends, incidentEdges, neighbors } from './expansion.ts'
import { EdgeGraphSink, NodeGraphSink } from './graph-sink.ts'
import type { Element } from './moves.ts'
import { OrderedSink } from './ordered-sink.ts'
import { groupsSink, ROWS_SINK, type Sink, totalSink, valuesSink } from './sink.ts'

/** Deeper walks of `Descendants` and its like are run again: each level is a stage of its own. */
const MAX_DEPTH = 8
/** A window that ends further down is told without its order. */
const MAX_WINDOW = 10_000

/** One stage that is reached from the one before. */
export interface StageSpec {
  readonly expansion: Expansion
  filters: Filter[]
  distinct: boolean
}

/** A query in operators, from which any number of instances can be made. */
export interface WatchProgram {
  readonly kind: RowKind
  readonly sourceFilters: readonly Filter[]
  /** Equalities of the source by which changes can be routed. */
  readonly equalities: readonly Equality[]
  /** The keys of the conditions of the source. */
  readonly sourceKeys: ReadonlySet<string>
  /** Whether any edge may matter, because the rows at its ends are not kept one by one. */
  readonly needsEveryEdge: boolean
  readonly stages: readonly StageSpec[]
  makeSink(): Sink
  readonly sinkName: string
  readonly keys: ReadonlySet<string>
  test(filters: readonly Filter[]): Predicate<Element> | undefined
}

/** Why a query can't be kept up to date by deltas. */
export interface NoProgram {
  readonly reason: string
}

const EXPANSIONS: Partial<Record<StepName, () => Expansion>> = {
  Out: () => neighbors('out'),
  In: () => neighbors('in'),
  Both: () => neighbors('both'),
  OutE: () => incidentEdges('out'),
  InE: () => incidentEdges('in'),
  BothE: () => incidentEdges('both'),
  OutV: () => ends('out'),
  InV: () => ends('in'),
  BothV: () => ends('both'),
}

const REACHES: Partial<Record<StepName, Direction>> = { Descendants: 'out', Ascendants: 'in', Neighbors: 'both' }

/**
 * Turns a query into delta operators, or says why not. The query has been checked: its arguments and the order of its steps are right.
 */
export function compileWatch(query: GremlinQuery, regex: RegexCompiler | undefined): WatchProgram | NoProgram {
  return new Compiler(query, regex).compile()
}

class Compiler {
  private readonly query: GremlinQuery
  private readonly regex: RegexCompiler | undefined
  /** Notes the keys of filters. */
  private readonly notes: PlanBuilder
  private kind: RowKind = 'nodes'
  private readonly sourceFilters: Filter[] = []
  private readonly stages: StageSpec[] = []
  private order: { key: string; descending: boolean } | undefined
  private makeSink: (() => Sink) | undefined

  constructor(query: GremlinQuery, regex: RegexCompiler | undefined) {
    this.query = query
    this.regex = regex
    this.notes = new PlanBuilder(query.text, regex)
  }

  compile(): WatchProgram | NoProgram {
    const steps = this.query.steps.map((step) => new StepArguments(this.query.text, step))
    // The leading G may or may not be a step of its own.
    const first = steps.findIndex(({ step }) => step.name !== 'G')
    const source = steps[first]
    if (!source) {
      // `G` alone is every node and every edge between them.
      this.makeSink = () => new NodeGraphSink(() => true)
      return this.program()
    }
    if (source.step.name !== 'V' && source.step.name !== 'E') return { reason: 'it does not begin with V or E' }
    this.begin(source)
    for (const args of steps.slice(first + 1)) {
      const reason = this.makeSink ? `${args.step.name} follows the end of the rows` : this.add(args)
      if (reason) return { reason }
    }
    return this.program()
  }

  private program(): WatchProgram {
    const { kind, sourceFilters, stages } = this
    const makeSink = this.makeSink ?? (() => ROWS_SINK)
    const { name: sinkName, readsEdges = false } = makeSink()
    for (const filter of [...sourceFilters, ...stages.flatMap((stage) => stage.filters)]) this.notes.noteKeys(filter)
    const isOpen = sourceFilters.length === 0
    return {
      kind,
      sourceFilters,
      equalities: sourceFilters.flatMap((filter, position) => equalityOf(filter, position) ?? []),
      sourceKeys: this.keysOf(sourceFilters),
      needsEveryEdge: isOpen && (kind === 'edges' || stages.length > 0 || readsEdges),
      stages,
      makeSink,
      sinkName,
      keys: this.notes.keys,
      test: (filters) => this.test(filters),
    }
  }

  private keysOf(filters: readonly Filter[]): ReadonlySet<string> {
    const notes = new PlanBuilder(this.query.text, this.regex)
    for (const filter of filters) notes.noteKeys(filter)
    return notes.keys
  }

  private begin(args: StepArguments): void {
    this.kind = args.step.name === 'V' ? 'nodes' : 'edges'
    // An id that is not there yet is waited for.
    if (args.params.length === 1) this.sourceFilters.push(term('@ID', args.string(0, 'an id')))
  }

  /** Answers why the step has no delta operator, or nothing. */
  private add(args: StepArguments): string | undefined {
    const { name } = args.step
    if (this.order && name !== 'Limit' && name !== 'Range') return `${name} follows Sort`
    const expansion = EXPANSIONS[name]?.()
    if (expansion) {
      this.stages.push({ expansion, filters: args.optionalFilters(elementKey).flatMap(conjuncts), distinct: false })
      return undefined
    }
    if (REACHES[name]) return this.reach(args, REACHES[name])
    switch (name) {
      case 'Has':
        return this.filter(args.filters(elementKey))
      case 'HasKey':
        return this.filter([isPresent(onlyKey(args))])
      case 'HasNot':
        return this.filter([isNull(onlyKey(args))])
      case 'HasEither':
        return this.filter([args.either(elementKey)])
      case 'Dedup':
        return this.dedup(args)
      case 'Sort':
        this.order = sortArguments(args, '@CreatedAt')
        return undefined
      case 'Limit':
      case 'Range':
        return this.range(args)
      default:
        return this.end(args)
    }
  }

  private get rowKind(): RowKind {
    return this.stages.at(-1)?.expansion.kind ?? this.kind
  }

  private filter(filters: readonly Filter[]): undefined {
    const target = this.stages.at(-1)?.filters ?? this.sourceFilters
    target.push(...filters.flatMap(conjuncts))
  }

  private dedup(args: StepArguments): string | undefined {
    if (args.params.length > 0) return 'Dedup by keys depends on the order of rows'
    const last = this.stages.at(-1)
    if (last) last.distinct = true
    return undefined
  }

  private reach(args: StepArguments, direction: Direction): string | undefined {
    const { filter, depth } = reachArguments(this.notes, args)
    const levels = depth === 0 && direction !== 'both' ? Number.POSITIVE_INFINITY : depth
    if (levels > MAX_DEPTH) return `${args.step.name} goes deeper than ${MAX_DEPTH} levels`
    const passes = compileFilter(filter, elementField, this.regex)
    const last = this.stages.at(-1)
    if (last) last.distinct = true
    for (let level = 0; level < levels; level++) {
      this.stages.push({ expansion: neighbors(direction, passes, true), filters: [], distinct: true })
    }
    return undefined
  }

  private range(args: StepArguments): string | undefined {
    const { from, to } = rangeArguments(args)
    const { order, rowKind } = this
    if (!order) return `${args.step.name} needs a declared order: put Sort before it`
    if (to > MAX_WINDOW) return `the window ends behind ${MAX_WINDOW} rows`
    this.notes.keys.add(elementKey(order.key))
    const read = elementField(order.key)
    this.makeSink = () => new OrderedSink(rowKind, { read, descending: order.descending, from, to: Math.max(from, to) })
    return undefined
  }

  private end(args: StepArguments): string | undefined {
    switch (args.step.name) {
      case 'Count':
        this.makeSink = () => totalSink('count', () => 1)
        return undefined
      case 'Sum':
        return this.sum(args)
      case 'Values': {
        const key = args.string(0, 'Values parameter has to be a string key')
        return this.values(`values of ${key}`, [key], (element) => {
          const value = elementField(key)(element)
          return value === undefined || isEmpty(value) ? undefined : value
        })
      }
      case 'ValueMap':
        return this.valueMap(args)
      case 'Group': {
        const key = elementGroupKey(this.rowKind, args)
        const read = elementField(key)
        this.notes.keys.add(elementKey(key))
        this.makeSink = () => groupsSink(`groups by ${key}`, (element) => groupNames(read(element)))
        return undefined
      }
      case 'SubGraph': {
        const filters = args.optionalFilters(elementKey)
        for (const filter of filters) this.notes.noteKeys(filter)
        const passes = compileFilter(allOf(filters), elementField, this.regex)
        const ofEdges = this.rowKind === 'edges'
        this.makeSink = () => (ofEdges ? new EdgeGraphSink(passes) : new NodeGraphSink(passes))
        return undefined
      }
      default:
        return `${args.step.name} has no delta operator`
    }
  }

  private sum(args: StepArguments): undefined {
    const key = sumKey(args)
    const read = elementField(key)
    this.notes.keys.add(elementKey(key))
    this.makeSink = () =>
      totalSink(`sum of ${key}`, (element) => {
        const value = read(element)
        if (value === undefined) return 0
        const integer = readInteger(value)
        if (integer === undefined) throw args.error('ERR_GREMLIN_EXECUTION', `unable to cast ${shownValue(value)} to int64`)
        return integer
      })
  }

  private valueMap(args: StepArguments): undefined {
    const keys = args.strings('ValueMap parameters have to be string keys')
    const fields = keys.map((key) => ({ key, read: elementField(key) }))
    return this.values(`values of ${keys.join(', ')}`, keys, (element) => {
      const entries = fields.flatMap(({ key, read }) => {
        const value = read(element)
        return value === undefined ? [] : [[key, value] as const]
      })
      return entries.length > 0 ? (Object.fromEntries(entries) as MetadataObject) : undefined
    })
  }

  private values(name: string, keys: readonly string[], readValue: (element: Element) => MetadataValue | undefined): undefined {
    for (const key of keys) this.notes.keys.add(elementKey(key))
    this.makeSink = () => valuesSink(name, readValue)
  }

  private test(filters: readonly Filter[]): Predicate<Element> | undefined {
    return filters.length === 0 ? undefined : compileFilter<Element>(allOf(filters), elementField, this.regex)
  }
}
