import type { Flow } from '@skydive/contracts'
import type { FlowAccounting } from './flow-accounting.ts'
import {
  COLD_FINISH,
  COLD_SHIFT,
  RECORD_AB_BYTES_WIDE,
  RECORD_AB_PACKETS,
  RECORD_BA_BYTES_WIDE,
  RECORD_BA_PACKETS,
  RECORD_SHIFT,
  WIDE_REPORTED,
  WIDE_RTT_NS,
  WIDE_SHIFT,
  WIDE_START_MS,
  WIDE_UPDATE,
  WIDE_UPDATE_LAST_MS,
  WIDE_UPDATE_RTT_NS,
  WIDE_UPDATE_START_MS,
} from './layout.ts'

/** Flows of one batch: what is made at once before packets get their turn again. */
const BATCH_FLOWS = 1000
/** How long a finished connection stays, for stragglers. */
const FINISHED_STAY_MS = 15_000
const TIMEOUT = 1

/** The time side of a table: updates, expiry, the end (spec flows 2.4 and 2.5). */
export class FlowSchedule {
  readonly #accounting: FlowAccounting
  readonly #timeoutsMs: ReadonlyMap<string, number>
  #lastUpdateMs = 0
  #lastExpireMs = 0

  constructor(accounting: FlowAccounting, timeoutsMs: Readonly<Record<string, number>>) {
    this.#accounting = accounting
    this.#timeoutsMs = new Map(Object.entries(timeoutsMs).map(([name, value]) => [name.toUpperCase(), value]))
  }

  *update(nowMs: number): Generator<readonly Flow[]> {
    const fromMs = this.#lastUpdateMs
    this.#lastUpdateMs = nowMs
    yield* this.#batches((id) => {
      const isTouched = this.#isTouched(id)
      const isTimedOut = !isTouched && this.#isTimedOut(id, nowMs)
      this.#measure(id, fromMs, nowMs)
      if (isTimedOut) this.#finish(id)
      const flow = isTouched || isTimedOut ? this.#report(id) : undefined
      const isOver = this.#isFinished(id) && nowMs - this.#accounting.columns.lastMs(id) >= FINISHED_STAY_MS
      if (isTimedOut || isOver) this.#accounting.remove(id)
      return flow
    })
  }

  *expire(nowMs: number): Generator<readonly Flow[]> {
    const beforeMs = this.#lastExpireMs
    this.#lastExpireMs = nowMs
    yield* this.#removeOlderThan(beforeMs)
    this.#accounting.forgetUnusedPairs()
  }

  *drain(): Generator<readonly Flow[]> {
    yield* this.#removeOlderThan(Number.POSITIVE_INFINITY)
    this.#accounting.forgetUnusedPairs()
  }

  snapshot(): Generator<readonly Flow[]> {
    return this.#batches((id) => this.#accounting.exporter.flow(id))
  }

  *#removeOlderThan(beforeMs: number): Generator<readonly Flow[]> {
    const { columns } = this.#accounting
    yield* this.#batches((id) => {
      const lastMs = columns.lastMs(id)
      if (lastMs >= beforeMs) return undefined
      const isTouched = this.#isTouched(id)
      const wasFinished = this.#isFinished(id)
      if (isTouched) this.#measure(id, this.#lastUpdateMs, lastMs)
      this.#finish(id)
      // A finished flow was reported with its finish type already, unless something came after.
      const flow = isTouched || !wasFinished ? this.#report(id) : undefined
      this.#accounting.remove(id)
      return flow
    })
  }

  *#batches(visit: (id: number) => Flow | undefined): Generator<readonly Flow[]> {
    const { columns } = this.#accounting
    let batch: Flow[] = []
    for (let id = 0; id < columns.limit; id++) {
      if (!columns.isLive(id)) continue
      const flow = visit(id)
      if (flow) batch.push(flow)
      if (batch.length === BATCH_FLOWS) {
        yield batch
        batch = []
      }
    }
    if (batch.length > 0) yield batch
  }

  #report(id: number): Flow {
    return this.#accounting.exporter.flow(id, this.#accounting.raw.take(id))
  }

  #isTouched(id: number): boolean {
    const { columns } = this.#accounting
    const base = (id << WIDE_SHIFT) + WIDE_REPORTED
    return columns.packets(id) !== columns.wide[base]! + columns.wide[base + 1]!
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

  /** Writes the difference since the last measurement and remembers the totals. */
  #measure(id: number, fromMs: number, lastMs: number): void {
    const { records, recordsWide, wide } = this.#accounting.columns
    const base = id << RECORD_SHIFT
    const row = id << WIDE_SHIFT
    const isFirst = wide[row + WIDE_UPDATE_LAST_MS] === 0
    const wasTouched = this.#isTouched(id)
    const totals = [
      records[base + RECORD_AB_PACKETS]! >>> 0,
      records[base + RECORD_BA_PACKETS]! >>> 0,
      recordsWide[(base >> 1) + RECORD_AB_BYTES_WIDE]!,
      recordsWide[(base >> 1) + RECORD_BA_BYTES_WIDE]!,
    ]
    for (let i = 0; i < 4; i++) {
      wide[row + WIDE_UPDATE + i] = totals[i]! - wide[row + WIDE_REPORTED + i]!
      wide[row + WIDE_REPORTED + i] = totals[i]!
    }
    wide[row + WIDE_UPDATE_START_MS] = isFirst ? wide[row + WIDE_START_MS]! : fromMs
    wide[row + WIDE_UPDATE_LAST_MS] = lastMs
    wide[row + WIDE_UPDATE_RTT_NS] = wasTouched ? wide[row + WIDE_RTT_NS]! : 0
  }
}
