/** Bytes of a record header: seconds, fraction, captured length, wire length. */
export const PCAP_RECORD_BYTES = 16

/**
 * The longest captured length that a record may claim. libpcap caps at 256 KiB except for USB and D-Bus captures, which we do not read;
 * a greater value means that the file is not what it says.
 */
export const MAX_CAPTURED_BYTES = 262_144

/** Called with where the packet's bytes begin. `fraction` is in the unit of the file: µs or ns. */
export type PcapRecordVisitor = (
  offset: number,
  capturedBytes: number,
  wireBytes: number,
  seconds: number,
  fraction: number,
) => void

/**
 * Visits whole records in `[offset, offset + byteLength)` and answers how many bytes they take. What follows is either the beginning of a
 * record whose rest is not there yet, or one with an impossible length.
 */
export function walkPcapRecords(
  view: DataView,
  offset: number,
  byteLength: number,
  littleEndian: boolean,
  visit: PcapRecordVisitor,
): number {
  const end = offset + byteLength
  let at = offset
  while (at + PCAP_RECORD_BYTES <= end) {
    const capturedBytes = view.getUint32(at + 8, littleEndian)
    const next = at + PCAP_RECORD_BYTES + capturedBytes
    if (capturedBytes > MAX_CAPTURED_BYTES || next > end) break
    visit(
      at + PCAP_RECORD_BYTES,
      capturedBytes,
      view.getUint32(at + 12, littleEndian),
      view.getUint32(at, littleEndian),
      view.getUint32(at + 4, littleEndian),
    )
    at = next
  }
  return at - offset
}
