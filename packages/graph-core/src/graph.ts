import type {
  Clock,
  Cursor,
  GraphBatch,
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
import { Dispatcher } from './dispatcher.ts'
import { EventLog, type Retention } from './event-log.ts'
import { GraphState } from './graph-state.ts'
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
  readonly version: number
  readonly nodes: number
  readonly edges: number
  readonly listeners: number
  /** Remembered transactions and what they occupy, bytes. */
  readonly logLength: number
  readonly logBytes: number
  readonly knownFromMs: number
  /** Views in use, whose version can't be forgotten. */
  readonly pinnedViews: number
}

/** Whom a writer writes for: `{ origin: 'agent.alpha', host: 'alpha' }`. */
export interface WriterOptions {
  readonly origin: string
  readonly host: string
}

/** A graph in memory: what is written by origin, read by version or by time, and followed by batch. */
export interface Graph extends GraphSource, GraphEvents {
  /** The present; the same object until the next commit. A view that is kept shows its version for ever, at a cost that grows with what changed since. */
  readonly view: GraphView
  writer(options: WriterOptions): GraphWriter
  /** The copy of a foreign origin. */
  replica(origin: string): GraphReplica
  /** The graph at an instant, from the revisions in memory; see {@link GraphSource.coverage} for whether they reach. O(elements). */
  at(timeMs: number): GraphView
  /** Every revision between two instants, both inclusive. */
  between(startMs: number, lastMs: number): GraphView
  stats(): GraphStats
}

const DEFAULT_RETENTION: Retention = { ageMs: 600_000, bytes: 64 * 1024 * 1024 }

/** An empty graph. No timer, no I/O: it does something only when it is called. */
export function createGraph(options: GraphOptions = {}): Graph {
  return new MemoryGraph(options)
}

class MemoryGraph implements Graph {
  private readonly state: GraphState
  private readonly log: EventLog
  private readonly pins = new Pins()
  private readonly dispatcher: Dispatcher
  private readonly clock: Pick<Clock, 'now'>
  private readonly epoch: string
  private readonly retention: Retention
  private readonly indexes: { readonly nodes: readonly string[]; readonly edges: readonly string[] }
  private lastTimeMs: number
  private running = false

  constructor(options: GraphOptions) {
    this.clock = options.clock ?? Date
    this.epoch = options.epoch ?? randomId()
    this.retention = { ...DEFAULT_RETENTION, ...options.retention }
    this.indexes = {
      nodes: [...new Set([...DEFAULT_NODE_INDEXES, ...(options.nodeIndexes ?? [])])],
      edges: [...new Set([...DEFAULT_EDGE_INDEXES, ...(options.edgeIndexes ?? [])])],
    }
    this.lastTimeMs = this.clock.now()
    this.state = new GraphState(readers(this.indexes.nodes), readers(this.indexes.edges))
    this.log = new EventLog(this.epoch, this.lastTimeMs, this.retention)
    this.dispatcher = new Dispatcher(options.onListenerError ?? throwLater)
  }

  get view(): GraphView {
    return this.pins.view(this.state.version, () => new LiveView(this.state, this.log))
  }

  get cursor(): Cursor {
    return { epoch: this.epoch, version: this.state.version }
  }

  async open(slice?: TimeSlice, options: ReadOptions = {}): Promise<GraphView> {
    if (options.signal?.aborted) throw new CancelledError(undefined, options.signal.reason)
    return slice ? this.past(slice) : this.view
  }

  at(timeMs: number): GraphView {
    return this.past({ startMs: timeMs, lastMs: timeMs })
  }

  between(startMs: number, lastMs: number): GraphView {
    return this.past({ startMs, lastMs })
  }

  async coverage(slice: TimeSlice): Promise<SliceCoverage> {
    const { knownFromMs } = this.log
    return slice.startMs >= knownFromMs ? { complete: true } : { complete: false, knownFromMs }
  }

  subscribe(listener: GraphListener, options?: SubscribeOptions): Unsubscribe {
    return this.dispatcher.subscribe(listener, this.state.version, options)
  }

  since(cursor: Cursor): readonly GraphBatch[] | undefined {
    return this.log.since(cursor, this.state.version)
  }

  writer({ origin, host }: WriterOptions): GraphWriter {
    const graph = this
    return {
      origin,
      host,
      get view() {
        return graph.view
      },
      transaction: (body) => graph.write(origin, host, body),
      clear: () => graph.replica(origin).clear(),
    }
  }

  replica(origin: string): GraphReplica {
    return new StateReplica(this.state, origin, (body) => this.run(body))
  }

  stats(): GraphStats {
    return {
      version: this.state.version,
      nodes: this.state.nodes.count,
      edges: this.state.edges.count,
      listeners: this.dispatcher.size,
      logLength: this.log.length,
      logBytes: this.log.bytes,
      knownFromMs: this.log.knownFromMs,
      pinnedViews: this.pins.count,
    }
  }

  private write<T>(origin: string, host: string, body: (tx: GraphTransaction) => T): T {
    return this.run((timeMs) => {
      const transaction = new StateTransaction(this.state, { origin, host, timeMs })
      try {
        return body(transaction)
      } finally {
        transaction.close()
      }
    })
  }

  private past(slice: TimeSlice): GraphView {
    if (this.retention.bytes === 0) {
      throw new UnsupportedError('Backend does not support history', {})
    }
    return openPast(this.state, slice, this.indexes)
  }

  /** Runs a body as one transaction: all of it or nothing. */
  private run<T>(body: (timeMs: number) => T): T {
    if (this.running)
      throw new InvariantError('a transaction was begun within another one of the same graph; use the one that runs')
    this.running = true
    const timeMs = Math.max(this.clock.now(), this.lastTimeMs)
    let result: T
    try {
      result = body(timeMs)
    } catch (error) {
      this.state.rollback()
      throw error
    } finally {
      this.running = false
    }
    if (this.state.journal.length > 0) this.commit(timeMs)
    return result
  }

  private commit(timeMs: number): void {
    this.lastTimeMs = timeMs
    const changes = this.state.commit()
    const batch: GraphBatch = { version: this.state.version, timeMs, events: changes.map((change) => change.event) }
    this.log.append(batch, changes)
    this.log.trim(
      timeMs,
      () => this.pins.oldest(this.state.version),
      (change) => this.state.forget(change),
    )
    this.dispatcher.publish(batch)
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
