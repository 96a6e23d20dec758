import type { EnhancedFlow, FlowQuery, MetadataValue } from '@skydive/contracts'
import type { FieldReader } from './element-field.ts'
import type { Predicate } from './filter.ts'
import { enhancedFlowField } from './flow-field.ts'
import { readInteger } from './read.ts'

/** Which elements are the first with their value. Absent values are always kept: they are not known to be equal. */
export function dedupBy<T>(items: readonly T[], readers: readonly FieldReader<T>[]): readonly T[] {
  const seen = new Set<string>()
  return items.filter((item) => {
    const tuple = readers.map((read) => read(item))
    if (tuple.every((value) => value === undefined)) return true
    const key = tupleKey(tuple)
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}

/** A text that is equal for equal tuples only: gaps are marked, and `1` differs from `"1"`. */
export function tupleKey(tuple: readonly (MetadataValue | undefined)[]): string {
  return JSON.stringify(tuple.map((value) => (value === undefined ? [] : [value])))
}

/**
 * Orders values as `Sort` does: what reads as an integer by size (numbers with their fraction), absent ones among them as 0; then strings
 * by code unit. A total order, whatever is mixed.
 */
export function compareValues(a: MetadataValue | undefined, b: MetadataValue | undefined): number {
  const left = sortNumber(a)
  const right = sortNumber(b)
  if (left !== undefined && right !== undefined) return left - right
  if (left !== undefined) return -1
  if (right !== undefined) return 1
  const leftText = typeof a === 'string' ? a : JSON.stringify(a)
  const rightText = typeof b === 'string' ? b : JSON.stringify(b)
  return leftText < rightText ? -1 : leftText > rightText ? 1 : 0
}

function sortNumber(value: MetadataValue | undefined): number | undefined {
  if (value === undefined) return 0
  return typeof value === 'number' ? value : readInteger(value)
}

/**
 * What a flow query finds among flows at hand, in the order of spec graph 3.2: filter, sort (stable), dedup, slice.
 * `matches` is the compiled `query.Filter` (see `prepareFilter` with `enhancedFlowField`).
 */
export function searchFlows(
  flows: readonly EnhancedFlow[],
  query: FlowQuery,
  matches: Predicate<EnhancedFlow>,
): readonly EnhancedFlow[] {
  const tids = query.nodeTids && new Set(query.nodeTids)
  const found = flows.filter((item) => (!tids || tids.has(item.flow.NodeTID ?? '')) && matches(item))
  return arrangeFlows(found, query)
}

/** Sort, dedup and slice alone, for answers that several parties filtered already. */
export function arrangeFlows(flows: readonly EnhancedFlow[], query: FlowQuery): readonly EnhancedFlow[] {
  let result = flows
  if (query.Sort) {
    const read = enhancedFlowField(query.SortBy || 'Last')
    const sign = query.SortOrder === 2 ? -1 : 1
    result = [...result].sort((a, b) => sign * compareValues(read(a), read(b)))
  }
  if (query.Dedup) result = dedupBy(result, [enhancedFlowField(query.DedupBy || 'TrackingID')])
  const range = query.PaginationRange
  return range ? result.slice(range.From, range.To) : result
}
