import type { Filter } from '@skydive/contracts'

/** The value of an equality term; a number with a fraction is truncated, as integer terms are. */
export type TermValue = string | number | boolean

/** Equality: `term('MTU', 1500)`. */
export function term(key: string, value: TermValue): Filter {
  if (typeof value === 'string') return { TermStringFilter: { Key: key, Value: value } }
  if (typeof value === 'boolean') return { TermBoolFilter: { Key: key, Value: value } }
  return { TermInt64Filter: { Key: key, Value: Math.trunc(value) } }
}

/** All of them; the one itself when there is only one. */
export function allOf(filters: readonly Filter[]): Filter {
  return filters.length === 1 ? filters[0]! : { BoolFilter: { Op: 1, Filters: filters } }
}

/** Any of them. Note that the wire's empty OR matches everything: use {@link nothing} for "none of no values". */
export function anyOf(filters: readonly Filter[]): Filter {
  return filters.length === 1 ? filters[0]! : { BoolFilter: { Op: 0, Filters: filters } }
}

/** Negation. */
export function not(filter: Filter): Filter {
  return { BoolFilter: { Op: 2, Filters: [filter] } }
}

/** The field does not exist. */
export function isNull(key: string): Filter {
  return { NullFilter: { Key: key } }
}

/** The field exists. */
export function isPresent(key: string): Filter {
  return not(isNull(key))
}

/** Matches no subject at all. */
export function nothing(): Filter {
  return not({})
}
