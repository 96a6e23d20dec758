import type { CaptureSpan } from '@skydive/contracts'
import type { LossRecord } from './loss-book.ts'

/** A capture span as it grows. `id` names it among all. */
export interface SpanRecord {
  readonly id: string
  span: CaptureSpan
  /** When it was last seen to run, ms since the epoch. */
  seenMs: number
}

/** Told of every record that is new or has changed, and of those that are forgotten. */
export interface LedgerListener {
  changed(record: SpanRecord | LossRecord): void
  forgotten(record: SpanRecord | LossRecord): void
}
