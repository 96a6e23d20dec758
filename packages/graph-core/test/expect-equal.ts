import { isDeepStrictEqual } from 'node:util'
import { expect } from '@jest/globals'

/**
 * As `toEqual`, for properties that compare millions of values: a call of `expect` makes hundreds of functions and costs some 10 µs, this one a
 * comparison. What differs is told by `expect`.
 */
export function expectEqual(found: unknown, wanted: unknown): void {
  if (!isDeepStrictEqual(found, wanted)) expect(found).toEqual(wanted)
}

/** As `toBe`, likewise. */
export function expectIdentical(found: unknown, wanted: unknown): void {
  if (!Object.is(found, wanted)) expect(found).toBe(wanted)
}
