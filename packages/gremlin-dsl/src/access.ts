import type { Filter, GraphView, IndexValue } from '@skydive/contracts'
import type { Budget } from './budget.ts'
import { distinctRows, type Sink } from './operators.ts'

/** One equality that an index may answer: any of the values of one key. */
export interface Equality {
  readonly key: string
  readonly values: readonly IndexValue[]
  /** Its place among the filters it was found in. */
  readonly position: number
}

interface TermLeaf {
  readonly key: string
  readonly value: IndexValue
}

function termOf(filter: Filter): TermLeaf | undefined {
  const { TermStringFilter: text, TermInt64Filter: integer, TermBoolFilter: boolean } = filter
  const leaf = text ?? integer ?? boolean
  return leaf && { key: leaf.Key, value: leaf.Value ?? (text ? '' : integer ? 0 : false) }
}

export function equalityOf(filter: Filter, position: number): Equality | undefined {
  const single = termOf(filter)
  if (single) return { key: single.key, values: [single.value], position }
  const { BoolFilter } = filter
  if (!BoolFilter || (BoolFilter.Op ?? 0) !== 0 || !BoolFilter.Filters?.length) return undefined
  const terms = BoolFilter.Filters.map(termOf)
  const key = terms[0]?.key
  if (key === undefined || terms.some((term) => term?.key !== key)) return undefined
  return { key, values: [...new Set(terms.map((term) => term!.value))], position }
}

/** Takes a conjunction apart, so that each part can be answered or tested alone. */
export function conjuncts(filter: Filter): readonly Filter[] {
  const { BoolFilter } = filter
  return BoolFilter?.Op === 1 ? (BoolFilter.Filters ?? []).flatMap(conjuncts) : [filter]
}

/** How rows are found, for people who want to know. Counts are what the view says now; absent without a view. */
export type Access =
  | {
      readonly access: 'index'
      readonly key: string
      readonly values: readonly IndexValue[]
      readonly estimatedRows?: number
      /** The position of the condition that the index answers. */
      readonly condition: number
    }
  | {
      readonly access: 'scan'
      readonly estimatedRows?: number /** Equalities on keys that have no index. */
      readonly unindexed: readonly string[]
    }
  | { readonly access: 'id'; readonly id: string }

/** How one kind of rows is read from a view. */
export interface RowReader {
  cardinality(view: GraphView, key: string, value: IndexValue): number
  forEachWith(view: GraphView, key: string, value: IndexValue, visit: Sink): void
  forEach(view: GraphView, visit: Sink): void
  count(view: GraphView): number
  ordinal(view: GraphView, id: string): number
  /** One more than the greatest row. */
  ordinals(view: GraphView): number
}

export const NODE_ROWS: RowReader = {
  cardinality: (view, key, value) => view.nodeCardinality(key, value),
  forEachWith: (view, key, value, visit) => view.forEachNodeWith(key, value, visit),
  forEach: (view, visit) => view.forEachNode(visit),
  count: (view) => view.nodeCount,
  ordinal: (view, id) => view.nodeOrdinal(id),
  ordinals: (view) => view.nodeOrdinals,
}

export const EDGE_ROWS: RowReader = {
  cardinality: (view, key, value) => view.edgeCardinality(key, value),
  forEachWith: (view, key, value, visit) => view.forEachEdgeWith(key, value, visit),
  forEach: (view, visit) => view.forEachEdge(visit),
  count: (view) => view.edgeCount,
  ordinal: (view, id) => view.edgeOrdinal(id),
  ordinals: (view) => view.edgeOrdinals,
}

/**
 * How the first step finds its rows: of all equalities that an index can answer the one with the fewest rows, else a scan. The choice is
 * made for every run, because it depends on what the graph holds.
 */
export class AccessPath {
  /** What an index may answer. */
  readonly equalities: readonly Equality[]
  readonly rows: RowReader

  constructor(rows: RowReader, filters: readonly Filter[]) {
    this.rows = rows
    this.equalities = filters.map(equalityOf).filter((equality) => equality !== undefined)
  }

  /** The position of the filter that an index answers exactly, so that it need not be tested; -1 for a scan. */
  choose(view: GraphView): number {
    let best = -1
    let fewest = Number.POSITIVE_INFINITY
    for (const equality of this.equalities) {
      const rows = this.estimate(view, equality)
      if (rows >= 0 && rows < fewest) {
        best = equality.position
        fewest = rows
      }
    }
    return best
  }

  /** How many rows the chosen path gives. */
  count(view: GraphView, chosen: number): number {
    const equality = this.#equality(chosen)
    if (!equality) return this.rows.count(view)
    // Several values of an array may lead to one row twice, and an id may be unknown: then only a walk can tell.
    return equality.values.length === 1 && equality.key !== '@ID' ? this.estimate(view, equality) : -1
  }

  /** Walks the rows of the chosen path. */
  walk(view: GraphView, chosen: number, budget: Budget, sink: Sink): void {
    const visit: Sink = (row) => {
      budget.visit()
      return sink(row)
    }
    const equality = this.#equality(chosen)
    if (!equality) {
      this.rows.forEach(view, visit)
      return
    }
    if (equality.key === '@ID' && this.rows.cardinality(view, '@ID', '') < 0) {
      for (const id of equality.values) {
        const row = typeof id === 'string' ? this.rows.ordinal(view, id) : -1
        if (row >= 0 && !visit(row)) return
      }
      return
    }
    if (equality.values.length === 1) {
      this.rows.forEachWith(view, equality.key, equality.values[0]!, visit)
      return
    }
    // A row with a list of values may be found by several of them.
    const distinct = distinctRows(this.rows.ordinals(view), visit)
    let wanted = true
    for (const value of equality.values) {
      this.rows.forEachWith(view, equality.key, value, (row) => {
        wanted = distinct(row)
        return wanted
      })
      if (!wanted) return
    }
  }

  #equality(position: number): Equality | undefined {
    return position < 0 ? undefined : this.equalities.find((candidate) => candidate.position === position)
  }

  /** How many rows an index has for an equality; -1 without an index. */
  estimate(view: GraphView, { key, values }: Equality): number {
    let total = 0
    for (const value of values) {
      const rows = this.rows.cardinality(view, key, value)
      if (rows < 0) return key === '@ID' ? values.length : -1
      total += rows
    }
    return total
  }
}
