import type { Filter } from '@skydive/contracts'
import type { SqlValue } from './sqlite.ts'

/** The columns of a flow row that a filter can be answered from, by filter key. */
const COLUMNS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    UUID: 'uuid',
    TrackingID: 'tracking',
    L3TrackingID: 'l3tracking',
    NodeTID: 'node',
    CaptureID: 'capture',
    Application: 'application',
    LayersPath: 'layers',
    'Link.A': 'link_a',
    'Link.B': 'link_b',
    'Network.A': 'network_a',
    'Network.B': 'network_b',
    'Transport.A': 'transport_a',
    'Transport.B': 'transport_b',
    Start: 'start',
    Last: 'last',
  }),
)

/** A condition that holds for every row that the filter accepts, and maybe for more: the filter itself decides afterwards. */
export interface SqlCondition {
  readonly sql: string
  readonly values: readonly SqlValue[]
}

const COMPARISONS = [
  ['TermStringFilter', '='],
  ['TermInt64Filter', '='],
  ['GtInt64Filter', '>'],
  ['LtInt64Filter', '<'],
  ['GteInt64Filter', '>='],
  ['LteInt64Filter', '<='],
] as const

const STRING_COLUMNS = /^(uuid|tracking|l3tracking|node|capture|application|layers|link_.|network_.)$/

/**
 * The part of a filter that SQL can decide; `undefined` when it can decide nothing. Everything that is left out only widens the answer:
 * an AND drops the terms that it can't express, an OR with one such term can't be expressed at all.
 */
export function sqlCondition(filter: Filter | undefined): SqlCondition | undefined {
  if (!filter) return undefined
  if (filter.BoolFilter) {
    const parts = (filter.BoolFilter.Filters ?? []).map(sqlCondition)
    if (parts.length === 0 || filter.BoolFilter.Op === 2) return undefined
    const isAnd = filter.BoolFilter.Op === 1
    if (!isAnd && parts.includes(undefined)) return undefined
    const known = parts.filter((part) => part !== undefined)
    if (known.length === 0) return undefined
    return {
      sql: `(${known.map(({ sql }) => sql).join(isAnd ? ' AND ' : ' OR ')})`,
      values: known.flatMap(({ values }) => values),
    }
  }
  for (const [kind, operator] of COMPARISONS) {
    const term = filter[kind]
    if (!term) continue
    const column = COLUMNS.get(term.Key)
    if (!column) return undefined
    const isText = kind === 'TermStringFilter'
    // A number never equals a text column by SQL where the evaluator might convert: leave that to it.
    if (isText !== STRING_COLUMNS.test(column)) return undefined
    return { sql: `${column} ${operator} ?`, values: [term.Value ?? (isText ? '' : 0)] }
  }
  return undefined
}
