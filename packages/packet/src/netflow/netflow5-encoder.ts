import { IP_PROTOCOL } from '../constants.ts'
import type { DatagramSink, ExportedFlow } from './exported-flow.ts'

/** Options of {@link Netflow5Encoder}. */
export interface Netflow5EncoderOptions {
  /** When the exporter started, ms since the epoch: times of records are told as distances from it. */
  readonly startedMs: number
  /** Whose records they are, 0 to 255. @default 0 */
  readonly engineType?: number
  /** @default 1 */
  readonly engineId?: number
  /** Records of one datagram, 1 to 30. @default 20 */
  readonly maxRecords?: number
  readonly send: DatagramSink
}

const VERSION = 5
const HEADER_BYTES = 24
const RECORD_BYTES = 48
const DEFAULT_RECORDS = 20
const MOST_RECORDS = 30
const MAX_COUNT = 0xffffffff
/** Source and destination masks: the addresses are whole. */
const NO_MASK = 255

/**
 * Flow records to datagrams of NetFlow version 5 (Cisco, "NetFlow Export Datagram Format", tables B-3 and B-4). Pure: the datagrams go to
 * `send`, in order, when they are full and at {@link Netflow5Encoder.flush}. A record costs no memory.
 *
 * The version carries IPv4 only and counters of 32 bits: greater ones are told by several records. The sequence number is that of the
 * records sent before the datagram, as collectors expect it.
 */
export class Netflow5Encoder {
  readonly #options: Netflow5EncoderOptions
  readonly #maxRecords: number
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #records = 0
  #sequence = 0

  constructor(options: Netflow5EncoderOptions) {
    this.#options = options
    this.#maxRecords = Math.max(1, Math.min(MOST_RECORDS, options.maxRecords ?? DEFAULT_RECORDS))
    this.#bytes = new Uint8Array(HEADER_BYTES + this.#maxRecords * RECORD_BYTES)
    this.#view = new DataView(this.#bytes.buffer)
  }

  /** Adds a record; answers how many were made of it: 0 for IPv6 and for one without packets, more than 1 for very great counters. */
  add(flow: ExportedFlow, nowMs: number): number {
    if (flow.ipVersion !== 4 || flow.packets <= 0) return 0
    const pieces = Math.min(flow.packets, Math.ceil(Math.max(flow.packets, flow.bytes) / MAX_COUNT) || 1)
    let { packets, bytes } = flow
    for (let left = pieces; left > 0; left--) {
      const somePackets = Math.floor(packets / left)
      const someBytes = Math.min(MAX_COUNT, Math.floor(bytes / left))
      this.#write(flow, somePackets, someBytes)
      packets -= somePackets
      bytes -= someBytes
      if (this.#records === this.#maxRecords) this.flush(nowMs)
    }
    return pieces
  }

  /** Sends what is gathered; nothing when there is nothing. `nowMs` is the time of the datagram, ms since the epoch. */
  flush(nowMs: number): void {
    const records = this.#records
    if (records === 0) return
    const view = this.#view
    const { startedMs, engineType = 0, engineId = 1, send } = this.#options
    const seconds = Math.floor(nowMs / 1000)
    view.setUint16(0, VERSION)
    view.setUint16(2, records)
    view.setUint32(4, nowMs - startedMs)
    view.setUint32(8, seconds)
    view.setUint32(12, Math.floor(nowMs - seconds * 1000) * 1_000_000)
    view.setUint32(16, this.#sequence)
    view.setUint8(20, engineType)
    view.setUint8(21, engineId)
    view.setUint16(22, 0)
    this.#sequence = (this.#sequence + records) >>> 0
    this.#records = 0
    send(this.#bytes.subarray(0, HEADER_BYTES + records * RECORD_BYTES), records)
  }

  #write(flow: ExportedFlow, packets: number, bytes: number): void {
    const at = HEADER_BYTES + this.#records++ * RECORD_BYTES
    const view = this.#view
    // Next hop, interfaces, type of service, systems and padding are not known: 0.
    this.#bytes.fill(0, at, at + RECORD_BYTES)
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
    view.setUint8(at + 44, NO_MASK)
    view.setUint8(at + 45, NO_MASK)
  }

  /** A packet may have been captured just before the exporter's clock began. */
  #uptime(timeMs: number): number {
    return Math.max(0, timeMs - this.#options.startedMs)
  }
}
