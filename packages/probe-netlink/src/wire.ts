import { DecodeError } from '@skydive/contracts'

// Framing of netlink messages and attributes (linux/netlink.h), in the byte order of the host, which is little-endian here.

const HEADER_BYTES = 16
const ATTRIBUTE_HEADER_BYTES = 4
/** The upper two bits of an attribute's type are flags (nested, network byte order). */
const ATTRIBUTE_TYPE_MASK = 0x3fff

/** Bytes of a datagram under two looks at the same memory. */
export interface Bytes {
  readonly view: DataView
  readonly buffer: Buffer
}

/** One message within a datagram: `[start, end)` is what follows the header. */
export interface Message {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  readonly start: number
  readonly end: number
}

/** Both looks at `data`, without copying. */
export function bytesOf(data: Uint8Array): Bytes {
  return {
    view: new DataView(data.buffer, data.byteOffset, data.byteLength),
    buffer: Buffer.from(data.buffer, data.byteOffset, data.byteLength),
  }
}

/** Calls `visit` for each message of a datagram of `byteLength` bytes. @throws ERR_DECODE when a length makes no sense. */
export function readMessages({ view }: Bytes, byteLength: number, visit: (message: Message) => void): void {
  for (let at = 0; at + HEADER_BYTES <= byteLength; ) {
    const length = view.getUint32(at, true)
    if (length < HEADER_BYTES || at + length > byteLength) {
      throw new DecodeError(`netlink message of ${length} bytes does not fit into its datagram`, at, { length, byteLength })
    }
    visit({
      type: view.getUint16(at + 4, true),
      flags: view.getUint16(at + 6, true),
      sequence: view.getUint32(at + 8, true),
      start: at + HEADER_BYTES,
      end: at + length,
    })
    at += align(length)
  }
}

/** Calls `visit` for each attribute in `[start, end)` with where its value lies. @throws ERR_DECODE when a length makes no sense. */
export function readAttributes(
  { view }: Bytes,
  start: number,
  end: number,
  visit: (type: number, at: number, byteLength: number) => void,
): void {
  for (let at = start; at + ATTRIBUTE_HEADER_BYTES <= end; ) {
    const length = view.getUint16(at, true)
    if (length < ATTRIBUTE_HEADER_BYTES || at + length > end) {
      throw new DecodeError(`netlink attribute of ${length} bytes does not fit into its message`, at, { length, end })
    }
    visit(view.getUint16(at + 2, true) & ATTRIBUTE_TYPE_MASK, at + ATTRIBUTE_HEADER_BYTES, length - ATTRIBUTE_HEADER_BYTES)
    at += align(length)
  }
}

/** @throws ERR_DECODE when `[start, end)` is shorter than the fixed part of the message. */
export function needBytes(start: number, end: number, byteLength: number, what: string): void {
  if (end - start < byteLength) throw new DecodeError(`${what} of ${end - start} bytes is cut; ${byteLength} are needed`, start)
}

/** A text attribute without its closing zero. */
export function readText({ buffer }: Bytes, at: number, byteLength: number): string {
  const last = at + byteLength
  const zero = buffer.indexOf(0, at)
  return buffer.toString('utf8', at, zero >= at && zero < last ? zero : last)
}

/** A u64 as a number; saturates at 2^53-1, which a counter of bytes reaches after eight petabytes. */
export function readU64({ view }: Bytes, at: number): number {
  const value = view.getUint32(at, true) + view.getUint32(at + 4, true) * 0x1_0000_0000
  return Math.min(value, Number.MAX_SAFE_INTEGER)
}

/** An attribute to send: a number is a 32-bit one. */
export type AttributeInit = readonly [type: number, value: number | Uint8Array]

/** Builds a request: header, fixed part, attributes. */
export function buildRequest(
  type: number,
  flags: number,
  sequence: number,
  fixed: Uint8Array,
  attributes: readonly AttributeInit[] = [],
): Uint8Array {
  const values = attributes.map(([, value]) => (typeof value === 'number' ? new Uint8Array(Int32Array.of(value).buffer) : value))
  const byteLength =
    HEADER_BYTES +
    align(fixed.byteLength) +
    values.reduce((sum, value) => sum + align(ATTRIBUTE_HEADER_BYTES + value.byteLength), 0)
  const message = new Uint8Array(byteLength)
  const view = new DataView(message.buffer)
  view.setUint32(0, byteLength, true)
  view.setUint16(4, type, true)
  view.setUint16(6, flags, true)
  view.setUint32(8, sequence, true)
  message.set(fixed, HEADER_BYTES)
  let at = HEADER_BYTES + align(fixed.byteLength)
  attributes.forEach(([attributeType], i) => {
    const value = values[i]!
    view.setUint16(at, ATTRIBUTE_HEADER_BYTES + value.byteLength, true)
    view.setUint16(at + 2, attributeType, true)
    message.set(value, at + ATTRIBUTE_HEADER_BYTES)
    at += align(ATTRIBUTE_HEADER_BYTES + value.byteLength)
  })
  return message
}

function align(byteLength: number): number {
  return (byteLength + 3) & ~3
}
