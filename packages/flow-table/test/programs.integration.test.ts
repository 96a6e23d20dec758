import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'

const PACKAGE = join(import.meta.dirname, '..')
const COMPILER_MS = 120_000

test.each([
  ['flow-encoder', 'encoder-program.ts'],
  ['packet-loop', 'packet-loop-program.ts'],
])(
  '%s in the package is what the compiler makes of its source: else run assembly/assemble.mjs',
  (name, file) => {
    const made = execFileSync(process.execPath, [join(PACKAGE, 'assembly', 'assemble.mjs'), '--print', name], {
      encoding: 'utf8',
    })
    expect(readFileSync(join(PACKAGE, 'src', file), 'utf8')).toBe(made)
  },
  COMPILER_MS,
)
