import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { createCaptureFileReader, LINK_TYPE } from '@skydive/packet'
import { pcapHeader } from './generate-pcap.ts'

const RECORD_BYTES = 16
const BLOCK_BYTES = 1 << 20

/** The packets of all Ethernet captures of a folder, as records of one file. */
function recordsOf(folder: string): Buffer[] {
  const records: Buffer[] = []
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.pcap'))) {
    const reader = createCaptureFileReader((bytes, offset, byteLength, { layout, linkType }) => {
      const isLittle = layout.format === 'pcap' && layout.littleEndian
      const view = new DataView(bytes.buffer, bytes.byteOffset + offset, byteLength)
      let taken = 0
      while (taken + RECORD_BYTES <= byteLength) {
        const capturedBytes = view.getUint32(taken + 8, isLittle)
        if (taken + RECORD_BYTES + capturedBytes > byteLength) break
        const record = Buffer.alloc(RECORD_BYTES + capturedBytes)
        record.writeUInt32LE(capturedBytes, 8)
        record.writeUInt32LE(view.getUint32(taken + 12, isLittle), 12)
        record.set(bytes.subarray(offset + taken + RECORD_BYTES, offset + taken + record.length), RECORD_BYTES)
        if (linkType === LINK_TYPE.ETHERNET) records.push(record)
        taken += record.length
      }
      return taken
    })
    reader.push(readFileSync(join(folder, name)))
  }
  return records
}

/** Writes the packets of all Ethernet captures of a folder one after the other, again and again, a packet every µs. */
export function writeRepeatedPcap(file: string, folder: string, packets: number): void {
  const records = recordsOf(folder)
  const fd = openSync(file, 'w')
  writeSync(fd, pcapHeader())
  const block = Buffer.alloc(BLOCK_BYTES + Math.max(...records.map(({ length }) => length)))
  let used = 0
  for (let i = 0; i < packets; i++) {
    const record = records[i % records.length]!
    record.writeUInt32LE(1_700_000_000 + Math.floor(i / 1e6), 0)
    record.writeUInt32LE(i % 1e6, 4)
    used += record.copy(block, used)
    if (used < BLOCK_BYTES) continue
    writeSync(fd, block, 0, used)
    used = 0
  }
  writeSync(fd, block, 0, used)
  closeSync(fd)
}
