import {
  type ElementChange,
  type GraphDiff,
  type GraphEdge,
  type GraphNode,
  InvalidArgumentError,
  type SliceCoverage,
} from '@skydive/contracts'
import { ChangedRow } from './changed-row.ts'
import { type IgnoredKeys, keyChanges } from './key-changes.ts'
import { effectMs } from './revision-at.ts'

/** What is known of one id at the two ends of a window. */
export interface EndsOfWindow<E extends GraphNode | GraphEdge> {
  /** The element. */
  readonly id: string
  /** The revision at the beginning, `undefined` when it was not there. */
  readonly from: E | undefined
  /** The revision at the end, `undefined` when it was not there. */
  readonly to: E | undefined
  /** The last revision, with `deletedAtMs`, of the life that `from` belongs to; read only for what is there no longer. */
  readonly last: E | undefined
  /** Numbers of the revisions that were made in the window, oldest first. */
  readonly revisions: readonly number[]
}

/**
 * What a diff says of one id, `undefined` when nothing that counts differs. For those who find the two ends by themselves: stores. The order
 * of a whole diff is that of {@link assembleDiff}.
 */
export function elementChange<E extends GraphNode | GraphEdge>(
  ends: EndsOfWindow<E>,
  ignored: IgnoredKeys,
): ElementChange<E> | undefined {
  const { id, from, to, last, revisions } = ends
  if (from && to) {
    const keys = keyChanges(from, to, ignored)
    return keys.length === 0 ? undefined : { change: 'changed', id, before: from, after: to, keys, revisions }
  }
  if (to) return { change: 'added', id, after: to, keys: [], revisions }
  if (from && last) return { change: 'removed', id, before: last, keys: [], revisions }
  return undefined
}

/** The parts of a diff before they are in order. */
export interface DiffParts {
  /** Nodes that came, went or changed. */
  readonly nodes: ElementChange<GraphNode>[]
  /** Edges that came, went or changed. */
  readonly edges: ElementChange<GraphEdge>[]
  /** What came and went within the window; see `GraphDiff`. */
  readonly transient: (GraphNode | GraphEdge)[]
}

/** Puts the parts of a diff in their order: last change, then id, nodes before edges. */
export function assembleDiff(fromMs: number, toMs: number, parts: DiffParts, coverage: SliceCoverage): GraphDiff {
  return {
    fromMs,
    toMs,
    nodes: sorted(parts.nodes, changedAtMs),
    edges: sorted(parts.edges, changedAtMs),
    transient: sorted(parts.transient, effectMs),
    coverage,
  }
}

/** Refuses a window that ends before it begins, or whose ends are no times. @throws ERR_INVALID_ARGUMENT. */
export function checkWindow(fromMs: number, toMs: number): void {
  // A difference is a number only where both are.
  if (fromMs - toMs <= 0) return
  throw new InvalidArgumentError(`nothing is from ${fromMs} to ${toMs}: write the earlier time first, both in ms`, {
    fromMs,
    toMs,
  })
}

function changedAtMs(change: ElementChange<GraphNode | GraphEdge>): number {
  return change instanceof ChangedRow ? change.shownAtMs : effectMs((change.after ?? change.before)!)
}

/** By time, then id. What comes in order already, as from a log, costs one look at each. */
function sorted<T extends { readonly id: string }>(items: readonly T[], timeMs: (item: T) => number): readonly T[] {
  const compare = (a: T, b: T): number => timeMs(a) - timeMs(b) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
  for (let i = 1; i < items.length; i++) if (compare(items[i - 1]!, items[i]!) > 0) return [...items].sort(compare)
  return items
}
