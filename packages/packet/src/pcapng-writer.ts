import type { PcapPacket } from './pcap-writer.ts'

const BLOCK = { SECTION: 0x0a0d0d0a, INTERFACE: 1, ENHANCED_PACKET: 6 } as const
const BYTE_ORDER_MAGIC = 0x1a2b3c4d
/** Type and length before a block's body, the length again behind it. */
const BLOCK_BYTES = 12
const SECTION_BODY_BYTES = 16
const INTERFACE_BODY_BYTES = 8
const PACKET_BODY_BYTES = 20
const SNAP_LENGTH = 262_144
const TWO_TO_32 = 0x1_0000_0000

/** A packet of some link type. */
export interface LinkedPacket extends PcapPacket {
  readonly linkType: number
}

/**
 * A pcapng file (little endian, µs) of packets in the order given: for each link type an interface, in the order of their first packets. A file
 * of pcap has one link type for all.
 *
 * Source: draft-ietf-opsawg-pcapng.
 */
export function encodePcapng(packets: readonly LinkedPacket[]): Uint8Array<ArrayBuffer> {
  const interfaces = [...new Set(packets.map(({ linkType }) => linkType))]
  const head = BLOCK_BYTES + SECTION_BODY_BYTES + interfaces.length * (BLOCK_BYTES + INTERFACE_BODY_BYTES)
  const size = packets.reduce((sum, { data }) => sum + BLOCK_BYTES + PACKET_BODY_BYTES + padded(data.length), head)
  const file = new Uint8Array(size)
  const view = new DataView(file.buffer)
  let at = 0
  /** Frames a block; answers where its body begins. */
  const block = (type: number, bodyBytes: number): number => {
    const body = at + 8
    view.setUint32(at, type, true)
    view.setUint32(at + 4, BLOCK_BYTES + bodyBytes, true)
    view.setUint32(body + bodyBytes, BLOCK_BYTES + bodyBytes, true)
    at += BLOCK_BYTES + bodyBytes
    return body
  }

  const section = block(BLOCK.SECTION, SECTION_BODY_BYTES)
  view.setUint32(section, BYTE_ORDER_MAGIC, true)
  view.setUint16(section + 4, 1, true)
  // Of unknown length.
  view.setBigInt64(section + 8, -1n, true)
  for (const linkType of interfaces) {
    const body = block(BLOCK.INTERFACE, INTERFACE_BODY_BYTES)
    view.setUint16(body, linkType, true)
    view.setUint32(body + 4, SNAP_LENGTH, true)
  }
  for (const { linkType, timeMs, data, wireBytes } of packets) {
    const body = block(BLOCK.ENHANCED_PACKET, PACKET_BODY_BYTES + padded(data.length))
    const microseconds = Math.round(timeMs * 1000)
    view.setUint32(body, interfaces.indexOf(linkType), true)
    view.setUint32(body + 4, Math.floor(microseconds / TWO_TO_32), true)
    view.setUint32(body + 8, microseconds % TWO_TO_32, true)
    view.setUint32(body + 12, data.length, true)
    view.setUint32(body + 16, wireBytes ?? data.length, true)
    file.set(data, body + PACKET_BODY_BYTES)
  }
  return file
}

const padded = (byteLength: number): number => (byteLength + 3) & ~3
