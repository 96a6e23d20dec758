import { ETHERTYPE } from './constants.ts'
import { crc32 } from './crc32.ts'

/** A frame that is to be mirrored: where it lies, and what its capture says of it. */
export interface MirroredFrame {
  /** Where the frame is; read only. */
  bytes: Uint8Array
  offset: number
  /** From 14: an Ethernet header is expected. */
  capturedBytes: number
  /** On the wire; greater than what was captured when the frame is cut. */
  wireBytes: number
  /** The VLAN tag that the kernel took off, which is put back; -1: none. */
  strippedTag: number
}

/** Who mirrors. */
export interface ErspanSession {
  /** 10 bits. */
  readonly sessionId: number
  /** The port that is mirrored, 20 bits. */
  readonly index: number
}

/** What an encapsulated frame has before it (GRE with a sequence number, ERSPAN), and at most behind and within it (CRC, tag). */
export const ERSPAN_OVERHEAD_BYTES = 8 + 8 + 4 + 4

/** GRE with a sequence number (RFC 2890), protocol ERSPAN. */
const GRE_HEAD = 0x100088be
/** ERSPAN header of type II: version 1, no VLAN of its own. */
const VERSION = 1 << 28
/** The frame has the tag that it had on the wire. */
const TAG_KEPT = 3 << 11
const TRUNCATED = 1 << 10
const HEADERS_BYTES = 16
const ADDRESSES_BYTES = 12
const TAG_BYTES = 4

/**
 * Writes a frame as the payload of an IP packet of protocol 47: GRE, ERSPAN type II (draft-foschiano-erspan, chapter 4.2), the frame, and
 * a CRC-32 of it. Answers how many bytes that takes, at most {@link ERSPAN_OVERHEAD_BYTES} more than the frame. Pure; costs no memory.
 */
export function writeErspan(
  into: Uint8Array,
  view: DataView,
  at: number,
  { sessionId, index }: ErspanSession,
  sequence: number,
  frame: MirroredFrame,
): number {
  const { bytes, offset, capturedBytes, wireBytes, strippedTag } = frame
  view.setUint32(at, GRE_HEAD)
  view.setUint32(at + 4, sequence)
  view.setUint32(at + 8, VERSION | TAG_KEPT | (wireBytes > capturedBytes ? TRUNCATED : 0) | (sessionId & 0x3ff))
  view.setUint32(at + 12, index & 0xfffff)
  const start = at + HEADERS_BYTES
  let end = start + capturedBytes
  if (strippedTag < 0) copy(into, start, bytes, offset, capturedBytes)
  else {
    copy(into, start, bytes, offset, ADDRESSES_BYTES)
    view.setUint16(start + ADDRESSES_BYTES, ETHERTYPE.DOT1Q)
    view.setUint16(start + ADDRESSES_BYTES + 2, strippedTag)
    copy(into, start + ADDRESSES_BYTES + TAG_BYTES, bytes, offset + ADDRESSES_BYTES, capturedBytes - ADDRESSES_BYTES)
    end += TAG_BYTES
  }
  view.setUint32(end, crc32(into, start, end))
  return end + 4 - at
}

/** A loop: a view of so few bytes costs more than they do. */
function copy(into: Uint8Array, at: number, from: Uint8Array, offset: number, byteLength: number): void {
  for (let i = 0; i < byteLength; i++) into[at + i] = from[offset + i]!
}
