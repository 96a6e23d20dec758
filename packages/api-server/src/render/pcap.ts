import type { RawPacket } from '@skydive/contracts'

const HEADER_BYTES = 24
const RECORD_BYTES = 16
const MAGIC_MICROSECONDS = 0xa1b2c3d4
const SNAP_LENGTH = 65_536
const LINK_ETHERNET = 1

/**
 * A pcap file (little endian, microseconds) of kept packets in the order of their time. A file has one link type: that of the first
 * packet; packets of another type are left out. Without packets the file is empty (spec platform 1.5).
 */
export function renderPcap(packets: readonly RawPacket[]): Uint8Array {
  if (packets.length === 0) return new Uint8Array(0)
  const linkType = packets[0]?.LinkType ?? LINK_ETHERNET
  const chosen = packets.filter((packet) => packet.LinkType === linkType).sort((a, b) => a.Timestamp - b.Timestamp)
  const size = chosen.reduce((sum, packet) => sum + RECORD_BYTES + packet.Data.length, HEADER_BYTES)
  const file = new Uint8Array(size)
  const view = new DataView(file.buffer)
  view.setUint32(0, MAGIC_MICROSECONDS, true)
  view.setUint16(4, 2, true)
  view.setUint16(6, 4, true)
  view.setUint32(16, SNAP_LENGTH, true)
  view.setUint32(20, linkType, true)
  let at = HEADER_BYTES
  for (const packet of chosen) {
    view.setUint32(at, Math.floor(packet.Timestamp / 1000), true)
    view.setUint32(at + 4, (packet.Timestamp % 1000) * 1000, true)
    view.setUint32(at + 8, packet.Data.length, true)
    view.setUint32(at + 12, packet.Data.length, true)
    file.set(packet.Data, at + RECORD_BYTES)
    at += RECORD_BYTES + packet.Data.length
  }
  return file
}
