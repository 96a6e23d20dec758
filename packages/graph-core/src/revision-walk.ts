import type { GraphElement, MetadataValue } from '@skydive/contracts'
import { ADDED, type ChangeColumns, DELETED, DISTANCE, KEY, kindOf, REVISION, ROW } from './change-columns.ts'
import { elementRevision } from './element-revision.ts'
import { MANY_KEYS } from './path-codes.ts'

/**
 * The revision before the changes from number `mark` on, made from a later one of the same row, which change number `change` made. The objects
 * below the top level are shared. Costs a copy of the top level and a step for each change.
 */
export function undone<E extends GraphElement>(columns: ChangeColumns, later: E, change: number, mark: number): E {
  let base = later
  let metadata: Record<string, MetadataValue> | undefined
  let { updatedAtMs, revision, deletedAtMs } = base
  for (let number = change; number >= mark; ) {
    const chunk = columns.chunkOf(number)
    const slot = columns.slotOf(number)
    const kind = kindOf(chunk.ints[slot * 8 + ROW]!)
    const key = chunk.ints[slot * 8 + KEY]!
    if (kind === DELETED) deletedAtMs = null
    else if (key === MANY_KEYS) {
      base = columns.whole(number).previous as E
      metadata = undefined
      updatedAtMs = base.updatedAtMs
      revision = base.revision
      deletedAtMs = base.deletedAtMs
    } else {
      metadata ??= { ...base.metadata }
      updatedAtMs = chunk.floats[slot * 4 + 1]!
      revision = chunk.ints[slot * 8 + REVISION]! - 1
      const old = chunk.values[slot * 2] as MetadataValue | undefined
      if (old === undefined) delete metadata[columns.top(key)]
      else metadata[columns.top(key)] = old
    }
    number -= chunk.ints[slot * 8 + DISTANCE]!
  }
  if (metadata === undefined && deletedAtMs === base.deletedAtMs) return base
  return elementRevision(base, metadata ?? base.metadata, updatedAtMs, deletedAtMs, revision)
}

/** Goes from the newest revision of a row to older ones, as far back as they are remembered. Objects are made only for the asked ones. */
export class RevisionWalk<E extends GraphElement> {
  readonly createdAtMs: number
  /** Those of the revision where the walk is. */
  updatedAtMs: number
  deletedAtMs: number | null
  revision: number
  /** The number of the change that made it; that may be forgotten. */
  change: number
  readonly #columns: ChangeColumns
  /** The last revision that was made, and the change that it stands for. */
  #known: E
  #knownChange: number

  /** At the newest revision of a row, which change number `change` made. */
  constructor(columns: ChangeColumns, known: E, change: number) {
    this.#columns = columns
    this.#known = known
    this.#knownChange = change
    this.change = change
    this.createdAtMs = known.createdAtMs
    this.updatedAtMs = known.updatedAtMs
    this.deletedAtMs = known.deletedAtMs
    this.revision = known.revision
  }

  /** Goes to the revision before; `false` when there is none or it is forgotten. */
  back(): boolean {
    const { change } = this
    const columns = this.#columns
    if (change < columns.first) return false
    const chunk = columns.chunkOf(change)
    const slot = columns.slotOf(change)
    const kind = kindOf(chunk.ints[slot * 8 + ROW]!)
    if (kind === ADDED) return false
    if (kind === DELETED) this.deletedAtMs = null
    else {
      this.updatedAtMs = chunk.floats[slot * 4 + 1]!
      const isWhole = chunk.ints[slot * 8 + KEY] === MANY_KEYS
      this.revision = isWhole ? columns.whole(change).previous.revision : this.revision - 1
    }
    this.change = change - chunk.ints[slot * 8 + DISTANCE]!
    return true
  }

  /** The revision where the walk is. Costs what has changed since the one that was asked for before. */
  element(): E {
    if (this.change !== this.#knownChange) {
      this.#known = undone(this.#columns, this.#known, this.#knownChange, this.change + 1)
      this.#knownChange = this.change
    }
    return this.#known
  }
}
