import type { GraphElement } from '@skydive/contracts'
import { growFloat64, growInt32 } from './grow.ts'

/** One revision of one element, chained to the one before. `version` is that of the transaction which made it. */
export interface Revision<E> {
  readonly element: E
  readonly version: number
  /** Cut when the history that needs it is forgotten. */
  previous: Revision<E> | undefined
}

const INITIAL_ROWS = 64

/**
 * The rows of one kind of element. A row keeps its ordinal from creation until nobody can see it any more: while it lives, while the event
 * log holds its deletion, while a view that knew it is referenced. Only then the ordinal is used again. The living rows form a doubly
 * linked list in order of creation; an unlinked row keeps its links, so that undoing in reverse order puts it back where it was.
 */
export class RowTable<E extends GraphElement> {
  readonly heads: (Revision<E> | undefined)[] = []
  /** The living rows by id. */
  readonly byId = new Map<string, number>()
  /** Rows that are deleted and still remembered. */
  readonly graves = new Set<number>()
  createdVersion = new Float64Array(INITIAL_ROWS)
  /** 0 while the row lives. */
  deletedVersion = new Float64Array(INITIAL_ROWS)
  /** Order of creation over all rows that ever were. */
  sequence = new Float64Array(INITIAL_ROWS)
  first = -1
  last = -1
  private next = new Int32Array(INITIAL_ROWS)
  private previous = new Int32Array(INITIAL_ROWS)
  private readonly free: number[] = []
  private nextSequence = 1

  /** How many rows live. */
  get count(): number {
    return this.byId.size
  }

  /** One more than the greatest ordinal in use. */
  get ordinals(): number {
    return this.heads.length
  }

  /** The living row after `ordinal` in order of creation, or -1. */
  after(ordinal: number): number {
    return this.next[ordinal]!
  }

  /** Adds a living row and answers its ordinal. */
  insert(element: E, version: number): number {
    const ordinal = this.free.pop() ?? this.heads.length
    if (ordinal >= this.next.length) this.grow()
    this.heads[ordinal] = { element, version, previous: undefined }
    this.byId.set(element.id, ordinal)
    this.createdVersion[ordinal] = version
    this.deletedVersion[ordinal] = 0
    this.sequence[ordinal] = this.nextSequence++
    this.next[ordinal] = -1
    this.previous[ordinal] = this.last
    if (this.last < 0) this.first = ordinal
    else this.next[this.last] = ordinal
    this.last = ordinal
    return ordinal
  }

  /** Puts a new revision on top of a living row. */
  update(ordinal: number, element: E, version: number): Revision<E> {
    const revision: Revision<E> = { element, version, previous: this.heads[ordinal] }
    this.heads[ordinal] = revision
    return revision
  }

  /** Ends a row with its last revision; the row stays readable for older views. */
  remove(ordinal: number, element: E, version: number): Revision<E> {
    const revision = this.update(ordinal, element, version)
    this.deletedVersion[ordinal] = version
    this.byId.delete(element.id)
    this.graves.add(ordinal)
    const before = this.previous[ordinal]!
    const after = this.next[ordinal]!
    if (before < 0) this.first = after
    else this.next[before] = after
    if (after < 0) this.last = before
    else this.previous[after] = before
    return revision
  }

  /** Takes back {@link insert}; only right in the exact reverse order of what was done. */
  undoInsert(ordinal: number): void {
    const before = this.previous[ordinal]!
    if (before < 0) this.first = -1
    else this.next[before] = -1
    this.last = before
    this.byId.delete(this.heads[ordinal]!.element.id)
    this.release(ordinal)
  }

  undoUpdate(ordinal: number): void {
    this.heads[ordinal] = this.heads[ordinal]!.previous
  }

  undoRemove(ordinal: number): void {
    this.undoUpdate(ordinal)
    this.deletedVersion[ordinal] = 0
    this.graves.delete(ordinal)
    this.byId.set(this.heads[ordinal]!.element.id, ordinal)
    const before = this.previous[ordinal]!
    const after = this.next[ordinal]!
    if (before < 0) this.first = ordinal
    else this.next[before] = ordinal
    if (after < 0) this.last = ordinal
    else this.previous[after] = ordinal
  }

  /** Gives the ordinal of a forgotten row back. */
  release(ordinal: number): void {
    this.heads[ordinal] = undefined
    this.graves.delete(ordinal)
    this.free.push(ordinal)
  }

  /** Whether a row that is in use existed at `version`. */
  existsAt(ordinal: number, version: number): boolean {
    const deleted = this.deletedVersion[ordinal]!
    return this.createdVersion[ordinal]! <= version && (deleted === 0 || deleted > version)
  }

  /** The revision of a row as of `version`, at which the row must have existed. */
  elementAt(ordinal: number, version: number): E {
    let revision = this.heads[ordinal]!
    while (revision.version > version) revision = revision.previous!
    return revision.element
  }

  private grow(): void {
    this.createdVersion = growFloat64(this.createdVersion)
    this.deletedVersion = growFloat64(this.deletedVersion)
    this.sequence = growFloat64(this.sequence)
    this.next = growInt32(this.next)
    this.previous = growInt32(this.previous)
  }
}
