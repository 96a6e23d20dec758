import type {
  Clock,
  Cursor,
  DiffOptions,
  GraphBatch,
  GraphDiff,
  GraphEdge,
  GraphEvents,
  GraphListener,
  GraphNode,
  GraphReplica,
  GraphSource,
  GraphTransaction,
  GraphView,
  GraphWriter,
  ReadOptions,
  SliceCoverage,
  SubscribeOptions,
  TimeSlice,
  Unsubscribe,
} from '@skydive/contracts'
import { CancelledError, InvariantError, randomId, UnsupportedError } from '@skydive/contracts'
import { elementField, type FieldReader } from '@skydive/filter'
import { DEFAULT_EDGE_INDEXES, DEFAULT_NODE_INDEXES } from './default-indexes.ts'
import { LogDiffer } from './diff.ts'
import { Dispatcher } from './dispatcher.ts'
import { checkWindow } from './element-change.ts'
import { EventLog, type Retention } from './event-log.ts'
import { GraphState } from './graph-state.ts'
import { historyOf } from './history.ts'
import { LiveView } from './live-view.ts'
import { openPast } from './past.ts'
import { Pins } from './pins.ts'
import { StateReplica } from './replica.ts'
import { StateTransaction } from './transaction.ts'

/** How a graph is made; everything may be left out. */
export interface GraphOptions {
  /** Where the time comes from; the system's clock by default. Only `now` is used. */
  readonly clock?: Pick<Clock, 'now'>
  /** Metadata paths (or `@` names) of nodes to be looked up without a scan, besides {@link DEFAULT_NODE_INDEXES}. */
  readonly nodeIndexes?: readonly string[]
  /** The same of edges, besides {@link DEFAULT_EDGE_INDEXES}. */
  readonly edgeIndexes?: readonly string[]
  /**
   * How much of the past stays in memory, for `open(slice)` and `since`. Default: 10 minutes, 64 MiB. `bytes: 0` keeps none: then a slice
   * is refused with `ERR_UNSUPPORTED`.
   */
  readonly retention?: Partial<Retention>
  /** Names this run of the graph in cursors; random by default. */
  readonly epoch?: string
  /** Gets what a listener threw. By default it is thrown again, outside of the commit, so that it is not lost. */
  readonly onListenerError?: (error: unknown) => void
}

/** What a graph holds at the moment. */
export interface GraphStats {
  /** How many transactions have changed something. */
  readonly version: number
  /** Nodes that are there now. */
  readonly nodes: number
  /** Edges that are there now. */
  readonly edges: number
  /** Subscriptions that are open. */
  readonly listeners: number
  /** Transactions that are remembered. */
  readonly logLength: number
  /** What they occupy, bytes, as `retention.bytes` counts. */
  readonly logBytes: number
  /** From when on every revision is remembered, ms since the epoch. */
  readonly knownFromMs: number
  /** Views in use, whose version can't be forgotten. */
  readonly pinnedViews: number
}

/** Whom a writer writes for: `{ origin: 'agent.alpha', host: 'alpha' }`; both are texts of your own choice. */
export interface WriterOptions {
  /** Who changes and deletes what is written; others may only link to it. */
  readonly origin: string
  /** Where what is written was seen, if an element does not say otherwise. */
  readonly host: string
}

/** A graph in memory: what is written by origin, read by version or by time, and followed by batch. */
export interface Graph extends GraphSource, GraphEvents {
  /** The present; the same object until the next commit. A view that is kept shows its version for ever, at a cost that grows with what changed since. */
  readonly view: GraphView
  /** The right to write as one origin. Any number of writers may share one. */
  writer(options: WriterOptions): GraphWriter
  /** The copy of a foreign origin. */
  replica(origin: string): GraphReplica
  /** The graph at an instant, from the revisions in memory; see {@link GraphSource.coverage} for whether they reach. O(elements). @throws ERR_INVALID_ARGUMENT for what is no time. */
  at(timeMs: number): GraphView
  /** Every revision between two instants, both inclusive. @throws ERR_INVALID_ARGUMENT when the second is earlier. */
  between(startMs: number, lastMs: number): GraphView
  /**
   * What differs between `at(fromMs)` and `at(toMs)`; see {@link GraphSource.diff}. About a microsecond for each change in between, whatever the
   * size of the graph.
   */
  diff(fromMs: number, toMs: number, options?: DiffOptions): GraphDiff
  /** The remembered revisions of one node or edge; see {@link GraphSource.history}. Costs what is remembered of it. */
  history(id: string, slice?: TimeSlice): readonly (GraphNode | GraphEdge)[]
  /** Counts as of now. O(1). */
  stats(): GraphStats
}

const DEFAULT_RETENTION: Retention = { ageMs: 600_000, bytes: 64 * 1024 * 1024 }

/** An empty graph. No timer, no I/O: it does something only when it is called. */
export function createGraph(options: GraphOptions = {}): Graph {
  return new MemoryGraph(options)
}

class MemoryGraph implements Graph {
  readonly #state: GraphState
  readonly #log: EventLog
  readonly #differ: LogDiffer
  readonly #pins = new Pins()
  readonly #dispatcher: Dispatcher
  readonly #clock: Pick<Clock, 'now'>
  readonly #epoch: string
  readonly #retention: Retention
  readonly #indexes: { readonly nodes: readonly string[]; readonly edges: readonly string[] }
  #lastTimeMs: number
  #running = false

  constructor(options: GraphOptions) {
    this.#clock = options.clock ?? Date
    this.#epoch = options.epoch ?? randomId()
    this.#retention = { ...DEFAULT_RETENTION, ...options.retention }
    this.#indexes = {
      nodes: [...new Set([...DEFAULT_NODE_INDEXES, ...(options.nodeIndexes ?? [])])],
      edges: [...new Set([...DEFAULT_EDGE_INDEXES, ...(options.edgeIndexes ?? [])])],
    }
    this.#lastTimeMs = this.#clock.now()
    this.#state = new GraphState(readers(this.#indexes.nodes), readers(this.#indexes.edges))
    this.#log = new EventLog(this.#state, this.#lastTimeMs, this.#retention)
    this.#differ = new LogDiffer(this.#state, this.#log)
    this.#dispatcher = new Dispatcher(options.onListenerError ?? throwLater)
  }

  get view(): GraphView {
    return this.#pins.view(this.#state.version, () => new LiveView(this.#state))
  }

  get cursor(): Cursor {
    return { epoch: this.#epoch, version: this.#state.version }
  }

  async open(slice?: TimeSlice, options: ReadOptions = {}): Promise<GraphView> {
    if (options.signal?.aborted) throw new CancelledError(undefined, options.signal.reason)
    return slice ? this.#past(slice) : this.view
  }

  at(timeMs: number): GraphView {
    return this.#past({ startMs: timeMs, lastMs: timeMs })
  }

  between(startMs: number, lastMs: number): GraphView {
    return this.#past({ startMs, lastMs })
  }

  diff(fromMs: number, toMs: number, options: DiffOptions = {}): GraphDiff {
    checkWindow(fromMs, toMs)
    this.#checkHistory()
    return this.#differ.diff(fromMs, toMs, options)
  }

  history(id: string, slice?: TimeSlice): readonly (GraphNode | GraphEdge)[] {
    this.#checkHistory()
    return historyOf(this.#state, id, slice)
  }

  async coverage(slice: TimeSlice): Promise<SliceCoverage> {
    const { knownFromMs } = this.#log
    return slice.startMs >= knownFromMs ? { complete: true } : { complete: false, knownFromMs }
  }

  subscribe(listener: GraphListener, options?: SubscribeOptions): Unsubscribe {
    return this.#dispatcher.subscribe(listener, this.#state.version, options)
  }

  since(cursor: Cursor): readonly GraphBatch[] | undefined {
    return cursor.epoch === this.#epoch ? this.#log.after(cursor.version) : undefined
  }

  writer({ origin, host }: WriterOptions): GraphWriter {
    const graph = this
    return {
      origin,
      host,
      get view() {
        return graph.view
      },
      transaction: (body) => graph.#write(origin, host, body),
      clear: () => graph.replica(origin).clear(),
    }
  }

  replica(origin: string): GraphReplica {
    return new StateReplica(this.#state, origin, (body) => this.#run(body))
  }

  stats(): GraphStats {
    return {
      version: this.#state.version,
      nodes: this.#state.nodes.count,
      edges: this.#state.edges.count,
      listeners: this.#dispatcher.size,
      logLength: this.#log.length,
      logBytes: this.#log.bytes,
      knownFromMs: this.#log.knownFromMs,
      pinnedViews: this.#pins.count,
    }
  }

  #write<T>(origin: string, host: string, body: (tx: GraphTransaction) => T): T {
    return this.#run((timeMs) => {
      const transaction = new StateTransaction(this.#state, { origin, host, timeMs })
      try {
        return body(transaction)
      } finally {
        transaction.close()
      }
    })
  }

  #checkHistory(): void {
    if (this.#retention.bytes === 0) throw new UnsupportedError('Backend does not support history', {})
  }

  #past(slice: TimeSlice): GraphView {
    checkWindow(slice.startMs, slice.lastMs)
    this.#checkHistory()
    return openPast(this.#state, this.#log, slice, this.#indexes)
  }

  /** Runs a body as one transaction: all of it or nothing. */
  #run<T>(body: (timeMs: number) => T): T {
    if (this.#running) throw new InvariantError('a transaction was begun within another one; use that')
    this.#running = true
    const timeMs = Math.max(this.#clock.now(), this.#lastTimeMs)
    let result: T
    try {
      result = body(timeMs)
    } catch (error) {
      this.#state.rollback()
      throw error
    } finally {
      this.#running = false
    }
    if (!this.#state.isSettled) this.#commit(timeMs)
    return result
  }

  #commit(timeMs: number): void {
    this.#lastTimeMs = timeMs
    const state = this.#state
    const firstChange = state.committedEnd
    const events = this.#dispatcher.size > 0 ? state.events() : undefined
    state.commit()
    this.#log.append(firstChange, timeMs)
    this.#log.trim(
      timeMs,
      () => this.#pins.oldest(state.version),
      (change) => state.forget(change),
    )
    if (events) this.#dispatcher.publish({ version: state.version, timeMs, events })
  }
}

function readers(keys: readonly string[]): ReadonlyMap<string, FieldReader<GraphNode | GraphEdge>> {
  return new Map(keys.map((key) => [key, elementField(key)]))
}

function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
