import type { GraphEdge, GraphNode } from './element.ts'
import type { GraphBatch } from './events.ts'
import type { EnhancedFlow } from './flow.ts'
import type { FlowReader } from './flow-reader.ts'
import type { GraphSource } from './graph-view.ts'

/** How a store fares; goes into `/api/status` and `/metrics`. Every drop is counted by its cause. */
export interface StoreStatus {
  readonly state: 'ok' | 'degraded' | 'closed'
  /** Why it is degraded, in one line; absent when it is not. */
  readonly reason?: string
  /** Batches accepted and not yet durable. */
  readonly queued: number
  readonly written: number
  /** Dropped because the queue was full or the medium refused, in batches (topology) or flows. */
  readonly dropped: number
  readonly bytes: number
}

/**
 * Keeps every revision of the graph. It consumes the event log; it is no `GraphWriter`.
 *
 * `append` never blocks and never throws: a full queue drops and counts (`status().dropped`). What was accepted more than a second ago
 * survives `kill -9`. Batches arrive in order of version, once.
 */
export interface TopologyStore extends GraphSource {
  append(batch: GraphBatch): void
  /**
   * Told after a start with the elements of the live graph, so that what died while nobody watched ends in the past at `timeMs`. With
   * `origin` they are those of one writer, and only what that one wrote may end. It has its place among the batches: those appended before
   * are kept before, those appended after it stay as they are. Resolves when it is durable; rejects with why it can't be now, and is then
   * kept and tried again as batches are.
   */
  reconcile(
    live: { readonly nodes: readonly GraphNode[]; readonly edges: readonly GraphEdge[] },
    timeMs: number,
    options?: { readonly origin?: string },
  ): Promise<void>
  /** Resolves when everything accepted so far is durable. */
  flush(): Promise<void>
  status(): StoreStatus
  close(): Promise<void>
}

/** Keeps flows, idempotently: the same (UUID, update) stored twice is there once. Other rules as {@link TopologyStore}. */
export interface FlowStore extends FlowReader {
  append(flows: readonly EnhancedFlow[]): void
  flush(): Promise<void>
  status(): StoreStatus
  close(): Promise<void>
}

/** A stored object. `modified` grows with every write of the store. */
export interface KeyValueEntry {
  readonly key: string
  readonly value: string
  readonly modified: number
  /** When it goes by itself, ms since the epoch. */
  readonly expiresAtMs?: number
}

/** A change seen by a watcher. `expire` and `delete` carry the last value. */
export interface KeyValueEvent {
  readonly type: 'set' | 'delete' | 'expire'
  readonly entry: KeyValueEntry
}

/**
 * Small objects by key (`/capture/<uuid>`): captures, alerts, rules. Values are JSON text. A write is durable when its promise resolves.
 * Errors: `ERR_CONFLICT` for `create` on a taken key, `ERR_UNAVAILABLE` when the medium refuses.
 */
export interface KeyValueStore {
  get(key: string): Promise<KeyValueEntry | undefined>
  /** Entries whose key begins with `prefix`, sorted by key. */
  list(prefix: string): Promise<readonly KeyValueEntry[]>
  create(key: string, value: string, options?: { readonly ttlMs?: number }): Promise<KeyValueEntry>
  set(key: string, value: string, options?: { readonly ttlMs?: number }): Promise<KeyValueEntry>
  /** `false` when there was none. */
  delete(key: string): Promise<boolean>
  /** Every change under `prefix` from now on, in order. */
  watch(prefix: string, listener: (event: KeyValueEvent) => void): () => void
  close(): Promise<void>
}
