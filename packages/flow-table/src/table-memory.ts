import { APPLICATION_PORTS } from '@skydive/packet'
import { COLD_SHIFT, MAX_ROWS, RECORD_SHIFT, ROW_SHIFT } from './layout.ts'
import {
  AT_APPLICATION_BITS,
  AT_COLD_BEGIN,
  AT_FACTORS,
  AT_INDEX,
  AT_MASK,
  AT_ORDERS,
  AT_PAIRS,
  AT_RECORDS_BEGIN,
  AT_ROWS,
  AT_RTTS_BEGIN,
  AT_STARTS_BEGIN,
  PAIR_BYTES,
  PAIR_SLOTS,
} from './loop-layout.ts'

const PAGE_BYTES = 65_536
/** All that 32-bit addresses reach: 4 GiB, 16 million flows and more. */
const MAX_PAGES = 65_536
/** Of the index, for each flow that there is room for: two entries. */
const INDEX_BYTES = 16
const RECORD_BYTES = 4 << RECORD_SHIFT
const COLD_BYTES = 4 << COLD_SHIFT
const START_BYTES = 8
const RTT_BYTES = 8

const NONE = 0x80
/**
 * Which byte of an Ethernet header, and of 16 bytes from the time to live of IPv4 on, goes where in a key: KEY_MAC_FIRST to KEY_ADDRESS_FIRST
 * of the former, the same of the latter, the words after that, and nothing; then the same for packets that are swapped into key order.
 */
const KEY_ORDERS = [
  ...[9, 8, 7, 6, 5, 4, 11, 10, 3, 2, 1, 0, NONE, NONE, NONE, NONE],
  ...[NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, 7, 6, 5, 4],
  ...[11, 10, 9, 8, 15, 14, 13, 12, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE],
  ...new Array<number>(16).fill(NONE),
  ...[3, 2, 1, 0, 11, 10, 5, 4, 9, 8, 7, 6, NONE, NONE, NONE, NONE],
  ...[NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, 11, 10, 9, 8],
  ...[7, 6, 5, 4, 13, 12, 15, 14, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE],
]

/**
 * The memory in which packets become flows: the rows of a batch, a window for packets, the hash index, the flow records and what
 * new flows are told. The packet loop
 * works in it, and everything else sees it through the views here.
 *
 * Growing replaces every view: none may be kept over {@link TableMemory.grow}, which nothing calls while packets are counted.
 */
export class TableMemory {
  readonly memory: WebAssembly.Memory
  /** All of it, for what dissects packets in place. */
  view!: DataView
  words!: Int32Array
  bytes!: Uint8Array
  /** The rows of a batch, 16 words each. */
  rows!: Int32Array
  /** 16 words a flow: the key, then what every packet changes. See `layout.ts`. */
  records!: Int32Array
  /** The same memory as 64-bit floats. */
  recordsWide!: Float64Array
  /** 16 words a flow: what changes rarely, or never. */
  cold!: Int32Array
  /** Capture time of each flow's first packet, ms. */
  starts!: Float64Array
  /** From the latest request that was answered to its reply, ns; 0 before. */
  rtts!: Float64Array
  /** Buckets of four entries, half as many as there is room for flows: see {@link FlowIndex}. */
  index!: Int32Array
  /** Flows for which there is room: a power of two. */
  capacity: number

  constructor(capacity: number, factors: Int32Array) {
    this.capacity = capacity
    this.memory = new WebAssembly.Memory({ initial: pagesFor(capacity), maximum: MAX_PAGES })
    this.#look()
    this.words.set(factors, AT_FACTORS >> 2)
    this.bytes.set(KEY_ORDERS, AT_ORDERS)
    for (const port of APPLICATION_PORTS) this.bytes[AT_APPLICATION_BITS + (port >> 3)]! |= 1 << (port & 7)
  }

  /** Buckets of the index minus 1. */
  get mask(): number {
    return this.capacity / 2 - 1
  }

  /**
   * Makes room for twice as many flows. What there is of them moves, the index is left empty.
   * @throws RangeError where there is no more memory; everything is as it was then.
   */
  grow(): void {
    const { capacity } = this
    const from = placesFor(capacity)
    const to = placesFor(capacity * 2)
    this.memory.grow(pagesFor(capacity * 2) - this.memory.buffer.byteLength / PAGE_BYTES)
    this.capacity = capacity * 2
    this.#look()
    // The last first: each moves to where the next one was, or beyond it.
    this.bytes.copyWithin(to.rtts, from.rtts, from.end)
    this.bytes.copyWithin(to.starts, from.starts, from.rtts)
    this.bytes.copyWithin(to.cold, from.cold, from.starts)
    this.bytes.copyWithin(to.records, from.records, from.cold)
    // All that is behind was never used.
    this.bytes.fill(0, to.records + capacity * RECORD_BYTES, to.cold)
    this.index.fill(0)
  }

  /** Forgets the pairs of IPv6 addresses met lately: to be called whenever a number may get another meaning. */
  forgetPairs(): void {
    this.bytes.fill(0, AT_PAIRS, AT_PAIRS + PAIR_SLOTS * PAIR_BYTES)
  }

  #look(): void {
    const { buffer } = this.memory
    const { records, cold, starts, rtts } = placesFor(this.capacity)
    this.view = new DataView(buffer)
    this.words = new Int32Array(buffer)
    this.bytes = new Uint8Array(buffer)
    this.rows = new Int32Array(buffer, AT_ROWS, MAX_ROWS << ROW_SHIFT)
    this.index = new Int32Array(buffer, AT_INDEX, this.capacity * 4)
    this.records = new Int32Array(buffer, records, this.capacity << RECORD_SHIFT)
    this.recordsWide = new Float64Array(buffer, records, this.capacity << (RECORD_SHIFT - 1))
    this.cold = new Int32Array(buffer, cold, this.capacity << COLD_SHIFT)
    this.starts = new Float64Array(buffer, starts, this.capacity)
    this.rtts = new Float64Array(buffer, rtts, this.capacity)
    this.words[AT_MASK >> 2] = this.mask
    this.words[AT_RECORDS_BEGIN >> 2] = records
    this.words[AT_COLD_BEGIN >> 2] = cold
    this.words[AT_STARTS_BEGIN >> 2] = starts
    this.words[AT_RTTS_BEGIN >> 2] = rtts
  }
}

/** Where the parts begin that grow with the flows. */
function placesFor(capacity: number) {
  const records = AT_INDEX + capacity * INDEX_BYTES
  const cold = records + capacity * RECORD_BYTES
  const starts = cold + capacity * COLD_BYTES
  const rtts = starts + capacity * START_BYTES
  return { records, cold, starts, rtts, end: rtts + capacity * RTT_BYTES }
}

function pagesFor(capacity: number): number {
  return Math.ceil(placesFor(capacity).end / PAGE_BYTES)
}
