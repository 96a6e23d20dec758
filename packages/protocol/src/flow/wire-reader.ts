import { DecodeError } from '@skydive/contracts'

const TWO_32 = 0x100000000
const MAX_DEPTH = 64
const ASCII_SHORT = 64

/** Reads protobuf out of foreign bytes: every length is checked, depth is bounded, unknown fields are skipped. */
export class WireReader {
  readonly #bytes: Uint8Array
  /** A byte order mark at the beginning is part of the text. */
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  #at = 0
  #end: number
  #depth = 0
  #tag = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#end = bytes.length
  }

  /** How many bytes were read. */
  get offset(): number {
    return this.#at
  }

  /** Goes to the next field of the current message and answers its number; 0 at the end. */
  next(): number {
    if (this.#at >= this.#end) return 0
    this.#tag = this.#varint()
    if (this.#tag >>> 3 === 0) this.#refuse('a field has the number 0')
    return this.#tag >>> 3
  }

  /** An integer; exact up to 2^53. */
  integer(): number {
    this.#expect(0)
    return this.#varint()
  }

  string(): string {
    const [start, end] = this.#span()
    const bytes = this.#bytes
    if (end - start <= ASCII_SHORT) {
      let text = ''
      let at = start
      for (; at < end; at++) {
        const code = bytes[at]!
        if (code >= 0x80) break
        text += String.fromCharCode(code)
      }
      if (at === end) return text
    }
    return this.#decoder.decode(bytes.subarray(start, end))
  }

  /** A copy. */
  bytes(): Uint8Array {
    const [start, end] = this.#span()
    return this.#bytes.slice(start, end)
  }

  /** Reads an inner message: `read` is called for each of its fields with the number and must consume or {@link WireReader.skip} it. */
  message(read: (field: number) => void): void {
    const [, end] = this.#span()
    if (++this.#depth > MAX_DEPTH) this.#refuse(`messages are nested more than ${MAX_DEPTH} deep`)
    const outer = this.#end
    this.#at = this.#start
    this.#end = end
    for (let field = this.next(); field !== 0; field = this.next()) read(field)
    this.#end = outer
    this.#depth--
  }

  skip(): void {
    switch (this.#tag & 7) {
      case 0:
        this.#varint()
        break
      case 1:
        this.#advance(8)
        break
      case 2:
        this.#span()
        break
      case 5:
        this.#advance(4)
        break
      default:
        this.#refuse(`wire type ${this.#tag & 7} is not known`)
    }
  }

  /** Where the bytes of the last length-delimited field begin. */
  #start = 0

  #span(): readonly [number, number] {
    this.#expect(2)
    const length = this.#varint()
    this.#start = this.#at
    this.#advance(length)
    return [this.#start, this.#at]
  }

  #advance(length: number): void {
    if (length < 0 || this.#at + length > this.#end) this.#refuse(`a field of ${length} bytes ends after its message`)
    this.#at += length
  }

  #expect(wireType: number): void {
    if ((this.#tag & 7) !== wireType) this.#refuse(`field ${this.#tag >>> 3} has wire type ${this.#tag & 7}, not ${wireType}`)
  }

  #varint(): number {
    let low = 0
    let high = 0
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.#at >= this.#end) this.#refuse('a number is cut')
      const byte = this.#bytes[this.#at++]!
      const part = byte & 0x7f
      if (shift < 28) low |= part << shift
      else if (shift === 28) {
        low |= part << 28
        high = part >>> 4
      } else high |= part << (shift - 32)
      if (byte < 0x80) return high === 0 ? low >>> 0 : (high | 0) * TWO_32 + (low >>> 0)
    }
    return this.#refuse('a number is longer than ten bytes')
  }

  #refuse(why: string): never {
    throw new DecodeError(`protobuf: ${why} (byte ${this.#at})`, this.#at)
  }
}
