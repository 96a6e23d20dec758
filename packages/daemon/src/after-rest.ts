/** For each ms that a run takes the loop is left alone for so many ms. */
const REST_RATIO = 4
const MAX_REST_MS = 5_000

/**
 * Runs something later, the later the longer its last run took, so that repeated work takes at most a fifth of a core. Made for
 * `createContinuousQueries({ schedule: afterRest })`. The timer keeps no process alive.
 */
export function afterRest(run: () => void, lastRunMs: number): void {
  setTimeout(run, Math.min(lastRunMs * REST_RATIO, MAX_REST_MS)).unref()
}
