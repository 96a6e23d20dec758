import type { Logger, Service } from '@skydive/contracts'

/** One part of a daemon. */
export interface NamedService {
  readonly name: string
  readonly service: Service
  /** How long its end may take. @default 10000 */
  readonly stopTimeoutMs?: number
}

/** What {@link runServices} needs besides the parts. */
export interface RunOptions {
  readonly logger: Logger
  /** Ends the daemon from outside, as SIGINT and SIGTERM do. */
  readonly signal?: AbortSignal
  /** Called when everything runs. */
  onReady?(): void
  /** Where signals come from; tests give their own. @default process */
  readonly process?: Pick<NodeJS.Process, 'on' | 'removeListener' | 'exit'>
}

const STOP_TIMEOUT_MS = 10_000
const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/**
 * Starts the parts in order, waits for a signal, stops them in reverse order. A second signal ends the process at once.
 * Resolves when everything is stopped.
 *
 * When a part fails to start, those before it are stopped and its error is thrown.
 */
export async function runServices(services: readonly NamedService[], options: RunOptions): Promise<void> {
  const host = options.process ?? process
  const stopping = new AbortController()
  const asked = new Promise<void>((resolve) => stopping.signal.addEventListener('abort', () => resolve(), { once: true }))
  const onSignal = () => {
    if (stopping.signal.aborted) host.exit(130)
    stopping.abort()
  }
  for (const name of SIGNALS) host.on(name, onSignal)
  options.signal?.addEventListener('abort', () => stopping.abort(), { once: true })
  if (options.signal?.aborted) stopping.abort()

  const started: NamedService[] = []
  try {
    for (const part of services) {
      if (stopping.signal.aborted) break
      started.push(part)
      await part.service.start(stopping.signal)
      options.logger.debug({ part: part.name }, 'part started')
    }
    if (!stopping.signal.aborted) {
      options.onReady?.()
      await asked
    }
  } finally {
    await stopAll(started, options.logger)
    for (const name of SIGNALS) host.removeListener(name, onSignal)
  }
}

async function stopAll(started: NamedService[], logger: Logger): Promise<void> {
  for (const { name, service, stopTimeoutMs = STOP_TIMEOUT_MS } of started.reverse()) {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), stopTimeoutMs)
    })
    try {
      const outcome = await Promise.race([service.stop(), late])
      if (outcome === 'late') logger.error({ part: name, stopTimeoutMs }, 'part did not stop in time')
      else logger.debug({ part: name }, 'part stopped')
    } catch (error) {
      logger.error({ part: name, err: error }, 'part failed to stop')
    } finally {
      clearTimeout(timer)
    }
  }
}
