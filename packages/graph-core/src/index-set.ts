import type { GraphElement, MetadataOp } from '@skydive/contracts'
import type { FieldReader } from '@skydive/filter'
import { HashIndex } from './hash-index.ts'
import type { RowTable } from './row-table.ts'

/** The declared indexes of one kind of element. An index that nobody asked yet costs nothing. */
export class IndexSet<E extends GraphElement> {
  readonly #built = new Map<string, HashIndex<E>>()
  readonly #declared: ReadonlyMap<string, FieldReader<E>>
  readonly #table: RowTable<E>

  constructor(table: RowTable<E>, declared: ReadonlyMap<string, FieldReader<E>>) {
    this.#table = table
    this.#declared = declared
  }

  /** The index of `key`, built on the first call; `undefined` when none is declared. */
  get(key: string): HashIndex<E> | undefined {
    const read = this.#declared.get(key)
    let index = this.#built.get(key)
    if (read && !index) {
      index = new HashIndex(this.#table, read)
      this.#built.set(key, index)
    }
    return index
  }

  reader(key: string): FieldReader<E> | undefined {
    return this.#declared.get(key)
  }

  /**
   * As {@link HashIndex.change}. `ops` are what makes the one of the other, where that is known: an index of other keys is not looked at. First
   * letters tell enough of them apart; `@UpdatedAt` and `@Revision` change with each.
   */
  change(row: number, before: E | undefined, after: E | undefined, ops?: readonly MetadataOp[]): void {
    for (const [key, index] of this.#built) {
      if (!ops?.every((op) => op.op !== 'replace' && op.key[0] !== key[0]) || key[0] === '@') index.change(row, before, after)
    }
  }
}
