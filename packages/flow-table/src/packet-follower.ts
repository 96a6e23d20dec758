import { ABSENT, LINK_TYPE, TRANSPORT } from '@skydive/packet'
import { type BlockPackets, timeMs } from './block-packets.ts'
import type { FlowColumns } from './flow-columns.ts'
import type { FlowExtras } from './flow-extras.ts'
import {
  COLD_RAW_PACKETS,
  COLD_SHIFT,
  COLD_SHOWN,
  FLAG_HAS_LINK,
  KEY_KIND,
  KEY_PARENT,
  KEY_TRANSPORT,
  KIND_IPV4,
  KIND_TCP,
  KIND_TRANSPORT_MASK,
  KIND_UDP,
  ROW_CAPTURED_BYTES,
  ROW_FLAGS,
  ROW_NANOSECONDS,
  ROW_OFFSET,
  ROW_SECONDS,
  ROW_STRIPPED_TAG,
  SHOWN_TCP_METRIC,
} from './layout.ts'
import type { RawPacketKeeper } from './raw-packets.ts'

const DNS_PORT = 53

/** Looks at packets once more for what few captures ask: kept packets, connections, DNS. */
export class PacketFollower {
  readonly #columns: FlowColumns
  readonly #raw: RawPacketKeeper
  readonly #extras: FlowExtras
  readonly #packets: BlockPackets

  constructor(columns: FlowColumns, raw: RawPacketKeeper, extras: FlowExtras, packets: BlockPackets) {
    this.#columns = columns
    this.#raw = raw
    this.#extras = extras
    this.#packets = packets
  }

  /** Whether there is anything to do for every packet. */
  get isNeeded(): boolean {
    return this.#raw.limit > 0 || this.#extras.followsPackets
  }

  /** What few captures ask for each packet. `side` is 0 for packets from end A, told by the address and the port. */
  follow(id: number, rows: Int32Array, at: number, side: number): void {
    if (this.#raw.limit > 0) this.#keepPacket(id, rows, at)
    const { streams, layers } = this.#extras
    const transport = rows[at + KEY_KIND]! & KIND_TRANSPORT_MASK
    if (streams && transport === KIND_TCP) {
      const packet = this.#packets.again(rows, at)
      const { firstTransport, tcpSequence, segmentBytes, tcpFlags } = packet
      const [seconds, nanoseconds] = [rows[at + ROW_SECONDS]! >>> 0, rows[at + ROW_NANOSECONDS]!]
      if (firstTransport !== TRANSPORT.TCP) return
      if (streams.segment(id, side, tcpSequence, segmentBytes, tcpFlags, seconds, nanoseconds))
        this.#columns.cold[(id << COLD_SHIFT) + COLD_SHOWN]! |= SHOWN_TCP_METRIC
    } else if (layers?.followsDns && transport === KIND_UDP) {
      const ports = rows[at + KEY_TRANSPORT]!
      if (ports >>> 16 === DNS_PORT || (ports & 0xffff) === DNS_PORT) this.keepMessage(id, rows, at, false)
    }
  }

  /** Keeps the message that extra layers are made of. */
  keepMessage(id: number, rows: Int32Array, at: number, isFirst: boolean): void {
    const packet = this.#packets.again(rows, at)
    const layer = packet.paths.lastLayer(packet.path)
    this.#extras.layers?.keep(id, packet, layer, isFirst, rows[at + ROW_SECONDS]!, rows[at + ROW_NANOSECONDS]!)
  }

  #keepPacket(id: number, rows: Int32Array, at: number): void {
    const { cold } = this.#columns
    const countAt = (id << COLD_SHIFT) + COLD_RAW_PACKETS
    if (cold[countAt]! >= this.#raw.limit) return
    cold[countAt]!++
    // Those of this packet: with addresses from IP upwards as the key, the first of the flow may have had another link, or none.
    const hasLink = (rows[at + ROW_FLAGS]! & FLAG_HAS_LINK) !== 0
    const isIpv4 = (rows[at + KEY_KIND]! & KIND_IPV4) !== 0
    let view = this.#packets.view
    let offset = rows[at + ROW_OFFSET]!
    let capturedBytes = rows[at + ROW_CAPTURED_BYTES]!
    const isInner = rows[at + KEY_PARENT] !== 0
    if (!hasLink || isInner) {
      const packet = this.#packets.again(rows, at)
      const begin = hasLink ? packet.linkOffset : packet.ipOffset
      capturedBytes = packet.view === view ? capturedBytes - (begin - offset) : packet.end - begin
      view = packet.view
      offset = begin
    }
    this.#raw.keep(id, view, offset, capturedBytes, isInner ? ABSENT : rows[at + ROW_STRIPPED_TAG]!, {
      Timestamp: timeMs(rows, at),
      Index: cold[countAt]!,
      LinkType: hasLink ? LINK_TYPE.ETHERNET : isIpv4 ? LINK_TYPE.IPV4 : LINK_TYPE.IPV6,
    })
  }
}
