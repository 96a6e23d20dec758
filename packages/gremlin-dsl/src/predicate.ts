import type { Filter } from '@skydive/contracts'
import {
  allOf,
  anyOf,
  compileIpv4Range,
  compileIpv6Range,
  isPresent,
  not,
  nothing,
  readInteger,
  type TermValue,
  term,
} from '@skydive/filter'
import type { Param } from './ast.ts'
import { showParam } from './show.ts'

/** Raises an error at a place of the query. */
export type Fail = (summary: string, at: { readonly start: number; readonly end?: number }) => Error

/** `Has(key, value)` as a filter (spec graph 4.6). */
export function filterOf(key: string, value: Param, fail: Fail): Filter {
  if (value.kind !== 'predicate') return term(key, termValue(value, fail))
  const { name, args } = value
  const first = args[0]!
  const second = args[1]!
  switch (name) {
    case 'NE':
      return allOf([isPresent(key), not(term(key, termValue(first, fail)))])
    case 'NEE':
      return not(term(key, termValue(first, fail)))
    case 'Within':
      return args.length === 0 ? nothing() : anyOf(args.map((arg) => filterOf(key, arg, fail)))
    case 'Without':
      return allOf(args.map((arg) => not(filterOf(key, arg, fail))))
    case 'LT':
      return { LtInt64Filter: { Key: key, Value: bound(first, 'LT', fail) } }
    case 'GT':
      return { GtInt64Filter: { Key: key, Value: bound(first, 'GT', fail) } }
    case 'LTE':
      return { LteInt64Filter: { Key: key, Value: bound(first, 'LTE', fail) } }
    case 'GTE':
      return { GteInt64Filter: { Key: key, Value: bound(first, 'GTE', fail) } }
    case 'Inside':
      return allOf([
        { GtInt64Filter: { Key: key, Value: bound(first, 'Inside', fail) } },
        { LtInt64Filter: { Key: key, Value: bound(second, 'Inside', fail) } },
      ])
    case 'Between':
      return allOf([
        { GteInt64Filter: { Key: key, Value: bound(first, 'Between', fail) } },
        { LtInt64Filter: { Key: key, Value: bound(second, 'Between', fail) } },
      ])
    case 'Outside':
      return anyOf([
        { LtInt64Filter: { Key: key, Value: bound(first, 'Outside', fail) } },
        { GtInt64Filter: { Key: key, Value: bound(second, 'Outside', fail) } },
      ])
    case 'Regex':
      return { RegexFilter: { Key: key, Value: anchored(first.kind === 'string' ? first.value : showParam(first)) } }
    case 'IPV4Range':
      return { IPV4RangeFilter: { Key: key, Value: cidr(first, 'Ipv4Range', compileIpv4Range, fail) } }
    case 'IPV6Range':
      return { IPV6RangeFilter: { Key: key, Value: cidr(first, 'Ipv6Range', compileIpv6Range, fail) } }
  }
}

/**
 * The whole string has to match. A group only where an alternation needs it: stores that speak Lucene take the plain form as it is. A
 * quotation that nobody closed (`\Qa.b`) would swallow what is put behind it.
 */
function anchored(pattern: string): string {
  const closed = pattern.lastIndexOf('\\Q') > pattern.lastIndexOf('\\E') ? `${pattern}\\E` : pattern
  return closed.includes('|') ? `^(${closed})$` : `^${closed}$`
}

function termValue(param: Param, fail: Fail): TermValue {
  if (param.kind === 'string' || param.kind === 'number' || param.kind === 'boolean') return param.value
  throw fail(`a string, a number, TRUE or FALSE expected, got: ${showParam(param)}`, param)
}

function bound(param: Param, predicate: string, fail: Fail): number {
  const integer = param.kind === 'string' || param.kind === 'number' ? readInteger(param.value) : undefined
  if (integer === undefined) throw fail(`${predicate} values should be of int64 type`, param)
  return integer
}

function cidr(param: Param, predicate: string, compile: (text: string) => unknown, fail: Fail): string {
  if (param.kind !== 'string') throw fail(`${predicate} value has to be a string`, param)
  try {
    compile(param.value)
  } catch (error) {
    throw fail((error as Error).message, param)
  }
  return param.value
}

/** Keys and values in turn, as a list of filters. The caller has checked that they come in pairs. */
export function pairFilters(params: readonly Param[], fail: Fail, map: (key: string, value: Param) => Filter): readonly Filter[] {
  const filters: Filter[] = []
  for (let i = 0; i + 1 < params.length; i += 2) {
    const key = params[i]!
    if (key.kind !== 'string') throw fail('keys should be of string type', key)
    filters.push(map(key.value, params[i + 1]!))
  }
  return filters
}
