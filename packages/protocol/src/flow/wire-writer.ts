const INITIAL_BYTES = 64 * 1024
const VARINT_BYTES = 10
const TWO_32 = 0x100000000
const WIRE_VARINT = 0
const WIRE_BYTES = 2

/**
 * Writes protobuf (https://protobuf.dev/programming-guides/encoding) into memory that it keeps and grows. Zero values are left out, as
 * proto3 wants it. Integers are JavaScript numbers: exact up to 2^53.
 */
export class WireWriter {
  #bytes = new Uint8Array(INITIAL_BYTES)
  #length = 0
  readonly #encoder = new TextEncoder()

  /** Bytes written so far. */
  get length(): number {
    return this.#length
  }

  /** A copy of what was written; the writer is empty afterwards. */
  take(): Uint8Array<ArrayBuffer> {
    const copy = this.#bytes.slice(0, this.#length)
    this.#length = 0
    return copy
  }

  /** A field of type int64, int32, uint32, bool or enum. */
  integer(field: number, value: number): void {
    if (value === 0) return
    this.#reserve(2 * VARINT_BYTES)
    this.#varint((field << 3) | WIRE_VARINT)
    this.#varint(value)
  }

  string(field: number, value: string): void {
    const { length } = value
    if (length === 0) return
    this.#reserve(2 * VARINT_BYTES + length * 3)
    this.#varint((field << 3) | WIRE_BYTES)
    const bytes = this.#bytes
    const start = this.#length
    if (length < 0x80) {
      // Short ASCII, which is nearly everything, goes in byte by byte.
      let i = 0
      for (; i < length; i++) {
        const code = value.charCodeAt(i)
        if (code >= 0x80) break
        bytes[start + 1 + i] = code
      }
      if (i === length) {
        bytes[start] = length
        this.#length = start + 1 + length
        return
      }
    }
    const encoded = this.#encoder.encode(value)
    this.#varint(encoded.length)
    bytes.set(encoded, this.#length)
    this.#length += encoded.length
  }

  bytes(field: number, value: Uint8Array): void {
    if (value.length > 0) this.element(field, value)
  }

  /** Bytes that count even when they are none: an element of a repeated field. */
  element(field: number, value: Uint8Array): void {
    this.#reserve(2 * VARINT_BYTES + value.length)
    this.#varint((field << 3) | WIRE_BYTES)
    this.#varint(value.length)
    this.#bytes.set(value, this.#length)
    this.#length += value.length
  }

  /** Begins an inner message, which is written even when it stays empty. Give what it answers to {@link WireWriter.end}. */
  begin(field: number): number {
    this.#reserve(2 * VARINT_BYTES)
    this.#varint((field << 3) | WIRE_BYTES)
    return ++this.#length
  }

  end(start: number): void {
    const size = this.#length - start
    if (size < 0x80) {
      this.#bytes[start - 1] = size
      return
    }
    // One byte was set aside for the length: make room for the others.
    this.#reserve(VARINT_BYTES)
    const more = varintLength(size) - 1
    this.#bytes.copyWithin(start + more, start, this.#length)
    this.#length = start - 1
    this.#varint(size)
    this.#length += size
  }

  /** A whole message with its length before it, as streams of messages are written. */
  delimited(write: () => void): void {
    this.#reserve(VARINT_BYTES)
    const start = ++this.#length
    write()
    this.end(start)
  }

  #reserve(more: number): void {
    const wanted = this.#length + more
    if (wanted <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(wanted, this.#bytes.length * 2))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }

  #varint(value: number): void {
    const bytes = this.#bytes
    let at = this.#length
    if (value >= 0 && value < TWO_32) {
      let rest = value >>> 0
      while (rest > 0x7f) {
        bytes[at++] = (rest & 0x7f) | 0x80
        rest >>>= 7
      }
      bytes[at++] = rest
      this.#length = at
      return
    }
    // 64-bit two's complement in two halves: negative numbers take ten bytes.
    let low = value >>> 0
    let high = Math.floor(value / TWO_32) >>> 0
    while (high > 0 || low > 0x7f) {
      bytes[at++] = (low & 0x7f) | 0x80
      low = ((low >>> 7) | (high << 25)) >>> 0
      high >>>= 7
    }
    bytes[at++] = low
    this.#length = at
  }
}

function varintLength(value: number): number {
  let length = 1
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) length++
  return length
}
