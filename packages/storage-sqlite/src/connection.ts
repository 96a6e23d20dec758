import { type Database, openDatabase, type SqlRow, type SqlValue, type Statement } from './sqlite.ts'

/** Page cache of one file: what is written to, and searched, at a time stays in memory; the rest is in the cache of the system. */
const CACHE_KIB = 16_384

/** Statements kept prepared. Ours are some thirty; searches of flows are written anew for each shape of a filter. */
const MAX_STATEMENTS = 64

/** How a file is opened. */
export interface FileOptions {
  /** `FULL` survives a power cut, `NORMAL` a killed process. */
  readonly synchronous: 'FULL' | 'NORMAL'
}

/**
 * A connection through which one file at a time is reached, under the name `file`: tables are made as `file.<name>` and found by their name alone.
 *
 * The connection itself is to a database in memory, and files come and go by `ATTACH` and `DETACH`. Closing a connection to the file would leave the
 * file open: the SQLite of the npm package has no way to finalise a statement, and a database with statements closes when they are collected.
 * `DETACH` closes at once, and the statements serve the next file, for which SQLite prepares them anew by itself.
 */
export class Connection {
  readonly #database: Database = openDatabase(':memory:')
  readonly #statements = new Map<string, Statement>()

  /** Opens the file, making it when absent, in WAL mode. */
  attach(path: string, { synchronous }: FileOptions): void {
    this.statement('ATTACH ? AS file').run(path)
    try {
      // What a new file is made of is safe with its first checkpoint, as everything that NORMAL writes: no need to wait for the disk before.
      if (synchronous === 'NORMAL') this.#database.exec('PRAGMA file.synchronous=OFF')
      this.#database.exec(
        `PRAGMA file.journal_mode=WAL; PRAGMA file.synchronous=${synchronous}; PRAGMA file.cache_size=-${CACHE_KIB}`,
      )
    } catch (error) {
      this.detach()
      throw error
    }
  }

  /** Closes the file. @throws when a statement is in the middle of it. */
  detach(): void {
    this.#database.exec('DETACH file')
  }

  /** A statement by its text, prepared when first asked for. */
  statement(sql: string): Statement {
    const known = this.#statements.get(sql)
    if (known) return known
    const statement = this.#database.prepare(sql)
    if (this.#statements.size >= MAX_STATEMENTS) this.#statements.delete(this.#statements.keys().next().value!)
    this.#statements.set(sql, statement)
    return statement
  }

  /** The rows of a statement as they are read. Its file has to stay until the iteration has ended or is returned from. */
  *each(sql: string, values: readonly SqlValue[]): Generator<SqlRow, void, undefined> {
    for (const row of this.statement(sql).iterate(...values)) yield row
  }

  /** Runs statements that take no value and give none. */
  exec(sql: string): void {
    this.#database.exec(sql)
  }

  /** Closes the connection, and the file with it. */
  close(): void {
    this.#statements.clear()
    this.#database.close()
  }
}
