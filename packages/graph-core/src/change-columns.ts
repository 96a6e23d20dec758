import type { GraphElement, MetadataOp } from '@skydive/contracts'
import { ownMember } from './own-member.ts'
import { MANY_KEYS, NO_KEY, PathCodes } from './path-codes.ts'
import { effectMs } from './revision-at.ts'

const CHUNK_BITS = 10
const CHUNK = 1 << CHUNK_BITS

/** What a change did to its row. */
export const ADDED = 0
export const UPDATED = 1
export const DELETED = 2

/** The flag in {@link ROW} of a change of an edge. */
export const IS_EDGE = 1
const IS_FOREIGN = 2
const KIND_SHIFT = 2
/** How far the row is shifted in {@link ROW}. */
export const ROW_SHIFT = 4
const MAX_INT = 0x7fff_ffff

/** What of a row's word in the columns says what was done. */
export function kindOf(row: number): number {
  return (row >> KIND_SHIFT) & 3
}

/** What is kept of an update that one key and its old value can't take back: all there was, and what was done. */
export interface WholeUpdate {
  readonly previous: GraphElement
  readonly ops: readonly MetadataOp[]
}

const NO_VALUES: readonly unknown[] = []

/**
 * {@link CHUNK} changes. What belongs to one change lies together, as those who follow a row back touch one change here and another there.
 * The change at `slot` has two floats from `slot * 4` on, and from `slot * 8` on the ints of {@link ROW}, {@link KEY}, {@link DISTANCE} and
 * {@link REVISION}.
 */
export class Chunk {
  /** When a change shows (see `effectMs`), then the `updatedAtMs` of the row before it. */
  readonly floats = new Float64Array(CHUNK * 4)
  readonly ints = new Int32Array(this.floats.buffer)
  /**
   * From `slot * 2` on the values of the top-level key before and after the change (`undefined`: it had none); a {@link WholeUpdate} where the
   * key is `MANY_KEYS`. One is the other of the next change, so that holding both costs a place, and spares looking for it.
   */
  values: readonly unknown[] = NO_VALUES

  /** Another one with the first `count` changes. */
  copy(count: number): Chunk {
    const copy = new Chunk()
    copy.floats.set(this.floats)
    for (let slot = 0; slot < count; slot++) copy.put(slot, this.values[slot * 2], this.values[slot * 2 + 1])
    return copy
  }

  /** Additions and deletions have no values, so that many changes need no place for them. */
  put(slot: number, before: unknown, after: unknown): void {
    if (before === undefined && after === undefined && this.values === NO_VALUES) return
    if (this.values === NO_VALUES) this.values = new Array(CHUNK * 2).fill(undefined)
    const values = this.values as unknown[]
    values[slot * 2] = before
    values[slot * 2 + 1] = after
  }
}

/** Sixteen times the row, plus the kind and the two flags. */
export const ROW = 4
/** The code of the path that was set. */
export const KEY = 5
/** How many changes ago the row was changed before. */
export const DISTANCE = 6
/** The number of the revision that an update made. */
export const REVISION = 7

/**
 * The remembered changes as columns, in order of commit: what it takes to tell a change, to undo it and to see the graph before it. The change of
 * one key costs 40 bytes and its old value, whatever the element is made of. A change is named by its number, which stays the same while older
 * ones are forgotten; those of a transaction that runs stand at the end. Chunks, so that growing copies nothing and forgetting frees.
 */
export class ChangeColumns {
  #chunks: Chunk[] = []
  readonly #codes: PathCodes
  /** The number of the first change of the first chunk. */
  #base = 0
  /** The first number that is not forgotten, and the one after the last. */
  first = 0
  end = 0

  constructor(codes = new PathCodes()) {
    this.#codes = codes
  }

  /**
   * The changes from `number` on as they are now, for those who read them later: they stay right whatever is forgotten, written or undone. Costs a
   * reference for each chunk, and keeps these in memory.
   */
  lend(number: number): ChangeColumns {
    const lent = new ChangeColumns(this.#codes)
    const from = (number - this.#base) >> CHUNK_BITS
    lent.#chunks = this.#chunks.slice(from)
    lent.#base = this.#base + from * CHUNK
    lent.first = number
    lent.end = this.end
    return lent
  }

  pushAdded(isEdge: boolean, row: number, element: GraphElement): number {
    return this.#push(isEdge, row, ADDED, effectMs(element))
  }

  /** `last` is the number of the change that made `before`. */
  pushUpdated(
    isEdge: boolean,
    row: number,
    before: GraphElement,
    after: GraphElement,
    ops: readonly MetadataOp[],
    last: number,
  ): number {
    const number = this.#push(isEdge, row, UPDATED, effectMs(after))
    const chunk = this.chunkOf(number)
    const slot = this.slotOf(number)
    const { revision } = after
    const key = revision === before.revision + 1 && revision <= MAX_INT ? this.#codes.codeOf(ops) : MANY_KEYS
    chunk.floats[slot * 4 + 1] = before.updatedAtMs
    chunk.ints[slot * 8 + DISTANCE] = Math.min(number - last, MAX_INT)
    chunk.ints[slot * 8 + KEY] = key
    chunk.ints[slot * 8 + REVISION] = revision
    const top = this.#codes.top(key)
    if (key === MANY_KEYS) chunk.put(slot, { previous: before, ops } satisfies WholeUpdate, undefined)
    else chunk.put(slot, ownMember(before.metadata, top), ownMember(after.metadata, top))
    return number
  }

  pushDeleted(isEdge: boolean, row: number, element: GraphElement, last: number): number {
    const number = this.#push(isEdge, row, DELETED, effectMs(element))
    const chunk = this.chunkOf(number)
    chunk.floats[this.slotOf(number) * 4 + 1] = element.updatedAtMs
    chunk.ints[this.slotOf(number) * 8 + DISTANCE] = Math.min(number - last, MAX_INT)
    return number
  }

  /** Takes the newest change back; {@link settle} after the last one. */
  pop(): void {
    this.end--
  }

  /** After changes were taken back: those to whom they were lent go on reading them, where nobody writes any more. */
  settle(): void {
    const [last] = this.#chunks.splice((this.end - this.#base) >> CHUNK_BITS)
    if (last) this.#chunks.push(last.copy(this.slotOf(this.end)))
  }

  /** Forgets the oldest change; what it held goes with its chunk. */
  forgetFirst(): void {
    this.first++
    if (this.first - this.#base < CHUNK) return
    this.#chunks.shift()
    this.#base += CHUNK
  }

  /** When a change shows. */
  time(number: number): number {
    return this.#float(number, 0)
  }

  row(number: number): number {
    return this.#int(number, ROW) >> ROW_SHIFT
  }

  /** {@link ADDED}, {@link UPDATED} or {@link DELETED}. */
  kind(number: number): number {
    return kindOf(this.#int(number, ROW))
  }

  isEdge(number: number): boolean {
    return (this.#int(number, ROW) & IS_EDGE) !== 0
  }

  /** Whether a change shows at another time than that of its commit. */
  isForeign(number: number): boolean {
    return (this.#int(number, ROW) & IS_FOREIGN) !== 0
  }

  markForeign(number: number): void {
    const { ints } = this.chunkOf(number)
    const place = this.slotOf(number) * 8 + ROW
    ints[place] = ints[place]! | IS_FOREIGN
  }

  /** The number of the change of the same row before this one; that may be forgotten. Only of what is not an addition. */
  before(number: number): number {
    return number - this.#int(number, DISTANCE)
  }

  /** A code for the path that an update set; {@link MANY_KEYS} when it was more than that, {@link NO_KEY} when there was no update. */
  key(number: number): number {
    return this.#int(number, KEY)
  }

  /** The path behind a code. */
  path(key: number): string {
    return this.#codes.path(key)
  }

  /** The top-level key of a path's code. */
  top(key: number): string {
    return this.#codes.top(key)
  }

  /** What the top-level key of a change held before, `undefined` when it was not there; under `MANY_KEYS` a {@link WholeUpdate}. */
  old(number: number): unknown {
    return this.chunkOf(number).values[this.slotOf(number) * 2]
  }

  /** What is kept of an update under `MANY_KEYS`. */
  whole(number: number): WholeUpdate {
    return this.old(number) as WholeUpdate
  }

  #float(number: number, field: number): number {
    return this.chunkOf(number).floats[this.slotOf(number) * 4 + field]!
  }

  #int(number: number, field: number): number {
    return this.chunkOf(number).ints[this.slotOf(number) * 8 + field]!
  }

  #push(isEdge: boolean, row: number, kind: number, timeMs: number): number {
    const number = this.end++
    const index = (number - this.#base) >> CHUNK_BITS
    if (index === this.#chunks.length) this.#chunks.push(new Chunk())
    const chunk = this.#chunks[index]!
    const slot = this.slotOf(number)
    chunk.floats[slot * 4] = timeMs
    chunk.ints[slot * 8 + ROW] = (row << ROW_SHIFT) | (kind << KIND_SHIFT) | (isEdge ? IS_EDGE : 0)
    chunk.ints[slot * 8 + KEY] = NO_KEY
    return number
  }

  /** Where a change is, for those who read several of its columns. */
  chunkOf(number: number): Chunk {
    return this.#chunks[(number - this.#base) >> CHUNK_BITS]!
  }

  slotOf(number: number): number {
    return (number - this.#base) & (CHUNK - 1)
  }
}
