import type { ProbeStatus } from './probe.ts'

/** Holds the status of a probe for its author: what {@link Probe.status} and {@link Probe.onStatus} answer. */
export class ProbeStatusHolder {
  private held: ProbeStatus = { state: 'stopped' }
  private readonly listeners = new Set<(status: ProbeStatus) => void>()

  get current(): ProbeStatus {
    return this.held
  }

  /** Tells every listener, in the order in which they came. */
  set(status: ProbeStatus): void {
    this.held = status
    for (const listener of [...this.listeners]) listener(status)
  }

  onStatus(listener: (status: ProbeStatus) => void): () => void {
    this.listeners.add(listener)
    return () => {
      this.listeners.delete(listener)
    }
  }
}
