import { createRequire } from 'node:module'
import { UnsupportedError } from '@skydive/contracts'

/** Values that SQLite takes and gives. */
export type SqlValue = string | number | bigint | null | Uint8Array

/** A prepared statement of the `node:sqlite` API. It does not keep its database alive: hold the {@link Database} as well. */
export interface Statement {
  run(...values: SqlValue[]): { changes: number | bigint; lastInsertRowid: number | bigint }
  get(...values: SqlValue[]): Record<string, SqlValue> | undefined
  all(...values: SqlValue[]): Record<string, SqlValue>[]
  iterate(...values: SqlValue[]): IterableIterator<Record<string, SqlValue>>
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

/** Opens (or makes) a database file in WAL mode. `synchronous` FULL survives a power cut, NORMAL a killed process. */
export function openDatabase(path: string, synchronous: 'FULL' | 'NORMAL'): Database {
  const Constructor = databaseConstructor()
  const database = new Constructor(path)
  try {
    database.exec(
      `PRAGMA journal_mode=WAL; PRAGMA synchronous=${synchronous}; PRAGMA busy_timeout=200; PRAGMA cache_size=-16384;`,
    )
  } catch (error) {
    database.close()
    throw error
  }
  return database
}

/** Runs `body` in one transaction; everything is undone when it throws. */
export function inTransaction<T>(database: Database, body: () => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = body()
    database.exec('COMMIT')
    return result
  } catch (error) {
    try {
      database.exec('ROLLBACK')
    } catch {
      // SQLite rolled back by itself, as it does when the disk is full.
    }
    throw error
  }
}
