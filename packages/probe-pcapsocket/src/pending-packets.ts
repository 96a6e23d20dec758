/** What is kept of each packet before its bytes: when it is due, its link type, its lengths. */
const HEADER_BYTES = 24
const FIRST_BYTES = 64 * 1024

/** A packet that waits, as {@link PendingPackets.peek} shows it. */
export interface PendingPacket {
  /** Time since the first packet of the stream, ns. */
  readonly sinceFirstNs: number
  readonly linkType: number
  readonly capturedBytes: number
  readonly wireBytes: number
  /** Where the bytes begin in {@link PendingPackets.bytes}. */
  readonly offset: number
}

/** Packets in the order in which they came, in one piece of memory that grows as needed and is used again once they are gone. */
export class PendingPackets {
  #bytes = new Uint8Array(FIRST_BYTES)
  #view = new DataView(this.#bytes.buffer)
  #start = 0
  #end = 0
  #count = 0
  readonly #shown = { sinceFirstNs: 0, linkType: 0, capturedBytes: 0, wireBytes: 0, offset: 0 }

  get count(): number {
    return this.#count
  }

  get bytes(): Uint8Array {
    return this.#bytes
  }

  /** Copies a packet behind the others. */
  push(packet: Omit<PendingPacket, 'offset'>, data: Uint8Array, offset: number): void {
    const needed = HEADER_BYTES + packet.capturedBytes
    if (this.#end + needed > this.#bytes.length) this.#grow(needed)
    const at = this.#end
    this.#view.setFloat64(at, packet.sinceFirstNs)
    this.#view.setUint32(at + 8, packet.linkType)
    this.#view.setUint32(at + 12, packet.capturedBytes)
    this.#view.setUint32(at + 16, packet.wireBytes)
    this.#bytes.set(data.subarray(offset, offset + packet.capturedBytes), at + HEADER_BYTES)
    this.#end += needed
    this.#count++
  }

  /** The oldest; the object is used again by the next call. */
  peek(): PendingPacket | undefined {
    if (this.#count === 0) return undefined
    const at = this.#start
    this.#shown.sinceFirstNs = this.#view.getFloat64(at)
    this.#shown.linkType = this.#view.getUint32(at + 8)
    this.#shown.capturedBytes = this.#view.getUint32(at + 12)
    this.#shown.wireBytes = this.#view.getUint32(at + 16)
    this.#shown.offset = at + HEADER_BYTES
    return this.#shown
  }

  /** Takes the oldest away. */
  shift(): void {
    if (this.#count === 0) return
    this.#start += HEADER_BYTES + this.#view.getUint32(this.#start + 12)
    this.#count--
    if (this.#count === 0) {
      this.#start = 0
      this.#end = 0
    }
  }

  #grow(needed: number): void {
    const used = this.#end - this.#start
    const bytes =
      used + needed > this.#bytes.length ? new Uint8Array(Math.max(this.#bytes.length * 2, used + needed)) : this.#bytes
    bytes.set(this.#bytes.subarray(this.#start, this.#end))
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer)
    this.#start = 0
    this.#end = used
  }
}
