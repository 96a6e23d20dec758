import type { CaptureSpan, GraphNode } from '@skydive/contracts'
import { continues, countsNothingNew } from './capture-counters.ts'
import { activeCaptures } from './capture-elements.ts'
import { EndedSpans, type GoneSpan, spanKey } from './ended-spans.ts'
import type { LedgerListener, SpanRecord } from './ledger-records.ts'

/** Told of what happens to spans. */
export interface SpanFollower extends LedgerListener {
  /** A capture is seen again, maybe in another run of it: what it dropped since `before` was seen is in its counters. */
  seenAgain(before: SpanRecord, now: CaptureSpan, nowMs: number): void
  /** One span more is remembered as ended: time to {@link CaptureSpans.prune}. */
  ended(): void
}

/**
 * Spans of captures as nodes of the graph show them: running, ended, and those of which it is not known whether they run, because they went with
 * their node or an earlier run of the analyzer left them open. Such a one goes on when it is seen again with counters that did not fall.
 * Ended ones are held until they are pruned.
 */
export class CaptureSpans {
  readonly #newId: () => string
  readonly #follower: SpanFollower
  /** Running spans by their key. */
  readonly #running = new Map<string, SpanRecord>()
  /** Spans that ran when another run of this analyzer ended: it is not known yet whether they still do. */
  readonly #unconfirmed = new Map<string, SpanRecord>()
  readonly #ended = new EndedSpans()
  /** Captures of each node that has any, so that an event of another node costs nothing. */
  readonly #byNode = new Map<string, Set<string>>()

  constructor(newId: () => string, follower: SpanFollower) {
    this.#newId = newId
    this.#follower = follower
  }

  /** Each span once. One of a host whose agent is away, and one that is not confirmed, ends when it was last known to run. */
  *spans(awaySinceMs: (host: string) => number | undefined): Iterable<CaptureSpan> {
    yield* this.#ended.spans()
    for (const { span } of this.#running.values()) {
      const sinceMs = awaySinceMs(span.host)
      yield sinceMs === undefined ? span : { ...span, toMs: Math.max(span.fromMs, sinceMs) }
    }
    for (const { span, seenMs } of this.#unconfirmed.values()) yield { ...span, toMs: seenMs }
  }

  /** Takes up the spans of an earlier run. What ran then goes on if it is seen again; else it ended when it was last seen. */
  restore(records: readonly SpanRecord[]): void {
    for (const record of records) {
      if (record.span.toMs !== undefined) this.#ended.add(record)
      else this.#addUnconfirmed(record)
    }
    this.#ended.sort()
    this.#follower.ended()
    for (const [key, record] of this.#running) {
      const earlier = this.#unconfirmed.get(key)
      if (!earlier) continue
      if (!continues(earlier.span, record.span)) {
        this.#endUnconfirmed(key)
        continue
      }
      this.#unconfirmed.delete(key)
      this.#follower.forgotten(record)
      this.#follower.seenAgain(earlier, record.span, record.seenMs)
      this.#resume(key, earlier, record.span, record.seenMs)
    }
  }

  /** Ends what an earlier run left open and nobody has shown since. */
  endUnconfirmed(): void {
    for (const key of [...this.#unconfirmed.keys()]) this.#endUnconfirmed(key)
  }

  /** Says of all that run on hosts that `isKnown` answers true for that they still do. */
  confirmRunning(isKnown: (host: string) => boolean, nowMs: number): void {
    for (const record of this.#running.values()) if (isKnown(record.span.host)) this.#change(record, record.span, nowMs)
  }

  /** A node is there, or shows something else: its captures begin, go on or end. Costs nothing for a node without any. */
  see(node: GraphNode, nowMs: number): void {
    const known = this.#byNode.get(node.id)
    if (known === undefined && node.metadata['Captures'] === undefined) return
    const captures = activeCaptures(node)
    for (const key of known ?? []) {
      const record = this.#running.get(key)
      const now = captures.get(record?.span.captureId ?? '')
      if (record && (now === undefined || now.ended)) this.#stop(key, record, nowMs, now?.span.error)
    }
    for (const { span, ended } of captures.values()) {
      if (!ended) this.#run({ ...span, fromMs: nowMs }, node.createdAtMs, nowMs)
    }
  }

  /** A node went at `nowMs`, its captures with it. */
  endAll({ id, createdAtMs }: GraphNode, nowMs: number): void {
    for (const key of this.#byNode.get(id) ?? []) {
      const record = this.#running.get(key)
      if (!record) continue
      this.#ended.noteGone({ record, nodeCreatedAtMs: createdAtMs })
      this.#stop(key, record, Math.max(record.span.fromMs, nowMs))
    }
  }

  /** Forgets what ended before `oldestMs`, and of more than `most` the oldest; answers what it forgot. */
  prune(oldestMs: number, most: number): readonly SpanRecord[] {
    return this.#ended.prune(oldestMs, most)
  }

  /** Of two that an earlier run left open only the younger can still run. */
  #addUnconfirmed(record: SpanRecord): void {
    const key = spanKey(record.span)
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

  #run(span: CaptureSpan, nodeCreatedAtMs: number, nowMs: number): void {
    const key = spanKey(span)
    const running = this.#running.get(key)
    const gone = this.#ended.takeGone(key)
    const before = running ?? gone?.record ?? this.#unconfirmed.get(key)
    if (before) this.#follower.seenAgain(before, span, nowMs)
    if (running && continues(running.span, span)) {
      if (countsNothingNew(running.span, span)) running.seenMs = nowMs
      else this.#grow(running, span, nowMs)
      return
    }
    // The same capture with another filter, or counters that began anew, is another span.
    if (running) this.#stop(key, running, nowMs)
    else if (before && continues(before.span, span) && this.#isSameNode(gone, nodeCreatedAtMs)) {
      this.#unconfirmed.delete(key)
      this.#resume(key, before, span, nowMs)
      return
    }
    this.#endUnconfirmed(key)
    const record = { id: this.#newId(), span, seenMs: nowMs }
    this.#setRunning(key, record)
    this.#follower.changed(record)
  }

  /** Of a span that went with its node it must be that node again: then it has not ended. */
  #isSameNode(gone: GoneSpan | undefined, nodeCreatedAtMs: number): boolean {
    return gone === undefined || this.#ended.reopen(gone, nodeCreatedAtMs)
  }

  /** Takes up a span that went on unseen. */
  #resume(key: string, record: SpanRecord, now: CaptureSpan, nowMs: number): void {
    this.#setRunning(key, record)
    this.#grow(record, now, nowMs)
  }

  #setRunning(key: string, record: SpanRecord): void {
    const { nodeId } = record.span
    this.#running.set(key, record)
    let keys = this.#byNode.get(nodeId)
    if (!keys) {
      keys = new Set()
      this.#byNode.set(nodeId, keys)
    }
    keys.add(key)
  }

  #grow(record: SpanRecord, now: CaptureSpan, nowMs: number): void {
    this.#change(record, { ...now, fromMs: record.span.fromMs }, nowMs)
  }

  #stop(key: string, record: SpanRecord, nowMs: number, error?: string): void {
    this.#running.delete(key)
    const keys = this.#byNode.get(record.span.nodeId)
    keys?.delete(key)
    if (keys?.size === 0) this.#byNode.delete(record.span.nodeId)
    this.#end(record, nowMs, error)
  }

  #end(record: SpanRecord, toMs: number, error?: string): void {
    this.#ended.add(record)
    this.#change(record, { ...record.span, toMs, ...(error && { error }) }, toMs)
    this.#follower.ended()
  }

  #change(record: SpanRecord, span: CaptureSpan, seenMs: number): void {
    record.span = span
    record.seenMs = seenMs
    this.#follower.changed(record)
  }
}
