import { closeSync, openSync, writeSync } from 'node:fs'

const RECORD_BYTES = 80
const FRAME_BYTES = 64
const BLOCK_RECORDS = 65_536

/** A pcap file header: little endian, µs, Ethernet. */
export function pcapHeader(): Buffer {
  const head = Buffer.alloc(24)
  head.writeUInt32LE(0xa1b2c3d4, 0)
  head.writeUInt16LE(2, 4)
  head.writeUInt16LE(4, 6)
  head.writeUInt32LE(262_144, 16)
  head.writeUInt32LE(1, 20)
  return head
}

/** Blocks of records of 64-byte UDP frames: flows drawn evenly at random, either direction as likely, a packet every µs. */
export function* packetBlocks(flows: number, packets: number): Generator<Buffer> {
  const block = Buffer.alloc(RECORD_BYTES * BLOCK_RECORDS)
  let random = 12_345
  for (let i = 0; i < packets; ) {
    const count = Math.min(BLOCK_RECORDS, packets - i)
    for (let record = 0; record < count; record++, i++) {
      random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0
      writeRecord(block, record * RECORD_BYTES, i, Math.floor((random / 0x100000000) * flows), ((random >>> 7) & 1) === 1)
    }
    yield block.subarray(0, count * RECORD_BYTES)
  }
}

function writeRecord(block: Buffer, at: number, index: number, flow: number, isReply: boolean): void {
  block.writeUInt32LE(1_700_000_000 + Math.floor(index / 1e6), at)
  block.writeUInt32LE(index % 1e6, at + 4)
  block.writeUInt32LE(FRAME_BYTES, at + 8)
  block.writeUInt32LE(FRAME_BYTES, at + 12)
  const frame = at + 16
  block.writeUIntBE(isReply ? 0x020000000001 : 0x020000000002, frame, 6)
  block.writeUIntBE(isReply ? 0x020000000002 : 0x020000000001, frame + 6, 6)
  block.writeUInt32BE(0x08004500, frame + 12)
  block.writeUInt16BE(50, frame + 16)
  block[frame + 22] = 64
  block[frame + 23] = 17
  const ends = [0x0a000001 + (flow & 0xffff), 0x0b000001 + (flow >>> 16)] as const
  const ports = [1024 + (flow % 50_000), 53_000] as const
  block.writeUInt32BE(ends[isReply ? 1 : 0], frame + 26)
  block.writeUInt32BE(ends[isReply ? 0 : 1], frame + 30)
  block.writeUInt16BE(ports[isReply ? 1 : 0], frame + 34)
  block.writeUInt16BE(ports[isReply ? 0 : 1], frame + 36)
  block.writeUInt16BE(30, frame + 38)
}

/** Writes a whole file. */
export function writePcap(file: string, flows: number, packets: number): void {
  const fd = openSync(file, 'w')
  writeSync(fd, pcapHeader())
  for (const block of packetBlocks(flows, packets)) writeSync(fd, block)
  closeSync(fd)
}
