// As many programs side by side as there are cores: most checks are single-threaded.
import { availableParallelism } from 'node:os'

/**
 * Answers a function that runs work when its turn comes, first come first served, and answers what the work answers.
 * @param {number} [places] how many run at a time
 */
export function sideBySide(places = availableParallelism()) {
  let free = places
  const waiting = []
  return async (work) => {
    if (free > 0) free -= 1
    else await new Promise((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      // Who waits longest takes the place over.
      const next = waiting.shift()
      if (next) next()
      else free += 1
    }
  }
}
