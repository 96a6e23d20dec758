import { DecodeError } from '@skydive/contracts'
import {
  type CaptureFileReader,
  type CaptureFileSink,
  createCaptureFileReader,
  type PacketFilter,
  walkPcapRecords,
} from '@skydive/packet'
import { Gunzip } from 'fflate'
import { type PendingPacket, PendingPackets } from './pending-packets.ts'

/** First byte of gzip (RFC 1952); no capture file begins with it. */
const GZIP_FIRST_BYTE = 0x1f
/** gzip makes at most about a thousand bytes of one: what is unpacked at a time stays within a MiB. */
const GZIP_PIECE_BYTES = 1024
/** How far behind a stream may be before its times are counted anew from now on. */
const MAX_LAG_MS = 1000
const NS_PER_MS = 1_000_000
const NS_PER_S = 1_000_000_000

/** What a stream is told. */
export interface PcapStreamOptions {
  /** Bytes kept of a packet. */
  readonly snapLength: number
  /** The filter for packets of a link type; `undefined`: all. May throw, which ends the stream. */
  readonly filterFor: (linkType: number) => PacketFilter | undefined
}

/** Takes a packet that is due; `timeMs` is its new time stamp. The packet is valid until it returns. */
export type DuePacketSink = (packet: PendingPacket, bytes: Uint8Array, timeMs: number) => void

/**
 * One stream of packets: bytes in, packets out at their time. The first packet is due when it comes, the others as long after it as the stream
 * says. pcap and pcapng, also packed by gzip. Has no clock: times come from the caller.
 */
export class PcapStream {
  readonly #options: PcapStreamOptions
  readonly #reader: CaptureFileReader
  readonly #pending = new PendingPackets()
  #gunzip: Gunzip | undefined
  #isBegun = false
  /** Time of the first packet in the stream, and when it came. */
  #firstSeconds = Number.NaN
  #firstNs = 0
  #beganAtMs = 0
  #nowMs = 0

  constructor(options: PcapStreamOptions) {
    this.#options = options
    const take: CaptureFileSink = (buffer, offset, byteLength, { layout, linkType }) => {
      if (layout.format !== 'pcap') return byteLength
      const filter = this.#options.filterFor(linkType)
      const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
      const unitNs = layout.nanoseconds ? 1 : 1000
      return walkPcapRecords(view, offset, byteLength, layout.littleEndian, (at, capturedBytes, wireBytes, seconds, fraction) => {
        if (Number.isNaN(this.#firstSeconds)) {
          this.#firstSeconds = seconds
          this.#firstNs = fraction * unitNs
          this.#beganAtMs = this.#nowMs
        }
        if (filter && filter(view, at, capturedBytes, wireBytes) === 0) return
        const sinceFirstNs = (seconds - this.#firstSeconds) * NS_PER_S + fraction * unitNs - this.#firstNs
        const kept = Math.min(capturedBytes, this.#options.snapLength)
        this.#pending.push({ sinceFirstNs, linkType, capturedBytes: kept, wireBytes }, buffer, at)
      })
    }
    this.#reader = createCaptureFileReader(take, { isLive: true })
  }

  /** Packets that are not due yet, or were not asked for. */
  get waiting(): number {
    return this.#pending.count
  }

  /** Whether a packet has come at all. */
  get hasPackets(): boolean {
    return !Number.isNaN(this.#firstSeconds)
  }

  /** Bytes to give at a time, so that what waits stays bounded. */
  get wantedBytes(): number {
    return this.#isBegun && !this.#gunzip ? 65_536 : GZIP_PIECE_BYTES
  }

  /** Takes the next bytes. @throws ERR_DECODE for what is no stream of packets, and what `filterFor` throws. */
  push(bytes: Uint8Array, nowMs: number): void {
    if (bytes.length === 0) return
    this.#nowMs = nowMs
    if (!this.#isBegun) {
      this.#isBegun = true
      if (bytes[0] === GZIP_FIRST_BYTE) this.#gunzip = new Gunzip((piece) => this.#reader.push(piece))
    }
    if (!this.#gunzip) {
      this.#reader.push(bytes)
      return
    }
    try {
      // It keeps what it is given, and the caller uses its memory again.
      this.#gunzip.push(bytes.slice())
    } catch (error) {
      if (error instanceof DecodeError) throw error
      throw new DecodeError(`the stream is packed by gzip and damaged: ${(error as Error).message}`, this.#reader.bytesRead)
    }
  }

  /** The stream is over. @throws ERR_DECODE when it ends inside a packet; those before stay to be asked for. */
  end(): void {
    if (this.#isBegun) this.#reader.end()
  }

  /** Gives the packets that are due and takes them away; answers how many. */
  release(nowMs: number, sink: DuePacketSink): number {
    let packets = 0
    for (let packet = this.#pending.peek(); packet; packet = this.#pending.peek()) {
      const dueMs = this.#dueMs(packet, nowMs)
      if (dueMs > nowMs) break
      sink(packet, this.#pending.bytes, dueMs)
      this.#pending.shift()
      packets++
    }
    return packets
  }

  /** When the next packet is due, in ms since the epoch; `undefined` when none waits. */
  nextDueMs(nowMs: number): number | undefined {
    const packet = this.#pending.peek()
    return packet && this.#dueMs(packet, nowMs)
  }

  #dueMs({ sinceFirstNs }: PendingPacket, nowMs: number): number {
    const dueMs = this.#beganAtMs + sinceFirstNs / NS_PER_MS
    // Sent late, or the sender's clock was set back: the stamps are those of now all the same.
    if (dueMs >= nowMs - MAX_LAG_MS) return dueMs
    this.#beganAtMs += nowMs - dueMs
    return nowMs
  }
}
