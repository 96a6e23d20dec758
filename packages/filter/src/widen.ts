import type { Filter } from '@skydive/contracts'

/** Whether any condition of the tree is one of those. */
export function someLeaf(filter: Filter, isMeant: (leaf: Filter) => boolean): boolean {
  if (filter.BoolFilter) return (filter.BoolFilter.Filters ?? []).some((child) => someLeaf(child, isMeant))
  return isMeant(filter)
}

/**
 * A filter for a party that may not know some conditions, and then takes them for ones that everything passes: it finds whatever `filter`
 * finds, and maybe more, so the asker filters again. A negation that holds such a condition goes as a whole: taken for "passes", it would
 * exclude too much. `undefined`: everything has to be asked for.
 */
export function widenFilter(filter: Filter, isForeign: (leaf: Filter) => boolean): Filter | undefined {
  const { BoolFilter } = filter
  if (!BoolFilter || !someLeaf(filter, isForeign)) return filter
  if (BoolFilter.Op === 2) return undefined
  const parts = (BoolFilter.Filters ?? []).map((child) => widenFilter(child, isForeign))
  const known = parts.filter((part) => part !== undefined)
  if (BoolFilter.Op === 1) return known.length === 0 ? undefined : { BoolFilter: { Op: 1, Filters: known } }
  return known.length < parts.length ? undefined : { BoolFilter: { Op: 0, Filters: known } }
}
