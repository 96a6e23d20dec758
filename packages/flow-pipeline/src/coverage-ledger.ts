import type {
  CaptureSpan,
  Clock,
  FlowCoverage,
  FlowCoverageSummary,
  FlowLoss,
  GraphBatch,
  GraphEvents,
  GraphView,
  Metrics,
  TimeSlice,
} from '@skydive/contracts'
import { AgentLines } from './agent-lines.ts'
import { droppedSince } from './capture-counters.ts'
import { CaptureSpans } from './capture-spans.ts'
import { summarize } from './coverage-summary.ts'
import type { LedgerListener, SpanRecord } from './ledger-records.ts'
import { LossBook, type LossRecord } from './loss-book.ts'

/** Ended captures and losses that are remembered. */
const MAX_RECORDS = 20_000

/** What a ledger is made of. */
export interface CoverageLedgerOptions {
  readonly clock: Pick<Clock, 'now'>
  /** Records older than this are forgotten, ms. */
  readonly retentionMs: number
  /** Gives the ids of records. */
  newId(): string
  readonly metrics?: Metrics
}

/**
 * What was watched when, with which filter and sampling, and what was lost: so that "no flow" and "not watched" are different answers. It follows
 * `Captures` of the nodes of the graph, where agents write what they capture and how it fares; losses elsewhere are told by {@link addLoss}. An agent
 * that was away and comes back with the same nodes and counters that did not fall went on watching.
 * Reading costs what is remembered, at most 20,000 spans and as many losses.
 */
export class CoverageLedger {
  readonly #options: CoverageLedgerOptions
  readonly #spans: CaptureSpans
  readonly #losses: LossBook
  readonly #lines = new AgentLines()
  readonly #listeners = new Set<LedgerListener>()
  #knownFromMs: number

  constructor(options: CoverageLedgerOptions) {
    this.#options = options
    this.#losses = new LossBook(options.newId)
    this.#spans = new CaptureSpans(options.newId, {
      changed: (record) => this.#tell(record),
      forgotten: (record) => this.#forget(record),
      seenAgain: (before, now, nowMs) => this.#noteDropped(before, now, nowMs),
      ended: () => this.#prune(),
    })
    this.#knownFromMs = options.clock.now()
  }

  /** Takes what runs now and follows from then on; answers how to stop. */
  follow(graph: GraphEvents & { readonly view: GraphView }): () => void {
    const { view } = graph
    const nowMs = this.#options.clock.now()
    view.forEachNode((row) => {
      this.#spans.see(view.node(row), nowMs)
      return true
    })
    return graph.subscribe((batch) => this.#apply(batch))
  }

  listen(listener: LedgerListener): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  /**
   * Takes up what an earlier run knew since `knownFromMs`. What ran then runs on if the graph shows it again with counters that did not fall;
   * else it ended when it was last seen.
   */
  restore(records: readonly (SpanRecord | LossRecord)[], knownFromMs: number): void {
    this.#knownFromMs = Math.min(this.#knownFromMs, knownFromMs)
    this.#losses.restore(records.filter((record) => 'loss' in record))
    this.#spans.restore(records.filter((record) => 'span' in record))
  }

  /** Ends what an earlier run knew and nobody has shown since. To be called when the agents have had time to come back. */
  endUnconfirmed(): void {
    this.#spans.endUnconfirmed()
  }

  /** The line to the agent of a host broke: what it runs is not known to run from now on, until {@link agentBack}. */
  agentAway(host: string): void {
    this.#lines.broke(host, this.#options.clock.now())
  }

  /** The agent of a host is there again: what its graph still shows went on, what it does not show ended when the line broke. */
  agentBack(host: string): void {
    this.#lines.back(host)
  }

  /** Captures that nobody changes run on unseen: says that all that run in the graph still do, but for those of agents that are away. */
  confirmRunning(): void {
    this.#spans.confirmRunning((host) => this.#lines.awaySinceMs(host) === undefined, this.#options.clock.now())
  }

  /** Something was lost that is not seen in the graph. */
  addLoss(loss: FlowLoss): void {
    if (loss.packets <= 0 && loss.flows <= 0) return
    const labels = { cause: loss.cause }
    const { metrics } = this.#options
    if (loss.packets > 0) metrics?.counter('skydive_lost_packets_total', 'Packets lost, by cause').add(loss.packets, labels)
    if (loss.flows > 0) metrics?.counter('skydive_lost_flows_total', 'Reports of flows lost, by cause').add(loss.flows, labels)
    this.#tell(this.#losses.add(loss))
    this.#prune()
  }

  /** What was watched and lost between two times, both included. */
  read(fromMs: number, toMs: number): FlowCoverage {
    const knownFromMs = Math.max(this.#knownFromMs, this.#options.clock.now() - this.#options.retentionMs)
    const known = [...this.#spans.spans((host) => this.#lines.awaySinceMs(host))]
    const spans = known.filter((span) => span.fromMs <= toMs && (span.toMs ?? Number.POSITIVE_INFINITY) >= fromMs)
    return {
      fromMs,
      toMs,
      ...(fromMs < knownFromMs && { knownFromMs }),
      spans: spans.sort((a, b) => a.fromMs - b.fromMs),
      losses: this.#losses.during(fromMs, toMs),
    }
  }

  /** {@link read} in short, for an answer about flows of that time. */
  summary({ startMs, lastMs }: TimeSlice): FlowCoverageSummary {
    // Reports of the present second are on their way: a window that ends now can't be watched beyond the present.
    return summarize(this.read(startMs, Math.min(lastMs, Math.max(startMs, this.#options.clock.now()))))
  }

  #apply({ events, timeMs }: GraphBatch): void {
    const endMs = this.#lines.endsIn(events)
    for (const event of events) {
      if (event.kind === 'node-added' || event.kind === 'node-updated') this.#spans.see(event.node, timeMs)
      else if (event.kind === 'node-deleted') this.#spans.endAll(event.node, endMs(event.node.host) ?? timeMs)
    }
  }

  /** Notes what was dropped since a capture was last seen. */
  #noteDropped({ span: before, seenMs }: SpanRecord, now: CaptureSpan, nowMs: number): void {
    const { captureId, host } = now
    for (const { cause, packets } of droppedSince(before, now)) {
      this.addLoss({ cause, host, captureId, fromMs: seenMs, toMs: nowMs, packets, flows: 0 })
    }
  }

  #tell(record: SpanRecord | LossRecord): void {
    for (const listener of this.#listeners) listener.changed(record)
  }

  #forget(record: SpanRecord | LossRecord): void {
    for (const listener of this.#listeners) listener.forgotten(record)
  }

  /** Forgets what is too old; of too many the oldest, and then says so in `knownFromMs`. */
  #prune(): void {
    const oldestMs = this.#options.clock.now() - this.#options.retentionMs
    if (this.#knownFromMs < oldestMs) this.#knownFromMs = oldestMs
    for (const record of this.#spans.prune(oldestMs, MAX_RECORDS)) {
      this.#knownFromMs = Math.max(this.#knownFromMs, record.span.toMs!)
      this.#forget(record)
    }
    for (const record of this.#losses.prune(oldestMs, MAX_RECORDS)) {
      this.#knownFromMs = Math.max(this.#knownFromMs, record.loss.toMs)
      this.#forget(record)
    }
  }
}
