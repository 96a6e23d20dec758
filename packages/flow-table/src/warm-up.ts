import { TPACKET3 } from './tpacket.ts'

const PACKETS_A_BLOCK = 2048
const BLOCKS = 40
const FRAME_BYTES = 60
const STRIDE = 112
const FLOWS = 512

/** Blocks of made-up TCP and UDP packets, as many as the compiler needs to settle (notes: 60 to 80 thousand packets). */
export function* warmUpBlocks(): Generator<Uint8Array> {
  const block = new Uint8Array(TPACKET3.BLOCK_HEADER_BYTES + PACKETS_A_BLOCK * STRIDE)
  const view = new DataView(block.buffer)
  view.setUint32(TPACKET3.BLOCK_PACKETS, PACKETS_A_BLOCK, true)
  view.setUint32(TPACKET3.BLOCK_FIRST_PACKET, TPACKET3.BLOCK_HEADER_BYTES, true)
  for (let i = 0; i < PACKETS_A_BLOCK; i++) {
    const at = TPACKET3.BLOCK_HEADER_BYTES + i * STRIDE
    view.setUint32(at, i === PACKETS_A_BLOCK - 1 ? 0 : STRIDE, true)
    view.setUint32(at + TPACKET3.SECONDS, 1, true)
    view.setUint32(at + TPACKET3.CAPTURED_BYTES, FRAME_BYTES, true)
    view.setUint32(at + TPACKET3.WIRE_BYTES, FRAME_BYTES, true)
    view.setUint16(at + TPACKET3.MAC_OFFSET, TPACKET3.HEADER_BYTES, true)
    writeFrame(view, at + TPACKET3.HEADER_BYTES, i)
  }
  for (let i = 0; i < BLOCKS; i++) yield block
}

function writeFrame(view: DataView, at: number, i: number): void {
  const isReverse = (i & 1) === 1
  const flow = i % FLOWS
  view.setUint32(at + 2, isReverse ? 1 : 2)
  view.setUint32(at + 8, isReverse ? 2 : 1)
  view.setUint16(at + 12, 0x0800)
  view.setUint16(at + 14, 0x4500)
  view.setUint16(at + 16, FRAME_BYTES - 14)
  view.setUint8(at + 22, 64)
  view.setUint8(at + 23, (flow & 2) === 0 ? 6 : 17)
  view.setUint32(at + 26, isReverse ? 0x0a000001 : 0x0a010000 + flow)
  view.setUint32(at + 30, isReverse ? 0x0a010000 + flow : 0x0a000001)
  view.setUint16(at + 34, 1024 + flow)
  view.setUint16(at + 36, 80)
}
