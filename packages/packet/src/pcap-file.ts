import { DecodeError } from '@skydive/contracts'
import { MAX_CAPTURED_BYTES, PCAP_RECORD_BYTES } from './pcap-record.ts'

/** What a pcap file's header says: a `PacketFormat` of its records. */
export interface PcapFormat {
  readonly layout: { readonly format: 'pcap'; readonly littleEndian: boolean; readonly nanoseconds: boolean }
  readonly linkType: number
}

/** Bytes of the header that a pcap file begins with. */
export const PCAP_HEADER_BYTES = 24
const LINK_TYPE_OFFSET = 20
/** The upper bits of the word hold the length of the frame check sequence. */
const LINK_TYPE_MASK = 0xffff

/**
 * The format of a pcap file (either byte order, µs or ns) whose first {@link PCAP_HEADER_BYTES} bytes these are; `undefined` for less than
 * that and for a file of another kind.
 *
 * Source: draft-ietf-opsawg-pcap.
 */
export function readPcapFormat(header: Uint8Array): PcapFormat | undefined {
  if (header.length < PCAP_HEADER_BYTES) return undefined
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength)
  const layout = pcapLayout(view.getUint32(0))
  return layout && { layout, linkType: view.getUint32(LINK_TYPE_OFFSET, layout.littleEndian) & LINK_TYPE_MASK }
}

/** What the magic of a pcap file, read as big endian, says of its records; `undefined` for another one. */
export function pcapLayout(magic: number): PcapFormat['layout'] | undefined {
  switch (magic) {
    case 0xa1b2c3d4:
      return { format: 'pcap', littleEndian: false, nanoseconds: false }
    case 0xa1b23c4d:
      return { format: 'pcap', littleEndian: false, nanoseconds: true }
    case 0xd4c3b2a1:
      return { format: 'pcap', littleEndian: true, nanoseconds: false }
    case 0x4d3cb2a1:
      return { format: 'pcap', littleEndian: true, nanoseconds: true }
    default:
      return undefined
  }
}

/**
 * Looks at what follows the whole records: the beginning of the next one, at `fileOffset` of its file.
 * @throws ERR_DECODE when it claims more than any packet has.
 */
export function checkNextRecord(rest: Uint8Array, littleEndian: boolean, fileOffset: number): void {
  if (rest.length < PCAP_RECORD_BYTES) return
  const capturedBytes = new DataView(rest.buffer, rest.byteOffset, rest.byteLength).getUint32(8, littleEndian)
  if (capturedBytes <= MAX_CAPTURED_BYTES) return
  throw new DecodeError(
    `the capture file is damaged: the record at byte ${fileOffset} claims ${capturedBytes} captured bytes, more than ${MAX_CAPTURED_BYTES}`,
    fileOffset,
    { capturedBytes },
  )
}

/** The error of a file that ends after the first `availableBytes` of a record (or header) at `fileOffset`. */
export function cutFile(fileOffset: number, availableBytes: number): DecodeError {
  return new DecodeError(
    fileOffset + availableBytes === 0
      ? 'the capture file is empty: not even a header'
      : `the capture file is cut: the record at byte ${fileOffset} has only ${availableBytes} bytes`,
    fileOffset,
    { availableBytes },
  )
}
