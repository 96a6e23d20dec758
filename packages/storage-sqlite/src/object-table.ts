import type { KeyValueEntry } from '@skydive/contracts'
import { type Database, inTransaction, type SqlValue, type Statement } from './sqlite.ts'

const SCHEMA = `
CREATE TABLE IF NOT EXISTS object (key TEXT PRIMARY KEY, value TEXT NOT NULL, modified INTEGER NOT NULL, expires INTEGER);
CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
INSERT OR IGNORE INTO counter VALUES ('modified', 0);
`

function entryOf(row: Record<string, SqlValue>): KeyValueEntry {
  return {
    key: String(row['key']),
    value: String(row['value']),
    modified: Number(row['modified']),
    ...(row['expires'] !== null && { expiresAtMs: Number(row['expires']) }),
  }
}

/** The API objects. Every write is on the disk when it returns. */
export class ObjectTable {
  readonly #database: Database
  readonly #get: Statement
  readonly #list: Statement
  readonly #put: Statement
  readonly #delete: Statement
  readonly #next: Statement

  constructor(database: Database) {
    database.exec(SCHEMA)
    this.#database = database
    this.#get = database.prepare('SELECT * FROM object WHERE key = ?')
    this.#list = database.prepare('SELECT * FROM object WHERE substr(key, 1, ?) = ? ORDER BY key')
    this.#put = database.prepare('INSERT OR REPLACE INTO object VALUES (?, ?, ?, ?)')
    this.#delete = database.prepare('DELETE FROM object WHERE key = ?')
    this.#next = database.prepare("UPDATE counter SET value = value + 1 WHERE name = 'modified' RETURNING value")
  }

  get(key: string): KeyValueEntry | undefined {
    const row = this.#get.get(key)
    return row && entryOf(row)
  }

  list(prefix: string): KeyValueEntry[] {
    return this.#list.all(prefix.length, prefix).map(entryOf)
  }

  /** `undefined` when the key is taken and `exclusive` was asked for. */
  write(key: string, value: string, expiresAtMs: number | null, exclusive: boolean): KeyValueEntry | undefined {
    return inTransaction(this.#database, () => {
      if (exclusive && this.#get.get(key)) return undefined
      const modified = Number(this.#next.get()!['value'])
      this.#put.run(key, value, modified, expiresAtMs)
      return { key, value, modified, ...(expiresAtMs !== null && { expiresAtMs }) }
    })
  }

  /** The entry that went, or `undefined`. */
  delete(key: string): KeyValueEntry | undefined {
    const entry = this.get(key)
    if (entry) this.#delete.run(key)
    return entry
  }
}
