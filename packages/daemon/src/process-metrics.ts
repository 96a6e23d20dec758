import { readdirSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { Gauge, type Registry } from 'prom-client'

/**
 * Adds the figures of the process itself, with the names that dashboards know. Everything is read when it is asked for: the collectors that
 * come with prom-client keep a timer of 10 ms and an observer of the garbage collector running, which an idle daemon would feel.
 */
export function addProcessMetrics(registry: Registry): void {
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read())
      },
    })
  }
  const startedAtSeconds = Math.round(Date.now() / 1_000 - process.uptime())
  let loop = performance.eventLoopUtilization()

  gauge('process_cpu_seconds_total', 'CPU time in user and system mode, seconds.', () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  })
  gauge('process_start_time_seconds', 'When the process started, seconds since 1970.', () => startedAtSeconds)
  gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss())
  gauge('process_open_fds', 'Open file descriptors.', openDescriptors)
  gauge('nodejs_heap_size_total_bytes', 'Heap that V8 took.', () => process.memoryUsage().heapTotal)
  gauge('nodejs_heap_size_used_bytes', 'Heap in use.', () => process.memoryUsage().heapUsed)
  gauge(
    'nodejs_external_memory_bytes',
    'Memory outside of the heap that JavaScript objects hold.',
    () => process.memoryUsage().external,
  )
  gauge('nodejs_eventloop_utilization', 'Share of the time since the last reading that the main thread was busy, 0 to 1.', () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, loop)
    loop = now
    return utilization
  })
  new Gauge({ name: 'nodejs_version_info', help: 'Version of Node.', labelNames: ['version'], registers: [registry] }).set(
    { version: process.version },
    1,
  )
}

function openDescriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return 0
  }
}
