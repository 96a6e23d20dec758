import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'

const ROOT = join(import.meta.dirname, '..')
const page = readFileSync(join(ROOT, 'docs/decisions/2026-11-27-weaknesses-of-the-original.md'), 'utf8')

/** The rows of the table: number, and the tests as file and title. */
const rows = [...page.matchAll(/^\| W(\d+) \|(.*)\|$/gm)].map(([, number, cells]) => {
  const shownBy = cells!.split(/(?<!\\)\|/).at(-1)!
  const tests = shownBy.split('<br>').map((entry) => {
    const [, file, title] = /^\s*`([^`]+)` › (.+?)\s*$/.exec(entry) ?? []
    return { file: file ?? '', title: (title ?? '').replaceAll('\\|', '|') }
  })
  return { number: Number(number), tests }
})

describe('the table of weaknesses', () => {
  test('has every number once, in order', () => {
    expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 69 }, (_, i) => i + 1))
  })

  test.each(rows.map((row) => [row.number, row.tests] as const))('W%i is shown by tests that there are', (_number, tests) => {
    for (const { file, title } of tests) {
      // The cases of a published suite, and properties that several files run, are tests wherever they are called.
      const isTest = /(\.test|-property)\.ts$|^packages\/testkit\/src\/.*-cases\.ts$/.test(file)
      expect([file, isTest && existsSync(join(ROOT, file))]).toEqual([file, true])
      expect([title, title !== '' && readFileSync(join(ROOT, file), 'utf8').includes(title)]).toEqual([title, true])
    }
  })
})
