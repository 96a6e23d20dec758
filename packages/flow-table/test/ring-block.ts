import { TPACKET3 } from '../src/tpacket.ts'

/** A packet of a block, and by which interfaces of its exporter it went. */
export interface RingPacket {
  readonly data: Uint8Array
  readonly timeMs?: number
  /** ifIndex; default 0. */
  readonly input?: number
  readonly output?: number
}

const TIME_MS = 1_700_000_000_000
const BLOCK_HEADER_BYTES: number = TPACKET3.BLOCK_HEADER_BYTES
const { HEADER_BYTES } = TPACKET3

/** A block of layout `tpacket-v3` with `tellsInterfaces`: each packet right behind its header. */
export function ringBlock(packets: readonly RingPacket[]): Uint8Array {
  const bytes = packets.reduce((sum, { data }) => sum + HEADER_BYTES + data.length, BLOCK_HEADER_BYTES)
  const block = new Uint8Array(bytes)
  const view = new DataView(block.buffer)
  view.setUint32(TPACKET3.BLOCK_PACKETS, packets.length, true)
  view.setUint32(TPACKET3.BLOCK_FIRST_PACKET, BLOCK_HEADER_BYTES, true)
  let at = BLOCK_HEADER_BYTES
  for (const { data, timeMs = TIME_MS, input = 0, output = 0 } of packets) {
    const packetAt = at + HEADER_BYTES
    const end = packetAt + data.length
    view.setUint32(at + TPACKET3.NEXT_OFFSET, end === bytes ? 0 : end - at, true)
    view.setUint32(at + TPACKET3.SECONDS, Math.floor(timeMs / 1000), true)
    view.setUint32(at + TPACKET3.NANOSECONDS, (timeMs % 1000) * 1_000_000, true)
    view.setUint32(at + TPACKET3.CAPTURED_BYTES, data.length, true)
    view.setUint32(at + TPACKET3.WIRE_BYTES, data.length, true)
    view.setUint16(at + TPACKET3.MAC_OFFSET, HEADER_BYTES, true)
    view.setUint32(packetAt + TPACKET3.INPUT_BEFORE_PACKET, input, true)
    view.setUint32(packetAt + TPACKET3.OUTPUT_BEFORE_PACKET, output, true)
    block.set(data, packetAt)
    at = end
  }
  return block
}
