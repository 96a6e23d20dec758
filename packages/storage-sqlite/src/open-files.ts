import { Connection } from './connection.ts'
import type { DatabaseFile } from './database-file.ts'

/** Each open file is three descriptors and its page cache. */
const MAX_OPEN_FILES = 16

/**
 * The files of one engine, of which a bounded number is open: the one that was used longest ago is closed for the next. A file that is in
 * use (iterated, in a transaction, or held) is never closed; when all are, one more is opened.
 */
export class OpenFiles {
  readonly #maxOpen: number
  /** The least recently used first. */
  readonly #open = new Map<DatabaseFile, Connection>()
  readonly #idle: Connection[] = []
  #newest: DatabaseFile | undefined

  constructor(maxOpen: number = MAX_OPEN_FILES) {
    this.#maxOpen = maxOpen
  }

  /** How many files are open. */
  get openCount(): number {
    return this.#open.size
  }

  isOpen(file: DatabaseFile): boolean {
    return this.#open.has(file)
  }

  /** The connection to a file, which is opened when it isn't. */
  connectionTo(file: DatabaseFile): Connection {
    const known = this.#open.get(file)
    if (known) {
      if (this.#newest !== file) {
        this.#open.delete(file)
        this.#open.set(file, known)
        this.#newest = file
      }
      return known
    }
    this.#makeRoom()
    const connection = this.#idle.pop() ?? new Connection()
    try {
      connection.attach(file.path, file.options)
    } catch (error) {
      connection.close()
      throw error
    }
    this.#open.set(file, connection)
    this.#newest = file
    file.opened()
    return connection
  }

  #makeRoom(): void {
    if (this.#open.size < this.#maxOpen) return
    for (const file of this.#open.keys()) {
      if (file.inUse) continue
      this.release(file)
      if (this.#open.size < this.#maxOpen) return
    }
  }

  /** Closes a file; it opens again when it is used again. */
  release(file: DatabaseFile): void {
    const connection = this.#open.get(file)
    if (!connection) return
    this.#open.delete(file)
    if (this.#newest === file) this.#newest = undefined
    try {
      connection.detach()
      this.#idle.push(connection)
    } catch (error) {
      connection.close()
      throw error
    }
  }

  /** Closes all files. */
  close(): void {
    for (const file of [...this.#open.keys()]) this.release(file)
    for (const connection of this.#idle.splice(0)) connection.close()
  }
}
