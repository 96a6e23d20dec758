import type { PacketBlockSink } from '@skydive/contracts'
import { MAX_CAPTURED_BYTES, PCAP_RECORD_BYTES } from '@skydive/packet'
import type { PendingPacket } from './pending-packets.ts'

const BLOCK_BYTES = 2 * (PCAP_RECORD_BYTES + MAX_CAPTURED_BYTES)

/** Packs packets into blocks of pcap records, little endian with ns, and hands over what is full or of one link type. */
export class RecordBlock {
  readonly #bytes = new Uint8Array(BLOCK_BYTES)
  readonly #view = new DataView(this.#bytes.buffer)
  #length = 0
  #linkType = 0

  add(
    { offset, capturedBytes, wireBytes, linkType }: PendingPacket,
    bytes: Uint8Array,
    timeMs: number,
    sink: PacketBlockSink,
  ): void {
    const needed = PCAP_RECORD_BYTES + capturedBytes
    if (linkType !== this.#linkType || this.#length + needed > BLOCK_BYTES) this.flush(sink)
    this.#linkType = linkType
    const at = this.#length
    const seconds = Math.floor(timeMs / 1000)
    this.#view.setUint32(at, seconds, true)
    this.#view.setUint32(at + 4, Math.floor((timeMs - seconds * 1000) * 1_000_000), true)
    this.#view.setUint32(at + 8, capturedBytes, true)
    this.#view.setUint32(at + 12, wireBytes, true)
    this.#bytes.set(bytes.subarray(offset, offset + capturedBytes), at + PCAP_RECORD_BYTES)
    this.#length += needed
  }

  /** Hands over what there is. */
  flush(sink: PacketBlockSink): void {
    if (this.#length > 0) sink(this.#bytes, 0, this.#length, undefined, this.#linkType)
    this.#length = 0
  }
}
