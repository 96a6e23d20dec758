import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'

const ROOT = join(import.meta.dirname, '..')

/** Items that belong to stores which are not here: two of Elasticsearch, one of OrientDB, one of rolling indices. */
const PENDING = [33, 34, 35, 36]

/** Tests, and the cases of the published suites. */
function testFiles(): readonly string[] {
  const folders = ['packages', 'apps'].flatMap((group) =>
    readdirSync(join(ROOT, group)).flatMap((name) => ['src', 'test'].map((part) => join(ROOT, group, name, part))),
  )
  return [...folders, join(ROOT, 'e2e')].flatMap((folder) => {
    try {
      return readdirSync(folder, { recursive: true })
        .map((file) => join(folder, String(file)))
        .filter((file) => file.endsWith('.test.ts') || (file.includes('testkit/src') && file.endsWith('.ts')))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
  })
}

test('each item of the acceptance list of the graph chapter is named by a test', () => {
  const named = new Set<number>()
  for (const file of testFiles()) {
    for (const [, number] of readFileSync(file, 'utf8').matchAll(/\bA(\d{1,3})\b/g)) named.add(Number(number))
  }
  const missing = Array.from({ length: 110 }, (_, i) => i + 1).filter((item) => !named.has(item) && !PENDING.includes(item))
  expect(missing).toEqual([])
})
