import type {
  CaptureSpan,
  Clock,
  FlowCoverage,
  FlowCoverageSummary,
  FlowLoss,
  GraphBatch,
  GraphEvents,
  GraphNode,
  GraphView,
  Metrics,
  TimeSlice,
} from '@skydive/contracts'
import { AgentLines } from './agent-lines.ts'
import { continues, countsNothingNew, droppedSince } from './capture-counters.ts'
import { activeCaptures } from './capture-elements.ts'
import { summarize } from './coverage-summary.ts'
import type { LedgerListener, SpanRecord } from './ledger-records.ts'
import { LossBook, type LossRecord } from './loss-book.ts'

/** Ended captures and losses that are remembered. */
const MAX_RECORDS = 20_000

/** A span that ended with its node. */
interface GoneSpan {
  readonly record: SpanRecord
  /** When the node was made. An agent that comes back shows it as it was; one that started anew made another one. */
  readonly nodeCreatedAtMs: number
}

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
  /** Running spans by `<node>|<capture>`. */
  readonly #running = new Map<string, SpanRecord>()
  /** Spans that ran when another run of this analyzer ended: it is not known yet whether they still do. */
  readonly #unconfirmed = new Map<string, SpanRecord>()
  readonly #ended: SpanRecord[] = []
  /** Of the ended ones those whose node went: of an agent that is away. */
  readonly #gone = new Map<string, GoneSpan>()
  readonly #losses: LossBook
  readonly #lines = new AgentLines()
  /** Captures of each node that has any, so that an event of another node costs nothing. */
  readonly #byNode = new Map<string, Set<string>>()
  readonly #listeners = new Set<LedgerListener>()
  #knownFromMs: number

  constructor(options: CoverageLedgerOptions) {
    this.#options = options
    this.#losses = new LossBook(options.newId)
    this.#knownFromMs = options.clock.now()
  }

  /** Takes what runs now and follows from then on; answers how to stop. */
  follow(graph: GraphEvents & { readonly view: GraphView }): () => void {
    const { view } = graph
    const nowMs = this.#options.clock.now()
    view.forEachNode((row) => {
      this.#see(view.node(row), nowMs)
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
    for (const record of records) {
      if ('loss' in record) continue
      if (record.span.toMs !== undefined) this.#ended.push(record)
      else this.#addUnconfirmed(record)
    }
    this.#ended.sort((a, b) => a.span.toMs! - b.span.toMs!)
    this.#prune()
    for (const [key, record] of this.#running) {
      const earlier = this.#unconfirmed.get(key)
      if (!earlier) continue
      if (!continues(earlier.span, record.span)) {
        this.#endUnconfirmed(key)
        continue
      }
      this.#unconfirmed.delete(key)
      this.#forget(record)
      this.#noteDropped(earlier, record.span, record.seenMs)
      this.#resume(key, earlier, record.span, record.seenMs)
    }
  }

  /** Ends what an earlier run knew and nobody has shown since. To be called when the agents have had time to come back. */
  endUnconfirmed(): void {
    for (const key of [...this.#unconfirmed.keys()]) this.#endUnconfirmed(key)
  }

  /** Of two that an earlier run left open only the younger can still run. */
  #addUnconfirmed(record: SpanRecord): void {
    const key = keyOf(record.span.nodeId, record.span.captureId)
    const other = this.#unconfirmed.get(key)
    const [older, younger] = other && other.span.fromMs > record.span.fromMs ? [record, other] : [other, record]
    this.#unconfirmed.set(key, younger)
    if (older) this.#end(older, older.seenMs)
  }

  #endUnconfirmed(key: string): void {
    const record = this.#unconfirmed.get(key)
    this.#unconfirmed.delete(key)
    if (record) this.#end(record, record.seenMs)
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
    const nowMs = this.#options.clock.now()
    for (const record of this.#running.values()) {
      if (this.#lines.awaySinceMs(record.span.host) === undefined) this.#change(record, record.span, nowMs)
    }
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
    const spans = [...this.#spans()].filter((span) => span.fromMs <= toMs && (span.toMs ?? Number.POSITIVE_INFINITY) >= fromMs)
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

  *#spans(): Iterable<CaptureSpan> {
    for (const { span } of this.#ended) yield span
    for (const { span } of this.#running.values()) {
      const awaySinceMs = this.#lines.awaySinceMs(span.host)
      yield awaySinceMs === undefined ? span : { ...span, toMs: Math.max(span.fromMs, awaySinceMs) }
    }
    for (const { span, seenMs } of this.#unconfirmed.values()) yield { ...span, toMs: seenMs }
  }

  #apply({ events, timeMs }: GraphBatch): void {
    const endMs = this.#lines.endsIn(events)
    for (const event of events) {
      if (event.kind === 'node-added' || event.kind === 'node-updated') this.#see(event.node, timeMs)
      else if (event.kind === 'node-deleted') this.#endAll(event.node, endMs(event.node.host) ?? timeMs)
    }
  }

  #see(node: GraphNode, nowMs: number): void {
    const known = this.#byNode.get(node.id)
    if (known === undefined && node.metadata['Captures'] === undefined) return
    const captures = activeCaptures(node)
    for (const key of known ?? []) {
      const record = this.#running.get(key)
      const now = captures.get(record?.span.captureId ?? '')
      if (record && (now === undefined || now.ended)) this.#stop(key, record, nowMs, now?.span.error)
    }
    for (const [captureId, { span, ended }] of captures) {
      if (!ended) this.#run(keyOf(node.id, captureId), { ...span, fromMs: nowMs }, node.createdAtMs, nowMs)
    }
  }

  #run(key: string, span: CaptureSpan, nodeCreatedAtMs: number, nowMs: number): void {
    const running = this.#running.get(key)
    const gone = this.#gone.get(key)
    this.#gone.delete(key)
    const before = running ?? gone?.record ?? this.#unconfirmed.get(key)
    if (before) this.#noteDropped(before, span, nowMs)
    if (running && continues(running.span, span)) {
      if (countsNothingNew(running.span, span)) running.seenMs = nowMs
      else this.#grow(running, span, nowMs)
      return
    }
    // The same capture with another filter, or counters that began anew, is another span.
    if (running) this.#stop(key, running, nowMs)
    else if (before && continues(before.span, span) && (!gone || this.#reopen(gone, nodeCreatedAtMs))) {
      this.#unconfirmed.delete(key)
      this.#resume(key, before, span, nowMs)
      return
    }
    this.#endUnconfirmed(key)
    const record = { id: this.#options.newId(), span, seenMs: nowMs }
    this.#running.set(key, record)
    this.#noteKey(key, span.nodeId)
    this.#tell(record)
  }

  /** Takes the span out of the ended ones if the node is the one that went. */
  #reopen({ record, nodeCreatedAtMs }: GoneSpan, createdAtMs: number): boolean {
    const at = this.#ended.indexOf(record)
    if (at < 0 || nodeCreatedAtMs !== createdAtMs) return false
    this.#ended.splice(at, 1)
    return true
  }

  /** Takes up a span that went on unseen. */
  #resume(key: string, record: SpanRecord, now: CaptureSpan, nowMs: number): void {
    this.#running.set(key, record)
    this.#noteKey(key, now.nodeId)
    this.#grow(record, now, nowMs)
  }

  #grow(record: SpanRecord, now: CaptureSpan, nowMs: number): void {
    this.#change(record, { ...now, fromMs: record.span.fromMs }, nowMs)
  }

  /** Notes what was dropped since a capture was last seen. */
  #noteDropped({ span: before, seenMs }: SpanRecord, now: CaptureSpan, nowMs: number): void {
    const { captureId, host } = now
    for (const { cause, packets } of droppedSince(before, now)) {
      this.addLoss({ cause, host, captureId, fromMs: seenMs, toMs: nowMs, packets, flows: 0 })
    }
  }

  #noteKey(key: string, nodeId: string): void {
    let keys = this.#byNode.get(nodeId)
    if (!keys) {
      keys = new Set()
      this.#byNode.set(nodeId, keys)
    }
    keys.add(key)
  }

  #endAll({ id, createdAtMs }: GraphNode, nowMs: number): void {
    for (const key of this.#byNode.get(id) ?? []) {
      const record = this.#running.get(key)
      if (!record) continue
      this.#gone.set(key, { record, nodeCreatedAtMs: createdAtMs })
      this.#stop(key, record, Math.max(record.span.fromMs, nowMs))
    }
  }

  #stop(key: string, record: SpanRecord, nowMs: number, error?: string): void {
    this.#running.delete(key)
    const keys = this.#byNode.get(record.span.nodeId)
    keys?.delete(key)
    if (keys?.size === 0) this.#byNode.delete(record.span.nodeId)
    this.#end(record, nowMs, error)
  }

  #end(record: SpanRecord, toMs: number, error?: string): void {
    this.#ended.push(record)
    this.#change(record, { ...record.span, toMs, ...(error && { error }) }, toMs)
    this.#prune()
  }

  #change(record: SpanRecord, span: CaptureSpan, seenMs: number): void {
    record.span = span
    record.seenMs = seenMs
    this.#tell(record)
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
    const isOld = (toMs: number, count: number): boolean => toMs < oldestMs || count > MAX_RECORDS
    while (this.#ended[0] && isOld(this.#ended[0].span.toMs!, this.#ended.length)) {
      const record = this.#ended.shift()!
      const key = keyOf(record.span.nodeId, record.span.captureId)
      if (this.#gone.get(key)?.record === record) this.#gone.delete(key)
      this.#knownFromMs = Math.max(this.#knownFromMs, record.span.toMs!)
      this.#forget(record)
    }
    for (const record of this.#losses.prune(oldestMs, MAX_RECORDS)) {
      this.#knownFromMs = Math.max(this.#knownFromMs, record.loss.toMs)
      this.#forget(record)
    }
  }
}

const keyOf = (nodeId: string, captureId: string): string => `${nodeId}|${captureId}`
