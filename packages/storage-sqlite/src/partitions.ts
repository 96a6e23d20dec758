import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseFile } from './database-file.ts'
import type { OpenFiles } from './open-files.ts'

/** What a series of files is. */
export interface PartitionsOptions<T> {
  readonly files: OpenFiles
  readonly dir: string
  /** First part of the names of the files. */
  readonly series: string
  /** Makes the tables of a new file, as `file.<name>`. */
  readonly schema: string
  /** What reads a file; it is kept as long as the file. */
  readonly reader: (startMs: number, file: DatabaseFile) => T
}

interface Partition<T> {
  readonly file: DatabaseFile
  readonly reader: T
}

/**
 * A series of database files, one a span of time, named `<series>-<start ms>.db`: what happened from then on, until the start of the next. Old ones go by
 * unlink, which costs the same whatever they hold. The newest, which is written to, is never closed to make room for others.
 */
export class Partitions<T> {
  readonly #options: PartitionsOptions<T>
  readonly #known = new Map<number, Partition<T>>()
  #starts: number[] = []

  constructor(options: PartitionsOptions<T>) {
    this.#options = options
    const pattern = new RegExp(`^${options.series}-(\\d+)\\.db$`)
    this.#starts = readdirSync(options.dir)
      .flatMap((file) => {
        const match = pattern.exec(file)
        return match ? [Number(match[1])] : []
      })
      .sort((a, b) => a - b)
    this.#removeUnbegun()
    const newest = this.#starts.at(-1)
    if (newest !== undefined) this.#at(newest).file.hold()
  }

  /** A file is begun in one transaction: a process that was killed within has left one without tables. */
  #removeUnbegun(): void {
    const newest = this.#starts.at(-1)
    if (newest === undefined) return
    const { file } = this.#at(newest)
    try {
      if (file.get('SELECT 1 FROM file.sqlite_master LIMIT 1')) return
    } catch {
      // What can't be read, such as a file that is locked, is told when it is needed.
      return
    }
    this.#remove(newest)
    this.#starts.pop()
  }

  /** Starts of all partitions, oldest first. */
  get starts(): readonly number[] {
    return this.#starts
  }

  /** What reads the partition that starts at `startMs`. */
  at(startMs: number): T {
    return this.#at(startMs).reader
  }

  /** The file of the partition that starts at `startMs`. */
  file(startMs: number): DatabaseFile {
    return this.#at(startMs).file
  }

  #at(startMs: number): Partition<T> {
    const known = this.#known.get(startMs)
    if (known) return known
    const { files, reader } = this.#options
    const file = new DatabaseFile(files, this.#path(startMs), { synchronous: 'NORMAL' })
    const partition = { file, reader: reader(startMs, file) }
    this.#known.set(startMs, partition)
    return partition
  }

  #path(startMs: number): string {
    return join(this.#options.dir, `${this.#options.series}-${startMs}.db`)
  }

  /**
   * Begins a new partition with what `fill` writes into it, in one transaction, and answers what it gives; when it fails, as on a full disk, nothing of it is left.
   * `startMs` must be later than every other.
   */
  create<W>(startMs: number, fill: (file: DatabaseFile) => W): W {
    const { file } = this.#at(startMs)
    let filled: W
    try {
      filled = file.transaction(() => {
        file.exec(this.#options.schema)
        return fill(file)
      })
    } catch (error) {
      this.#remove(startMs)
      throw error
    }
    const previous = this.#starts.at(-1)
    if (previous !== undefined) this.file(previous).letGo()
    file.hold()
    this.#starts.push(startMs)
    return filled
  }

  #remove(startMs: number): void {
    this.file(startMs).remove()
    this.#known.delete(startMs)
  }

  /** What reads the partitions that hold something of `[fromMs, toMs]`, oldest first. */
  overlapping(fromMs: number, toMs: number): T[] {
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

  /** Size of all files. Costs a look at each that is open, and one at each closed one for as long as it stays closed. */
  bytes(): number {
    return this.#starts.reduce((sum, start) => sum + this.file(start).bytes, 0)
  }
}
