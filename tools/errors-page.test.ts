import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'

const ROOT = join(import.meta.dirname, '..')

test('docs/errors.md lists exactly the codes that the sources use', () => {
  const sources = ['packages', 'apps'].flatMap((parent) =>
    readdirSync(join(ROOT, parent), { recursive: true, encoding: 'utf8' })
      .filter((file) => /^[^/]+\/src\/.*\.tsx?$/.test(file) && !/\.test\.tsx?$/.test(file))
      .map((file) => join(ROOT, parent, file)),
  )
  const used = new Set(
    sources
      .flatMap((file) => readFileSync(file, 'utf8').match(/\bERR_[A-Z][A-Z0-9_]*\b/g) ?? [])
      .filter((code) => !NODE_CODES.has(code)),
  )
  const listed = new Set(readFileSync(join(ROOT, 'docs/errors.md'), 'utf8').match(/(?<=^\| `)ERR_[A-Z0-9_]+/gm) ?? [])
  expect([...listed].sort()).toEqual([...used].sort())
})

/** Codes of Node itself that our sources compare with. */
const NODE_CODES = new Set([
  'ERR_MODULE_NOT_FOUND',
  'ERR_UNKNOWN_BUILTIN_MODULE',
  'ERR_SERVER_NOT_RUNNING',
  'ERR_STREAM_PREMATURE_CLOSE',
])
