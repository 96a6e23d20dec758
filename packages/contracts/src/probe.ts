import type { GraphWriter } from './graph-writer.ts'
import type { Clock, Logger, Metrics, Service } from './lifecycle.ts'

/** Where a probe stands. `degraded` retries by itself: `nextRetryAtMs` says when. */
export type ProbeStatus =
  | { readonly state: 'stopped' | 'starting' | 'running' | 'stopping' }
  | { readonly state: 'degraded'; readonly error: Error; readonly nextRetryAtMs?: number }

/** Whether a probe can run here; when not, why, and what would mend it. */
export type Detection =
  | { readonly available: true }
  | { readonly available: false; readonly reason: string; readonly remedy?: string }

/** What the runtime gives to a probe. A probe names in its own type only what it uses. */
export interface ProbeComponents {
  /** Writes as `<probe>.<host>` elements of the agent's graph. */
  readonly graph: GraphWriter
  /** The id of the host node, which exists before any probe starts. */
  readonly hostNodeId: string
  readonly logger: Logger
  readonly clock: Clock
  readonly metrics: Metrics
}

/**
 * One source of topology.
 *
 * The author's obligations: construction is inert; `start` resolves after the first whole snapshot was written in one transaction, or
 * rejects with `ERR_UNSUPPORTED` or `ERR_PERMISSION` saying what is missing; after it, failures never throw out of a callback: the status
 * becomes `degraded`, with back-off and one log line a burst; a daemon that is absent at start is waited for; ids are deterministic from
 * host and natural key; after `stop` resolves nothing is written and no handle is left. Names come from `@skydive/topology` or from the
 * manifest of the probe's package.
 */
export interface Probe extends Service {
  readonly name: string
  readonly interfaceVersion: 1
  readonly status: ProbeStatus
  /** Called with every change of {@link Probe.status}; answers how to stop listening. */
  onStatus(listener: (status: ProbeStatus) => void): () => void
  /** Looks without touching: no write, nothing left behind. */
  detect(): Promise<Detection>
}

/** What a probe's package exports: options in (validated, throwing `ERR_INVALID_ARGUMENT`), then components, then a probe. */
export type ProbeFactory<Options, Components = ProbeComponents> = (options?: Options) => (components: Components) => Probe
