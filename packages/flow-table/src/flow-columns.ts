import {
  COLD_SHIFT,
  KEY_KIND,
  KIND_KEY_MASK,
  KIND_LIVE,
  RECORD_AB_PACKETS,
  RECORD_BA_PACKETS,
  RECORD_LAST_NANOSECONDS,
  RECORD_LAST_SECONDS,
  RECORD_SHIFT,
  ROW_HASH,
  TCP_SHIFT,
  WIDE_SHIFT,
} from './layout.ts'

const INITIAL_FLOWS = 1024

/**
 * The flows themselves: dense rows by flow number (`id`), and a hash index from key to id. Ids of removed flows are used again.
 * Growing doubles everything; whoever keeps the arrays in locals reads them again after {@link FlowColumns.insert}.
 */
export class FlowColumns {
  /** 16 words a flow: the key, then what every packet changes. See `layout.ts`. */
  records: Int32Array
  /** The same memory as 64-bit floats. */
  recordsWide: Float64Array
  cold: Int32Array
  wide: Float64Array
  tcp: Float64Array
  /** Pairs of (hash, id + 1); 0 is an empty slot. */
  index: Int32Array
  /** Slots of the index minus 1. */
  mask: number
  /** One more than the greatest id ever used. */
  limit = 0
  readonly #hasTcp: boolean
  readonly #free: number[] = []
  readonly #factors: Int32Array
  #capacity = INITIAL_FLOWS

  constructor(hasTcp: boolean, factors: Int32Array) {
    this.#hasTcp = hasTcp
    this.#factors = factors
    const memory = new ArrayBuffer(INITIAL_FLOWS << (RECORD_SHIFT + 2))
    this.records = new Int32Array(memory)
    this.recordsWide = new Float64Array(memory)
    this.cold = new Int32Array(INITIAL_FLOWS << COLD_SHIFT)
    this.wide = new Float64Array(INITIAL_FLOWS << WIDE_SHIFT)
    this.tcp = new Float64Array(hasTcp ? INITIAL_FLOWS << TCP_SHIFT : 0)
    this.index = new Int32Array(INITIAL_FLOWS * 4)
    this.mask = INITIAL_FLOWS * 2 - 1
  }

  /** Flows held now. */
  get size(): number {
    return this.limit - this.#free.length
  }

  isLive(id: number): boolean {
    return (this.records[(id << RECORD_SHIFT) + KEY_KIND]! & KIND_LIVE) !== 0
  }

  /** Adds a flow with the key in `rows[at..]` and everything else zero; the key must not be there yet. */
  insert(rows: Int32Array, at: number): number {
    const id = this.#free.pop() ?? this.limit++
    if (id >= this.#capacity) this.#grow()
    const base = id << RECORD_SHIFT
    this.records.fill(0, base, base + (1 << RECORD_SHIFT))
    for (let word = 0; word < 8; word++) this.records[base + word] = rows[at + word]!
    this.records[base + KEY_KIND]! |= KIND_LIVE
    this.cold.fill(0, id << COLD_SHIFT, (id + 1) << COLD_SHIFT)
    this.wide.fill(0, id << WIDE_SHIFT, (id + 1) << WIDE_SHIFT)
    if (this.#hasTcp) this.tcp.fill(0, id << TCP_SHIFT, (id + 1) << TCP_SHIFT)
    if (this.size * 2 > this.mask + 1) this.#reindex((this.mask + 1) * 2)
    this.#enter(rows[at + ROW_HASH]!, id)
    return id
  }

  /** Takes a flow out; its id may be used again at once. */
  remove(id: number): void {
    const { index, mask } = this
    const hash = this.#hashOf(id)
    let slot = hash & mask
    while (index[slot * 2 + 1] !== id + 1) slot = (slot + 1) & mask
    // Backward shift: entries that probed past this slot move up, so that no tombstone is needed.
    let hole = slot
    for (;;) {
      slot = (slot + 1) & mask
      if (index[slot * 2 + 1] === 0) break
      const home = index[slot * 2]! & mask
      if (((slot - home) & mask) >= ((slot - hole) & mask)) {
        index[hole * 2] = index[slot * 2]!
        index[hole * 2 + 1] = index[slot * 2 + 1]!
        hole = slot
      }
    }
    index[hole * 2] = 0
    index[hole * 2 + 1] = 0
    this.records[(id << RECORD_SHIFT) + KEY_KIND] = 0
    this.#free.push(id)
  }

  packets(id: number): number {
    const base = id << RECORD_SHIFT
    return (this.records[base + RECORD_AB_PACKETS]! >>> 0) + (this.records[base + RECORD_BA_PACKETS]! >>> 0)
  }

  /** Capture time of the latest packet in ms. */
  lastMs(id: number): number {
    const base = id << RECORD_SHIFT
    const seconds = this.records[base + RECORD_LAST_SECONDS]! >>> 0
    return seconds * 1000 + Math.floor(this.records[base + RECORD_LAST_NANOSECONDS]! / 1_000_000)
  }

  /** The `count` flows whose latest packet is the longest ago, oldest first. One pass over all flows and a sort of the candidates. */
  oldest(count: number): number[] {
    const candidates: { id: number; lastMs: number }[] = []
    for (let id = 0; id < this.limit; id++) if (this.isLive(id)) candidates.push({ id, lastMs: this.lastMs(id) })
    candidates.sort((a, b) => a.lastMs - b.lastMs)
    return candidates.slice(0, count).map(({ id }) => id)
  }

  #hashOf(id: number): number {
    const { records } = this
    const base = id << RECORD_SHIFT
    let hash = 0
    for (let word = 0; word < 8; word++) {
      const value = word === KEY_KIND ? records[base + word]! & KIND_KEY_MASK : records[base + word]!
      hash = (hash + Math.imul(value, this.#factors[word]!)) | 0
    }
    return finish(hash)
  }

  #enter(hash: number, id: number): void {
    const { index, mask } = this
    let slot = hash & mask
    while (index[slot * 2 + 1] !== 0) slot = (slot + 1) & mask
    index[slot * 2] = hash
    index[slot * 2 + 1] = id + 1
  }

  #reindex(slots: number): void {
    const old = this.index
    this.index = new Int32Array(slots * 2)
    this.mask = slots - 1
    for (let at = 0; at < old.length; at += 2) if (old[at + 1] !== 0) this.#enter(old[at]!, old[at + 1]! - 1)
  }

  #grow(): void {
    this.#capacity *= 2
    const memory = new ArrayBuffer(this.#capacity << (RECORD_SHIFT + 2))
    const records = new Int32Array(memory)
    records.set(this.records)
    this.records = records
    this.recordsWide = new Float64Array(memory)
    this.cold = doubled(this.cold, new Int32Array(this.#capacity << COLD_SHIFT))
    this.wide = doubled(this.wide, new Float64Array(this.#capacity << WIDE_SHIFT))
    if (this.#hasTcp) this.tcp = doubled(this.tcp, new Float64Array(this.#capacity << TCP_SHIFT))
  }
}

function doubled<T extends Int32Array | Float64Array>(old: T, grown: T): T {
  grown.set(old)
  return grown
}

/** The end of the hash over a key's words: the finalizer of MurmurHash3 over the sum of products. */
export function finish(sum: number): number {
  let hash = Math.imul(sum ^ (sum >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}

/** Eight random odd numbers: the multipliers of the hash over a key's words. */
export function randomFactors(): Int32Array {
  return globalThis.crypto.getRandomValues(new Int32Array(8)).map((factor) => factor | 1)
}
