import { createRequire } from 'node:module'
import { UnsupportedError } from '@skydive/contracts'

/** Values that SQLite takes and gives. */
export type SqlValue = string | number | bigint | null | Uint8Array

/** A row by the names of its columns. */
export type SqlRow = Record<string, SqlValue>

/** What a statement that writes tells. */
export interface SqlChange {
  readonly changes: number | bigint
  readonly lastInsertRowid: number | bigint
}

/** A prepared statement of the `node:sqlite` API. It does not keep its database alive: hold the {@link Database} as well. */
export interface Statement {
  run(...values: SqlValue[]): SqlChange
  get(...values: SqlValue[]): SqlRow | undefined
  all(...values: SqlValue[]): SqlRow[]
  iterate(...values: SqlValue[]): IterableIterator<SqlRow>
}

/** The part of `DatabaseSync` that this package uses. */
export interface Database {
  exec(sql: string): void
  prepare(sql: string): Statement
  close(): void
}

type DatabaseConstructor = new (path: string) => Database

/**
 * The SQLite of this runtime: `node:sqlite` where Node has it, else the same API with the binary inside an npm package.
 * @throws UnsupportedError when neither loads.
 */
function databaseConstructor(): DatabaseConstructor {
  const builtin = process.getBuiltinModule?.('node:sqlite') as { DatabaseSync: DatabaseConstructor } | undefined
  if (builtin) return builtin.DatabaseSync
  try {
    return (createRequire(import.meta.url)('@photostructure/sqlite') as { DatabaseSync: DatabaseConstructor }).DatabaseSync
  } catch (error) {
    throw new UnsupportedError(
      'no SQLite: this Node has no node:sqlite and @photostructure/sqlite does not load; install it, or choose the memory back end',
      { package: '@photostructure/sqlite' },
      error,
    )
  }
}

/** How long a statement waits for another process that has the file locked. */
const BUSY_TIMEOUT_MS = 200

/**
 * Opens (or makes) a database file; `:memory:` is one without a file. Statements that were prepared on it keep its file open beyond
 * `close()` until they are collected, in the SQLite of the npm package: who prepares some opens the file through a `Connection`.
 */
export function openDatabase(path: string): Database {
  const Constructor = databaseConstructor()
  const database = new Constructor(path)
  try {
    database.exec(`PRAGMA busy_timeout=${BUSY_TIMEOUT_MS}`)
  } catch (error) {
    database.close()
    throw error
  }
  return database
}
