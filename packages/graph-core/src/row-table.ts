import type { GraphEdge, GraphElement, GraphNode, MetadataOp } from '@skydive/contracts'
import type { FieldReader } from '@skydive/filter'
import type { ChangeColumns } from './change-columns.ts'
import { growFloat64, growInt32 } from './grow.ts'
import { IdTable } from './id-table.ts'
import { IndexSet } from './index-set.ts'
import { RevisionWalk, undone } from './revision-walk.ts'

const INITIAL_ROWS = 64

/**
 * The rows of one kind of element. A row keeps its ordinal from creation until nobody can see it any more: while it lives, while the event
 * log holds its deletion, while a view that knew it is referenced. Only then the ordinal is used again. The living rows form a doubly
 * linked list in order of creation; an unlinked row keeps its links, so that undoing in reverse order puts it back where it was.
 */
export class RowTable<E extends GraphElement> {
  /** The newest revision of each row; older ones are made from it and the remembered changes. */
  readonly elements: (E | undefined)[] = []
  /** The number of the change that made it. */
  lastChange = new Float64Array(INITIAL_ROWS)
  /** The living rows by id. */
  readonly byId = new IdTable()
  /** Rows that are deleted and still remembered. */
  readonly graves = new Set<number>()
  /** The same by id, in order of creation: an id that came back has several lives. */
  readonly #gravesById = new Map<string, number[]>()
  /**
   * Rows in whose chain a revision is older, by `updatedAtMs`, than the one before it: a sender set its clock back. What holds for a point in
   * time can't be told from the order of the chain then.
   */
  readonly backdated = new Set<number>()
  createdVersion = new Float64Array(INITIAL_ROWS)
  /** 0 while the row lives. */
  deletedVersion = new Float64Array(INITIAL_ROWS)
  /** Order of creation over all rows that ever were. */
  sequence = new Float64Array(INITIAL_ROWS)
  first = -1
  last = -1
  #next = new Int32Array(INITIAL_ROWS)
  #previous = new Int32Array(INITIAL_ROWS)
  readonly #free: number[] = []
  #nextSequence = 1
  readonly columns: ChangeColumns
  readonly isEdges: boolean
  /** Kept by those who change the rows: what is undone leaves them in another order than it came. */
  readonly indexes: IndexSet<E>

  /** `isEdges` says for what the changes in the columns are told, `indexes` what can be looked up. */
  constructor(columns: ChangeColumns, isEdges: boolean, indexes: ReadonlyMap<string, FieldReader<E>>) {
    this.columns = columns
    this.isEdges = isEdges
    this.indexes = new IndexSet(this, indexes)
  }

  /** How many rows live. */
  get count(): number {
    return this.byId.size
  }

  /** One more than the greatest ordinal in use. */
  get ordinals(): number {
    return this.elements.length
  }

  /** The living row after `ordinal` in order of creation, or -1. */
  after(ordinal: number): number {
    return this.#next[ordinal]!
  }

  /** Adds a living row and answers its ordinal. */
  insert(element: E, version: number): number {
    const ordinal = this.#free.pop() ?? this.elements.length
    if (ordinal >= this.#next.length) this.#grow()
    this.elements[ordinal] = element
    this.lastChange[ordinal] = this.columns.pushAdded(this.isEdges, ordinal, element)
    this.byId.add(element.id, ordinal)
    this.createdVersion[ordinal] = version
    this.deletedVersion[ordinal] = 0
    this.sequence[ordinal] = this.#nextSequence++
    this.#next[ordinal] = -1
    this.#previous[ordinal] = this.last
    if (this.last < 0) this.first = ordinal
    else this.#next[this.last] = ordinal
    this.last = ordinal
    return ordinal
  }

  /** Puts a new revision on top of a living row; `ops` are what makes it from the one before. */
  update(ordinal: number, element: E, ops: readonly MetadataOp[]): void {
    const before = this.elements[ordinal]!
    if (before.updatedAtMs > element.updatedAtMs) this.backdated.add(ordinal)
    this.elements[ordinal] = element
    this.lastChange[ordinal] = this.columns.pushUpdated(this.isEdges, ordinal, before, element, ops, this.lastChange[ordinal]!)
  }

  /** Ends a row with its last revision; the row stays readable for older views. */
  remove(ordinal: number, element: E, version: number): void {
    this.elements[ordinal] = element
    this.lastChange[ordinal] = this.columns.pushDeleted(this.isEdges, ordinal, element, this.lastChange[ordinal]!)
    this.deletedVersion[ordinal] = version
    this.byId.delete(element.id)
    this.graves.add(ordinal)
    const lives = this.#gravesById.get(element.id)
    if (lives) lives.push(ordinal)
    else this.#gravesById.set(element.id, [ordinal])
    const before = this.#previous[ordinal]!
    const after = this.#next[ordinal]!
    if (before < 0) this.first = after
    else this.#next[before] = after
    if (after < 0) this.last = before
    else this.#previous[after] = before
  }

  /** Takes back {@link insert}; only right in the exact reverse order of what was done. */
  undoInsert(ordinal: number): void {
    const before = this.#previous[ordinal]!
    if (before < 0) this.first = -1
    else this.#next[before] = -1
    this.last = before
    this.byId.delete(this.elements[ordinal]!.id)
    this.columns.pop()
    this.release(ordinal)
  }

  undoUpdate(ordinal: number, previous: E): void {
    this.elements[ordinal] = previous
    this.lastChange[ordinal] = this.columns.before(this.lastChange[ordinal]!)
    this.columns.pop()
  }

  undoRemove(ordinal: number, previous: E): void {
    this.#unbury(ordinal)
    this.undoUpdate(ordinal, previous)
    this.deletedVersion[ordinal] = 0
    this.byId.add(previous.id, ordinal)
    const before = this.#previous[ordinal]!
    const after = this.#next[ordinal]!
    if (before < 0) this.first = ordinal
    else this.#next[before] = ordinal
    if (after < 0) this.last = ordinal
    else this.#previous[after] = ordinal
  }

  /** Gives the ordinal of a forgotten row back. */
  release(ordinal: number): void {
    this.#unbury(ordinal)
    this.elements[ordinal] = undefined
    this.backdated.delete(ordinal)
    this.#free.push(ordinal)
  }

  /** The rows of an id that are known, in order of creation: those that are remembered, then the living one. */
  lives(id: string): readonly number[] {
    const buried = this.#gravesById.get(id)
    const living = this.byId.get(id)
    if (living === undefined) return buried ?? []
    return buried ? [...buried, living] : [living]
  }

  /** Whether the id has one row only, the cheap and common case of {@link lives}. */
  hasOneLife(id: string): boolean {
    if (this.graves.size === 0) return true
    const buried = this.#gravesById.get(id)
    return buried === undefined || (buried.length === 1 && !this.byId.has(id))
  }

  #unbury(ordinal: number): void {
    if (!this.graves.delete(ordinal)) return
    const { id } = this.elements[ordinal]!
    const lives = this.#gravesById.get(id)!
    if (lives.length === 1) this.#gravesById.delete(id)
    else lives.splice(lives.indexOf(ordinal), 1)
  }

  /** Whether a row that is in use existed at `version`. */
  existsAt(ordinal: number, version: number): boolean {
    const deleted = this.deletedVersion[ordinal]!
    return this.createdVersion[ordinal]! <= version && (deleted === 0 || deleted > version)
  }

  /** The revision of a row before the changes from number `mark` on; the row must have existed then. */
  elementAt(ordinal: number, mark: number): E {
    const element = this.elements[ordinal]!
    const change = this.lastChange[ordinal]!
    return change < mark ? element : undone(this.columns, element, change, mark)
  }

  /** The revisions of a row, from the newest. */
  walk(ordinal: number): RevisionWalk<E> {
    return new RevisionWalk(this.columns, this.elements[ordinal]!, this.lastChange[ordinal]!)
  }

  #grow(): void {
    this.createdVersion = growFloat64(this.createdVersion)
    this.deletedVersion = growFloat64(this.deletedVersion)
    this.sequence = growFloat64(this.sequence)
    this.lastChange = growFloat64(this.lastChange)
    this.#next = growInt32(this.#next)
    this.#previous = growInt32(this.#previous)
  }
}

/** The rows of both kinds; their changes are told in the same columns. */
export interface RowTables {
  readonly nodes: RowTable<GraphNode>
  readonly edges: RowTable<GraphEdge>
}
