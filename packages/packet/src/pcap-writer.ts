const HEADER_BYTES = 24
const RECORD_BYTES = 16
const SNAP_LENGTH = 262_144

/** A packet for a pcap file. `wireBytes` defaults to what was captured. */
export interface PcapPacket {
  readonly timeMs: number
  readonly data: Uint8Array
  readonly wireBytes?: number
}

/** A pcap file (little endian, µs) of packets of one link type, in the order given. */
export function encodePcap(packets: readonly PcapPacket[], linkType = 1): Uint8Array<ArrayBuffer> {
  const size = packets.reduce((sum, { data }) => sum + RECORD_BYTES + data.length, HEADER_BYTES)
  const file = new Uint8Array(size)
  const view = new DataView(file.buffer)
  view.setUint32(0, 0xa1b2c3d4, true)
  view.setUint16(4, 2, true)
  view.setUint16(6, 4, true)
  view.setUint32(16, SNAP_LENGTH, true)
  view.setUint32(20, linkType, true)
  let at = HEADER_BYTES
  for (const { timeMs, data, wireBytes } of packets) {
    view.setUint32(at, Math.floor(timeMs / 1000), true)
    view.setUint32(at + 4, Math.round((timeMs % 1000) * 1000), true)
    view.setUint32(at + 8, data.length, true)
    view.setUint32(at + 12, wireBytes ?? data.length, true)
    file.set(data, at + RECORD_BYTES)
    at += RECORD_BYTES + data.length
  }
  return file
}
