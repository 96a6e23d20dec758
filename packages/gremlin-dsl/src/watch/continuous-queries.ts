import type { GraphBatch, GraphEvents, GraphView } from '@skydive/contracts'
import { LimitError } from '@skydive/contracts'
import { type Budgets, DEFAULT_BUDGETS } from '../budget.ts'
import { compileGraphQuery } from '../engine.ts'
import { ChangeRoutes } from './change-routes.ts'
import { netChanges } from './changes.ts'
import type { WatchPlan } from './delta.ts'
import { DeltaLog } from './delta-log.ts'
import { DeltaQuery } from './delta-query.ts'
import { deltaOf, type WatchEntry, wholeResult } from './entry.ts'
import { RerunQuery } from './rerun-query.ts'
import { Reruns } from './reruns.ts'
import type { DeltaBody } from './sink.ts'
import { type PlannedWatch, planWatch } from './watch-plan.ts'
import { type Watch, type WatchOptions, WatchReader } from './watch-reader.ts'

/** A graph that can be watched: its present and its events. What `createGraph` of `@skydive/graph` gives is one. */
export interface WatchableGraph extends GraphEvents {
  /** The present, which a query starts from. */
  readonly view: GraphView
}

/** How continuous queries are kept; everything but the graph may be left out. */
export interface ContinuousQueriesOptions {
  /** What is watched. */
  readonly graph: WatchableGraph
  /** `results` bounds what one query remembers; all of them bound a query that is run again. */
  readonly budgets?: Partial<Budgets>
  /** Deltas kept for slow readers, for each query; 1,024 by default. */
  readonly keptDeltas?: number
  /** Different queries at once; 10,000 by default. More are refused with `ERR_LIMIT`. */
  readonly maxQueries?: number
  /**
   * When to run again what has no delta operators. `lastRunMs` is what the last run of the query took. By default at the end of the turn of
   * the loop; a server should wait in proportion to `lastRunMs`.
   */
  readonly schedule?: (run: () => void, lastRunMs: number) => void
}

/** What continuous queries cost at the moment. */
export interface ContinuousQueriesStats {
  /** Different queries. */
  readonly queries: number
  /** Those of them that have no delta operators and are run again. */
  readonly reruns: number
  /** Who reads them; equal queries are kept once. */
  readonly readers: number
  /** Elements that some query remembers. */
  readonly members: number
  /** Deltas told since the start. */
  readonly deltas: number
  /** Queries run again since the start. */
  readonly runs: number
}

/** Queries over one graph that are kept up to date. */
export interface ContinuousQueries {
  /**
   * Watches a query that reads the present topology only. Equal queries share their work, however many read them. `ready` and the first
   * `next` raise what is wrong with it: GremlinError, `ERR_GREMLIN_UNSUPPORTED` for `Flows` or another time, `ERR_LIMIT`.
   */
  watch(text: string, options?: WatchOptions): Watch
  /** Says how a query would be kept up to date, without keeping it. @throws GremlinError. */
  explain(text: string): Promise<WatchPlan>
  /** Counts as of now. O(queries). */
  stats(): ContinuousQueriesStats
  /** Ends every watch. */
  close(): void
}

/** Keeps queries over a graph up to date by what changes. It listens while there is a query, and holds nothing when there is none. */
export function createContinuousQueries(options: ContinuousQueriesOptions): ContinuousQueries {
  return new QueryKeeper(options)
}

/** Watches one query on its own; see {@link ContinuousQueries.watch}. Several on one graph cost less by {@link createContinuousQueries}. */
export function watch(graph: WatchableGraph, text: string, options: WatchOptions = {}): Watch {
  return createContinuousQueries({ graph }).watch(text, options)
}

class QueryKeeper implements ContinuousQueries {
  private readonly graph: WatchableGraph
  private readonly budgets: Budgets
  private readonly keptDeltas: number
  private readonly maxQueries: number
  /** By canonical text; a promise while the first result is being found. */
  private readonly entries = new Map<string, Promise<WatchEntry>>()
  private readonly open = new Set<WatchEntry>()
  private readonly routes = new ChangeRoutes()
  private readonly reruns: Reruns
  private unsubscribe: (() => void) | undefined
  /** Batches that are behind the newest version: more are about to be delivered. */
  private pending: GraphBatch[] = []
  private toldDeltas = 0

  constructor({ graph, budgets, keptDeltas = 1024, maxQueries = 10_000, schedule = queueMicrotask }: ContinuousQueriesOptions) {
    this.graph = graph
    this.budgets = { ...DEFAULT_BUDGETS, ...budgets }
    this.keptDeltas = keptDeltas
    this.maxQueries = maxQueries
    this.reruns = new Reruns({
      schedule,
      view: () => graph.view,
      publish: (entry, body) => this.publish(entry, body),
      fail: (entry, error) => this.fail(entry, error),
    })
  }

  watch(text: string, options: WatchOptions = {}): Watch {
    return new WatchReader(
      {
        open: () => this.entryOf(text),
        release: (entry) => this.release(entry),
        whole: (entry) => wholeResult(entry, this.graph.view),
      },
      options,
    )
  }

  async explain(text: string): Promise<WatchPlan> {
    return (await planWatch(text)).plan
  }

  stats(): ContinuousQueriesStats {
    let readers = 0
    for (const entry of this.open) readers += entry.readers
    return {
      queries: this.open.size,
      reruns: this.reruns.size,
      readers,
      members: this.routes.size,
      deltas: this.toldDeltas,
      runs: this.reruns.runs,
    }
  }

  close(): void {
    for (const entry of [...this.open]) {
      entry.log.end()
      this.forget(entry)
    }
  }

  private async entryOf(text: string): Promise<WatchEntry> {
    const planned = await planWatch(text)
    const key = planned.plan.text
    for (;;) {
      const entry = await (this.entries.get(key) ?? this.begin(key, planned))
      // Its last reader may have left while this one waited.
      if (!this.open.has(entry)) continue
      entry.readers++
      return entry
    }
  }

  private begin(key: string, planned: PlannedWatch): Promise<WatchEntry> {
    if (this.entries.size >= this.maxQueries) {
      throw new LimitError(`there are ${this.maxQueries} continuous queries already (limit "maxQueries")`, 'maxQueries')
    }
    const opening = this.makeEntry(planned)
    this.entries.set(key, opening)
    opening.catch(() => {
      if (this.entries.get(key) === opening) this.entries.delete(key)
    })
    return opening
  }

  /** Finds the first result and takes up following it, within one turn. */
  private async makeEntry({ plan, program }: PlannedWatch): Promise<WatchEntry> {
    const rerun = program ? undefined : new RerunQuery(await compileGraphQuery(plan.text, this.budgets))
    const entry: WatchEntry = {
      plan,
      log: new DeltaLog(this.keptDeltas),
      delta: program && new DeltaQuery(program, this.budgets),
      rerun,
      readers: 0,
      version: 0,
      mark: 0,
      dirty: false,
      remove: () => {},
    }
    const { view } = this.graph
    try {
      if (program) entry.delta!.begin(program, view, this.routes.add(entry, program))
      else this.reruns.begin(entry, view)
    } catch (error) {
      entry.remove()
      throw error
    }
    this.open.add(entry)
    this.unsubscribe ??= this.graph.subscribe((batch) => this.onBatch(batch))
    return entry
  }

  /** A transaction within a listener is visible before its batch is delivered: then what was delivered waits for it. */
  private onBatch(batch: GraphBatch): void {
    this.pending.push(batch)
    if (this.graph.cursor.version > batch.version) return
    const batches = this.pending
    this.pending = []
    const changes = netChanges(batches)
    const concerned = this.routes.distribute(changes)
    if (concerned.length > 0) {
      const { view } = this.graph
      for (const entry of concerned) this.advance(entry, view)
    }
    this.reruns.take(changes)
  }

  private advance(entry: WatchEntry, view: GraphView): void {
    entry.dirty = false
    try {
      const body = entry.delta!.advance(view, this.routes.membershipOf(entry))
      entry.version = view.version
      if (body) this.publish(entry, body)
    } catch (error) {
      this.fail(entry, error)
    }
  }

  private publish(entry: WatchEntry, body: DeltaBody): void {
    this.toldDeltas++
    entry.log.publish(deltaOf(body, entry.version, false))
  }

  /** Ends a query for all of its readers with what it raised. */
  private fail(entry: WatchEntry, error: unknown): void {
    entry.log.fail(error)
    this.forget(entry)
  }

  private release(entry: WatchEntry): void {
    entry.readers--
    if (entry.readers === 0) this.forget(entry)
  }

  private forget(entry: WatchEntry): void {
    if (!this.open.delete(entry)) return
    entry.remove()
    this.reruns.delete(entry)
    this.entries.delete(entry.plan.text)
    if (this.open.size > 0) return
    this.unsubscribe?.()
    this.unsubscribe = undefined
    this.pending = []
  }
}
