import type { CaptureSpan } from '@skydive/contracts'
import type { SpanRecord } from './ledger-records.ts'

/** A span that ended with its node. */
export interface GoneSpan {
  readonly record: SpanRecord
  /** When the node was made. An agent that comes back shows it as it was; one that started anew made another one. */
  readonly nodeCreatedAtMs: number
}

/** Spans that ended and are remembered, in the order in which that was told, and which of them ended with their node: of an agent that is away. */
export class EndedSpans {
  readonly #records: SpanRecord[] = []
  readonly #gone = new Map<string, GoneSpan>()

  /** Adds one whose end is set before the next {@link prune}. */
  add(record: SpanRecord): void {
    this.#records.push(record)
  }

  /** The spans of the records, in their order. */
  *spans(): Iterable<CaptureSpan> {
    for (const { span } of this.#records) yield span
  }

  /** Puts those of an earlier run and those added since into the order of their ends. */
  sort(): void {
    this.#records.sort((a, b) => a.span.toMs! - b.span.toMs!)
  }

  /** Notes that a span goes with its node. To be called before it is added. */
  noteGone(gone: GoneSpan): void {
    this.#gone.set(spanKey(gone.record.span), gone)
  }

  /** The span of a key that went with its node, only once: whoever asks has seen the node again. */
  takeGone(key: string): GoneSpan | undefined {
    const gone = this.#gone.get(key)
    this.#gone.delete(key)
    return gone
  }

  /** Takes a span out of the ended ones if the node is the one that went; answers whether it did. */
  reopen({ record, nodeCreatedAtMs }: GoneSpan, createdAtMs: number): boolean {
    const at = this.#records.indexOf(record)
    if (at < 0 || nodeCreatedAtMs !== createdAtMs) return false
    this.#records.splice(at, 1)
    return true
  }

  /** Forgets what ended before `oldestMs`, and of more than `most` the oldest; answers what it forgot. */
  prune(oldestMs: number, most: number): readonly SpanRecord[] {
    let count = 0
    const isOld = ({ span }: SpanRecord): boolean => span.toMs! < oldestMs || this.#records.length - count > most
    while (this.#records[count] && isOld(this.#records[count]!)) count++
    const forgotten = this.#records.splice(0, count)
    for (const record of forgotten) {
      const key = spanKey(record.span)
      if (this.#gone.get(key)?.record === record) this.#gone.delete(key)
    }
    return forgotten
  }
}

/** What tells spans that run at once apart: `<node>|<capture>`. */
export const spanKey = ({ nodeId, captureId }: Pick<CaptureSpan, 'nodeId' | 'captureId'>): string => `${nodeId}|${captureId}`
