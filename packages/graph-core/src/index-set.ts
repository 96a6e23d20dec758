import type { GraphElement } from '@skydive/contracts'
import type { FieldReader } from '@skydive/filter'
import { HashIndex } from './hash-index.ts'
import type { RowTable } from './row-table.ts'

/** The declared indexes of one kind of element. An index that nobody asked yet costs nothing. */
export class IndexSet<E extends GraphElement> {
  private readonly built = new Map<string, HashIndex<E>>()
  private readonly declared: ReadonlyMap<string, FieldReader<E>>
  private readonly table: RowTable<E>

  constructor(table: RowTable<E>, declared: ReadonlyMap<string, FieldReader<E>>) {
    this.table = table
    this.declared = declared
  }

  /** The index of `key`, built on the first call; `undefined` when none is declared. */
  get(key: string): HashIndex<E> | undefined {
    const index = this.built.get(key)
    if (index) return index
    const read = this.declared.get(key)
    if (!read) return undefined
    const created = new HashIndex(this.table, read)
    this.built.set(key, created)
    return created
  }

  reader(key: string): FieldReader<E> | undefined {
    return this.declared.get(key)
  }

  add(row: number, element: E): void {
    for (const index of this.built.values()) index.add(row, element)
  }

  remove(row: number, element: E): void {
    for (const index of this.built.values()) index.remove(row, element)
  }

  update(row: number, before: E, after: E): void {
    for (const index of this.built.values()) index.update(row, before, after)
  }
}
