import type { RawPacket } from '@skydive/contracts'
import { ABSENT, ETHERTYPE } from '@skydive/packet'

const MACS_BYTES = 12
const TAG_BYTES = 4

/** The first packets of each flow, until an update reports them (spec flows 1.18). */
export class RawPacketKeeper {
  /** Packets kept of each flow over its life. */
  readonly limit: number
  readonly #packets = new Map<number, RawPacket[]>()

  constructor(limit: number) {
    this.limit = limit
  }

  /** Copies a packet. A tag that the kernel stripped is put back where it was. */
  keep(
    id: number,
    view: DataView,
    offset: number,
    capturedBytes: number,
    strippedTag: number,
    about: Omit<RawPacket, 'Data'>,
  ): void {
    const bytes = new Uint8Array(view.buffer, view.byteOffset + offset, capturedBytes)
    const packets = this.#packets.get(id) ?? []
    packets.push({ ...about, Data: strippedTag === ABSENT ? bytes.slice() : withTag(bytes, strippedTag) })
    this.#packets.set(id, packets)
  }

  /** What is kept of a flow; nothing is kept of it afterwards. */
  take(id: number): readonly RawPacket[] | undefined {
    const packets = this.#packets.get(id)
    this.#packets.delete(id)
    return packets
  }

  forget(id: number): void {
    this.#packets.delete(id)
  }

  pending(): ReadonlyMap<number, readonly RawPacket[]> {
    return this.#packets
  }
}

function withTag(bytes: Uint8Array, tag: number): Uint8Array {
  const frame = new Uint8Array(bytes.length + TAG_BYTES)
  frame.set(bytes.subarray(0, MACS_BYTES))
  frame.set([ETHERTYPE.DOT1Q >>> 8, ETHERTYPE.DOT1Q & 0xff, tag >>> 8, tag & 0xff], MACS_BYTES)
  frame.set(bytes.subarray(MACS_BYTES), MACS_BYTES + TAG_BYTES)
  return frame
}
