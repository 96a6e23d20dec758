import type { ElementChange, GraphEdge, GraphNode, KeyChange } from '@skydive/contracts'
import type { ChangeColumns } from './change-columns.ts'
import { effectMs } from './revision-at.ts'
import { undone } from './revision-walk.ts'

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

  /**
   * `columns` are lent, from the first change on. `newest` is the newest revision of the row, which change `newestChange` made; `first` and `last`
   * are the changes of it that are told. One by one: an object for them is a fifth of what is made.
   */
  constructor(
    columns: ChangeColumns,
    newest: E,
    newestChange: number,
    first: number,
    last: number,
    keys: readonly KeyChange[],
    revisions: readonly number[],
  ) {
    this.id = newest.id
    this.keys = keys
    this.revisions = revisions
    this.#columns = columns
    this.#newest = newest
    this.#newestChange = newestChange
    this.#first = first
    this.#last = last
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
