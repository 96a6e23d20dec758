/**
 * The filter tree of spec graph 3.1, in its JSON form; exactly one member is set, an empty object matches everything. Zero values
 * (`0`, `''`, `false`, `Op` OR) may be absent. Shape: `{ TermStringFilter: { Key: 'Type', Value: 'device' } }`.
 * The evaluator is `@skydive/filter`.
 */
export interface Filter {
  readonly BoolFilter?: { readonly Op?: BoolFilterOp; readonly Filters?: readonly Filter[] }
  readonly TermStringFilter?: { readonly Key: string; readonly Value?: string }
  readonly TermInt64Filter?: { readonly Key: string; readonly Value?: number }
  readonly TermBoolFilter?: { readonly Key: string; readonly Value?: boolean }
  readonly GtInt64Filter?: { readonly Key: string; readonly Value?: number }
  readonly LtInt64Filter?: { readonly Key: string; readonly Value?: number }
  readonly GteInt64Filter?: { readonly Key: string; readonly Value?: number }
  readonly LteInt64Filter?: { readonly Key: string; readonly Value?: number }
  readonly RegexFilter?: { readonly Key: string; readonly Value?: string }
  readonly NullFilter?: { readonly Key: string }
  readonly IPV4RangeFilter?: { readonly Key: string; readonly Value?: string }
  /** Not in the original: `Value` is an IPv6 network such as `2001:db8::/32`. */
  readonly IPV6RangeFilter?: { readonly Key: string; readonly Value?: string }
}

/** 0 OR, 1 AND, 2 NOT. */
export type BoolFilterOp = 0 | 1 | 2

/** 0 none, 1 ascending, 2 descending. */
export type SortOrder = 0 | 1 | 2

/** A search over flows (spec graph 3.2). Evaluated in the order filter, sort, dedup, slice `[From, To)`. */
export interface SearchQuery {
  readonly Filter?: Filter
  readonly PaginationRange?: { readonly From: number; readonly To: number }
  readonly Sort?: boolean
  readonly SortBy?: string
  readonly SortOrder?: SortOrder
  readonly Dedup?: boolean
  readonly DedupBy?: string
}
