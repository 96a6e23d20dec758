import type { BoolFilterOp, Filter } from '@skydive/contracts'
import { InvalidArgumentError } from '@skydive/contracts'
import { MAX_FILTER_DEPTH } from './filter.ts'

/** More conditions than this in one filter are refused. */
export const MAX_FILTER_NODES = 10_000
/** Longer keys and texts are refused. */
const MAX_TEXT = 64 * 1024

type LeafName = Exclude<keyof Filter, 'BoolFilter'>
type ValueType = 'string' | 'integer' | 'boolean' | 'none'

/** The members of a filter after `BoolFilter`, in the order in which they win when several are set (spec graph 3.1). */
const LEAVES: readonly (readonly [LeafName, ValueType])[] = [
  ['TermStringFilter', 'string'],
  ['TermInt64Filter', 'integer'],
  ['TermBoolFilter', 'boolean'],
  ['GtInt64Filter', 'integer'],
  ['LtInt64Filter', 'integer'],
  ['GteInt64Filter', 'integer'],
  ['LteInt64Filter', 'integer'],
  ['RegexFilter', 'string'],
  ['NullFilter', 'none'],
  ['IPV4RangeFilter', 'string'],
  ['IPV6RangeFilter', 'string'],
]

/**
 * Reads a filter from parsed JSON of a stranger (spec graph 3.1): `{"TermStringFilter":{"Key":"Type","Value":"device"}}`. Absent values are
 * zero, `null` children are left out, of several members the first in the order of the table counts, `{}` matches everything. Patterns and
 * networks are checked when the filter is compiled. Linear; at most 10,000 conditions, 64 levels and 64 KiB a text.
 * @throws ERR_INVALID_ARGUMENT naming the place (`BoolFilter.Filters[1].TermInt64Filter.Value`) and what is expected there.
 */
export function readFilter(value: unknown): Filter {
  return new Reader().filter(value, '', 0)
}

class Reader {
  #nodes = 0

  filter(value: unknown, path: string, depth: number): Filter {
    if (depth > MAX_FILTER_DEPTH) throw refusal(path, `is deeper than ${MAX_FILTER_DEPTH} levels; write it flatter`)
    if (++this.#nodes > MAX_FILTER_NODES) throw refusal('', `has more than ${MAX_FILTER_NODES} conditions`)
    const object = objectAt(value, path)
    if (isSet(object, 'BoolFilter')) return { BoolFilter: this.#bool(object['BoolFilter'], join(path, 'BoolFilter'), depth) }
    for (const [name, type] of LEAVES) {
      if (isSet(object, name)) return { [name]: leaf(object[name], type, join(path, name)) }
    }
    const [unknown] = Object.keys(object).filter((key) => !isKnown(key))
    if (unknown !== undefined) throw refusal(path, `has the member ${JSON.stringify(unknown.slice(0, 80))}, which is no filter`)
    return {}
  }

  #bool(value: unknown, path: string, depth: number): NonNullable<Filter['BoolFilter']> {
    const object = objectAt(value, path)
    const op = own(object, 'Op') ?? 0
    if (op !== 0 && op !== 1 && op !== 2) throw refusal(join(path, 'Op'), 'must be 0 (OR), 1 (AND) or 2 (NOT)')
    const list = own(object, 'Filters') ?? []
    if (!Array.isArray(list)) throw refusal(join(path, 'Filters'), 'must be a list')
    const filters: Filter[] = []
    for (const [index, child] of list.entries()) {
      if (child !== null) filters.push(this.filter(child, `${path}.Filters[${index}]`, depth + 1))
    }
    return { Op: op as BoolFilterOp, Filters: filters }
  }
}

function leaf(value: unknown, type: ValueType, path: string): { Key: string; Value?: string | number | boolean } {
  const object = objectAt(value, path)
  const key = text(own(object, 'Key') ?? '', join(path, 'Key'))
  const given = own(object, 'Value') ?? undefined
  switch (type) {
    case 'none':
      return { Key: key }
    case 'string':
      return { Key: key, Value: text(given ?? '', join(path, 'Value')) }
    case 'boolean':
      if (given !== undefined && typeof given !== 'boolean') throw refusal(join(path, 'Value'), 'must be true or false')
      return { Key: key, Value: given ?? false }
    case 'integer':
      if (given !== undefined && !Number.isSafeInteger(given)) {
        throw refusal(join(path, 'Value'), 'must be an integer between -(2^53 - 1) and 2^53 - 1')
      }
      return { Key: key, Value: (given as number | undefined) ?? 0 }
  }
}

function text(value: unknown, path: string): string {
  if (typeof value !== 'string') throw refusal(path, 'must be a string')
  if (value.length > MAX_TEXT) throw refusal(path, `is longer than ${MAX_TEXT} characters`)
  return value
}

function own(object: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined
}

function isSet(object: Readonly<Record<string, unknown>>, name: string): boolean {
  return (own(object, name) ?? undefined) !== undefined
}

function isKnown(name: string): boolean {
  return name === 'BoolFilter' || LEAVES.some(([leafName]) => leafName === name)
}

function objectAt(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>
  throw refusal(path, 'must be an object')
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

/** A path of 64 levels is no help to anybody: the end of it is told. */
function refusal(path: string, reason: string): InvalidArgumentError {
  const place = path.length > 200 ? `…${path.slice(-200)}` : path
  return new InvalidArgumentError(`the filter ${place === '' ? '' : `at ${place} `}${reason}`, { path: place })
}

/**
 * The JSON form of a filter, for `JSON.stringify`: zero values are left out, as the wire has it. {@link readFilter} reads it back to a filter
 * that matches the same.
 */
export function writeFilter(filter: Filter): Record<string, unknown> {
  if (filter.BoolFilter) {
    const { Op, Filters } = filter.BoolFilter
    return { BoolFilter: { ...(Op && { Op }), ...(Filters?.length && { Filters: Filters.map(writeFilter) }) } }
  }
  for (const [name] of LEAVES) {
    const found = filter[name] as { readonly Key: string; readonly Value?: string | number | boolean } | undefined
    if (found) return { [name]: { ...(found.Key && { Key: found.Key }), ...(found.Value && { Value: found.Value }) } }
  }
  return {}
}
