import type { GraphEdge, GraphElement, GraphNode, MetadataValue } from '@skydive/contracts'
import type { GremlinResult } from '../result.ts'

/** An element that stayed in a result and has a new revision. */
export interface ElementUpdate<E extends GraphElement> {
  /** The revision that was in the result before. */
  readonly before: E
  /** The revision that is in it now. */
  readonly after: E
}

/**
 * What changed in a list of elements. An element that the query finds twice is in `added` twice; one that stays, however often it is found,
 * is in `changed` once. What is in `removed` is its last revision, with `deletedAtMs` when it was deleted.
 */
export interface ElementDelta<E extends GraphElement> {
  /** What is new in the result. */
  readonly added: readonly E[]
  /** What is in the result no longer. */
  readonly removed: readonly E[]
  /** What stayed and has a new revision. */
  readonly changed: readonly ElementUpdate<E>[]
}

interface DeltaBase {
  /** The version of the graph from which on this holds. */
  readonly version: number
  /** True in the first delta and after a loss: forget what you have, `added` (or `value`, `result`) is everything. */
  readonly reset: boolean
}

/** What changed in the result of a continuous query, by the kind of its result. */
export type WatchDelta =
  | (DeltaBase &
      ElementDelta<GraphNode> & {
        readonly kind: 'nodes'
        /** The ids in order, where the query declares one (`Sort` with `Limit` or `Range`). */
        readonly order?: readonly string[]
      })
  | (DeltaBase & ElementDelta<GraphEdge> & { readonly kind: 'edges'; readonly order?: readonly string[] })
  | (DeltaBase & { readonly kind: 'graph'; readonly nodes: ElementDelta<GraphNode>; readonly edges: ElementDelta<GraphEdge> })
  /** `Values` and its like: a multiset. */
  | (DeltaBase & {
      readonly kind: 'values'
      readonly added: readonly MetadataValue[]
      readonly removed: readonly MetadataValue[]
    })
  /** `Group`: what changed in each group; groups without a change are left out, and a group that is empty is gone. */
  | (DeltaBase & { readonly kind: 'groups'; readonly groups: ReadonlyMap<string, ElementDelta<GraphNode | GraphEdge>> })
  /** `Count`, `Sum`. */
  | (DeltaBase & { readonly kind: 'number'; readonly value: number })
  /** Any other kind of result, whole. */
  | (DeltaBase & { readonly kind: 'result'; readonly result: GremlinResult })

/** How a continuous query is kept up to date. */
export interface WatchPlan {
  /** The query in its canonical spelling, by which equal queries are known. */
  readonly text: string
  /** `delta`: by what changed. `rerun`: evaluated again when something has changed that may matter to it. */
  readonly mode: 'delta' | 'rerun'
  /** Why it is run again; only with `rerun`. */
  readonly reason?: string
  /** One line for each operator, from the source to the result. */
  readonly operators: readonly string[]
  /** The fields whose changes are looked at (`*`: all); additions and deletions always are. */
  readonly keys: readonly string[]
}
