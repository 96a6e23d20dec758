import type { AddressPairs } from './address-pairs.ts'
import { finish } from './flow-columns.ts'
import { KEY_MAC_FIRST, KEY_MAC_LOWS, KEY_MAC_SECOND, ROW_HASH } from './layout.ts'
import type { TableMemory } from './table-memory.ts'

/** The rows of a batch, and how the parts of a key get into them. */
export class RowKeys {
  readonly pairs: AddressPairs
  readonly factors: Int32Array
  readonly #memory: TableMemory

  constructor(memory: TableMemory, pairs: AddressPairs, factors: Int32Array) {
    this.#memory = memory
    this.pairs = pairs
    this.factors = factors
  }

  get rows(): Int32Array {
    return this.#memory.rows
  }

  /** Puts both MAC addresses into the key, the smaller first. Positive when they were swapped, 0 when they are equal. */
  link(view: DataView, at: number, link: number): number {
    const rows = this.rows
    const destinationHigh = view.getInt32(link)
    const destinationLow = view.getUint16(link + 4)
    const sourceHigh = view.getInt32(link + 6)
    const sourceLow = view.getUint16(link + 10)
    const order =
      sourceHigh !== destinationHigh ? (sourceHigh >>> 0 > destinationHigh >>> 0 ? 1 : -1) : sourceLow - destinationLow
    if (order > 0) {
      rows[at + KEY_MAC_FIRST] = destinationHigh
      rows[at + KEY_MAC_LOWS] = (destinationLow << 16) | sourceLow
      rows[at + KEY_MAC_SECOND] = sourceHigh
    } else {
      rows[at + KEY_MAC_FIRST] = sourceHigh
      rows[at + KEY_MAC_LOWS] = (sourceLow << 16) | destinationLow
      rows[at + KEY_MAC_SECOND] = destinationHigh
    }
    return order
  }

  noLink(at: number): number {
    const rows = this.rows
    rows[at + KEY_MAC_FIRST] = 0
    rows[at + KEY_MAC_LOWS] = 0
    rows[at + KEY_MAC_SECOND] = 0
    return 0
  }

  /** A sum of products (all independent of one another, so they run at once), then the finalizer of MurmurHash3. */
  hash(at: number): void {
    const { rows } = this
    let sum = 0
    for (let word = 0; word < 8; word++) sum = (sum + Math.imul(rows[at + word]!, this.factors[word]!)) | 0
    rows[at + ROW_HASH] = finish(sum)
  }
}

/** Compares 16 bytes as the network orders them: negative, 0 or positive. */
export function compareAddresses(view: DataView, first: number, second: number): number {
  for (let i = 0; i < 16; i += 4) {
    const a = view.getUint32(first + i)
    const b = view.getUint32(second + i)
    if (a !== b) return a - b
  }
  return 0
}
