import type { Cursor, GraphBatch, GraphEvent, MetadataOp, MetadataValue } from '@skydive/contracts'
import type { Change } from './graph-state.ts'

/** A committed transaction as the log keeps it. */
export interface LogEntry {
  readonly batch: GraphBatch
  readonly changes: readonly Change[]
  readonly bytes: number
}

/** How much of the past is kept: whichever limit is reached first. */
export interface Retention {
  /** How long a change is remembered, ms. */
  readonly ageMs: number
  /** How much the remembered changes may occupy, bytes (an estimate of what they keep in memory). */
  readonly bytes: number
}

const EVENT_BYTES = 240
const OBJECT_BYTES = 24
const KEY_BYTES = 8

/** The memory that a metadata value occupies, roughly: what V8 needs for plain objects of known shape. */
export function approximateBytes(value: MetadataValue): number {
  if (typeof value === 'string') return 16 + value.length
  if (typeof value !== 'object' || value === null) return KEY_BYTES
  let bytes = OBJECT_BYTES
  if (Array.isArray(value)) for (const item of value) bytes += KEY_BYTES + approximateBytes(item)
  else for (const key in value) bytes += KEY_BYTES + approximateBytes((value as Record<string, MetadataValue>)[key]!)
  return bytes
}

function opsBytes(ops: readonly MetadataOp[]): number {
  let bytes = 0
  for (const op of ops) bytes += op.op === 'delete' ? KEY_BYTES : approximateBytes(op.value)
  return bytes
}

/** What remembering an event costs beyond the elements that live anyway. */
function eventBytes(event: GraphEvent): number {
  switch (event.kind) {
    case 'node-added':
    case 'edge-added':
      return EVENT_BYTES
    case 'node-updated':
      return EVENT_BYTES + Object.keys(event.previous.metadata).length * KEY_BYTES + opsBytes(event.ops)
    case 'edge-updated':
      return EVENT_BYTES + Object.keys(event.previous.metadata).length * KEY_BYTES + opsBytes(event.ops)
    case 'node-deleted':
      return EVENT_BYTES + approximateBytes(event.node.metadata)
    case 'edge-deleted':
      return EVENT_BYTES + approximateBytes(event.edge.metadata)
  }
}

/** The committed transactions in order, as far back as the retention and the views in use ask for. */
export class EventLog {
  /** From `head` on; what is before has been forgotten and is cut off now and then. */
  private entries: LogEntry[] = []
  private head = 0
  private heldBytes = 0
  private forgottenTimeMs: number
  private readonly epoch: string
  private readonly retention: Retention

  constructor(epoch: string, startedAtMs: number, retention: Retention) {
    this.epoch = epoch
    this.forgottenTimeMs = startedAtMs
    this.retention = retention
  }

  get length(): number {
    return this.entries.length - this.head
  }

  get bytes(): number {
    return this.heldBytes
  }

  /** From when on every change is known. */
  get knownFromMs(): number {
    return this.forgottenTimeMs
  }

  append(batch: GraphBatch, changes: readonly Change[]): void {
    let bytes = 0
    for (const event of batch.events) bytes += eventBytes(event)
    this.heldBytes += bytes
    this.entries.push({ batch, changes, bytes })
  }

  /**
   * Forgets what the retention no longer asks for and no view of a version below needs.
   * `forget` gets every change that goes, oldest first.
   */
  trim(nowMs: number, oldestPinned: () => number, forget: (change: Change) => void): void {
    if (!this.isDue(nowMs)) return
    const pinned = oldestPinned()
    while (this.isDue(nowMs)) {
      const entry = this.entries[this.head]!
      if (entry.batch.version > pinned) break
      for (const change of entry.changes) forget(change)
      this.heldBytes -= entry.bytes
      this.forgottenTimeMs = entry.batch.timeMs
      this.head++
    }
    if (this.head > 64 && this.head * 2 > this.entries.length) {
      this.entries = this.entries.slice(this.head)
      this.head = 0
    }
  }

  private isDue(nowMs: number): boolean {
    const oldest = this.entries[this.head]
    if (oldest === undefined) return false
    return this.heldBytes > this.retention.bytes || nowMs - oldest.batch.timeMs > this.retention.ageMs
  }

  /** The entries of versions after `version`, oldest first; `undefined` when some of them are forgotten. */
  after(version: number, currentVersion: number): readonly LogEntry[] | undefined {
    const oldest = currentVersion - this.length
    if (version < oldest || version > currentVersion) return undefined
    return this.entries.slice(this.head + version - oldest)
  }

  /** The batches after a cursor; see the contract of `GraphEvents.since`. */
  since(cursor: Cursor, currentVersion: number): readonly GraphBatch[] | undefined {
    if (cursor.epoch !== this.epoch) return undefined
    return this.after(cursor.version, currentVersion)?.map((entry) => entry.batch)
  }
}
