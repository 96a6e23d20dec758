import type { MetadataObject } from '@skydive/contracts'

/** Agents that are told apart; whoever comes later is counted together. */
const MAX_AGENTS = 256
const OTHERS = 'others'
/** An agent that does not say its address. */
export const UNKNOWN_AGENT = 'unknown'
/** Sub-agents of one agent whose sequence numbers are followed. */
const MAX_SUB_AGENTS = 256
/** Sequence numbers that jump farther than this tell of a restart, not of a loss. */
const LONGEST_GAP = 100_000

/** What came of one agent. */
export class SFlowAgent {
  readonly name: string
  /** Empty of those who are counted together, and of one that says none. */
  readonly address: string
  datagrams = 0
  samples = 0
  lost = 0
  samplingRate = 0
  /** The next sequence number by sub-agent. */
  readonly #expected = new Map<number, number>()
  /** The sub-agent that sent last, and the next sequence number of it: most agents have only one. */
  #subAgentId = -1
  #next = -1

  constructor(name: string) {
    this.name = name
    this.address = name === OTHERS || name === UNKNOWN_AGENT ? '' : name
  }

  /** Counts a datagram, and those that its sequence number says were lost before it. */
  follow(subAgentId: number, sequence: number): void {
    this.datagrams++
    if (this.name === OTHERS) return
    if (subAgentId !== this.#subAgentId && !this.#turnTo(subAgentId)) return
    const gap = this.#next < 0 ? 0 : (sequence - this.#next) | 0
    // A datagram that comes late has been counted as lost already.
    if (gap < 0 && gap > -LONGEST_GAP) return
    if (gap > 0 && gap <= LONGEST_GAP) this.lost += gap
    this.#next = (sequence + 1) >>> 0
  }

  /** Whether there is room to follow this sub-agent. */
  #turnTo(subAgentId: number): boolean {
    if (this.#subAgentId >= 0) this.#expected.set(this.#subAgentId, this.#next)
    const expected = this.#expected.get(subAgentId)
    if (expected === undefined && this.#expected.size >= MAX_SUB_AGENTS) return false
    this.#subAgentId = subAgentId
    this.#next = expected ?? -1
    return true
  }
}

/** Who sends: datagrams, samples, losses and the sampling rate of each agent, by its address. */
export class SFlowAgents {
  readonly #agents = new Map<string, SFlowAgent>()

  /** What is kept of the agent with this address. */
  of(address: string): SFlowAgent {
    const name = this.#agents.has(address) || this.#agents.size < MAX_AGENTS ? address : OTHERS
    let agent = this.#agents.get(name)
    if (!agent) {
      agent = new SFlowAgent(name)
      this.#agents.set(name, agent)
    }
    return agent
  }

  /** By address: `{ '10.0.0.1': { Datagrams: 9, Samples: 40, Lost: 0, SamplingRate: 512 } }`. */
  metadata(): MetadataObject {
    return Object.fromEntries(
      [...this.#agents].map(([name, { datagrams, samples, lost, samplingRate }]) => [
        name,
        { Datagrams: datagrams, Samples: samples, Lost: lost, SamplingRate: samplingRate },
      ]),
    )
  }
}
