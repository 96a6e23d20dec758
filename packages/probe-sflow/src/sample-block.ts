import type { PacketBlockSink } from '@skydive/contracts'

// Offsets of `struct tpacket_block_desc` and `struct tpacket3_hdr` (linux/if_packet.h), as far as a table reads them.
const BLOCK_PACKETS = 12
const BLOCK_FIRST_PACKET = 16
const BLOCK_HEAD_BYTES = 48
const PACKET_HEAD_BYTES = 48
const NEXT_OFFSET = 0
const SECONDS = 4
const NANOSECONDS = 8
const CAPTURED_BYTES = 12
const WIRE_BYTES = 16
const STATUS = 20
const MAC_OFFSET = 24
const INPUT_INDEX = 40
const OUTPUT_INDEX = 44
const MAX_WIRE_BYTES = 0x7fffffff

/**
 * Makes blocks of packets of datagrams, in place: the head that a table wants before each packet is written over what stands there in the
 * datagram, which has been read by then. A sampled header has at least 64 bytes before it that are none of its own. Nothing is copied
 * and nothing allocated, however many samples a second come. Datagrams that lie one behind the other make one block, because a table takes
 * many packets at once at a lower cost for each.
 */
export class SampleBlock {
  #view: DataView = new DataView(new ArrayBuffer(0))
  #bytes: Uint8Array = new Uint8Array(0)
  /** Of the first datagram of the block, and of the one that is being read. */
  #start = 0
  #datagramStart = 0
  #end = 0
  #packets = 0
  #first = 0
  #last = 0
  #lastEnd = 0
  #samplingRate = 1
  #exporter = ''
  #seconds = 0
  #nanoseconds = 0
  #nowMs = 0

  /**
   * Goes on with a datagram of `byteLength` that came at `nowMs`; its first 48 bytes may be written over as soon as there is a packet. What
   * was gathered is handed over first when the datagram lies in another memory or before what was gathered.
   */
  begin(view: DataView, offset: number, byteLength: number, nowMs: number, sink: PacketBlockSink): void {
    if (this.#packets > 0 && (view !== this.#view || offset < this.#end)) this.flush(sink)
    if (view !== this.#view) {
      this.#bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
      this.#view = view
    }
    this.#datagramStart = offset
    if (this.#packets === 0) this.#start = offset
    this.#end = offset + byteLength
    if (nowMs === this.#nowMs) return
    this.#nowMs = nowMs
    this.#seconds = Math.floor(nowMs / 1000)
    this.#nanoseconds = ((nowMs % 1000) * 1_000_000) | 0
  }

  /** Says who sampled what is added from now on: an address, or nothing. What another one sampled is handed over first. */
  from(exporter: string, sink: PacketBlockSink): void {
    if (exporter === this.#exporter) return
    this.flush(sink)
    this.#exporter = exporter
  }

  /**
   * Adds a packet that was sampled between two interfaces and whose header lies at `offset`. What was gathered is handed over first when it was
   * sampled at another rate.
   */
  add(
    offset: number,
    capturedBytes: number,
    wireBytes: number,
    samplingRate: number,
    inputIndex: number,
    outputIndex: number,
    sink: PacketBlockSink,
  ): void {
    const head = offset - PACKET_HEAD_BYTES
    // Two headers in one sample lie closer together than a head is long.
    if (this.#packets > 0 && (samplingRate !== this.#samplingRate || head < this.#lastEnd)) this.flush(sink)
    const view = this.#view
    if (this.#packets === 0) {
      this.#first = head
      this.#samplingRate = samplingRate
    } else view.setUint32(this.#last + NEXT_OFFSET, head - this.#last, true)
    view.setUint32(head + SECONDS, this.#seconds, true)
    view.setUint32(head + NANOSECONDS, this.#nanoseconds, true)
    view.setUint32(head + CAPTURED_BYTES, capturedBytes, true)
    view.setUint32(head + WIRE_BYTES, Math.min(wireBytes, MAX_WIRE_BYTES), true)
    view.setUint32(head + STATUS, 0, true)
    view.setUint16(head + MAC_OFFSET, PACKET_HEAD_BYTES, true)
    view.setUint32(head + INPUT_INDEX, inputIndex, true)
    view.setUint32(head + OUTPUT_INDEX, outputIndex, true)
    this.#packets++
    this.#last = head
    this.#lastEnd = offset + capturedBytes
  }

  /** Hands over what was gathered. */
  flush(sink: PacketBlockSink): void {
    if (this.#packets === 0) return
    this.#view.setUint32(this.#last + NEXT_OFFSET, 0, true)
    // The block's own head lies where the datagram's was, or else right before its first packet, in bytes that were read as well.
    const block = Math.max(this.#start, this.#first - BLOCK_HEAD_BYTES)
    this.#view.setUint32(block + BLOCK_PACKETS, this.#packets, true)
    this.#view.setUint32(block + BLOCK_FIRST_PACKET, this.#first - block, true)
    sink(this.#bytes, block, this.#end - block, this.#samplingRate, undefined, this.#exporter)
    this.#packets = 0
    this.#start = this.#datagramStart
  }
}
