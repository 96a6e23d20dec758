import type { EnhancedFlow, FlowQuery, MetadataValue } from '@skydive/contracts'
import type { FieldReader } from './element-field.ts'
import type { Predicate } from './filter.ts'
import { enhancedFlowField } from './flow-field.ts'

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
 * Orders values as `Sort` does: numbers and whatever is no string by size, strings by code unit, numbers before strings;
 * what is absent counts as 0 among numbers and `''` among strings.
 */
export function compareValues(a: MetadataValue | undefined, b: MetadataValue | undefined): number {
  if (typeof a === 'string' || typeof b === 'string') {
    const left = typeof a === 'string' ? a : a === undefined ? '' : undefined
    const right = typeof b === 'string' ? b : b === undefined ? '' : undefined
    if (left === undefined) return -1
    if (right === undefined) return 1
    return left < right ? -1 : left > right ? 1 : 0
  }
  return numeric(a) - numeric(b)
}

function numeric(value: MetadataValue | undefined): number {
  return typeof value === 'number' ? value : value === true ? 1 : 0
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
