import { expect, test } from '@jest/globals'
import { createPlanCache } from './plan-cache.ts'

test.each<[title: string, set: string, kept: string]>([
  ['nothing that came once', 'a b c', ''],
  ['what came twice', 'a b a', 'a'],
  ['what came twice with many between, as long as they are fewer than there is room for', 'a b c a', 'a'],
  ['not what came again after more than there is room for', 'a b c d a', ''],
  ['what came twice, however many come once after it', 'a a b c d e f g', 'a'],
  ['the newest alone when it is full', 'a b c a b c d d', 'd'],
])('a cache for three keeps %s: %s', (_title, set, kept) => {
  const cache = createPlanCache<string>(3)
  const texts = set.split(' ')
  for (const text of texts) cache.set(text, `plan of ${text}`)
  expect([...new Set(texts)].filter((text) => cache.get(text) === `plan of ${text}`).join(' ')).toBe(kept)
})
