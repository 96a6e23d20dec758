import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Database, openDatabase } from './sqlite.ts'

/** Removes a database with its write-ahead log. */
function removeDatabase(path: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
}

function sizeOf(path: string): number {
  let bytes = 0
  for (const suffix of ['', '-wal']) if (existsSync(path + suffix)) bytes += statSync(path + suffix).size
  return bytes
}

/** One file of a series: what happened from `startMs` on, until the start of the next. */
export interface Partition {
  readonly startMs: number
  readonly path: string
  readonly database: Database
}

/**
 * A series of database files, one a span of time, named `<series>-<start ms>.db`. Old ones go by unlink, which costs the same
 * whatever they hold. Handles stay referenced here: a statement alone does not keep its database open.
 */
export class Partitions {
  readonly #dir: string
  readonly #series: string
  readonly #schema: string
  readonly #open = new Map<number, Partition>()
  #starts: number[] = []

  constructor(dir: string, series: string, schema: string) {
    this.#dir = dir
    this.#series = series
    this.#schema = schema
    const pattern = new RegExp(`^${series}-(\\d+)\\.db$`)
    this.#starts = readdirSync(dir)
      .flatMap((file) => {
        const match = pattern.exec(file)
        return match ? [Number(match[1])] : []
      })
      .sort((a, b) => a - b)
  }

  /** Starts of all partitions, oldest first. */
  get starts(): readonly number[] {
    return this.#starts
  }

  /** The partition that starts at `startMs`, opened when first asked for. */
  at(startMs: number): Partition {
    const known = this.#open.get(startMs)
    if (known) return known
    const path = join(this.#dir, `${this.#series}-${startMs}.db`)
    const database = openDatabase(path, 'NORMAL')
    try {
      database.exec(this.#schema)
    } catch (error) {
      database.close()
      throw error
    }
    const partition = { startMs, path, database }
    this.#open.set(startMs, partition)
    return partition
  }

  /**
   * Begins a new partition with what `fill` writes into it; when either fails, as on a full disk, nothing of it is left. `startMs` must be later
   * than every other.
   */
  create(startMs: number, fill: (partition: Partition) => void = () => {}): void {
    try {
      fill(this.at(startMs))
    } catch (error) {
      this.#remove(startMs)
      throw error
    }
    this.#starts.push(startMs)
  }

  #remove(startMs: number): void {
    this.#open.get(startMs)?.database.close()
    this.#open.delete(startMs)
    removeDatabase(join(this.#dir, `${this.#series}-${startMs}.db`))
  }

  /** Partitions that hold something of `[fromMs, toMs]`, oldest first. */
  overlapping(fromMs: number, toMs: number): Partition[] {
    return this.#starts
      .filter((start, i) => start <= toMs && (this.#starts[i + 1] ?? Number.POSITIVE_INFINITY) >= fromMs)
      .map((start) => this.at(start))
  }

  /** Deletes what ended before `oldestMs`, then the oldest while all together are larger than `maxBytes`. The newest always stays. */
  retain(oldestMs: number, maxBytes: number): number {
    let removed = 0
    while (this.#starts.length > 1 && (this.#starts[1]! < oldestMs || this.bytes() > maxBytes)) {
      this.#remove(this.#starts.shift()!)
      removed += 1
    }
    return removed
  }

  bytes(): number {
    return this.#starts.reduce((sum, start) => sum + sizeOf(join(this.#dir, `${this.#series}-${start}.db`)), 0)
  }

  close(): void {
    for (const { database } of this.#open.values()) database.close()
    this.#open.clear()
  }
}
