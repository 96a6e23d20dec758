import { InvalidArgumentError } from '@skydive/contracts'
import { z } from 'zod'

const schema = z.strictObject({
  metricsIntervalMs: z.int().min(100).max(86_400_000).default(30_000),
  maxRoutes: z.int().min(0).max(100_000).default(4096),
  maxNeighbors: z.int().min(0).max(100_000).default(4096),
  queueBytes: z
    .int()
    .min(4096)
    .max(1 << 30)
    .default(32 << 20),
})

/** Options of the probe; all may be left out. */
export interface NetlinkOptions {
  /** How often counters are read (and ten times less often what the kernel does not tell), ms; `agent.topology.netlink.metrics_update` is in seconds. Default 30,000. */
  readonly metricsIntervalMs?: number
  /** Routes kept in the metadata of one interface. Default 4,096. */
  readonly maxRoutes?: number
  /** Entries kept in `Neighbors` and in `FDB` of one interface. Default 4,096. */
  readonly maxNeighbors?: number
  /**
   * Room for news that the kernel holds back while this thread is busy; only what waits is taken. What does not fit is lost and everything
   * is read again. Default 32 MiB, some ten thousand messages.
   */
  readonly queueBytes?: number
}

/** @throws ERR_INVALID_ARGUMENT naming the option. */
export function parseOptions(options: NetlinkOptions): Required<NetlinkOptions> {
  const result = schema.safeParse(options)
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  throw new InvalidArgumentError(`probe netlink: option ${issue.path.join('.') || '(all)'}: ${issue.message}`, {
    option: issue.path.join('.'),
  })
}
