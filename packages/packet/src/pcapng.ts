import type { PacketFormat } from '@skydive/contracts'
import { DecodeError } from '@skydive/contracts'
import type { CaptureFileDecoder, CaptureFileSink } from './capture-file.ts'
import { MAX_CAPTURED_BYTES, PCAP_RECORD_BYTES } from './pcap-record.ts'

/** `PACKET` is what `ENHANCED_PACKET` took the place of; old files have it. */
const BLOCK = { SECTION: 0x0a0d0d0a, INTERFACE: 1, PACKET: 2, SIMPLE_PACKET: 3, ENHANCED_PACKET: 6 } as const
const MAX_BLOCK_BYTES = 16 * 1024 * 1024
/** Converted records gathered before they are handed over. */
const BATCH_BYTES = 1024 * 1024
const MICROSECOND_EXPONENT = 6
const NANOSECONDS_PER_SECOND = 1_000_000_000

interface Interface {
  readonly linkType: number
  readonly snapLength: number
  /** Units of its time stamps in a second: a power of ten or of two. */
  readonly unitsPerSecond: bigint
  readonly offsetSeconds: bigint
}

/**
 * Decodes the blocks of pcapng and hands their packets over as pcap records (little endian, ns), a batch for each run of packets of one
 * link type. Unknown blocks are skipped.
 *
 * Simple packets have no time: they get that of the packet before them, whatever its interface and section. Those before the first time get that one,
 * for which they are held back, up to a batch, unless `isLive`. In a file without any time all have 0.
 */
export function createPcapngDecoder(sink: CaptureFileSink, isLive = false): CaptureFileDecoder {
  let littleEndian = true
  let interfaces: Interface[] = []
  const batch = new Uint8Array(BATCH_BYTES + MAX_CAPTURED_BYTES + PCAP_RECORD_BYTES)
  const batchView = new DataView(batch.buffer)
  let batchBytes = 0
  let batchLinkType = 0
  let hasTime = false
  let lastSeconds = 0
  let lastNanoseconds = 0

  const flush = () => {
    if (batchBytes === 0) return
    const format: PacketFormat = {
      layout: { format: 'pcap', littleEndian: true, nanoseconds: true },
      linkType: batchLinkType,
    }
    const byteLength = batchBytes
    batchBytes = 0
    sink(batch, 0, byteLength, format)
  }

  /** Adds a packet of the last time that was told. */
  const packet = (linkType: number, data: Uint8Array, wireBytes: number) => {
    if (linkType !== batchLinkType || batchBytes > BATCH_BYTES) flush()
    batchLinkType = linkType
    batchView.setUint32(batchBytes, lastSeconds, true)
    batchView.setUint32(batchBytes + 4, lastNanoseconds, true)
    batchView.setUint32(batchBytes + 8, data.length, true)
    batchView.setUint32(batchBytes + 12, wireBytes, true)
    batch.set(data, batchBytes + PCAP_RECORD_BYTES)
    batchBytes += PCAP_RECORD_BYTES + data.length
  }

  /** Packets of the batch that came before the first time get it. */
  const firstTime = (seconds: number, nanoseconds: number) => {
    hasTime = true
    for (let at = 0; at < batchBytes; at += PCAP_RECORD_BYTES + batchView.getUint32(at + 8, true)) {
      batchView.setUint32(at, seconds, true)
      batchView.setUint32(at + 4, nanoseconds, true)
    }
  }

  const block = (bytes: Uint8Array, type: number, fileOffset: number) => {
    const body = bytes.subarray(8, bytes.length - 4)
    const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
    const need = (length: number) => {
      if (body.length < length) throw damaged(fileOffset, `its block of type ${type} is too short`)
    }
    switch (type) {
      case BLOCK.SECTION:
        interfaces = []
        break
      case BLOCK.INTERFACE:
        need(8)
        interfaces.push(readInterface(view, littleEndian))
        break
      case BLOCK.PACKET:
      case BLOCK.ENHANCED_PACKET: {
        need(20)
        // The old block has a number of 16 bits, and a count of drops behind it.
        const place = type === BLOCK.PACKET ? view.getUint16(0, littleEndian) : view.getUint32(0, littleEndian)
        const source = interfaces[place]
        if (!source) throw damaged(fileOffset, `its packet names interface ${place}, which is not described`)
        const capturedBytes = view.getUint32(12, littleEndian)
        if (capturedBytes > MAX_CAPTURED_BYTES || 20 + capturedBytes > body.length) {
          throw damaged(fileOffset, `its packet claims ${capturedBytes} captured bytes`)
        }
        const units = (BigInt(view.getUint32(4, littleEndian)) << 32n) | BigInt(view.getUint32(8, littleEndian))
        const seconds = units / source.unitsPerSecond
        const nanoseconds = ((units - seconds * source.unitsPerSecond) * BigInt(NANOSECONDS_PER_SECOND)) / source.unitsPerSecond
        lastSeconds = Number(BigInt.asUintN(32, seconds + source.offsetSeconds))
        lastNanoseconds = Number(nanoseconds)
        if (!hasTime) firstTime(lastSeconds, lastNanoseconds)
        packet(source.linkType, body.subarray(20, 20 + capturedBytes), view.getUint32(16, littleEndian))
        break
      }
      case BLOCK.SIMPLE_PACKET: {
        need(4)
        const source = interfaces[0]
        if (!source) throw damaged(fileOffset, 'its packet comes before any interface')
        const wireBytes = view.getUint32(0, littleEndian)
        const limit = source.snapLength === 0 ? wireBytes : Math.min(wireBytes, source.snapLength)
        packet(source.linkType, body.subarray(4, 4 + Math.min(limit, MAX_CAPTURED_BYTES)), wireBytes)
        break
      }
    }
  }

  return {
    decode(bytes, offset, byteLength, fileOffset) {
      const view = new DataView(bytes.buffer, bytes.byteOffset + offset, byteLength)
      let taken = 0
      let isSound = false
      try {
        while (taken + 12 <= byteLength) {
          // A section may change the byte order; its type reads the same in both.
          if (view.getUint32(taken) === BLOCK.SECTION) {
            const magic = view.getUint32(taken + 8)
            if (magic !== 0x1a2b3c4d && magic !== 0x4d3c2b1a)
              throw damaged(fileOffset + taken, 'its section has no byte-order magic')
            littleEndian = magic === 0x4d3c2b1a
          }
          const blockBytes = view.getUint32(taken + 4, littleEndian)
          if (blockBytes < 12 || blockBytes % 4 !== 0 || blockBytes > MAX_BLOCK_BYTES) {
            throw damaged(fileOffset + taken, `its block claims ${blockBytes} bytes`)
          }
          if (taken + blockBytes > byteLength) break
          const repeated = view.getUint32(taken + blockBytes - 4, littleEndian)
          if (repeated !== blockBytes) {
            throw damaged(fileOffset + taken, `its block of ${blockBytes} bytes ends with the length ${repeated}`)
          }
          const whole = bytes.subarray(offset + taken, offset + taken + blockBytes)
          block(whole, view.getUint32(taken, littleEndian), fileOffset + taken)
          taken += blockBytes
        }
        isSound = true
      } finally {
        // What came before the damage is sound.
        if (hasTime || isLive || !isSound) flush()
      }
      return taken
    },
    end: flush,
  }
}

function damaged(offset: number, why: string): DecodeError {
  return new DecodeError(`the capture file is damaged at byte ${offset}: ${why}`, offset)
}

/** Interface description block: link type, snap length, then options; `if_tsresol` (9) and `if_tsoffset` (14) matter. */
function readInterface(view: DataView, littleEndian: boolean): Interface {
  let unitsPerSecond = 10n ** BigInt(MICROSECOND_EXPONENT)
  let offsetSeconds = 0n
  let at = 8
  while (at + 4 <= view.byteLength) {
    const code = view.getUint16(at, littleEndian)
    const length = view.getUint16(at + 2, littleEndian)
    if (code === 0 || at + 4 + length > view.byteLength) break
    if (code === 9 && length === 1) {
      const resolution = view.getUint8(at + 4)
      unitsPerSecond = (resolution & 0x80 ? 2n : 10n) ** BigInt(resolution & 0x7f)
    } else if (code === 14 && length === 8) offsetSeconds = view.getBigInt64(at + 4, littleEndian)
    at += 4 + ((length + 3) & ~3)
  }
  return {
    linkType: view.getUint16(0, littleEndian),
    snapLength: view.getUint32(4, littleEndian),
    unitsPerSecond,
    offsetSeconds,
  }
}
