import type { GraphElement, IndexValue, OrdinalVisitor } from '@skydive/contracts'
import { type FieldReader, forEachIndexValue } from '@skydive/filter'
import type { RowTable } from './row-table.ts'

/** The rows of one value. `rows` is in order of creation unless `ordered` is false. */
interface Posting {
  rows: Set<number>
  lastSequence: number
  ordered: boolean
}

/**
 * The living rows by the values of one field. A value with a single row costs one number; the order of creation is mended when a list is
 * read after a row has joined it late. Built from the table when it is first asked.
 */
export class HashIndex<E extends GraphElement> {
  readonly #postings = new Map<IndexValue, number | Posting>()
  readonly #table: RowTable<E>
  readonly #read: FieldReader<E>

  constructor(table: RowTable<E>, read: FieldReader<E>) {
    this.#table = table
    this.#read = read
    for (let row = table.first; row >= 0; row = table.after(row)) this.change(row, undefined, table.elements[row])
  }

  cardinality(value: IndexValue): number {
    const posting = this.#postings.get(value)
    return typeof posting === 'number' ? 1 : (posting?.rows.size ?? 0)
  }

  forEach(value: IndexValue, visit: OrdinalVisitor): void {
    const posting = this.#postings.get(value)
    if (posting === undefined) return
    if (typeof posting === 'number') {
      visit(posting)
      return
    }
    if (!posting.ordered) this.#order(posting)
    for (const row of posting.rows) if (visit(row) === false) return
  }

  /** What a row was, and what it is; `undefined` for a row that was not there, or is not there any more. */
  change(row: number, before: E | undefined, after: E | undefined): void {
    const old = before && this.#read(before)
    const value = after && this.#read(after)
    if (old === value) return
    forEachIndexValue(old, (gone) => this.#leave(gone, row))
    forEachIndexValue(value, (come) => this.#join(come, row))
  }

  #join(value: IndexValue, row: number): void {
    const posting = this.#postings.get(value)
    if (posting === undefined) {
      this.#postings.set(value, row)
      return
    }
    const sequence = this.#table.sequence[row]!
    if (typeof posting === 'number') {
      if (posting === row) return
      const first = this.#table.sequence[posting]!
      this.#postings.set(value, {
        rows: new Set([posting, row]),
        lastSequence: Math.max(first, sequence),
        ordered: first < sequence,
      })
      return
    }
    posting.rows.add(row)
    if (sequence < posting.lastSequence) posting.ordered = false
    else posting.lastSequence = sequence
  }

  #leave(value: IndexValue, row: number): void {
    const posting = this.#postings.get(value)
    if (posting === undefined) return
    if (typeof posting === 'number') {
      if (posting === row) this.#postings.delete(value)
      return
    }
    posting.rows.delete(row)
    if (posting.rows.size === 0) this.#postings.delete(value)
  }

  #order(posting: Posting): void {
    const { sequence } = this.#table
    posting.rows = new Set([...posting.rows].sort((a, b) => sequence[a]! - sequence[b]!))
    posting.ordered = true
  }
}
