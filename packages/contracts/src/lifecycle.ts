/** Structured, lower-case, constant text plus fields: `logger.info({ host: 'alpha' }, 'agent connected')`. pino satisfies it. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  child(bindings: object): Logger
}

/** Swallows everything: the default of libraries. */
export const SILENT_LOGGER: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child() {
    return SILENT_LOGGER
  },
}

/** The time, so that tests can turn it. Timers are referenced only while they must keep the process alive. */
export interface Clock {
  /** ms since the epoch. */
  now(): number
  setTimeout(callback: () => void, delayMs: number): unknown
  clearTimeout(handle: unknown): void
}

/** A count that only grows. Names as prometheus wants them: `skydive_capture_packets_total`. */
export interface Counter {
  add(value: number, labels?: Readonly<Record<string, string>>): void
}

/** A value that goes up and down. */
export interface Gauge {
  set(value: number, labels?: Readonly<Record<string, string>>): void
  /** Forgets the value of these labels: of what is gone. */
  remove(labels: Readonly<Record<string, string>>): void
}

/** Where parts announce what they count. Asking for the same name twice gives the same instrument. */
export interface Metrics {
  counter(name: string, help: string): Counter
  gauge(name: string, help: string): Gauge
}

/** Something that runs. `start` twice and `stop` before `start` are no-ops; after `stop` no timer, handle or listener is left. */
export interface Service {
  start(signal?: AbortSignal): Promise<void>
  stop(): Promise<void>
}
