import type { Flow } from '@skydive/contracts'
import type { FlowAccounting } from './flow-accounting.ts'

/** Share of the table (as a shift) that one eviction frees: it costs a pass over all flows. */
const EVICTION_SHIFT = 6

/** Makes place in a full table: the flows that have been longest without a packet leave, with TIMEOUT. */
export class FlowEviction {
  /** Flows that left so far. */
  evictedFlows = 0
  readonly #accounting: FlowAccounting
  readonly #onEvicted: (flows: readonly Flow[]) => void

  constructor(accounting: FlowAccounting, onEvicted: (flows: readonly Flow[]) => void) {
    this.#accounting = accounting
    this.#onEvicted = onEvicted
  }

  /** Takes out a 64th of all flows, at least one. With `isSilent` nobody hears of them. One pass over all flows. */
  evict(isSilent: boolean): void {
    const { columns, differences, exporter, raw } = this.#accounting
    const flows: Flow[] = []
    for (const id of columns.oldest(Math.max(1, columns.size >> EVICTION_SHIFT))) {
      if (!isSilent) {
        differences.measureLeaving(id)
        this.#accounting.finishStreams(id)
        const { FinishType: finish = 1, LastRawPackets: _, ...flow } = exporter.flow(id)
        const rawPackets = raw.take(id)
        flows.push({ ...flow, FinishType: finish, ...(rawPackets && { LastRawPackets: rawPackets }) })
      }
      this.#accounting.remove(id)
    }
    this.evictedFlows += flows.length
    if (flows.length > 0) this.#onEvicted(flows)
  }
}
