import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { measure } from '../../../bench/measure.ts'

// A guard against collapse, not a figure: `npm run bench -- records-to-flows` sees five to seven times.

test('records to flows take less than half of the CPU of an object for each and a map of flows by text', () => {
  const figures = measure(join(import.meta.dirname, '..', 'bench', 'records-to-flows.bench.ts'))
  expect(figures.filter(({ ratio = 0 }) => !(ratio > 2))).toEqual([])
  expect(figures).toHaveLength(2)
}, 120_000)
