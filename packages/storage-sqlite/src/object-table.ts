import type { KeyValueEntry } from '@skydive/contracts'
import type { DatabaseFile } from './database-file.ts'
import type { SqlRow } from './sqlite.ts'

const SCHEMA = `
CREATE TABLE IF NOT EXISTS file.object (key TEXT PRIMARY KEY, value TEXT NOT NULL, modified INTEGER NOT NULL, expires INTEGER);
CREATE TABLE IF NOT EXISTS file.counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
INSERT OR IGNORE INTO counter VALUES ('modified', 0);
`

const GET = 'SELECT * FROM object WHERE key = ?'
const LIST = 'SELECT * FROM object WHERE substr(key, 1, ?) = ? ORDER BY key'
const PUT = 'INSERT OR REPLACE INTO object VALUES (?, ?, ?, ?)'
const DELETE = 'DELETE FROM object WHERE key = ?'
const NEXT = "UPDATE counter SET value = value + 1 WHERE name = 'modified' RETURNING value"

function entryOf(row: SqlRow): KeyValueEntry {
  return {
    key: String(row['key']),
    value: String(row['value']),
    modified: Number(row['modified']),
    ...(row['expires'] !== null && { expiresAtMs: Number(row['expires']) }),
  }
}

/** The API objects. Every write is on the disk when it returns. */
export class ObjectTable {
  readonly #file: DatabaseFile

  /** The file stays open: objects are asked for all the time. */
  constructor(file: DatabaseFile) {
    this.#file = file
    file.hold()
    file.transaction(() => file.exec(SCHEMA))
  }

  get(key: string): KeyValueEntry | undefined {
    const row = this.#file.get(GET, key)
    return row && entryOf(row)
  }

  list(prefix: string): KeyValueEntry[] {
    return this.#file.all(LIST, prefix.length, prefix).map(entryOf)
  }

  /** `undefined` when the key is taken and `exclusive` was asked for. */
  write(key: string, value: string, expiresAtMs: number | null, exclusive: boolean): KeyValueEntry | undefined {
    return this.#file.transaction(() => {
      if (exclusive && this.#file.get(GET, key)) return undefined
      const modified = Number(this.#file.get(NEXT)!['value'])
      this.#file.run(PUT, key, value, modified, expiresAtMs)
      return { key, value, modified, ...(expiresAtMs !== null && { expiresAtMs }) }
    })
  }

  /** The entry that went, or `undefined`. */
  delete(key: string): KeyValueEntry | undefined {
    const entry = this.get(key)
    if (entry) this.#file.run(DELETE, key)
    return entry
  }
}
