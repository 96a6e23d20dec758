import { InvalidArgumentError } from '@skydive/contracts'
import { z } from 'zod'

const schema = z.strictObject({
  runPaths: z.array(z.string().startsWith('/')).max(64).default(['/var/run/netns', '/var/run/docker/netns']),
  processes: z.boolean().default(false),
  processIntervalMs: z.int().min(100).max(3_600_000).default(2000),
})

/** Options of the probe; all may be left out. */
export interface NetnsOptions {
  /** Folders with handles (`agent.topology.netns.run_path`). Default `/var/run/netns` and Docker's `/var/run/docker/netns`. */
  readonly runPaths?: readonly string[]
  /** Whether namespaces that only processes live in are shown too (`agent.topology.netns.processes`). Default: no. */
  readonly processes?: boolean
  /** How often processes are looked at, ms. Default 2,000. */
  readonly processIntervalMs?: number
}

/** @throws ERR_INVALID_ARGUMENT naming the option. */
export function parseOptions(options: NetnsOptions): Required<NetnsOptions> {
  const result = schema.safeParse(options)
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  throw new InvalidArgumentError(`probe netns: option ${issue.path.join('.') || '(all)'}: ${issue.message}`, {
    option: issue.path.join('.'),
  })
}
