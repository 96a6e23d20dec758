/**
 * Takes a datagram that is ready to be sent. The bytes are valid only until it returns. It must not throw.
 *
 * `records` is how many flow records it holds.
 */
export type DatagramSink = (bytes: Uint8Array, records: number) => void

/** What all encoders of flow records stand on. */
export interface RecordEncoderOptions {
  /** The time of a datagram, ms since the epoch: asked once or twice a datagram. */
  readonly now: () => number
  readonly send: DatagramSink
}

/**
 * A datagram that an encoder fills, the same memory for each, and the sequence number: that of the records sent before it, as collectors
 * of NetFlow 5 and of IPFIX (RFC 7011, chapter 3.1) check it for losses.
 */
export class ExportDatagram {
  readonly bytes: Uint8Array
  readonly view: DataView
  /** Records that it holds so far. */
  records = 0
  /** Records of all datagrams before it, modulo 2^32. */
  sequence = 0
  readonly #send: DatagramSink

  /** The version of its format is written once: it begins both. */
  constructor(version: number, maxBytes: number, send: DatagramSink) {
    this.bytes = new Uint8Array(maxBytes)
    this.view = new DataView(this.bytes.buffer)
    this.view.setUint16(0, version)
    this.#send = send
  }

  /** Hands it over and begins the next one. */
  send(byteLength: number): void {
    const { records } = this
    this.sequence = (this.sequence + records) >>> 0
    this.records = 0
    this.#send(this.bytes.subarray(0, byteLength), records)
  }
}
