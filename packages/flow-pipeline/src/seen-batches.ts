/** Batches of one agent whose ids are remembered: more than a buffer of unacknowledged batches can hold. */
const BATCHES = 4_096
/** Agents whose batches are remembered; of more those are forgotten that were silent the longest. */
const AGENTS = 4_096
/** Ids of all agents together: some 100 bytes each. */
const ALL_BATCHES = 1_048_576

/** Ids of batches that were taken, so that one that is sent again is taken once. Bounded whoever sends what. */
export class SeenBatches {
  /** The agent that was silent the longest first. */
  readonly #byAgent = new Map<string, Set<string>>()
  #count = 0

  /** How many ids are remembered. */
  get size(): number {
    return this.#count
  }

  /** Notes a batch; answers whether it was seen before. */
  note(agent: string, id: string): boolean {
    const ids = this.#byAgent.get(agent) ?? new Set<string>()
    this.#byAgent.delete(agent)
    this.#byAgent.set(agent, ids)
    if (ids.has(id)) return true
    ids.add(id)
    this.#count++
    if (ids.size > BATCHES) {
      ids.delete(ids.values().next().value!)
      this.#count--
    }
    while (this.#byAgent.size > AGENTS || this.#count > ALL_BATCHES) this.#forgetAgent()
    return false
  }

  #forgetAgent(): void {
    const [agent, ids] = this.#byAgent.entries().next().value!
    this.#byAgent.delete(agent)
    this.#count -= ids.size
  }
}
