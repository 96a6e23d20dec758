import { BUCKET_ENTRIES, BUCKET_WORDS } from './loop-layout.ts'
import type { TableMemory } from './table-memory.ts'

/**
 * The hash index from keys to flows, as the packet loop reads it: buckets of four entries, compared at once. A flow stands in the bucket
 * that its hash says, or in the first one after it that was not full. With two entries for each flow that there is room for, one in
 * twenty-five stands elsewhere at most, which costs the packet loop a wrong guess and a wait: of single slots it would be one in four.
 */
export class FlowIndex {
  readonly #memory: TableMemory

  constructor(memory: TableMemory) {
    this.#memory = memory
  }

  /** Enters a flow that is not there yet. There is a free entry. */
  enter(hash: number, id: number): void {
    const { index, mask } = this.#memory
    for (let bucket = hash & mask; ; bucket = (bucket + 1) & mask) {
      const entry = this.#find(bucket, 0)
      if (entry < 0) continue
      index[entry] = hash
      index[entry + BUCKET_ENTRIES] = id + 1
      return
    }
  }

  /** Takes a flow out that is there. */
  remove(hash: number, id: number): void {
    const { index, mask } = this.#memory
    let bucket = hash & mask
    let hole = this.#find(bucket, id + 1)
    while (hole < 0) {
      bucket = (bucket + 1) & mask
      hole = this.#find(bucket, id + 1)
    }
    // Whatever went past the bucket because it was full moves up, so that no tombstone is needed; what it leaves is the next hole.
    while (this.#find(bucket, 0) < 0) {
      const moved = this.#findBeyond(bucket)
      if (moved < 0) break
      index[hole] = index[moved]!
      index[hole + BUCKET_ENTRIES] = index[moved + BUCKET_ENTRIES]!
      hole = moved
      bucket = Math.floor(moved / BUCKET_WORDS)
    }
    index[hole] = 0
    index[hole + BUCKET_ENTRIES] = 0
  }

  /** The first entry of a bucket with this id + 1; negative when there is none. */
  #find(bucket: number, entry: number): number {
    const { index } = this.#memory
    const base = bucket * BUCKET_WORDS
    for (let at = base; at < base + BUCKET_ENTRIES; at++) if (index[at + BUCKET_ENTRIES] === entry) return at
    return -1
  }

  /** An entry of a later bucket that might as well stand in this one; negative when there is none. */
  #findBeyond(bucket: number): number {
    const { index, mask } = this.#memory
    for (let beyond = 1; beyond <= mask; beyond++) {
      const base = ((bucket + beyond) & mask) * BUCKET_WORDS
      let isFull = true
      for (let at = base; at < base + BUCKET_ENTRIES; at++) {
        if (index[at + BUCKET_ENTRIES] === 0) isFull = false
        else if (((bucket + beyond - (index[at]! & mask)) & mask) >= beyond) return at
      }
      if (!isFull) break
    }
    return -1
  }
}
