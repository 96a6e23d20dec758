import type { MetricRecord } from './runtime.ts'

/** More slices than this are refused. */
export const MAX_SLICES = 10_000

const NOT_COUNTED = new Set(['Start', 'Last', 'RTT'])

function counters(record: MetricRecord): readonly string[] {
  return Object.keys(record).filter((key) => !NOT_COUNTED.has(key))
}

/** A record to be filled. It inherits nothing, because a counter may have any name, such as `constructor`. */
function emptyRecord(members: Record<string, number> = {}): Record<string, number> {
  return Object.assign(Object.create(null) as Record<string, number>, members)
}

/** The field-wise sum, from the earliest start to the latest end; `undefined` for nothing. Round trip times are no counters: they go. */
export function sumRecords(records: Iterable<MetricRecord>): MetricRecord | undefined {
  let sum: Record<string, number> | undefined
  for (const record of records) {
    sum ??= emptyRecord({ Start: record['Start'] ?? 0, Last: record['Last'] ?? 0 })
    for (const key of counters(record)) sum[key] = (sum[key] ?? 0) + record[key]!
    sum['Start'] = Math.min(sum['Start']!, record['Start'] ?? 0)
    sum['Last'] = Math.max(sum['Last']!, record['Last'] ?? 0)
  }
  return sum && timesLast(sum)
}

/** The same record with its times at the end, as the wire has them. */
function timesLast({ Start, Last, ...rest }: Record<string, number>): MetricRecord {
  return { ...rest, Start: Start ?? 0, Last: Last ?? 0 }
}

/** A record cut in two at an instant within it: shares by time, truncated, the remainder in the second part. */
export function splitRecord(record: MetricRecord, atMs: number): readonly [MetricRecord, MetricRecord] {
  const start = record['Start'] ?? 0
  const last = record['Last'] ?? 0
  const share = (atMs - start) / (last - start)
  const before = emptyRecord()
  const after = emptyRecord()
  for (const key of counters(record)) {
    before[key] = Math.trunc(record[key]! * share)
    after[key] = record[key]! - before[key]
  }
  return [
    { ...before, Start: start, Last: atMs },
    { ...after, Start: atMs, Last: last },
  ]
}

/** Between which instants is aggregated, in slices of which length. */
export interface Window {
  /** Where the first slice begins, ms since the epoch. */
  readonly startMs: number
  /** Where the last slice ends, ms since the epoch. */
  readonly lastMs: number
  /** How long a slice is, ms. */
  readonly stepMs: number
}

/**
 * All series merged into consecutive slices of the window (spec graph 4.9, Aggregates). A record over several slices is shared out by time;
 * the sum over the slices is that of the input within the window. Slices without any record are left out.
 */
export function aggregate(series: Iterable<readonly MetricRecord[]>, window: Window): readonly MetricRecord[] {
  const slices = new Map<number, MetricRecord[]>()
  for (const records of series) for (const record of records) shareOut(record, window, slices)
  return [...slices.entries()]
    .sort(([a], [b]) => a - b)
    .map(([index, records]) => {
      const startMs = window.startMs + index * window.stepMs
      return timesLast({ ...sumRecords(records), Start: startMs, Last: Math.min(startMs + window.stepMs, window.lastMs) })
    })
}

function shareOut(record: MetricRecord, window: Window, slices: Map<number, MetricRecord[]>): void {
  const startedMs = record['Start'] ?? 0
  const endedMs = record['Last'] ?? 0
  if (endedMs < window.startMs || startedMs > window.lastMs) return
  if (endedMs === window.startMs && startedMs < endedMs) return
  if (startedMs === window.lastMs && startedMs < endedMs) return
  let rest = startedMs < window.startMs ? splitRecord(record, window.startMs)[1] : record
  let index = Math.floor(((rest['Start'] ?? 0) - window.startMs) / window.stepMs)
  if (window.startMs + index * window.stepMs >= window.lastMs && index > 0) index--
  for (; ; index++) {
    const sliceStartMs = window.startMs + index * window.stepMs
    const sliceEndMs = Math.min(sliceStartMs + window.stepMs, window.lastMs)
    if (endedMs <= sliceEndMs) {
      add(slices, index, rest)
      return
    }
    const [share, remainder] = splitRecord(rest, sliceEndMs)
    const isNothing = counters(share).every((key) => share[key] === 0)
    if (isNothing && startedMs >= sliceStartMs) {
      add(slices, index, rest)
      return
    }
    add(slices, index, share)
    rest = remainder
    if (sliceEndMs >= window.lastMs) return
  }
}

function add(slices: Map<number, MetricRecord[]>, index: number, record: MetricRecord): void {
  const records = slices.get(index)
  if (records) records.push(record)
  else slices.set(index, [record])
}
