import type { GraphEdge, GraphNode, GraphView, MetadataObject, MetadataValue } from '@skydive/contracts'
import {
  allOf,
  compareValues,
  compileFilter,
  compilePath,
  ELEMENT_FIELDS,
  elementField,
  type FieldReader,
  isNull,
  isPresent,
  listPaths,
  readInteger,
  tupleKey,
} from '@skydive/filter'
import { elementKey, type StepArguments } from './arguments.ts'
import { JoinedView } from './joined-view.ts'
import { dedupBy, dedupEdges, dedupNodes, range } from './operators.ts'
import type { PlanBuilder } from './plan-builder.ts'
import type { RowsValue, Value } from './runtime.ts'
import type { Binder } from './steps-graph.ts'
import type { RowKind } from './stream.ts'
import { suggest } from './suggest.ts'

type Element = GraphNode | GraphEdge

function elementAt(kind: RowKind): (view: GraphView, row: number) => Element {
  return kind === 'nodes' ? (view, row) => view.node(row) : (view, row) => view.edge(row)
}

/** Whether the plan has a list of rows now, which can be walked. */
export function isRows(plan: PlanBuilder): boolean {
  return plan.kind === 'nodes' || plan.kind === 'edges'
}

export const bindHas: Binder = (plan, args) => {
  const filters = args.filters(elementKey)
  if (plan.kind === 'values') filterValues(plan, compileValues(plan, args))
  else for (const filter of filters) plan.filter(filter)
}

/** Conditions on the objects that `ValueMap` gives; scalars have no fields. */
function compileValues(plan: PlanBuilder, args: StepArguments): (value: MetadataValue) => boolean {
  const test = compileFilter<MetadataObject>(allOf(args.filters((name) => name)), compilePath, plan.regex)
  return (value) => typeof value === 'object' && value !== null && !Array.isArray(value) && test(value as MetadataObject)
}

function filterValues(plan: PlanBuilder, test: (value: MetadataValue) => boolean): void {
  plan.stage('values', (input) => ({ kind: 'values', values: valuesOf(input).filter(test) }))
}

function valuesOf(input: Value): readonly MetadataValue[] {
  return (input as Extract<Value, { kind: 'values' }>).values
}

/** The one key of `HasKey` and `HasNot`. */
export function onlyKey(args: StepArguments): string {
  const [only, ...others] = args.params
  if (only?.kind !== 'string' || others.length > 0) {
    throw args.wrong(`${args.step.name} accepts only one parameter of type string : ${args.shown()}`)
  }
  return elementKey(only.value)
}

export const bindHasKey: Binder = (plan, args) => plan.filter(isPresent(onlyKey(args)))

export const bindHasNot: Binder = (plan, args) => plan.filter(isNull(onlyKey(args)))

export const bindHasEither: Binder = (plan, args) => plan.filter(args.either(elementKey))

export const bindDedup: Binder = (plan, args) => {
  const keys = args.strings(`Dedup parameters have to be string keys : ${args.shown()}`)
  if (plan.kind === 'paths') {
    plan.stage('nodes', (input) => {
      const { view, paths } = input as Extract<Value, { kind: 'paths' }>
      return { kind: 'nodes', view, rows: [...new Set(paths.flat())] }
    })
    return
  }
  if (plan.kind === 'values') {
    plan.stage('values', (input) => {
      const distinct = new Map(valuesOf(input).map((value) => [tupleKey([value]), value]))
      return { kind: 'values', values: [...distinct.values()] }
    })
    return
  }
  const kind = plan.kind as RowKind
  for (const key of keys) plan.keys.add(elementKey(key))
  if (keys.length > 0) plan.operator(dedupBy(elementAt(kind), keys.map(elementField)))
  else plan.operator(kind === 'nodes' ? dedupNodes() : dedupEdges())
}

export const bindCount: Binder = (plan, args) => {
  args.none()
  if (isRows(plan)) plan.count()
  else plan.stage('number', (input) => ({ kind: 'number', value: sizeOf(input) }))
}

function sizeOf(input: Value): number {
  switch (input.kind) {
    case 'paths':
      return input.paths.length
    case 'values':
      return input.values.length
    case 'metrics':
      return input.metrics.size
    default:
      return 0
  }
}

/** The bounds of `Range(from, to)` or `Limit(n)`. */
export function rangeArguments(args: StepArguments): { from: number; to: number } {
  if (args.step.name === 'Limit') {
    args.exactly(1)
    return { from: 0, to: args.index(0) }
  }
  args.exactly(2)
  return { from: args.index(0), to: args.index(1) }
}

export const bindRange: Binder = (plan, args) => {
  const { from, to } = rangeArguments(args)
  if (isRows(plan)) plan.operator(range(from, to))
  else if (plan.kind === 'paths') {
    plan.stage('paths', (input) => {
      const value = input as Extract<Value, { kind: 'paths' }>
      return { ...value, paths: value.paths.slice(from, to) }
    })
  } else plan.stage('values', (input) => ({ kind: 'values', values: valuesOf(input).slice(from, to) }))
}

/** The arguments of `Sort([ASC|DESC,] [key])`. */
export function sortArguments(args: StepArguments, defaultKey: string): { key: string; descending: boolean } {
  const [first, second] = args.params
  switch (args.params.length) {
    case 0:
      return { key: defaultKey, descending: false }
    case 1:
      if (first!.kind === 'order') return { key: defaultKey, descending: first!.value === 'DESC' }
      return { key: args.string(0, 'Sort parameter has to be a string key'), descending: false }
    case 2:
      if (first!.kind !== 'order') throw args.fail('Use ASC or DESC predicate', first!)
      return { key: args.string(1, 'Second sort parameter has to be a string key'), descending: first!.value === 'DESC' }
    default:
      throw args.fail('Sort accepts 1 predicate and 1 string parameter', second!)
  }
}

export const bindSort: Binder = (plan, args) => {
  const { key, descending } = sortArguments(args, '@CreatedAt')
  const kind = plan.kind as RowKind
  const read = elementField(key)
  const at = elementAt(kind)
  const sign = descending ? -1 : 1
  plan.keys.add(elementKey(key))
  plan.stage(kind, (input) => {
    const { view, rows } = input as RowsValue
    const keyed = rows.map((row) => ({ row, element: at(view, row), value: read(at(view, row)) }))
    keyed.sort((a, b) => sign * compareValues(a.value, b.value) || byAge(a.element, b.element))
    return { kind, view, rows: keyed.map((item) => item.row) }
  })
}

/** The order of equals: creation, then id (revisions of one id stay as they come), so that it does not depend on how they were found. */
export function byAge(a: Element, b: Element): number {
  return a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
}

/** Whether a value counts as no value for `Values`: an empty list or object. */
export function isEmpty(value: MetadataValue): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

function elementsOf(input: Value): Element[] {
  const { kind, view, rows } = input as RowsValue
  const at = elementAt(kind)
  return rows.map((row) => at(view, row))
}

export const bindValues: Binder = (plan, args) => {
  args.exactly(1)
  const read = readerOf(plan, args.string(0, 'Values parameter has to be a string key'))
  plan.stage('values', (input) => {
    const values: MetadataValue[] = []
    for (const element of elementsOf(input)) {
      const value = read(element)
      if (value !== undefined && !isEmpty(value)) values.push(value)
    }
    return { kind: 'values', values }
  })
}

function readerOf(plan: PlanBuilder, key: string): FieldReader<Element> {
  plan.keys.add(elementKey(key))
  return elementField(key)
}

export const bindValueMap: Binder = (plan, args) => {
  if (args.params.length === 0) throw args.wrong(`ValueMap requires at least on parameter : ${args.shown()}`)
  const keys = args.strings('ValueMap parameters have to be string keys')
  const fields = keys.map((key) => ({ key, read: readerOf(plan, key) }))
  plan.stage('values', (input) => {
    const values: MetadataObject[] = []
    for (const element of elementsOf(input)) {
      const entries = fields.flatMap(({ key, read }) => {
        const value = read(element)
        return value === undefined ? [] : [[key, value] as const]
      })
      if (entries.length > 0) values.push(Object.fromEntries(entries))
    }
    return { kind: 'values', values }
  })
}

export const bindKeys: Binder = (plan, args) => {
  args.none()
  plan.keys.add('*')
  plan.stage('values', (input) => {
    const elements = elementsOf(input)
    const keys = new Set<string>(elements.length > 0 ? ELEMENT_FIELDS : [])
    for (const element of elements) for (const path of listPaths(element.metadata)) keys.add(path)
    return { kind: 'values', values: [...keys] }
  })
}

export const bindSum: Binder = (plan, args) => {
  const key = sumKey(args)
  const read = readerOf(plan, key)
  plan.stage('number', (input) => {
    let total = 0
    for (const element of elementsOf(input)) {
      const value = read(element)
      if (value === undefined) continue
      const integer = readInteger(value)
      if (integer === undefined) throw args.error('ERR_GREMLIN_EXECUTION', `unable to cast ${shownValue(value)} to int64`)
      total += integer
    }
    return { kind: 'number', value: total }
  })
}

/** The one key of `Sum`. */
export function sumKey(args: StepArguments): string {
  args.exactly(1)
  return args.string(0, 'Sum parameter has to be a string key')
}

export function shownValue(value: MetadataValue): string {
  const type = Array.isArray(value) ? '[]interface {}' : typeof value === 'object' ? 'map[string]interface {}' : typeof value
  return `${JSON.stringify(value)} of type ${type}`
}

export const bindAs: Binder = (plan, args) => {
  args.exactly(1)
  const name = args.string(0, 'As parameter has to be a string')
  plan.aliases.set(name, plan.kind as RowKind)
  plan.stage(plan.kind, (input, run) => {
    const list = input as RowsValue
    run.aliasedRows += list.rows.length - (run.aliases.get(name)?.rows.length ?? 0)
    run.aliases.set(name, list)
    return input
  })
}

export const bindSelect: Binder = (plan, args) => {
  if (args.params.length === 0) throw args.wrong('Select requires at least one key')
  const names = args.strings('Select parameters have to be strings')
  const kinds = new Set(names.map((name) => plan.aliases.get(name)))
  if (kinds.has(undefined)) {
    const unknown = names.find((name) => !plan.aliases.has(name))
    throw args.wrong(
      `Key ${unknown} not registered. Need to be registered using 'As' step`,
      suggest(unknown ?? '', plan.aliases.keys()),
    )
  }
  if (kinds.size > 1) throw args.wrong('Select of nodes together with edges is not possible')
  const kind = plan.aliases.get(names[0]!)!
  plan.stage(kind, (_input, run) => {
    const lists = names.map((name) => run.aliases.get(name)!)
    const views = [...new Set(lists.map((list) => list.view))]
    if (views.length === 1) return { kind, view: views[0]!, rows: lists.flatMap((list) => list.rows) }
    const joined = new JoinedView(views)
    const rows = lists.flatMap((list) =>
      list.rows.map((row) => (kind === 'nodes' ? joined.nodeRow(list.view, row) : joined.edgeRow(list.view, row))),
    )
    return { kind, view: joined, rows }
  })
}
