import { expect, test } from '@jest/globals'
import { suggest } from './suggest.ts'
import { STEP_NAMES } from './vocabulary.ts'

test.each<[word: string, meant: string | undefined]>([
  ['Hass', 'Has'],
  ['haskye', 'HasKey'],
  ['Cuont', 'Count'],
  ['desendants', 'Descendants'],
  ['ShortestPath', 'ShortestPathTo'],
  ['Vv', 'V'],
  ['xyzzy', undefined],
  ['', undefined],
  ['Descendants'.repeat(10), undefined],
])('%j means %j', (word, meant) => expect(suggest(word, STEP_NAMES)).toBe(meant))
