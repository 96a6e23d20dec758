import type { PacketFormat } from '@skydive/contracts'
import { TPACKET3 } from '@skydive/flow-table'
import { walkPcapRecords } from '@skydive/packet'

/** Called with where a frame begins in the block's memory. `strippedTag` is the VLAN tag that the kernel took off, or -1. */
export type FrameVisitor = (offset: number, capturedBytes: number, wireBytes: number, strippedTag: number) => void

/**
 * Visits the packets of a block in place, whatever its layout. Never reads past it: what a header claims beyond the block ends the walk.
 * `view` shows the memory that `offset` counts in.
 */
export function walkFrames(
  { layout }: PacketFormat,
  view: DataView,
  offset: number,
  byteLength: number,
  visit: FrameVisitor,
): void {
  if (layout.format === 'pcap') {
    walkPcapRecords(view, offset, byteLength, layout.littleEndian, (at, capturedBytes, wireBytes) =>
      visit(at, capturedBytes, wireBytes, -1),
    )
    return
  }
  if (byteLength < TPACKET3.BLOCK_HEADER_BYTES) return
  const end = offset + byteLength
  let left = view.getUint32(offset + TPACKET3.BLOCK_PACKETS, true)
  let at = offset + view.getUint32(offset + TPACKET3.BLOCK_FIRST_PACKET, true)
  for (; left > 0 && at + TPACKET3.HEADER_BYTES <= end; left--) {
    const start = at + view.getUint16(at + TPACKET3.MAC_OFFSET, true)
    const capturedBytes = view.getUint32(at + TPACKET3.CAPTURED_BYTES, true)
    if (start + capturedBytes > end) return
    const hasTag = (view.getUint32(at + TPACKET3.STATUS, true) & TPACKET3.STATUS_VLAN_VALID) !== 0
    const tag = hasTag ? view.getUint16(at + TPACKET3.VLAN_TCI, true) : -1
    visit(start, capturedBytes, view.getUint32(at + TPACKET3.WIRE_BYTES, true), tag)
    const next = view.getUint32(at + TPACKET3.NEXT_OFFSET, true)
    if (next === 0) return
    at += next
  }
}
