import type { NetflowCounts } from './counts.ts'
import { ExporterState, type NetflowLimits } from './exporter-state.ts'

/** The exporters that a decoder knows, the one that was silent the longest first; bounded in number and in memory. */
export class ExporterRegistry {
  readonly #states = new Map<string, ExporterState>()
  readonly #limits: Required<NetflowLimits>
  readonly #counts: NetflowCounts
  #ids = 0
  #last: ExporterState | undefined

  constructor(limits: Required<NetflowLimits>, counts: NetflowCounts) {
    this.#limits = limits
    this.#counts = counts
  }

  /** Everyone known now. */
  values(): Iterable<ExporterState> {
    return this.#states.values()
  }

  /** The state of a sender, which becomes the one heard last. */
  of(name: string): ExporterState {
    if (this.#last?.info.name === name) return this.#last
    let state = this.#states.get(name)
    if (state) this.#states.delete(name)
    else {
      if (this.#states.size >= this.#limits.maxExporters) this.#evict()
      const info = { name, id: ++this.#ids, datagrams: 0, records: 0, lost: 0, samplingRate: 1 }
      state = new ExporterState(info, this.#limits, this.#counts)
    }
    this.#states.set(name, state)
    this.#last = state
    return state
  }

  /** Keeps the memory of all within its bound. Cheap as long as there is room: call it after something was kept. */
  bound(): void {
    let bytes = 0
    for (const state of this.#states.values()) bytes += state.bytes
    while (bytes > this.#limits.maxBytes && this.#states.size > 1) bytes -= this.#evict()
    if (bytes <= this.#limits.maxBytes) return
    // The only one left takes too much by itself: first what waits goes, then everything.
    for (const state of this.#states.values()) bytes -= state.dropHeld()
    if (bytes > this.#limits.maxBytes) this.#evict()
  }

  #evict(): number {
    const [oldest] = this.#states
    if (!oldest) return 0
    const [name, state] = oldest
    this.#states.delete(name)
    if (this.#last === state) this.#last = undefined
    this.#counts.evictedExporters++
    this.#counts.droppedSets += state.held.length
    return state.bytes
  }
}
