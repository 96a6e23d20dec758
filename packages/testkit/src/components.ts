import type { Clock, Logger, Metrics } from '@skydive/contracts'

/** The clock of the system. */
export const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
}

/** A clock that stands still until it is turned. Timers run when {@link ManualClock.advance} passes them, in order. */
export interface ManualClock extends Clock {
  /** Timers that wait. */
  readonly pending: number
  advance(ms: number): void
}

/** @param startMs The time at which it stands, ms since the epoch. */
export function createManualClock(startMs = 1_700_000_000_000): ManualClock {
  let nowMs = startMs
  let next = 1
  const timers = new Map<number, { atMs: number; callback: () => void }>()
  return {
    get pending() {
      return timers.size
    },
    now: () => nowMs,
    setTimeout(callback, delayMs) {
      timers.set(next, { atMs: nowMs + delayMs, callback })
      return next++
    },
    clearTimeout: (handle) => void timers.delete(handle as number),
    advance(ms) {
      const endMs = nowMs + ms
      for (;;) {
        const [handle, timer] = [...timers].sort(([, a], [, b]) => a.atMs - b.atMs)[0] ?? []
        if (handle === undefined || !timer || timer.atMs > endMs) break
        timers.delete(handle)
        nowMs = Math.max(nowMs, timer.atMs)
        timer.callback()
      }
      nowMs = endMs
    },
  }
}

/** Counts in memory, by name. */
export interface MemoryMetrics extends Metrics {
  readonly values: ReadonlyMap<string, number>
}

export function createMemoryMetrics(): MemoryMetrics {
  const values = new Map<string, number>()
  return {
    values,
    counter: (name) => ({ add: (value) => void values.set(name, (values.get(name) ?? 0) + value) }),
    gauge: (name) => ({ set: (value) => void values.set(name, value), remove: () => void values.delete(name) }),
  }
}

/** A logger that keeps what it is told. */
export interface MemoryLogger extends Logger {
  readonly lines: readonly { readonly level: string; readonly message: string; readonly fields: object }[]
}

export function createMemoryLogger(): MemoryLogger {
  const lines: { level: string; message: string; fields: object }[] = []
  const at = (level: string) => (fields: object, message: string) => void lines.push({ level, message, fields })
  const logger: MemoryLogger = {
    lines,
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => logger,
  }
  return logger
}
