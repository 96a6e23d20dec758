import {
  CancelledError,
  type Clock,
  type DiffOptions,
  type ElementSelection,
  type GraphBatch,
  type GraphDiff,
  type GraphEdge,
  type GraphElement,
  type GraphEvent,
  type GraphNode,
  type GraphView,
  InvalidArgumentError,
  type Logger,
  type Metadata,
  NOISY_KEYS,
  type ReadOptions,
  type SliceCoverage,
  type StoreStatus,
  type TimeSlice,
  type TopologyStore,
} from '@skydive/contracts'
import { viewOf } from '@skydive/graph'
import type { LiveElement, StoredElement, StoredRevision, TopologyChange } from './messages.ts'
import type { StoreThread } from './store-thread.ts'
import { WriteQueue } from './write-queue.ts'

/** Changes held while the medium refuses: about 100 MB of keyframes at worst. */
const QUEUE_CAPACITY = 100_000

/** Elements that `select` gives at a time: their metadata is parsed then. */
const SELECT_BATCH = 500

/** What the topology store needs. */
export interface TopologyStoreOptions {
  readonly thread: StoreThread
  readonly clock: Clock
  readonly logger: Logger
  /** The live graph, asked for when changes had to be dropped, so that the store can catch up. */
  readonly snapshot?: () => { readonly nodes: readonly GraphNode[]; readonly edges: readonly GraphEdge[] }
}

/** The history of the graph in the store's files. */
export class SqliteTopologyStore implements TopologyStore {
  readonly #thread: StoreThread
  readonly #queue: WriteQueue<TopologyChange>
  #bytes = 0

  constructor({ thread, clock, logger, snapshot }: TopologyStoreOptions) {
    this.#thread = thread
    this.#queue = new WriteQueue({
      name: 'topology',
      capacity: QUEUE_CAPACITY,
      clock,
      logger,
      write: async (changes) => {
        await thread.ask('appendTopology', { changes, nowMs: clock.now() })
        this.#bytes = (await thread.ask('status', undefined)).bytes
      },
      onGap: () => {
        const live = snapshot?.()
        if (live)
          void this.reconcile(live, clock.now()).catch((error: Error) =>
            logger.error({ error: error.message }, 'store could not catch up'),
          )
      },
    })
  }

  append(batch: GraphBatch): void {
    this.#queue.push(batch.events.map(changeOf))
  }

  async reconcile(
    live: { readonly nodes: readonly GraphNode[]; readonly edges: readonly GraphEdge[] },
    timeMs: number,
    { origin }: { readonly origin?: string } = {},
  ): Promise<void> {
    this.#queue.push([{ op: 'reconcile', live: [...live.nodes, ...live.edges].map(liveElement), timeMs, origin }])
    await this.#queue.flush()
  }

  async open(slice?: TimeSlice, options?: ReadOptions): Promise<GraphView> {
    if (!slice)
      throw new InvalidArgumentError('the topology store keeps the past: ask the live graph for the present, or give a slice')
    const revisions = await this.#read(options?.signal, () => this.#thread.ask('readTopology', slice))
    return viewOf({
      slice,
      nodes: revisions.filter(({ kind }) => kind === 'node').map(nodeOf),
      edges: revisions.filter(({ kind }) => kind === 'edge').map(edgeOf),
    })
  }

  /** The worker looks for them, so that only what is meant crosses the border between the threads. */
  async *select(
    selection: ElementSelection,
    slice: TimeSlice | undefined,
    options?: ReadOptions,
  ): AsyncGenerator<readonly (GraphNode | GraphEdge)[]> {
    if (!slice) throw new InvalidArgumentError('the topology store keeps the past: select from the live graph, or give a slice')
    const found = await this.#read(options?.signal, () => this.#thread.ask('selectTopology', { selection, slice }))
    for (let from = 0; from < found.length; from += SELECT_BATCH) {
      yield found.slice(from, from + SELECT_BATCH).map((row) => (row.kind === 'node' ? nodeOf(row) : edgeOf(row)))
    }
  }

  async diff(fromMs: number, toMs: number, { signal, ignoreKeys = NOISY_KEYS }: DiffOptions = {}): Promise<GraphDiff> {
    return this.#read(signal, () => this.#thread.ask('diffTopology', { fromMs, toMs, ignoreKeys }))
  }

  async history(id: string, slice?: TimeSlice, options?: ReadOptions): Promise<readonly (GraphNode | GraphEdge)[]> {
    return this.#read(options?.signal, () => this.#thread.ask('topologyHistory', { id, slice }))
  }

  /** Reads what is stored, after all that was accepted before. */
  async #read<T>(signal: AbortSignal | undefined, ask: () => Promise<T>): Promise<T> {
    if (signal?.aborted) throw new CancelledError()
    await this.flush()
    const answer = await ask()
    if (signal?.aborted) throw new CancelledError()
    return answer
  }

  async coverage(slice: TimeSlice): Promise<SliceCoverage> {
    const knownFromMs = await this.#thread.ask('topologyCoverage', undefined)
    if (knownFromMs !== undefined && knownFromMs <= slice.startMs) return { complete: true }
    return { complete: false, knownFromMs: knownFromMs ?? Number.POSITIVE_INFINITY }
  }

  /** Makes readable what was accepted; a medium that refuses is no reason not to answer from what is there. */
  async flush(): Promise<void> {
    await this.#queue.flush().catch(() => undefined)
  }

  status(): StoreStatus {
    return { ...this.#queue.status(), bytes: this.#bytes }
  }

  close(): Promise<void> {
    return this.#queue.close()
  }
}

function storedElement(element: GraphNode | GraphEdge): StoredElement {
  return {
    kind: element.kind,
    id: element.id,
    parent: element.kind === 'edge' ? element.parent : '',
    child: element.kind === 'edge' ? element.child : '',
    host: element.host,
    origin: element.origin,
    createdAtMs: element.createdAtMs,
  }
}

function liveElement(element: GraphNode | GraphEdge): LiveElement {
  return {
    element: storedElement(element),
    revision: element.revision,
    updatedAtMs: element.updatedAtMs,
    metadata: element.metadata,
  }
}

/** What the history keeps of an event. */
export function changeOf(event: GraphEvent): TopologyChange {
  const element = 'node' in event ? event.node : event.edge
  if (event.kind === 'node-added' || event.kind === 'edge-added') return { op: 'put', ...liveElement(element) }
  if (event.kind === 'node-updated' || event.kind === 'edge-updated') {
    return {
      op: 'patch',
      kind: element.kind,
      id: element.id,
      revision: element.revision,
      updatedAtMs: element.updatedAtMs,
      ops: event.ops,
    }
  }
  return { op: 'delete', kind: element.kind, id: element.id, deletedAtMs: element.deletedAtMs ?? element.updatedAtMs }
}

function elementOf(stored: StoredRevision): GraphElement {
  const { id, host, origin, createdAtMs, updatedAtMs, deletedAtMs, revision } = stored
  return { id, host, origin, createdAtMs, updatedAtMs, deletedAtMs, revision, metadata: JSON.parse(stored.metadata) as Metadata }
}

function nodeOf(stored: StoredRevision): GraphNode {
  return { kind: 'node', ...elementOf(stored) }
}

function edgeOf(stored: StoredRevision): GraphEdge {
  return { kind: 'edge', ...elementOf(stored), parent: stored.parent, child: stored.child }
}
