import type { ElementChange, GraphEdge, GraphNode, KeyChange } from '@skydive/contracts'
import type { ChangeColumns } from './change-columns.ts'
import { effectMs } from './revision-at.ts'
import { undone } from './revision-walk.ts'

/** Where the two ends of a row's changes are. */
export interface RowSpan<E extends GraphNode | GraphEdge> {
  /** The newest revision of the row, and the number of the change that made it. */
  readonly newest: E
  readonly newestChange: number
  /** The first and the last change of the row that are told. */
  readonly first: number
  readonly last: number
}

/**
 * An `ElementChange` whose two revisions are made when they are read first: most of those who ask what differs read the keys. To whoever reads,
 * copies, compares or serialises it, it is a plain object; until both are read it keeps the log's memory of the changes since.
 */
export class ChangedRow<E extends GraphNode | GraphEdge> implements ElementChange<E> {
  static readonly #BEFORE: PropertyDescriptor & ThisType<ChangedRow<GraphNode | GraphEdge>> = {
    enumerable: true,
    get() {
      return this.#readBefore()
    },
  }
  static readonly #AFTER: PropertyDescriptor & ThisType<ChangedRow<GraphNode | GraphEdge>> = {
    enumerable: true,
    get() {
      return this.#readAfter()
    },
  }

  readonly change = 'changed'
  readonly id: string
  declare readonly before: E
  declare readonly after: E
  readonly keys: readonly KeyChange[]
  readonly revisions: readonly number[]
  readonly #newest: E
  readonly #newestChange: number
  readonly #first: number
  readonly #last: number
  #columns: ChangeColumns | undefined
  #before: E | undefined
  #after: E | undefined

  /** `columns` are lent, from the first change on. */
  constructor(columns: ChangeColumns, span: RowSpan<E>, keys: readonly KeyChange[], revisions: readonly number[]) {
    this.id = span.newest.id
    this.keys = keys
    this.revisions = revisions
    this.#columns = columns
    this.#newest = span.newest
    this.#newestChange = span.newestChange
    this.#first = span.first
    this.#last = span.last
    // Accessors of the object itself: those of the class would be lost to copies, comparisons and messages.
    Object.defineProperty(this, 'before', ChangedRow.#BEFORE)
    Object.defineProperty(this, 'after', ChangedRow.#AFTER)
  }

  /** When the last of the changes shows: what a diff is sorted by, told without making a revision. */
  get shownAtMs(): number {
    return this.#columns?.time(this.#last) ?? effectMs(this.after)
  }

  #readAfter(): E {
    return (this.#after ??= undone(this.#columns!, this.#newest, this.#newestChange, this.#last + 1))
  }

  #readBefore(): E {
    if (this.#before === undefined) {
      this.#before = undone(this.#columns!, this.#readAfter(), this.#last, this.#first)
      this.#columns = undefined
    }
    return this.#before
  }
}
