import type { Filter, MetadataValue } from '@skydive/contracts'
import { InvalidArgumentError, InvariantError } from '@skydive/contracts'
import type { FieldReader, FieldResolver } from './element-field.ts'
import { compileIpv4Range } from './ipv4.ts'
import { compileIpv6Range } from './ipv6.ts'
import { readInteger } from './read.ts'
import { loadRegex, type RegexCompiler } from './regex.ts'

/** Says whether a subject passes. */
export type Predicate<T> = (subject: T) => boolean

/** Deeper trees are refused with `ERR_INVALID_ARGUMENT`. */
export const MAX_FILTER_DEPTH = 64

type ValueTest = (value: MetadataValue) => boolean

/** Existential over arrays: the scalar, or any element (spec graph 1.5). */
function anyValue<T>(field: FieldReader<T>, test: ValueTest): Predicate<T> {
  return (subject) => {
    const value = field(subject)
    if (value === undefined) return false
    if (!Array.isArray(value)) return test(value)
    for (const item of value) if (test(item)) return true
    return false
  }
}

/** {@link anyValue} of one value, which nearly all conditions ask for: without a call for each. */
function equals<T>(field: FieldReader<T>, wanted: string | boolean): Predicate<T> {
  return (subject) => {
    const value = field(subject)
    return value === wanted || (Array.isArray(value) && value.includes(wanted))
  }
}

function integerTest(test: (value: number) => boolean): ValueTest {
  return (value) => {
    const integer = typeof value === 'number' ? Math.trunc(value) : readInteger(value)
    return integer !== undefined && test(integer)
  }
}

function stringTest(test: (value: string) => boolean): ValueTest {
  return (value) => typeof value === 'string' && test(value)
}

/** Whether the tree holds a regular expression, so that {@link loadRegex} is needed before it can be compiled. */
export function needsRegex(filter: Filter): boolean {
  if (filter.BoolFilter) return (filter.BoolFilter.Filters ?? []).some(needsRegex)
  return filter.RegexFilter !== undefined
}

/**
 * Compiles a filter tree (spec graph 3.1) to a closure over anything whose fields `resolve` can read. Evaluation never throws and does not
 * allocate. `regex` is needed when {@link needsRegex} says so; {@link prepareFilter} does both steps.
 * @throws ERR_INVALID_ARGUMENT for a bad pattern, CIDR or a tree that is too deep; ERR_INVARIANT without a regex compiler.
 */
export function compileFilter<T>(filter: Filter, resolve: FieldResolver<T>, regex?: RegexCompiler | undefined): Predicate<T> {
  return compile(filter, resolve, regex, 0)
}

/** {@link compileFilter} that loads the RE2 engine when the tree needs it. */
export async function prepareFilter<T>(filter: Filter, resolve: FieldResolver<T>): Promise<Predicate<T>> {
  return compileFilter(filter, resolve, needsRegex(filter) ? await loadRegex() : undefined)
}

function compile<T>(filter: Filter, resolve: FieldResolver<T>, regex: RegexCompiler | undefined, depth: number): Predicate<T> {
  if (depth > MAX_FILTER_DEPTH) {
    throw new InvalidArgumentError(`the filter is deeper than ${MAX_FILTER_DEPTH} levels; write it flatter`, { depth })
  }
  if (filter.BoolFilter) {
    const children = (filter.BoolFilter.Filters ?? []).map((child) => compile(child, resolve, regex, depth + 1))
    return combine(filter.BoolFilter.Op ?? 0, children)
  }
  return compileLeaf(filter, resolve, regex)
}

function combine<T>(op: 0 | 1 | 2, children: readonly Predicate<T>[]): Predicate<T> {
  const [first, second] = children
  // The empty tree matches everything, whatever the operator.
  if (first === undefined) return () => true
  if (op === 2) return (subject) => children.some((child) => !child(subject))
  if (second === undefined) return first
  if (op === 1) {
    if (children.length === 2) return (subject) => first(subject) && second(subject)
    return (subject) => children.every((child) => child(subject))
  }
  return (subject) => children.some((child) => child(subject))
}

function compileLeaf<T>(filter: Filter, resolve: FieldResolver<T>, regex: RegexCompiler | undefined): Predicate<T> {
  if (filter.TermStringFilter) {
    const { Key, Value: wanted = '' } = filter.TermStringFilter
    return equals(resolve(Key), wanted)
  }
  if (filter.TermInt64Filter) {
    const { Key, Value: wanted = 0 } = filter.TermInt64Filter
    return anyValue(
      resolve(Key),
      integerTest((value) => value === wanted),
    )
  }
  if (filter.TermBoolFilter) {
    const { Key, Value: wanted = false } = filter.TermBoolFilter
    return equals(resolve(Key), wanted)
  }
  const range = compileRange(filter)
  if (range) return anyValue(resolve(range.key), integerTest(range.test))
  if (filter.RegexFilter) {
    if (!regex)
      throw new InvariantError('a filter with a regular expression was compiled without an engine; call loadRegex() first')
    return anyValue(resolve(filter.RegexFilter.Key), stringTest(regex(filter.RegexFilter.Value ?? '')))
  }
  if (filter.NullFilter) {
    const field = resolve(filter.NullFilter.Key)
    return (subject) => field(subject) === undefined
  }
  if (filter.IPV4RangeFilter) {
    return anyValue(resolve(filter.IPV4RangeFilter.Key), stringTest(compileIpv4Range(filter.IPV4RangeFilter.Value ?? '')))
  }
  if (filter.IPV6RangeFilter) {
    return anyValue(resolve(filter.IPV6RangeFilter.Key), stringTest(compileIpv6Range(filter.IPV6RangeFilter.Value ?? '')))
  }
  return () => true
}

function compileRange(filter: Filter): { key: string; test: (value: number) => boolean } | undefined {
  if (filter.GtInt64Filter) {
    const { Key, Value: bound = 0 } = filter.GtInt64Filter
    return { key: Key, test: (value) => value > bound }
  }
  if (filter.LtInt64Filter) {
    const { Key, Value: bound = 0 } = filter.LtInt64Filter
    return { key: Key, test: (value) => value < bound }
  }
  if (filter.GteInt64Filter) {
    const { Key, Value: bound = 0 } = filter.GteInt64Filter
    return { key: Key, test: (value) => value >= bound }
  }
  if (filter.LteInt64Filter) {
    const { Key, Value: bound = 0 } = filter.LteInt64Filter
    return { key: Key, test: (value) => value <= bound }
  }
  return undefined
}
