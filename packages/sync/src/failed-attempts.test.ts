import { expect, test } from '@jest/globals'
import { FailedAttempts } from './failed-attempts.ts'

const MINUTE_MS = 60_000
/** What is told of attempts, each with its reason and its minute; a `-` is one that succeeds. */
const told = (...attempts: readonly (readonly [string, number] | '-')[]) => {
  const failed = new FailedAttempts()
  return attempts.flatMap((attempt) => {
    if (attempt !== '-') return [failed.note(attempt[0], attempt[1] * MINUTE_MS)]
    failed.clear()
    return []
  })
}

test.each<readonly [string, ReturnType<typeof told>, readonly (number | undefined)[]]>([
  ['the first is told', told(['refused', 0]), [1]],
  ['the same is not, for five minutes', told(['refused', 0], ['refused', 1], ['refused', 4.99]), [1, undefined, undefined]],
  [
    'then it is, with those that were not',
    told(['refused', 0], ['refused', 1], ['refused', 5], ['refused', 6]),
    [1, undefined, 2, undefined],
  ],
  [
    'another reason is told at once',
    told(['refused', 0], ['refused', 1], ['no route', 2], ['refused', 3]),
    [1, undefined, 2, undefined],
  ],
  [
    'reasons by turns are told once each',
    told(['a', 0], ['b', 0], ['a', 1], ['b', 1], ['a', 5], ['b', 6]),
    [1, 1, undefined, undefined, 3, 1],
  ],
  ['after one that succeeded all is news', told(['refused', 0], ['refused', 1], '-', ['refused', 2]), [1, undefined, 1]],
])('%s', (_, lines, expected) => {
  expect(lines).toEqual(expected)
})

test('of more reasons than can be kept apart each is told', () => {
  const failed = new FailedAttempts()
  const reasons = Array.from({ length: 20 }, (_, i) => `reason ${i}`)
  expect(reasons.map((reason) => failed.note(reason, 0))).toEqual(reasons.map(() => 1))
  expect(reasons.map((reason) => failed.note(reason, 1))).toEqual(reasons.map((_, i) => (i < 16 ? undefined : i === 16 ? 17 : 1)))
  // What was not seen for five minutes makes room.
  const later = 5 * MINUTE_MS
  expect([failed.note('another', later - 1), failed.note('another', later - 1)]).toEqual([1, 1])
  expect([failed.note('another', later), failed.note('another', later)]).toEqual([1, undefined])
})
