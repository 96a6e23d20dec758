import { type Dissector, LINK_TYPE } from '@skydive/packet'
import {
  FLAG_SEQUENCE_MASK,
  FLAG_SEQUENCE_SHIFT,
  ROW_CAPTURED_BYTES,
  ROW_FLAGS,
  ROW_NANOSECONDS,
  ROW_OFFSET,
  ROW_SECONDS,
  ROW_STRIPPED_TAG,
} from './layout.ts'
import type { TableMemory } from './table-memory.ts'

/** The packets of the batch that is being counted. */
export class BlockPackets {
  linkType: number = LINK_TYPE.ETHERNET
  /** Each packet has the exporter's interfaces before it, and the table keeps them. */
  tellsInterfaces = false
  readonly #memory: TableMemory
  readonly #dissector: Dissector

  constructor(memory: TableMemory, dissector: Dissector) {
    this.#memory = memory
    this.#dissector = dissector
  }

  /** To be called before packets of another kind are counted. */
  begin(linkType: number, tellsInterfaces = false): void {
    this.linkType = linkType
    this.tellsInterfaces = tellsInterfaces
  }

  /** The memory that the positions in rows are of. */
  get view(): DataView {
    return this.#memory.view
  }

  /** Dissects once more the sequence of layers that a row is of. */
  again(rows: Int32Array, at: number): Dissector {
    const packet = this.#dissector
    const [offset, capturedBytes] = [rows[at + ROW_OFFSET]!, rows[at + ROW_CAPTURED_BYTES]!]
    const sequence = (rows[at + ROW_FLAGS]! >>> FLAG_SEQUENCE_SHIFT) & FLAG_SEQUENCE_MASK
    packet.dissectAgain(this.view, offset, capturedBytes, this.linkType, rows[at + ROW_STRIPPED_TAG]!, sequence)
    return packet
  }
}

/** Capture time of a row's packet, ms. */
export function timeMs(rows: Int32Array, at: number): number {
  return (rows[at + ROW_SECONDS]! >>> 0) * 1000 + Math.floor(rows[at + ROW_NANOSECONDS]! / 1_000_000)
}
