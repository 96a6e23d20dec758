import type { Clock } from '@skydive/contracts'

/** The machine's clock. Timers do not keep the process alive: an open listener does. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs).unref(),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
}
