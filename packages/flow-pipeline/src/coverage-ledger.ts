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
import { activeCaptures, sameCapture } from './capture-elements.ts'
import { summarize } from './coverage-summary.ts'

/** Ended captures and losses that are remembered. */
const MAX_RECORDS = 20_000
/** Losses of the same cause, host and capture that follow each other so closely are one. */
const MERGE_LOSSES_MS = 10_000

/** A capture span as it grows. `id` names it among all. */
export interface SpanRecord {
  readonly id: string
  span: CaptureSpan
  /** When it was last seen to run, ms since the epoch. */
  seenMs: number
}

/** A loss as it grows. */
export interface LossRecord {
  readonly id: string
  loss: FlowLoss
}

/** Told of every record that is new or has changed, and of those that are forgotten. */
export interface LedgerListener {
  changed(record: SpanRecord | LossRecord): void
  forgotten(record: SpanRecord | LossRecord): void
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
 * `Captures` of the nodes of the graph, where agents write what they capture and how it fares; losses elsewhere are told by {@link addLoss}.
 * Reading costs what is remembered, at most 20,000 spans and as many losses.
 */
export class CoverageLedger {
  readonly #options: CoverageLedgerOptions
  /** Running spans by `<node>|<capture>`. */
  readonly #running = new Map<string, SpanRecord>()
  /** Spans that ran when another run of this analyzer ended: it is not known yet whether they still do. */
  readonly #unconfirmed = new Map<string, SpanRecord>()
  readonly #ended: SpanRecord[] = []
  readonly #losses: LossRecord[] = []
  readonly #newestLoss = new Map<string, LossRecord>()
  /** Captures of each node that has any, so that an event of another node costs nothing. */
  readonly #byNode = new Map<string, Set<string>>()
  readonly #listeners = new Set<LedgerListener>()
  #knownFromMs: number

  constructor(options: CoverageLedgerOptions) {
    this.#options = options
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
    for (const record of records) {
      if ('loss' in record) this.#losses.push(record)
      else if (record.span.toMs !== undefined) this.#ended.push(record)
      else this.#unconfirmed.set(keyOf(record.span.nodeId, record.span.captureId), record)
    }
    this.#losses.sort((a, b) => a.loss.toMs - b.loss.toMs)
    this.#ended.sort((a, b) => a.span.toMs! - b.span.toMs!)
    for (const record of this.#losses) this.#newestLoss.set(lossKey(record.loss), record)
    this.#prune()
    for (const [key, record] of this.#running) {
      const earlier = this.#unconfirmed.get(key)
      if (!earlier || !continues(earlier, record.span)) continue
      this.#unconfirmed.delete(key)
      this.#running.set(key, earlier)
      this.#forget(record)
      this.#change(earlier, { ...record.span, fromMs: earlier.span.fromMs }, record.seenMs)
    }
  }

  /** Ends what an earlier run knew and nobody has shown since. To be called when the agents have had time to come back. */
  endUnconfirmed(): void {
    for (const record of this.#unconfirmed.values()) this.#end(record, record.seenMs)
    this.#unconfirmed.clear()
  }

  /** Captures that nobody changes run on unseen: says that all that run in the graph still do. */
  confirmRunning(): void {
    const nowMs = this.#options.clock.now()
    for (const record of this.#running.values()) this.#change(record, record.span, nowMs)
  }

  /** Something was lost that is not seen in the graph. */
  addLoss(loss: FlowLoss): void {
    if (loss.packets <= 0 && loss.flows <= 0) return
    const labels = { cause: loss.cause }
    const { metrics } = this.#options
    if (loss.packets > 0) metrics?.counter('skydive_lost_packets_total', 'Packets lost, by cause').add(loss.packets, labels)
    if (loss.flows > 0) metrics?.counter('skydive_lost_flows_total', 'Reports of flows lost, by cause').add(loss.flows, labels)
    const key = lossKey(loss)
    const newest = this.#newestLoss.get(key)
    if (newest && loss.fromMs <= newest.loss.toMs + MERGE_LOSSES_MS) {
      newest.loss = joined(newest.loss, loss)
      this.#tell(newest)
      return
    }
    const record = { id: this.#options.newId(), loss }
    this.#newestLoss.set(key, record)
    this.#losses.push(record)
    this.#tell(record)
    this.#prune()
  }

  /** What was watched and lost between two times, both included. */
  read(fromMs: number, toMs: number): FlowCoverage {
    const knownFromMs = Math.max(this.#knownFromMs, this.#options.clock.now() - this.#options.retentionMs)
    const spans = [...this.#spans()].filter((span) => span.fromMs <= toMs && (span.toMs ?? Number.POSITIVE_INFINITY) >= fromMs)
    const losses = this.#losses.map(({ loss }) => loss).filter((loss) => loss.fromMs <= toMs && loss.toMs >= fromMs)
    return {
      fromMs,
      toMs,
      ...(fromMs < knownFromMs && { knownFromMs }),
      spans: spans.sort((a, b) => a.fromMs - b.fromMs),
      losses: losses.sort((a, b) => a.toMs - b.toMs),
    }
  }

  /** {@link read} in short, for an answer about flows of that time. */
  summary({ startMs, lastMs }: TimeSlice): FlowCoverageSummary {
    // Reports of the present second are on their way: a window that ends now can't be watched beyond the present.
    return summarize(this.read(startMs, Math.min(lastMs, Math.max(startMs, this.#options.clock.now()))))
  }

  *#spans(): Iterable<CaptureSpan> {
    for (const { span } of this.#ended) yield span
    for (const { span } of this.#running.values()) yield span
    for (const { span, seenMs } of this.#unconfirmed.values()) yield { ...span, toMs: seenMs }
  }

  #apply({ events, timeMs }: GraphBatch): void {
    for (const event of events) {
      if (event.kind === 'node-added' || event.kind === 'node-updated') this.#see(event.node, timeMs)
      else if (event.kind === 'node-deleted') this.#endAll(event.node.id, timeMs)
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
      if (!ended) this.#run(keyOf(node.id, captureId), { ...span, fromMs: nowMs }, nowMs)
    }
  }

  #run(key: string, span: CaptureSpan, nowMs: number): void {
    const running = this.#running.get(key)
    if (running && continues(running, span)) {
      this.#progress(running, span, nowMs)
      return
    }
    // The same capture with another filter, or counters that began anew, is another span.
    if (running) this.#stop(key, running, nowMs)
    const earlier = this.#unconfirmed.get(key)
    if (earlier && continues(earlier, span)) {
      this.#unconfirmed.delete(key)
      this.#running.set(key, earlier)
      this.#noteKey(key, span.nodeId)
      this.#progress(earlier, span, nowMs)
      return
    }
    const record = { id: this.#options.newId(), span, seenMs: nowMs }
    this.#running.set(key, record)
    this.#noteKey(key, span.nodeId)
    this.#tell(record)
  }

  #progress(record: SpanRecord, now: CaptureSpan, nowMs: number): void {
    const lost = now.packetsDropped - record.span.packetsDropped
    if (lost > 0) {
      const { captureId, host } = now
      this.addLoss({ cause: 'kernel', host, captureId, fromMs: record.seenMs, toMs: nowMs, packets: lost, flows: 0 })
    }
    const isSame = now.packetsReceived === record.span.packetsReceived && lost === 0
    if (isSame) record.seenMs = nowMs
    else this.#change(record, { ...now, fromMs: record.span.fromMs }, nowMs)
  }

  #noteKey(key: string, nodeId: string): void {
    let keys = this.#byNode.get(nodeId)
    if (!keys) {
      keys = new Set()
      this.#byNode.set(nodeId, keys)
    }
    keys.add(key)
  }

  #endAll(nodeId: string, nowMs: number): void {
    for (const key of this.#byNode.get(nodeId) ?? []) {
      const record = this.#running.get(key)
      if (record) this.#stop(key, record, nowMs)
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
      this.#knownFromMs = Math.max(this.#knownFromMs, record.span.toMs!)
      this.#forget(record)
    }
    while (this.#losses[0] && isOld(this.#losses[0].loss.toMs, this.#losses.length)) {
      const record = this.#losses.shift()!
      const key = lossKey(record.loss)
      if (this.#newestLoss.get(key) === record) this.#newestLoss.delete(key)
      this.#knownFromMs = Math.max(this.#knownFromMs, record.loss.toMs)
      this.#forget(record)
    }
  }
}

const keyOf = (nodeId: string, captureId: string): string => `${nodeId}|${captureId}`

const lossKey = ({ cause, host, captureId }: FlowLoss): string => `${cause}|${host}|${captureId ?? ''}`

/** Whether a capture that is seen now is the one of a record: the counters of another run begin at 0. */
function continues(record: SpanRecord, now: CaptureSpan): boolean {
  return sameCapture(record.span, now) && now.packetsReceived >= record.span.packetsReceived
}

function joined(a: FlowLoss, b: FlowLoss): FlowLoss {
  return {
    ...a,
    fromMs: Math.min(a.fromMs, b.fromMs),
    toMs: Math.max(a.toMs, b.toMs),
    packets: a.packets + b.packets,
    flows: a.flows + b.flows,
  }
}
