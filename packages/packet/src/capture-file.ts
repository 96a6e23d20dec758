import type { PacketFormat } from '@skydive/contracts'
import { DecodeError } from '@skydive/contracts'
import { checkNextRecord, cutFile, PCAP_HEADER_BYTES, type PcapFormat, pcapLayout, readPcapFormat } from './pcap-file.ts'
import { PCAP_RECORD_BYTES } from './pcap-record.ts'
import { createPcapngDecoder } from './pcapng.ts'

/**
 * Consumes records of a capture file in place: bytes of `buffer` from `offset`, laid out as `format` says. Answers how many bytes it took:
 * all whole records, and nothing of a record whose end is not there yet.
 */
export type CaptureFileSink = (buffer: Uint8Array, offset: number, byteLength: number, format: PacketFormat) => number

/** Reads a pcap or pcapng file that comes in pieces of any size, such as from a pipe. */
export interface CaptureFileReader {
  /** Bytes given so far, those of a piece that was found damaged among them. */
  readonly bytesRead: number
  /**
   * Hands over what is whole. The piece is not kept; at most one incomplete record is copied.
   * @throws ERR_DECODE for a file of another kind, or a damaged one, with the offset of the first byte that makes no sense.
   */
  push(piece: Uint8Array): void
  /** @throws ERR_DECODE when the file ends inside a header or record; what came before has been handed over. */
  end(): void
}

/** What a decoder of one kind of file does with the bytes at hand: answers how many it took. */
export interface CaptureFileDecoder {
  /** `fileOffset` is the position of `bytes[offset]` in the file, for errors. */
  decode(bytes: Uint8Array, offset: number, byteLength: number, fileOffset: number): number
  /** The file is over: hands over what was held back. */
  end?(): void
}

/** How a file is read. */
export interface CaptureFileOptions {
  /** What is whole is handed over at once, also packets of pcapng that have no time of their own and none before them. @default false */
  readonly isLive?: boolean
}

const MAGIC_BYTES = 4
const PCAPNG_MAGIC = 0x0a0d0d0a

/**
 * Makes a reader that finds out by the magic whether it reads pcap (either byte order, µs or ns) or pcapng. Works on pieces in place: give
 * it a memory-mapped file as one piece, or blocks of a quarter of a MiB and more. Gzip and other wrappings are refused by their magic.
 *
 * Packets of pcapng without a time of their own (simple packets) get the time of the packet before them, or else the first time of the file.
 *
 * Source: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
 */
export function createCaptureFileReader(sink: CaptureFileSink, options: CaptureFileOptions = {}): CaptureFileReader {
  let decoder: CaptureFileDecoder | undefined
  // The record that was cut, from its beginning.
  const rest = new HeldBytes()
  let bytesRead = 0

  const consume = (bytes: Uint8Array, fileOffset: number): number => {
    if (!decoder) {
      if (bytes.length < MAGIC_BYTES) return 0
      decoder = decoderFor(bytes, sink, options)
    }
    let taken = 0
    for (;;) {
      const step = decoder.decode(bytes, taken, bytes.length - taken, fileOffset + taken)
      if (step === 0) return taken
      taken += step
    }
  }

  return {
    get bytesRead() {
      return bytesRead
    },
    push(piece) {
      const begin = bytesRead
      bytesRead += piece.length
      let from = 0
      // The record that was cut gets bytes until it is whole; the bulk of the piece is then read in place.
      while (rest.length > 0 && from < piece.length) {
        const wanted = Math.min(piece.length - from, Math.max(rest.length, PCAP_RECORD_BYTES + 4096))
        rest.append(piece.subarray(from, from + wanted))
        from += wanted
        const left = rest.length - consume(rest.bytes(), begin + from - rest.length)
        if (left <= wanted) {
          // What is left lies in the piece: go back to it.
          from -= left
          rest.clear()
        } else rest.keepLast(left)
      }
      const tail = from === 0 ? piece : piece.subarray(from)
      const taken = tail.length === 0 ? 0 : consume(tail, begin + from)
      if (tail.length > taken) rest.append(tail.subarray(taken))
    },
    end() {
      decoder?.end?.()
      if (rest.length > 0 || !decoder) throw cutFile(bytesRead - rest.length, rest.length)
    },
  }
}

/** Bytes that are put one behind the other, in memory that is used again. */
class HeldBytes {
  length = 0
  #memory = new Uint8Array(8192)

  bytes(): Uint8Array {
    return this.#memory.subarray(0, this.length)
  }

  append(bytes: Uint8Array): void {
    const length = this.length + bytes.length
    if (length > this.#memory.length) {
      const grown = new Uint8Array(Math.max(length, this.#memory.length * 2))
      grown.set(this.bytes())
      this.#memory = grown
    }
    this.#memory.set(bytes, this.length)
    this.length = length
  }

  keepLast(length: number): void {
    this.#memory.copyWithin(0, this.length - length, this.length)
    this.length = length
  }

  clear(): void {
    this.length = 0
  }
}

function decoderFor(bytes: Uint8Array, sink: CaptureFileSink, { isLive }: CaptureFileOptions): CaptureFileDecoder {
  const magic = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0)
  if (magic === PCAPNG_MAGIC) return createPcapngDecoder(sink, isLive)
  if (pcapLayout(magic)) return pcapDecoder(sink)
  const shown = magic.toString(16).padStart(8, '0')
  const hint = magic >>> 16 === 0x1f8b ? ': it is compressed by gzip, unpack it first' : ''
  throw new DecodeError(`not a pcap or pcapng file (it begins with ${shown})${hint}`, 0, { magic: shown })
}

function pcapDecoder(sink: CaptureFileSink): CaptureFileDecoder {
  let format: PcapFormat | undefined
  return {
    decode(bytes, offset, byteLength, fileOffset) {
      if (!format) {
        format = readPcapFormat(bytes.subarray(offset, offset + byteLength))
        return format ? PCAP_HEADER_BYTES : 0
      }
      const taken = byteLength < PCAP_RECORD_BYTES ? 0 : sink(bytes, offset, byteLength, format)
      checkNextRecord(bytes.subarray(offset + taken, offset + byteLength), format.layout.littleEndian, fileOffset + taken)
      return taken
    },
  }
}
