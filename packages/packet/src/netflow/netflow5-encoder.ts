import { IP_PROTOCOL } from '../constants.ts'
import { ExportDatagram, type RecordEncoderOptions } from './export-datagram.ts'
import type { ExportedFlow } from './exported-flow.ts'

/** Options of {@link Netflow5Encoder}. */
export interface Netflow5EncoderOptions extends RecordEncoderOptions {
  /** When the exporter started, ms since the epoch: times of records are told as distances from it. */
  readonly startedMs: number
  /** Whose records they are, 0 to 255. @default 0 */
  readonly engineType?: number
  /** @default 1 */
  readonly engineId?: number
  /** Records of one datagram, 1 to 30. @default 20 */
  readonly maxRecords?: number
}

const VERSION = 5
const HEADER_BYTES = 24
const RECORD_BYTES = 48
const DEFAULT_RECORDS = 20
const MOST_RECORDS = 30
const MAX_COUNT = 0xffffffff
/** Source and destination masks: the addresses are whole. */
const NO_MASKS = 0xffff

/**
 * Flow records to datagrams of NetFlow version 5 (Cisco, "NetFlow Export Datagram Format", tables B-3 and B-4). Pure: the datagrams go to
 * `send`, in order, when they are full and at {@link Netflow5Encoder.flush}. A record costs no memory.
 *
 * The version carries IPv4 only and counters of 32 bits: greater ones are told by several records. The sequence number is that of the
 * records sent before the datagram, as collectors expect it.
 */
export class Netflow5Encoder {
  readonly #startedMs: number
  readonly #now: () => number
  readonly #maxRecords: number
  readonly #datagram: ExportDatagram
  /** The last packet that the datagram tells of, ms since the epoch. */
  #latestMs = 0

  constructor({ startedMs, engineType = 0, engineId = 1, maxRecords = DEFAULT_RECORDS, now, send }: Netflow5EncoderOptions) {
    this.#startedMs = startedMs
    this.#now = now
    this.#maxRecords = Math.max(1, Math.min(MOST_RECORDS, maxRecords))
    this.#datagram = new ExportDatagram(VERSION, HEADER_BYTES + this.#maxRecords * RECORD_BYTES, send)
    // Once for all datagrams. Next hop, interfaces, type of service, systems, padding and sampling are not known: 0.
    const { view } = this.#datagram
    view.setUint8(20, engineType)
    view.setUint8(21, engineId)
    for (let record = 0; record < this.#maxRecords; record++) {
      view.setUint16(HEADER_BYTES + record * RECORD_BYTES + 44, NO_MASKS)
    }
  }

  /** Adds a record; answers how many were made of it: 0 for IPv6 and for one without packets, more than 1 for very great counters. */
  add(flow: ExportedFlow): number {
    const { packets, bytes } = flow
    if (flow.ipVersion !== 4 || packets <= 0) return 0
    if (packets <= MAX_COUNT && bytes <= MAX_COUNT) {
      this.#write(flow, packets, bytes)
      return 1
    }
    return this.#addInPieces(flow)
  }

  /** Sends what is gathered; nothing when there is nothing. */
  flush(): void {
    const { records, sequence, view } = this.#datagram
    if (records === 0) return
    // Not before what it tells of, also where a clock was set back: a later time is taken for one before the counter of ms began anew.
    const timeMs = Math.max(this.#now(), this.#latestMs)
    const seconds = Math.floor(timeMs / 1000)
    view.setUint16(2, records)
    view.setUint32(4, this.#uptime(timeMs))
    view.setUint32(8, seconds)
    view.setUint32(12, Math.floor(timeMs - seconds * 1000) * 1_000_000)
    view.setUint32(16, sequence)
    this.#latestMs = 0
    this.#datagram.send(HEADER_BYTES + records * RECORD_BYTES)
  }

  #addInPieces(flow: ExportedFlow): number {
    let { packets, bytes } = flow
    const pieces = Math.min(packets, Math.ceil(Math.max(packets, bytes) / MAX_COUNT))
    for (let left = pieces; left > 0; left--) {
      const somePackets = Math.floor(packets / left)
      const someBytes = Math.min(MAX_COUNT, Math.floor(bytes / left))
      this.#write(flow, somePackets, someBytes)
      packets -= somePackets
      bytes -= someBytes
    }
    return pieces
  }

  #write(flow: ExportedFlow, packets: number, bytes: number): void {
    const { view } = this.#datagram
    const at = HEADER_BYTES + this.#datagram.records++ * RECORD_BYTES
    view.setInt32(at, flow.addresses[0]!)
    view.setInt32(at + 4, flow.addresses[4]!)
    view.setUint32(at + 16, packets)
    view.setUint32(at + 20, bytes)
    view.setUint32(at + 24, this.#uptime(flow.startMs))
    view.setUint32(at + 28, this.#uptime(flow.lastMs))
    view.setUint16(at + 32, flow.sourcePort)
    const isIcmp = flow.protocol === IP_PROTOCOL.ICMP
    view.setUint16(at + 34, isIcmp ? (flow.icmpType << 8) | flow.icmpCode : flow.destinationPort)
    view.setUint8(at + 37, flow.tcpFlags)
    view.setUint8(at + 38, flow.protocol)
    if (flow.lastMs > this.#latestMs) this.#latestMs = flow.lastMs
    if (this.#datagram.records === this.#maxRecords) this.flush()
  }

  /** A packet may have been captured just before the exporter's clock began. */
  #uptime(timeMs: number): number {
    return Math.max(0, timeMs - this.#startedMs)
  }
}
