import { ETHERTYPE } from './constants.ts'

/** A header that is cut, or a version that nobody knows. */
const NO_HEADER = -1
const GRE_BYTES = 4
const GRE_WORD_BYTES = 4
const GRE = { CHECKSUM: 0x80, ROUTING: 0x40, KEY: 0x20, SEQUENCE: 0x10, ACKNOWLEDGMENT: 0x80, VERSION: 0x07 } as const
const ERSPAN_II_BYTES = 8
const ERSPAN_III_BYTES = 12
const ERSPAN_III_OPTION_BYTES = 8
const GENEVE_BYTES = 8
const GTP_BYTES = 8
const GTP_OPTION_BYTES = 4
const GTP_MAX_EXTENSIONS = 16

/** Bytes of a GRE header (RFC 2784, 2890, 1701; version 1: RFC 2637) at `at`, or -1 when it does not end before `end`. */
export function greHeaderBytes(view: DataView, at: number, end: number): number {
  if (at + GRE_BYTES > end) return NO_HEADER
  const flags = view.getUint8(at)
  const more = view.getUint8(at + 1)
  let bytes = GRE_BYTES
  if ((flags & (GRE.CHECKSUM | GRE.ROUTING)) !== 0) bytes += GRE_WORD_BYTES
  if ((flags & GRE.KEY) !== 0) bytes += GRE_WORD_BYTES
  if ((flags & GRE.SEQUENCE) !== 0) bytes += GRE_WORD_BYTES
  if ((more & GRE.VERSION) === 1 && (more & GRE.ACKNOWLEDGMENT) !== 0) bytes += GRE_WORD_BYTES
  if ((flags & GRE.ROUTING) !== 0) bytes = skipSourceRoutes(view, at, bytes, end)
  return bytes === NO_HEADER || at + bytes > end ? NO_HEADER : bytes
}

/** RFC 1701: entries of address family, offset and length, up to one whose family and length are 0. */
function skipSourceRoutes(view: DataView, at: number, headerBytes: number, end: number): number {
  let bytes = headerBytes
  while (at + bytes + 4 <= end) {
    const family = view.getUint16(at + bytes)
    const length = view.getUint8(at + bytes + 3)
    bytes += 4 + length
    if (family === 0 && length === 0) return bytes
  }
  return NO_HEADER
}

/** The key of a GRE header that {@link greHeaderBytes} found whole, unsigned; 0 without one. */
export function greKey(view: DataView, at: number): number {
  const flags = view.getUint8(at)
  if ((flags & GRE.KEY) === 0) return 0
  return view.getUint32(at + GRE_BYTES + ((flags & (GRE.CHECKSUM | GRE.ROUTING)) !== 0 ? GRE_WORD_BYTES : 0))
}

/**
 * Bytes of the ERSPAN header that follows a GRE header of this protocol: type II 8 (draft-foschiano-erspan section 4.2), type III 12 or 20
 * with its platform specific part (4.3); 0 for any other protocol, -1 when it is cut.
 */
export function erspanHeaderBytes(view: DataView, at: number, end: number, protocol: number): number {
  if (protocol === ETHERTYPE.ERSPAN) return at + ERSPAN_II_BYTES > end ? NO_HEADER : ERSPAN_II_BYTES
  if (protocol !== ETHERTYPE.ERSPAN_III) return 0
  if (at + ERSPAN_III_BYTES > end) return NO_HEADER
  const bytes = ERSPAN_III_BYTES + ((view.getUint8(at + 11) & 1) !== 0 ? ERSPAN_III_OPTION_BYTES : 0)
  return at + bytes > end ? NO_HEADER : bytes
}

/** Bytes of a Geneve header with its options (RFC 8926 section 3.4), or -1. */
export function geneveHeaderBytes(view: DataView, at: number, end: number): number {
  if (at + GENEVE_BYTES > end) return NO_HEADER
  const first = view.getUint8(at)
  const bytes = GENEVE_BYTES + (first & 0x3f) * 4
  return first >>> 6 !== 0 || at + bytes > end ? NO_HEADER : bytes
}

/** Bytes of a GTPv1-U header with its extension headers (3GPP TS 29.281 section 5), or -1. */
export function gtpHeaderBytes(view: DataView, at: number, end: number): number {
  if (at + GTP_BYTES > end) return NO_HEADER
  const flags = view.getUint8(at)
  // Version 1, protocol type GTP.
  if (flags >>> 4 !== 3) return NO_HEADER
  if ((flags & 0x07) === 0) return GTP_BYTES
  let bytes = GTP_BYTES + GTP_OPTION_BYTES
  if (at + bytes > end) return NO_HEADER
  let type = (flags & 0x04) === 0 ? 0 : view.getUint8(at + bytes - 1)
  for (let count = 0; type !== 0; count++) {
    if (count === GTP_MAX_EXTENSIONS || at + bytes >= end) return NO_HEADER
    const extensionBytes = view.getUint8(at + bytes) * 4
    if (extensionBytes === 0 || at + bytes + extensionBytes > end) return NO_HEADER
    bytes += extensionBytes
    type = view.getUint8(at + bytes - 1)
  }
  return bytes
}
