import type { EnhancedFlow, Flow, FlowMetric, FlowPlaces, RawPacket, TimeSlice } from '@skydive/contracts'
import type { DatabaseFile } from './database-file.ts'
import type { SqlCondition } from './flow-sql.ts'
import type { SqlValue } from './sqlite.ts'

/**
 * One file of flows. A flow is one row by UUID, overwritten by later reports; each report leaves a metric row, each kept packet a raw row.
 * Hot fields have columns and indexes; `body` is the whole Flow JSON.
 */
export const FLOW_SCHEMA = `
CREATE TABLE file.flow (
  uuid TEXT PRIMARY KEY, tracking TEXT NOT NULL, l3tracking TEXT NOT NULL, node TEXT NOT NULL, capture TEXT NOT NULL,
  application TEXT NOT NULL, layers TEXT NOT NULL, link_a TEXT NOT NULL, link_b TEXT NOT NULL, network_a TEXT NOT NULL, network_b TEXT NOT NULL,
  transport_a INTEGER NOT NULL, transport_b INTEGER NOT NULL, start INTEGER NOT NULL, last INTEGER NOT NULL,
  body TEXT NOT NULL, places TEXT NOT NULL);
CREATE INDEX file.flow_by_last ON flow (last);
CREATE INDEX file.flow_by_network_a ON flow (network_a, last);
CREATE INDEX file.flow_by_network_b ON flow (network_b, last);
CREATE INDEX file.flow_by_tracking ON flow (tracking);
CREATE TABLE file.metric (
  uuid TEXT NOT NULL, last INTEGER NOT NULL, start INTEGER NOT NULL, ab_packets INTEGER NOT NULL, ab_bytes INTEGER NOT NULL,
  ba_packets INTEGER NOT NULL, ba_bytes INTEGER NOT NULL, rtt INTEGER NOT NULL, PRIMARY KEY (uuid, last, start)) WITHOUT ROWID;
CREATE TABLE file.raw (
  uuid TEXT NOT NULL, position INTEGER NOT NULL, timestamp INTEGER NOT NULL, link_type INTEGER NOT NULL, data BLOB NOT NULL,
  PRIMARY KEY (uuid, position)) WITHOUT ROWID;
CREATE TABLE file.span (one INTEGER PRIMARY KEY CHECK (one = 1), start INTEGER NOT NULL, last INTEGER NOT NULL);
`

const PUT_FLOW = `
  INSERT INTO flow VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (uuid) DO UPDATE SET last = excluded.last, application = excluded.application, layers = excluded.layers, body = excluded.body, places = excluded.places
  WHERE excluded.last >= flow.last`
const PUT_METRIC = 'INSERT OR REPLACE INTO metric VALUES (?, ?, ?, ?, ?, ?, ?, ?)'
const PUT_RAW = 'INSERT OR REPLACE INTO raw VALUES (?, ?, ?, ?, ?)'
const METRICS = 'SELECT * FROM metric WHERE uuid = ? AND start >= ? AND last <= ? ORDER BY last'
const RAW = 'SELECT * FROM raw WHERE uuid = ? AND timestamp BETWEEN ? AND ? ORDER BY position'

const PUT_SPAN = `
  INSERT INTO span VALUES (1, ?, ?)
  ON CONFLICT (one) DO UPDATE SET start = min(span.start, excluded.start), last = max(span.last, excluded.last)`
const EVER: TimeSlice = { startMs: Number.NEGATIVE_INFINITY, lastMs: Number.POSITIVE_INFINITY }
const NEVER: TimeSlice = { startMs: Number.POSITIVE_INFINITY, lastMs: Number.NEGATIVE_INFINITY }

const asNumber = (value: unknown): number => Number(value)

/** Writes to and reads from one flow file. Storing the same report twice leaves what storing it once leaves. */
export class FlowPartition {
  readonly startMs: number
  readonly #file: DatabaseFile
  /** From the first to the last time that anything in the file tells of; absent until it was read. */
  #span: TimeSlice | undefined

  constructor(startMs: number, file: DatabaseFile) {
    this.startMs = startMs
    this.#file = file
  }

  /** Stores reports in one transaction. */
  write(flows: readonly EnhancedFlow[]): void {
    const times = spanOf(flows)
    // Wider than what is stored when the transaction fails: then the file is searched in vain.
    const { startMs, lastMs } = this.#knownSpan()
    this.#span = { startMs: Math.min(startMs, times.startMs), lastMs: Math.max(lastMs, times.lastMs) }
    this.#file.transaction(() => {
      for (const { flow, places } of flows) this.#put(flow, places)
      if (times.startMs <= times.lastMs && this.#hasSpan()) this.#file.run(PUT_SPAN, times.startMs, times.lastMs)
    })
  }

  /** Whether something in the file may be of the slice. Opens the file the first time, never again. */
  mayHold({ startMs, lastMs }: TimeSlice): boolean {
    const span = this.#knownSpan()
    return span.startMs <= lastMs && span.lastMs >= startMs
  }

  #knownSpan(): TimeSlice {
    this.#span ??= this.#readSpan()
    return this.#span
  }

  #readSpan(): TimeSlice {
    if (!this.#hasSpan()) return EVER
    const row = this.#file.get('SELECT start, last FROM span')
    return row ? { startMs: asNumber(row['start']), lastMs: asNumber(row['last']) } : NEVER
  }

  /** Files of earlier versions have none. */
  #hasSpan(): boolean {
    return this.#file.get("SELECT 1 FROM file.sqlite_master WHERE name = 'span'") !== undefined
  }

  #put(flow: Flow, places: FlowPlaces): void {
    const { LastRawPackets: rawPackets, ...body } = flow
    this.#file.run(
      PUT_FLOW,
      flow.UUID,
      flow.TrackingID ?? '',
      flow.L3TrackingID ?? '',
      flow.NodeTID ?? '',
      flow.CaptureID ?? '',
      flow.Application ?? '',
      flow.LayersPath ?? '',
      flow.Link?.A ?? '',
      flow.Link?.B ?? '',
      flow.Network?.A ?? '',
      flow.Network?.B ?? '',
      flow.Transport?.A ?? 0,
      flow.Transport?.B ?? 0,
      flow.Start,
      flow.Last,
      JSON.stringify(body),
      JSON.stringify(places),
    )
    const metric = flow.LastUpdateMetric
    if (metric && metric.Last > 0) {
      this.#file.run(
        PUT_METRIC,
        flow.UUID,
        metric.Last,
        metric.Start,
        metric.ABPackets,
        metric.ABBytes,
        metric.BAPackets,
        metric.BABytes,
        metric.RTT ?? 0,
      )
    }
    for (const packet of rawPackets ?? [])
      this.#file.run(PUT_RAW, flow.UUID, packet.Index, packet.Timestamp, packet.LinkType, packet.Data)
  }

  /** The flows active in the slice that SQL can't rule out. */
  *candidates(
    { startMs, lastMs }: TimeSlice,
    nodeTids: readonly string[] | undefined,
    condition: SqlCondition | undefined,
  ): IterableIterator<EnhancedFlow> {
    const values: SqlValue[] = [lastMs, startMs]
    let sql = 'SELECT body, places FROM flow WHERE start <= ? AND last >= ?'
    if (nodeTids) {
      sql += ' AND node IN (SELECT value FROM json_each(?))'
      values.push(JSON.stringify(nodeTids))
    }
    if (condition) {
      sql += ` AND ${condition.sql}`
      values.push(...condition.values)
    }
    for (const row of this.#file.each(sql, ...values)) {
      yield { flow: JSON.parse(String(row['body'])) as Flow, places: JSON.parse(String(row['places'])) as FlowPlaces }
    }
  }

  metrics(uuid: string, { startMs, lastMs }: TimeSlice): FlowMetric[] {
    return this.#file.all(METRICS, uuid, startMs, lastMs).map((row) => ({
      ABPackets: asNumber(row['ab_packets']),
      ABBytes: asNumber(row['ab_bytes']),
      BAPackets: asNumber(row['ba_packets']),
      BABytes: asNumber(row['ba_bytes']),
      Start: asNumber(row['start']),
      Last: asNumber(row['last']),
      ...(asNumber(row['rtt']) > 0 && { RTT: asNumber(row['rtt']) }),
    }))
  }

  rawPackets(uuid: string, { startMs, lastMs }: TimeSlice): RawPacket[] {
    return this.#file.all(RAW, uuid, startMs, lastMs).map((row) => ({
      Timestamp: asNumber(row['timestamp']),
      Index: asNumber(row['position']),
      Data: row['data'] as Uint8Array,
      LinkType: asNumber(row['link_type']),
    }))
  }
}

/** All times that reports and what comes with them tell of. */
function spanOf(flows: readonly EnhancedFlow[]): TimeSlice {
  let { startMs, lastMs } = NEVER
  const widen = (from: number, to: number) => {
    startMs = Math.min(startMs, from)
    lastMs = Math.max(lastMs, to)
  }
  for (const { flow } of flows) {
    widen(flow.Start, flow.Last)
    const metric = flow.LastUpdateMetric
    if (metric && metric.Last > 0) widen(metric.Start, metric.Last)
    for (const { Timestamp: timestamp } of flow.LastRawPackets ?? []) widen(timestamp, timestamp)
  }
  return { startMs, lastMs }
}
