import { finish } from '../flow-columns.ts'

// Words of a key. IPv4 addresses are in the first word of theirs.
export const KEY_OBSERVER = 0
export const KEY_ADDRESS_FIRST = 1
export const KEY_ADDRESS_SECOND = 5
/** Ports in key order, or class and code of ICMP in the upper half. */
export const KEY_TRANSPORT = 9
/** Version of IP in the second byte, protocol in the first. */
export const KEY_KIND = 10
const KEY_WORDS = 11

/** Words of a flow after its key: bits, then TCP flags of all records. */
export const STATE = 11
export const TCP_FLAGS = 12
const RECORD_SHIFT = 5
/** Of a flow's first word. Masking with it tells the compiler that sums with it can't overflow. */
const RECORD_MASK = 0x7fffffe0

/** A place in use. */
export const STATE_LIVE = 1
/** The first record was swapped into key order: end A is the second of the key. */
export const STATE_FIRST_SWAPPED = 2
/** Its end has been reported. */
export const STATE_FINISHED = 4
/** Of packets from A, and shifted by one of those from B: counted where they came in, or where they went out. Only one of the two. */
export const STATE_INGRESS = 8
export const STATE_EGRESS = 32

// Numbers of a flow that a record changes, in the memory of its words, so that a record meets two cache lines.
/** AB packets, BA packets, AB bytes, BA bytes. */
export const COUNTERS = 7
export const START_MS = 11
export const LAST_MS = 12
/** When the last record came: records tell of a past that may be long ago. */
export const RECEIVED_MS = 13
const WIDE_SHIFT = 4

// Numbers of a flow that records do not change.
/** Counters at the last update, in the order of COUNTERS. */
export const REPORTED = 0
/** The difference that the last update made, in the same order. */
export const UPDATE = 4
export const UPDATE_START_MS = 8
export const UPDATE_LAST_MS = 9
export const SOURCE_MAC = 10
export const DESTINATION_MAC = 11
export const VLAN_ID = 12
export const INPUT_INDEX = 13
export const OUTPUT_INDEX = 14
/** What a flow had counted when its exporter's totals last began anew, in the order of COUNTERS. */
export const BEFORE_ANEW = 15
const COLD_STRIDE = 19

const INITIAL_FLOWS = 1024
/** Great pieces of memory begin 16 bytes after a page, because of what the allocator notes before them: with these a flow has two lines. */
const ALIGNING_BYTES = 48

/**
 * Flows of records: dense rows by flow number (`id`), and a hash index from key to id. Ids of removed flows are used again. Growing
 * doubles everything.
 */
export class RecordColumns {
  /** 32 words a flow: its key, then what records change. */
  words: Int32Array = wordsFor(INITIAL_FLOWS)
  /** The same memory as 64-bit floats. */
  wide: Float64Array = new Float64Array(this.words.buffer, this.words.byteOffset)
  cold: Float64Array = new Float64Array(INITIAL_FLOWS * COLD_STRIDE)
  /** The key that {@link RecordColumns.find} looks for. */
  readonly key = new Int32Array(KEY_WORDS)
  /** One more than the greatest id ever used. */
  limit = 0
  readonly #free: number[] = []
  readonly #factors: Int32Array
  /** Pairs of (hash, id + 1); 0 is an empty slot. */
  #index = new Int32Array(INITIAL_FLOWS * 4)
  #mask = INITIAL_FLOWS * 2 - 1
  #capacity = INITIAL_FLOWS
  #hash = 0

  /** `factors` are those of the hash, by word, all odd. By default nobody knows them: else exporters could make keys that share a place. */
  constructor(factors = globalThis.crypto.getRandomValues(new Int32Array(KEY_WORDS)).map((factor) => factor | 1)) {
    this.#factors = factors
  }

  /** Flows held now. */
  get size(): number {
    return this.limit - this.#free.length
  }

  /** Slots of the index: twice as many as flows, or more. */
  get slots(): number {
    return this.#mask + 1
  }

  isLive(id: number): boolean {
    return (this.words[wordOf(id, STATE)]! & STATE_LIVE) !== 0
  }

  /** The flow of `key`, or -1. A sum of products, then the finalizer of MurmurHash3; without a loop, because each record comes here. */
  find(): number {
    const { key, words } = this
    const factors = this.#factors
    const k0 = key[0]! | 0
    const k1 = key[1]! | 0
    const k2 = key[2]! | 0
    const k3 = key[3]! | 0
    const k4 = key[4]! | 0
    const k5 = key[5]! | 0
    const k6 = key[6]! | 0
    const k7 = key[7]! | 0
    const k8 = key[8]! | 0
    const k9 = key[9]! | 0
    const k10 = key[10]! | 0
    const sum =
      Math.imul(k0, factors[0]!) +
      Math.imul(k1, factors[1]!) +
      Math.imul(k2, factors[2]!) +
      Math.imul(k3, factors[3]!) +
      Math.imul(k4, factors[4]!) +
      Math.imul(k5, factors[5]!) +
      Math.imul(k6, factors[6]!) +
      Math.imul(k7, factors[7]!) +
      Math.imul(k8, factors[8]!) +
      Math.imul(k9, factors[9]!) +
      Math.imul(k10, factors[10]!)
    const hash = finish(sum | 0) | 0
    this.#hash = hash
    const index = this.#index
    const mask = this.#mask | 0
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = index[(slot << 1) | 1]! | 0
      if (entry === 0) return -1
      if (index[slot << 1] !== hash) continue
      const base = ((entry - 1) << RECORD_SHIFT) & RECORD_MASK
      if (
        words[base] === k0 &&
        words[base + 1] === k1 &&
        words[base + 2] === k2 &&
        words[base + 3] === k3 &&
        words[base + 4] === k4 &&
        words[base + 5] === k5 &&
        words[base + 6] === k6 &&
        words[base + 7] === k7 &&
        words[base + 8] === k8 &&
        words[base + 9] === k9 &&
        words[base + 10] === k10
      )
        return (entry - 1) | 0
    }
  }

  /** Adds a flow for the key that `find` did not find; everything else is zero. */
  insert(): number {
    const id = this.#free.pop() ?? this.limit++
    if (id >= this.#capacity) this.#grow()
    const base = id << RECORD_SHIFT
    this.words.fill(0, base, base + (1 << RECORD_SHIFT))
    this.words.set(this.key, base)
    this.words[base + STATE] = STATE_LIVE
    this.cold.fill(0, id * COLD_STRIDE, (id + 1) * COLD_STRIDE)
    if (this.size * 2 > this.#mask + 1) this.#reindex((this.#mask + 1) * 2)
    this.#enter(this.#hash, id)
    return id
  }

  /** Takes a flow out; its id may be used again at once. */
  remove(id: number): void {
    const index = this.#index
    const mask = this.#mask
    const base = id << RECORD_SHIFT
    let sum = 0
    for (let word = 0; word < KEY_WORDS; word++) sum = (sum + Math.imul(this.words[base + word]!, this.#factors[word]!)) | 0
    let slot = finish(sum) & mask
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
    this.words[base + STATE] = 0
    this.#free.push(id)
  }

  /** The `count` flows that were told of the longest ago, oldest first. One pass over all flows and a sort. */
  oldest(count: number): number[] {
    const candidates: { id: number; receivedMs: number }[] = []
    for (let id = 0; id < this.limit; id++) {
      if (this.isLive(id)) candidates.push({ id, receivedMs: this.wide[wideOf(id, RECEIVED_MS)]! })
    }
    candidates.sort((a, b) => a.receivedMs - b.receivedMs)
    return candidates.slice(0, count).map(({ id }) => id)
  }

  #enter(hash: number, id: number): void {
    const index = this.#index
    const mask = this.#mask
    let slot = hash & mask
    while (index[slot * 2 + 1] !== 0) slot = (slot + 1) & mask
    index[slot * 2] = hash
    index[slot * 2 + 1] = id + 1
  }

  #reindex(slots: number): void {
    const old = this.#index
    this.#index = new Int32Array(slots * 2)
    this.#mask = slots - 1
    for (let at = 0; at < old.length; at += 2) if (old[at + 1] !== 0) this.#enter(old[at]!, old[at + 1]! - 1)
  }

  #grow(): void {
    this.#capacity *= 2
    const words = wordsFor(this.#capacity)
    words.set(this.words)
    this.words = words
    this.wide = new Float64Array(words.buffer, words.byteOffset)
    const cold = new Float64Array(this.#capacity * COLD_STRIDE)
    cold.set(this.cold)
    this.cold = cold
  }
}

function wordsFor(flows: number): Int32Array {
  return new Int32Array(new ArrayBuffer(ALIGNING_BYTES + (flows << (RECORD_SHIFT + 2))), ALIGNING_BYTES)
}

/** Where a word of a flow is. */
export function wordOf(id: number, word: number): number {
  return (id << RECORD_SHIFT) + word
}

/** Where a number of `wide` is. */
export function wideOf(id: number, column: number): number {
  return (id << WIDE_SHIFT) + column
}

/** Where a number of `cold` is. */
export function coldOf(id: number, column: number): number {
  return id * COLD_STRIDE + column
}
