import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'

const ROOT = join(import.meta.dirname, '..')

test('docs/errors.md lists exactly the codes that the sources use', () => {
  // Only the sources are walked: beside them lie thousands of files of dependencies.
  const sources = ['packages', 'apps'].flatMap((parent) =>
    readdirSync(join(ROOT, parent))
      .map((folder) => join(ROOT, parent, folder, 'src'))
      .filter((folder) => existsSync(folder))
      .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)))
      .filter((file) => /\.tsx?$/.test(file) && !/\.test\.tsx?$/.test(file)),
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
