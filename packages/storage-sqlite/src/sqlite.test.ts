import { rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { memoryFolder } from '../test/memory-folder.ts'
import { openDatabase } from './sqlite.ts'

let folder: string

beforeEach(() => {
  folder = memoryFolder()
})

afterEach(() => {
  rmSync(folder, { recursive: true })
})

/** The oldest Node of each kind that is promised: 20.19 has no SQLite, 24 has. What lies between may have it behind a flag. */
const [major = 0] = process.versions.node.split('.').map(Number)

test('SQLite is that of Node where Node has it, else that of the package', () => {
  const builtin = process.getBuiltinModule('node:sqlite' as 'node:fs') as object | undefined
  if (major < 22) expect(builtin).toBeUndefined()
  if (major >= 24) expect(builtin).toBeDefined()
  const engine = (builtin ?? createRequire(import.meta.url)('@photostructure/sqlite')) as {
    DatabaseSync: new (path: string) => object
  }
  const database = openDatabase(join(folder, 'x.db'))
  expect(database).toBeInstanceOf(engine.DatabaseSync)
  expect(database.prepare('PRAGMA busy_timeout').get()).toEqual({ timeout: 200 })
  database.close()
})
