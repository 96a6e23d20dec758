import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'

const ROOT = join(import.meta.dirname, '..')
const RUN = join(ROOT, 'bench', 'run-bundled.mjs')

test('a program of a bench runs bundled, with its peers and its arguments', () => {
  const file = join(ROOT, 'packages', 'graph-core', 'bench', 'memory-of-one.ts')
  for (const kind of ['own', 'peer']) {
    const output = execFileSync(process.execPath, [RUN, file, kind, '100'], { encoding: 'utf8' })
    expect(output).toMatch(/^\d+\n$/)
  }
})
