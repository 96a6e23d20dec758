import type { Filter, FlowQuery, SearchQuery } from '@skydive/contracts'
import { allOf, anyOf, canonicalFlowField, isFlowSide } from '@skydive/filter'
import type { StepArguments } from './arguments.ts'
import { filterOf, pairFilters } from './predicate.ts'

/** The pairs of a condition on flows; `Network`, `Link` and `Transport` alone mean either end. */
export function flowFilters(args: StepArguments): readonly Filter[] {
  if (args.params.length % 2 !== 0) throw args.wrong(`slice must be defined by pair k,v: ${args.shown()}`)
  return pairFilters(args.params, args.fail, (name, value) => {
    const key = canonicalFlowField(name)
    if (!isFlowSide(key)) return filterOf(key, value, args.fail)
    return anyOf([filterOf(`${key}.A`, value, args.fail), filterOf(`${key}.B`, value, args.fail)])
  })
}

/** What a reader does, in its fixed order. */
type Phase = 'filter' | 'sort' | 'dedup' | 'range'
const ORDER: readonly Phase[] = ['filter', 'sort', 'dedup', 'range']

/**
 * The query that the steps after `Flows` become, as long as their order can be kept: a reader filters, sorts, removes doubles and slices,
 * in this order. A condition after a sort may still join the filter, because sorting keeps all.
 */
export class FlowDraft {
  readonly #filters: Filter[] = []
  #arrangement: Omit<SearchQuery, 'Filter'> = {}
  #reached: Phase = 'filter'

  filter(filters: readonly Filter[]): boolean {
    if (this.#reached !== 'filter' && this.#reached !== 'sort') return false
    this.#filters.push(...filters)
    return true
  }

  sort(key: string, descending: boolean): boolean {
    if (!this.#advance('sort')) return false
    this.#arrangement = { ...this.#arrangement, Sort: true, SortBy: key, SortOrder: descending ? 2 : 1 }
    return true
  }

  dedup(key: string): boolean {
    if (!this.#advance('dedup')) return false
    this.#arrangement = { ...this.#arrangement, Dedup: true, DedupBy: key }
    return true
  }

  range(from: number, to: number): boolean {
    if (!this.#advance('range')) return false
    this.#arrangement = { ...this.#arrangement, PaginationRange: { From: from, To: to } }
    return true
  }

  query(): FlowQuery {
    return { ...(this.#filters.length > 0 && { Filter: allOf(this.#filters) }), ...this.#arrangement }
  }

  #advance(phase: Phase): boolean {
    if (ORDER.indexOf(phase) <= ORDER.indexOf(this.#reached)) return false
    this.#reached = phase
    return true
  }
}
