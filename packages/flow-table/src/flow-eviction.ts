import type { Flow } from '@skydive/contracts'
import { FLOW_END } from '@skydive/packet/netflow'
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
    const { columns, differences, exporter } = this.#accounting
    const evicted = columns.oldest(Math.max(1, columns.size >> EVICTION_SHIFT))
    const flows: Flow[] = []
    for (const id of evicted) {
      if (!isSilent) {
        differences.measureLeaving(id)
        this.#accounting.finishStreams(id)
        if (exporter.directions) exporter.directions.tell(id, FLOW_END.RESOURCES)
        else flows.push(this.#flow(id))
      }
      this.#accounting.remove(id)
    }
    if (isSilent || evicted.length === 0) return
    this.evictedFlows += evicted.length
    this.#onEvicted(flows)
  }

  #flow(id: number): Flow {
    const { exporter, raw } = this.#accounting
    const { FinishType: finish = 1, LastRawPackets: _, ...flow } = exporter.flow(id)
    const rawPackets = raw.take(id)
    return { ...flow, FinishType: finish, ...(rawPackets && { LastRawPackets: rawPackets }) }
  }
}
