import type { Flow } from '@skydive/contracts'
import { FlowStreamWriter } from '@skydive/protocol/flow'
import type { FlowAccounting } from './flow-accounting.ts'
import { COLD_FINISH, COLD_SHIFT } from './layout.ts'

/**
 * Flows of one batch: what is made at once before packets get their turn again. So few that a batch is dead before the collector of young
 * objects comes by: it would copy them all.
 */
const BATCH_FLOWS = 250
/** Flows looked at before packets get their turn, whether or not there was something to tell of them: a millisecond or two. */
const SCANNED_AT_ONCE = 32_768
/** How long a finished connection stays, for stragglers. */
const FINISHED_STAY_MS = 15_000
const TIMEOUT = 1

/** The time side of a table: updates, expiry, the end (spec flows 2.4 and 2.5). */
export class FlowSchedule {
  readonly #accounting: FlowAccounting
  readonly #timeoutsMs: ReadonlyMap<string, number>
  #lastExpireMs = 0

  constructor(accounting: FlowAccounting, timeoutsMs: Readonly<Record<string, number>>) {
    this.#accounting = accounting
    this.#timeoutsMs = new Map(Object.entries(timeoutsMs).map(([name, value]) => [name.toUpperCase(), value]))
  }

  *update(nowMs: number): Generator<readonly Flow[]> {
    const { differences } = this.#accounting
    const fromMs = differences.lastUpdateMs
    differences.lastUpdateMs = nowMs
    this.#accounting.finishIdleStreams(nowMs)
    yield* this.#batches((id, batch) => {
      const isTouched = differences.isTouched(id)
      const isTimedOut = !isTouched && this.#isTimedOut(id, nowMs)
      differences.measure(id, fromMs, nowMs)
      if (isTimedOut) this.#finish(id)
      const isTold = isTouched || isTimedOut
      if (isTold) this.#report(id, batch)
      const isOver = this.#isFinished(id) && nowMs - this.#accounting.columns.lastMs(id) >= FINISHED_STAY_MS
      if (isTimedOut || isOver) this.#accounting.remove(id)
      return isTold
    })
  }

  *expire(nowMs: number): Generator<readonly Flow[]> {
    const beforeMs = this.#lastExpireMs
    this.#lastExpireMs = nowMs
    yield* this.#removeOlderThan(beforeMs)
  }

  *drain(): Generator<readonly Flow[]> {
    yield* this.#removeOlderThan(Number.POSITIVE_INFINITY)
  }

  snapshot(): Generator<readonly Flow[]> {
    return this.#batches((id, batch) => batch.push(this.#accounting.exporter.flow(id)) > 0)
  }

  /** The same as bytes: by the encoder, and from objects where there is none and for flows that it can't write. */
  *snapshotAsProtobuf(): Generator<Uint8Array> {
    const { columns, exporter, encoder } = this.#accounting
    const objects = new FlowStreamWriter()
    if (!encoder) {
      for (const batch of this.snapshot()) yield objects.encode(batch)
      return
    }
    for (let id = 0; id < columns.limit; ) {
      const next = encoder.append(id)
      const chunk = encoder.take()
      if (chunk.length > 0) yield chunk
      else if (next < columns.limit) yield objects.encode([exporter.flow(next)])
      id = chunk.length > 0 ? next : next + 1
    }
  }

  *#removeOlderThan(beforeMs: number): Generator<readonly Flow[]> {
    const { columns, differences } = this.#accounting
    const { size } = columns
    yield* this.#batches((id, batch) => {
      if (columns.lastMs(id) >= beforeMs) return false
      const isTouched = differences.isTouched(id)
      const wasFinished = this.#isFinished(id)
      differences.measureLeaving(id)
      this.#finish(id)
      this.#accounting.finishStreams(id)
      // A finished flow was reported with its finish type already, unless something came after.
      const isTold = isTouched || !wasFinished
      if (isTold) this.#report(id, batch)
      this.#accounting.remove(id)
      return isTold
    })
    if (columns.size < size) this.#accounting.forgetUnusedPairs()
  }

  /** `visit` adds a flow to the batch, or tells of it elsewhere, and answers whether it did. */
  *#batches(visit: (id: number, batch: Flow[]) => boolean): Generator<readonly Flow[]> {
    const { columns } = this.#accounting
    let batch: Flow[] = []
    let told = 0
    let pauseAt = SCANNED_AT_ONCE
    for (let id = 0; id < columns.limit; id++) {
      if (id === pauseAt || told === BATCH_FLOWS) {
        yield batch
        batch = []
        told = 0
        pauseAt = id + SCANNED_AT_ONCE
      }
      if (columns.isLive(id) && visit(id, batch)) told++
    }
    if (told > 0) yield batch
  }

  #report(id: number, batch: Flow[]): void {
    const { exporter, raw } = this.#accounting
    const rawPackets = raw.take(id)
    if (exporter.directions) exporter.directions.tell(id)
    else batch.push(exporter.flow(id, rawPackets))
  }

  #isFinished(id: number): boolean {
    return this.#accounting.columns.cold[(id << COLD_SHIFT) + COLD_FINISH] !== 0
  }

  #finish(id: number): void {
    const { cold } = this.#accounting.columns
    if (cold[(id << COLD_SHIFT) + COLD_FINISH] === 0) cold[(id << COLD_SHIFT) + COLD_FINISH] = TIMEOUT
  }

  #isTimedOut(id: number, nowMs: number): boolean {
    if (this.#timeoutsMs.size === 0) return false
    const timeoutMs = this.#timeoutsMs.get(this.#accounting.exporter.application(id).toUpperCase())
    return timeoutMs !== undefined && nowMs - this.#accounting.columns.lastMs(id) > timeoutMs
  }
}
