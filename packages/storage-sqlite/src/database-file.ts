import { rmSync, statSync } from 'node:fs'
import type { Connection, FileOptions } from './connection.ts'
import type { OpenFiles } from './open-files.ts'
import type { SqlChange, SqlRow, SqlValue } from './sqlite.ts'

/**
 * One database file, open only while it is needed: every call opens it when it is closed, and {@link OpenFiles} closes it when others are needed
 * more. It can therefore be kept for as long as the file exists.
 */
export class DatabaseFile {
  readonly path: string
  readonly options: FileOptions
  readonly #files: OpenFiles
  #uses = 0
  #closedBytes: number | undefined

  /** Inert: opens nothing. */
  constructor(files: OpenFiles, path: string, options: FileOptions) {
    this.#files = files
    this.path = path
    this.options = options
  }

  /** Whether closing it now would disturb somebody. */
  get inUse(): boolean {
    return this.#uses > 0
  }

  /** Size with its write-ahead log. A closed file is asked for it once: only an open one changes. */
  get bytes(): number {
    if (this.#files.isOpen(this)) return this.#measure()
    this.#closedBytes ??= this.#measure()
    return this.#closedBytes
  }

  #measure(): number {
    let bytes = 0
    for (const suffix of ['', '-wal']) bytes += statSync(this.path + suffix, { throwIfNoEntry: false })?.size ?? 0
    return bytes
  }

  /** Called by {@link OpenFiles} when it has opened the file. */
  opened(): void {
    this.#closedBytes = undefined
  }

  get #connection(): Connection {
    return this.#files.connectionTo(this)
  }

  /** Carries out a statement that writes. */
  run(sql: string, ...values: SqlValue[]): SqlChange {
    return this.#connection.statement(sql).run(...values)
  }

  /** The first row, or `undefined`. */
  get(sql: string, ...values: SqlValue[]): SqlRow | undefined {
    return this.#connection.statement(sql).get(...values)
  }

  /** All rows at once. */
  all(sql: string, ...values: SqlValue[]): SqlRow[] {
    return this.#connection.statement(sql).all(...values)
  }

  /** The rows as they are read; the file stays open until the iteration ends or is left. */
  *each(sql: string, ...values: SqlValue[]): Generator<SqlRow, void, undefined> {
    this.hold()
    try {
      yield* this.#connection.each(sql, values)
    } finally {
      this.letGo()
    }
  }

  /** Runs statements that take no value and give none, such as a schema. */
  exec(sql: string): void {
    this.#connection.exec(sql)
  }

  /** Runs `body` in one transaction; everything is undone when it throws. Transactions do not nest. */
  transaction<T>(body: () => T): T {
    this.hold()
    try {
      const connection = this.#connection
      connection.exec('BEGIN IMMEDIATE')
      try {
        const result = body()
        connection.exec('COMMIT')
        return result
      } catch (error) {
        try {
          connection.exec('ROLLBACK')
        } catch {
          // SQLite rolled back by itself, as it does when the disk is full.
        }
        throw error
      }
    } finally {
      this.letGo()
    }
  }

  /** Keeps the file open from its next use on, until {@link letGo} was called as often. */
  hold(): void {
    this.#uses += 1
  }

  /** Ends one {@link hold}. */
  letGo(): void {
    this.#uses -= 1
  }

  /** Closes the file and deletes it with its write-ahead log. */
  remove(): void {
    this.#files.release(this)
    for (const suffix of ['', '-wal', '-shm']) rmSync(this.path + suffix, { force: true })
  }
}
