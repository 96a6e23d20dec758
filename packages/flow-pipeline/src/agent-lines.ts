import type { GraphEvent } from '@skydive/contracts'

/**
 * The lines to agents: which are broken, and since when. A copy of an agent's graph outlives its line for a while, so that what it shows as running is
 * not known to run. Holds a time for each host whose line ever broke.
 */
export class AgentLines {
  readonly #lines = new Map<string, { readonly brokenMs: number; readonly isAway: boolean }>()

  broke(host: string, timeMs: number): void {
    this.#lines.set(host, { brokenMs: timeMs, isAway: true })
  }

  back(host: string): void {
    const line = this.#lines.get(host)
    if (line) this.#lines.set(host, { ...line, isAway: false })
  }

  /** Since when the agent of a host is away; `undefined` when it is not. */
  awaySinceMs(host: string): number | undefined {
    const line = this.#lines.get(host)
    return line?.isAway ? line.brokenMs : undefined
  }

  /**
   * Says for the nodes that one batch deletes when what ran on them ended, if that was not at the time of the batch: when the line of an agent broke that
   * is away, or that began anew, which shows by nodes that the batch deletes and adds.
   */
  endsIn(events: readonly GraphEvent[]): (host: string) => number | undefined {
    if (this.#lines.size === 0) return () => undefined
    const deleted = new Set<string>()
    const anew = new Set<string>()
    for (const event of events) {
      if (event.kind === 'node-deleted') deleted.add(event.node.id)
      else if (event.kind === 'node-added' && deleted.has(event.node.id)) anew.add(event.node.host)
    }
    return (host) => (anew.has(host) ? this.#lines.get(host)?.brokenMs : this.awaySinceMs(host))
  }
}
