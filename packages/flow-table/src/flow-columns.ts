import { FlowIndex } from './flow-index.ts'
import {
  COLD_SHIFT,
  INTERFACE_SHIFT,
  KEY_KIND,
  KIND_GONE,
  KIND_KEY_MASK,
  KIND_LIVE,
  RECORD_AB_PACKETS,
  RECORD_LAST_NANOSECONDS,
  RECORD_LAST_SECONDS,
  RECORD_SHIFT,
  ROW_HASH,
  TCP_SHIFT,
  WIDE_SHIFT,
} from './layout.ts'
import { AT_LIMIT } from './loop-layout.ts'
import { TableMemory } from './table-memory.ts'

const INITIAL_FLOWS = 1024
const WORD_VALUES = 0x1_0000_0000

/**
 * The flows themselves: dense rows by flow number (`id`), and a hash index from key to id. Ids of removed flows are used again.
 * {@link FlowColumns.grow} doubles everything; whoever keeps an array in a local reads it again afterwards.
 */
export class FlowColumns {
  /** Where records and index are: what every packet needs. */
  readonly memory: TableMemory
  wide: Float64Array
  tcp: Float64Array
  interfaces: Int32Array
  readonly #hasTcp: boolean
  readonly #hasInterfaces: boolean
  readonly #free: number[] = []
  /** How often the packets of a flow, from A to B and back, have begun anew at 0: hardly any flow has that many. */
  readonly #wraps = new Map<number, [number, number]>()
  readonly #factors: Int32Array
  readonly #index: FlowIndex

  constructor(hasTcp: boolean, factors: Int32Array, hasInterfaces = false) {
    this.#hasTcp = hasTcp
    this.#hasInterfaces = hasInterfaces
    this.#factors = factors
    this.memory = new TableMemory(INITIAL_FLOWS, factors)
    this.#index = new FlowIndex(this.memory)
    this.wide = new Float64Array(INITIAL_FLOWS << WIDE_SHIFT)
    this.tcp = new Float64Array(hasTcp ? INITIAL_FLOWS << TCP_SHIFT : 0)
    this.interfaces = new Int32Array(hasInterfaces ? INITIAL_FLOWS << INTERFACE_SHIFT : 0)
  }

  /** 16 words a flow: the key, then what every packet changes. See `layout.ts`. */
  get records(): Int32Array {
    return this.memory.records
  }

  /** The same memory as 64-bit floats. */
  get recordsWide(): Float64Array {
    return this.memory.recordsWide
  }

  /** 16 words a flow: what changes rarely. */
  get cold(): Int32Array {
    return this.memory.cold
  }

  /** Capture time of each flow's first packet, ms. */
  get starts(): Float64Array {
    return this.memory.starts
  }

  /** Latest round trip of each flow, ns. */
  get rtts(): Float64Array {
    return this.memory.rtts
  }

  /** One more than the greatest id ever used. The packet loop counts it up too. */
  get limit(): number {
    return this.memory.words[AT_LIMIT >> 2]!
  }

  /** Whether ids of removed flows wait to be used again. */
  get hasFreeIds(): boolean {
    return this.#free.length > 0
  }

  /** Flows that can be added before everything must grow. */
  get room(): number {
    return this.memory.capacity - this.size
  }

  /** Flows held now. */
  get size(): number {
    return this.limit - this.#free.length
  }

  isLive(id: number): boolean {
    return (this.records[(id << RECORD_SHIFT) + KEY_KIND]! & KIND_LIVE) !== 0
  }

  /** Adds a flow with the key in `rows[at..]` and everything else zero; the key must not be there yet, and there must be room. */
  insert(rows: Int32Array, at: number): number {
    const used = this.#free.pop()
    if (used !== undefined) this.#clear(used)
    const id = used ?? this.memory.words[AT_LIMIT >> 2]!++
    const { records } = this
    const base = id << RECORD_SHIFT
    for (let word = 0; word < 8; word++) records[base + word] = rows[at + word]!
    records[base + KEY_KIND]! |= KIND_LIVE
    this.#index.enter(rows[at + ROW_HASH]!, id)
    return id
  }

  #clear(id: number): void {
    this.records.fill(0, id << RECORD_SHIFT, (id + 1) << RECORD_SHIFT)
    this.cold.fill(0, id << COLD_SHIFT, (id + 1) << COLD_SHIFT)
    this.starts[id] = 0
    this.rtts[id] = 0
    this.wide.fill(0, id << WIDE_SHIFT, (id + 1) << WIDE_SHIFT)
    if (this.#hasTcp) this.tcp.fill(0, id << TCP_SHIFT, (id + 1) << TCP_SHIFT)
    if (this.#hasInterfaces) this.interfaces.fill(0, id << INTERFACE_SHIFT, (id + 1) << INTERFACE_SHIFT)
  }

  /** Takes a flow out; its id may be used again at once. */
  remove(id: number): void {
    this.#index.remove(this.#hashOf(id), id)
    this.records[(id << RECORD_SHIFT) + KEY_KIND] = KIND_GONE
    this.#wraps.delete(id)
    this.#free.push(id)
  }

  /** Packets in both directions. */
  packets(id: number): number {
    return this.packetsOf(id, 0) + this.packetsOf(id, 1)
  }

  /** Packets from A to B (side 0) or back. */
  packetsOf(id: number, side: 0 | 1): number {
    const packets = this.records[(id << RECORD_SHIFT) + RECORD_AB_PACKETS + side]! >>> 0
    return this.#wraps.size === 0 ? packets : packets + (this.#wraps.get(id)?.[side] ?? 0) * WORD_VALUES
  }

  /** ifIndex of the exporter's interface that the flow's first packet came in by (`INTERFACE_INPUT`) or goes out by; 0 when it was not told. */
  interfaceIndex(id: number, which: number): number {
    return this.interfaces[(id << INTERFACE_SHIFT) + which]! >>> 0
  }

  /** Notes that a flow's packets count from 0 again. */
  wrap(id: number, side: number): void {
    const [ab, ba] = this.#wraps.get(id) ?? [0, 0]
    this.#wraps.set(id, side === 0 ? [ab + 1, ba] : [ab, ba + 1])
  }

  /** Whether a flow has more packets than its record can tell. */
  hasWrapped(id: number): boolean {
    return this.#wraps.size > 0 && this.#wraps.has(id)
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

  /**
   * Makes room for twice as many flows. `enterAll` puts all of them into the empty index, as the packet loop does at once.
   * @throws RangeError where there is no more memory for it.
   */
  grow(enterAll?: () => void): void {
    const capacity = this.memory.capacity * 2
    // All that may fail comes first.
    const wide = new Float64Array(capacity << WIDE_SHIFT)
    const tcp = new Float64Array(this.#hasTcp ? capacity << TCP_SHIFT : 0)
    const interfaces = new Int32Array(this.#hasInterfaces ? capacity << INTERFACE_SHIFT : 0)
    this.memory.grow()
    if (enterAll) enterAll()
    else for (let id = 0; id < this.limit; id++) if (this.isLive(id)) this.#index.enter(this.#hashOf(id), id)
    this.wide = doubled(this.wide, wide)
    this.tcp = doubled(this.tcp, tcp)
    this.interfaces = doubled(this.interfaces, interfaces)
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

/** Eight random odd numbers: the multipliers of the hash over a key's words. `random`: see `FlowTableOptions`. */
export function randomFactors(random?: () => number): Int32Array {
  const factors = random
    ? Int32Array.from({ length: 8 }, () => random() * WORD_VALUES)
    : globalThis.crypto.getRandomValues(new Int32Array(8))
  return factors.map((factor) => factor | 1)
}
