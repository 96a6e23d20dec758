import { AT_WINDOW, HELD_BYTES, WINDOW_BYTES } from './loop-layout.ts'
import type { TableMemory } from './table-memory.ts'

/**
 * Takes records of a pcap file where they are counted: whoever reads the file writes into the table's own memory, so that no byte is copied
 * once more. It takes a MiB at a time: by 256 KiB the kernel needs a third more for the same bytes, which is more than it costs that the
 * second cache can't keep all of them.
 * Both views that it gives are valid until the next call of anything of the table; ask anew each time.
 */
export class PacketIntake {
  readonly #memory: TableMemory
  readonly #countAt: (at: number, byteLength: number) => number
  #heldBytes = 0

  /** `countAt` counts what lies at a place of the memory, and answers how many bytes the whole records take. */
  constructor(memory: TableMemory, countAt: (at: number, byteLength: number) => number) {
    this.#memory = memory
    this.#countAt = countAt
  }

  /** Where the next bytes of the file are to be written, from its beginning on. Empty after what can't be a record: see {@link PacketIntake.rest}. */
  room(): Uint8Array {
    return this.#memory.bytes.subarray(AT_WINDOW, AT_WINDOW + (this.#heldBytes === HELD_BYTES ? 0 : WINDOW_BYTES))
  }

  /** `byteLength` bytes have come: counts the records that are whole now; answers how many bytes they take. Never throws. */
  count(byteLength: number): number {
    const at = AT_WINDOW - this.#heldBytes
    const available = this.#heldBytes + byteLength
    const taken = this.#countAt(at, available)
    // More is no record, and none that comes after it is found: its beginning tells so.
    this.#heldBytes = Math.min(available - taken, HELD_BYTES)
    const from = at + taken
    this.#memory.bytes.copyWithin(AT_WINDOW - this.#heldBytes, from, from + this.#heldBytes)
    return taken
  }

  /**
   * What was written and not counted: the beginning of a record whose end is still to come, or of something that is none, such as a record
   * that claims more than `MAX_CAPTURED_BYTES` of `@skydive/packet`. Of the latter at most 256 KiB are kept.
   */
  rest(): Uint8Array {
    return this.#memory.bytes.subarray(AT_WINDOW - this.#heldBytes, AT_WINDOW)
  }
}
