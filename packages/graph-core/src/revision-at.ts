import type { GraphElement } from '@skydive/contracts'
import type { RevisionWalk } from './revision-walk.ts'
import type { RowTable } from './row-table.ts'

/**
 * A walk at the revision of a row that held at an instant, or `undefined`: of those with `updatedAtMs` up to then the one that was made last, in a
 * life that had begun and had not ended before. Elements bring their own times, which a sender may set back: the chain decides, not the time.
 */
export function revisionAt<E extends GraphElement>(table: RowTable<E>, row: number, timeMs: number): RevisionWalk<E> | undefined {
  if (table.deletedVersion[row] !== 0 && table.elements[row]!.deletedAtMs! < timeMs) return undefined
  const walk = table.walk(row)
  if (walk.createdAtMs > timeMs) return undefined
  while (walk.updatedAtMs > timeMs) if (!walk.back()) return undefined
  return walk
}

/**
 * When a change shows to those who look at the graph by time: from the returned ms on for what was made or changed, up to and including it
 * for what was deleted.
 */
export function effectMs({ createdAtMs, updatedAtMs, deletedAtMs }: GraphElement): number {
  return deletedAtMs ?? Math.max(createdAtMs, updatedAtMs)
}

/** The first ms from which on forgetting a change loses nothing: a deleted element still belongs to the instant of its deletion. */
export function settledMs(element: GraphElement): number {
  return element.deletedAtMs === null ? effectMs(element) : element.deletedAtMs + 1
}

/** A revision as it was known at a time: an end that came later is not told. */
export function asOf<E extends GraphElement>(element: E, timeMs: number): E {
  return element.deletedAtMs !== null && element.deletedAtMs > timeMs ? { ...element, deletedAtMs: null } : element
}
