import type { Flow, PacketFormat, RawPacket } from '@skydive/contracts'
import { ABSENT, LINK_TYPE, TCP_FLAG, TRANSPORT } from '@skydive/packet'
import { AddressPairs } from './address-pairs.ts'
import { FlowColumns, randomFactors } from './flow-columns.ts'
import { FlowExporter } from './flow-export.ts'
import type { BlockConsumer, FlowTableOptions, FlowTableStats } from './flow-table.ts'
import { IdentifierHasher } from './identifiers.ts'
import {
  COLD_APPLICATION,
  COLD_DESTINATION_MAC_HIGH,
  COLD_FINISH,
  COLD_MAC_LOWS,
  COLD_PATH,
  COLD_RAW_PACKETS,
  COLD_REQUEST_NANOSECONDS,
  COLD_REQUEST_PENDING,
  COLD_REQUEST_SECONDS,
  COLD_SERIAL,
  COLD_SHIFT,
  COLD_SOURCE_MAC_HIGH,
  FLAG_ECHO_REPLY,
  FLAG_ECHO_REQUEST,
  FLAG_IGNORED,
  FLAG_SAME_ENDS,
  FLAG_SWAPPED,
  FLAG_TCP_EVENT,
  FLAG_TTL_SHIFT,
  KEY_ADDRESS_FIRST,
  KEY_KIND,
  KEY_PARENT,
  KEY_TRANSPORT,
  KIND_FIRST_SWAPPED,
  KIND_HAS_LINK,
  KIND_IPV4,
  KIND_IPV6,
  KIND_KEY_MASK,
  KIND_TRANSPORT_MASK,
  RECORD_AB_BYTES_WIDE,
  RECORD_AB_PACKETS,
  RECORD_LAST_NANOSECONDS,
  RECORD_LAST_SECONDS,
  RECORD_SHIFT,
  ROW_CAPTURED_BYTES,
  ROW_COUNTED_BYTES,
  ROW_FLAGS,
  ROW_HASH,
  ROW_NANOSECONDS,
  ROW_OFFSET,
  ROW_SECONDS,
  ROW_SHIFT,
  ROW_STRIPPED_TAG,
  TCP_FIN_START,
  TCP_RST_START,
  TCP_SHIFT,
  TCP_SYN_START,
  TCP_SYN_TTL,
  WIDE_RTT_NS,
  WIDE_SHIFT,
  WIDE_START_MS,
  WIDE_VLAN_ID,
} from './layout.ts'
import { PacketBlock } from './packet-block.ts'
import { RawPacketKeeper } from './raw-packets.ts'
import { RowDecoder } from './row-decoder.ts'
import { warmUpBlocks } from './warm-up.ts'

/** Rows decoded and applied together: the memory answers for many flows at once, and the rows still fit the first cache. */
const BATCH_ROWS = 64
const SPECIAL = FLAG_TCP_EVENT | FLAG_ECHO_REQUEST | FLAG_ECHO_REPLY
/** Share of the table (as a shift) that one eviction frees: it costs a pass over all flows. */
const EVICTION_SHIFT = 6
const NANOSECONDS_PER_SECOND = 1_000_000_000
const FINISH = { FIN: 2, RST: 3 } as const

/** The packet side of a table: decodes blocks into rows and counts rows in records. */
export class FlowAccounting {
  readonly columns: FlowColumns
  readonly exporter: FlowExporter
  readonly pairs = new AddressPairs()
  readonly raw: RawPacketKeeper
  readonly #decoder: RowDecoder
  readonly #maxFlows: number
  readonly #hasTcpMetric: boolean
  readonly #onEvicted: (flows: readonly Flow[]) => void
  readonly #applications: string[] = []
  readonly #tcpNames: ReadonlyMap<number, number>
  readonly #udpNames: ReadonlyMap<number, number>
  #view: DataView = new DataView(new ArrayBuffer(0))
  #linkType: number = LINK_TYPE.ETHERNET
  #serial = 0
  #ignored = 0
  #evicted = 0

  constructor(options: FlowTableOptions, maxFlows: number) {
    const factors = randomFactors()
    this.#hasTcpMetric = options.extraTcpMetric ?? false
    this.columns = new FlowColumns(this.#hasTcpMetric, factors)
    this.#decoder = new RowDecoder(BATCH_ROWS, options.layerKeyMode ?? 'L2', this.pairs, factors, options.filter)
    this.#maxFlows = maxFlows
    this.#onEvicted = options.onEvicted ?? (() => {})
    this.#tcpNames = this.#numberNames(options.applicationPorts?.tcp)
    this.#udpNames = this.#numberNames(options.applicationPorts?.udp)
    this.raw = new RawPacketKeeper(options.rawPacketLimit ?? 0)
    this.exporter = new FlowExporter({
      columns: this.columns,
      pairs: this.pairs,
      paths: this.#decoder.dissector.paths,
      identifiers: new IdentifierHasher(this.pairs, options.nodeTid ?? ''),
      applications: this.#applications,
      nodeTid: options.nodeTid ?? '',
      captureId: options.captureId ?? '',
      hasTcpMetric: this.#hasTcpMetric,
    })
  }

  consumer(format: PacketFormat): BlockConsumer {
    const block = new PacketBlock(format)
    return (buffer, offset, byteLength) => {
      // One view for the whole memory behind: blocks of one ring or file share it.
      if (this.#view.buffer !== buffer.buffer) this.#view = new DataView(buffer.buffer)
      const start = buffer.byteOffset + offset
      block.start(this.#view, start, byteLength)
      this.#linkType = format.linkType
      for (;;) {
        const count = this.#decoder.fill(this.#view, block)
        if (count === 0) break
        this.#touch(count)
        this.#apply(count)
      }
      return format.layout.format === 'pcap' ? block.position - start : byteLength
    }
  }

  stats(): FlowTableStats {
    return {
      flows: this.columns.size,
      packets: this.#decoder.packets,
      ignoredPackets: this.#ignored,
      filteredPackets: this.#decoder.filteredPackets,
      evictedFlows: this.#evicted,
    }
  }

  pendingRawPackets(): ReadonlyMap<string, readonly RawPacket[]> {
    return new Map([...this.raw.pending()].map(([id, packets]) => [this.exporter.flow(id).UUID, packets]))
  }

  /** Gives back the numbers of IPv6 pairs that no flow uses any more. */
  forgetUnusedPairs(): void {
    const { records, limit } = this.columns
    const used = new Uint8Array(this.pairs.limit)
    for (let id = 0; id < limit; id++) {
      const base = id << RECORD_SHIFT
      if ((records[base + KEY_KIND]! & KIND_IPV6) !== 0) used[records[base + KEY_ADDRESS_FIRST]!] = 1
    }
    this.pairs.keepOnly(used)
  }

  /** Removes a flow for good. */
  remove(id: number): void {
    this.raw.forget(id)
    this.columns.remove(id)
  }

  warmUp(): void {
    const { packets, filteredPackets } = this.#decoder
    const serial = this.#serial
    const consume = this.consumer({ layout: { format: 'tpacket-v3' }, linkType: LINK_TYPE.ETHERNET })
    for (const block of warmUpBlocks()) consume(block, 0, block.length)
    for (let id = 0; id < this.columns.limit; id++) if (this.columns.isLive(id)) this.remove(id)
    this.forgetUnusedPairs()
    this.#decoder.packets = packets
    this.#decoder.filteredPackets = filteredPackets
    this.#serial = serial
    this.#view = new DataView(new ArrayBuffer(0))
  }

  /** Loads what the rows will need, all independent of one another: the memory answers many at once. */
  #touch(count: number): void {
    const { index, records, mask } = this.columns
    const { rows } = this.#decoder
    let sum = 0
    for (let row = 0; row < count; row++) sum ^= index[(rows[(row << ROW_SHIFT) + ROW_HASH]! & mask) * 2 + 1]!
    for (let row = 0; row < count; row++) {
      const entry = index[(rows[(row << ROW_SHIFT) + ROW_HASH]! & mask) * 2 + 1]!
      if (entry !== 0) sum ^= records[(entry - 1) << RECORD_SHIFT]!
    }
    this.prefetched = sum
  }

  /** Only there so that the loads of a batch are not optimised away. */
  prefetched = 0

  /** Counts the rows in their records: the loop that everything is arranged around. */
  #apply(count: number): void {
    const { columns } = this
    const { rows } = this.#decoder
    const special = SPECIAL
    const keepsPackets = this.raw.limit > 0
    let { records, recordsWide, index, mask } = columns

    for (let row = 0; row < count; row++) {
      const at = row << ROW_SHIFT
      const flags = rows[at + ROW_FLAGS]!
      if ((flags & FLAG_IGNORED) !== 0) {
        this.#ignored++
        continue
      }
      const hash = rows[at + ROW_HASH]!
      let slot = hash & mask
      let id = -1
      for (;;) {
        const entry = index[slot * 2 + 1]!
        if (entry === 0) break
        if (index[slot * 2] === hash) {
          const base = (entry - 1) << RECORD_SHIFT
          if (
            records[base] === rows[at] &&
            records[base + 1] === rows[at + 1] &&
            records[base + 2] === rows[at + 2] &&
            records[base + 3] === rows[at + 3] &&
            records[base + 4] === rows[at + 4] &&
            records[base + 5] === rows[at + 5] &&
            (records[base + KEY_KIND]! & KIND_KEY_MASK) === rows[at + KEY_KIND] &&
            records[base + KEY_PARENT] === rows[at + KEY_PARENT]
          ) {
            id = entry - 1
            break
          }
        }
        slot = (slot + 1) & mask
      }
      if (id < 0) {
        id = this.#create(rows, at, flags)
        ;({ records, recordsWide, index, mask } = columns)
      }
      const base = id << RECORD_SHIFT
      // Both words have "swapped into key order" in their sign: 0 for a packet from A to B, 1 for one from B to A.
      const direction = (records[base + KEY_KIND]! ^ flags) >>> 31
      const side = (flags & FLAG_SAME_ENDS) === 0 ? direction : this.#sideOfEqualEnds(rows, at, records, base, flags)
      records[base + RECORD_AB_PACKETS + side]!++
      recordsWide[(base >> 1) + RECORD_AB_BYTES_WIDE + side]! += rows[at + ROW_COUNTED_BYTES]!
      records[base + RECORD_LAST_SECONDS] = rows[at + ROW_SECONDS]!
      records[base + RECORD_LAST_NANOSECONDS] = rows[at + ROW_NANOSECONDS]!
      if ((flags & special) !== 0) this.#followEvents(id, rows, at, flags, direction === 0)
      if (keepsPackets) this.#keepPacket(id, rows, at)
    }
  }

  /** Spec flows 1.10 for packets whose addresses do not tell the ends apart: 0 from A to B, 1 from B to A. */
  #sideOfEqualEnds(rows: Int32Array, at: number, records: Int32Array, base: number, flags: number): number {
    const kind = rows[at + KEY_KIND]!
    if ((kind & (KIND_IPV4 | KIND_IPV6)) === 0) return 1
    const transport = kind & KIND_TRANSPORT_MASK
    if (transport === TRANSPORT.NONE || transport === TRANSPORT.ICMP) return 0
    const ports = rows[at + KEY_TRANSPORT]!
    const sourcePort = (flags & FLAG_SWAPPED) !== 0 ? ports & 0xffff : ports >>> 16
    const portOfA = (records[base + KEY_KIND]! & KIND_FIRST_SWAPPED) !== 0 ? ports & 0xffff : ports >>> 16
    return portOfA > sourcePort ? 0 : 1
  }

  #create(rows: Int32Array, at: number, flags: number): number {
    const { columns } = this
    if (columns.size >= this.#maxFlows) this.#evict()
    const id = columns.insert(rows, at)
    const packet = this.#decoder.dissector
    packet.dissect(
      this.#view,
      rows[at + ROW_OFFSET]!,
      rows[at + ROW_CAPTURED_BYTES]!,
      this.#linkType,
      rows[at + ROW_STRIPPED_TAG],
    )
    const kindAt = (id << RECORD_SHIFT) + KEY_KIND
    if ((flags & FLAG_SWAPPED) !== 0) columns.records[kindAt]! |= KIND_FIRST_SWAPPED
    const { cold, wide } = columns
    const coldBase = id << COLD_SHIFT
    if (packet.linkOffset !== ABSENT) {
      columns.records[kindAt]! |= KIND_HAS_LINK
      const link = packet.linkOffset
      cold[coldBase + COLD_DESTINATION_MAC_HIGH] = this.#view.getInt32(link)
      cold[coldBase + COLD_SOURCE_MAC_HIGH] = this.#view.getInt32(link + 6)
      cold[coldBase + COLD_MAC_LOWS] = (this.#view.getUint16(link + 10) << 16) | this.#view.getUint16(link + 4)
    }
    cold[coldBase + COLD_PATH] = packet.path
    cold[coldBase + COLD_SERIAL] = ++this.#serial
    if (packet.transport === TRANSPORT.TCP) cold[coldBase + COLD_APPLICATION] = this.#nameByPort(this.#tcpNames)
    else if (packet.transport === TRANSPORT.UDP) cold[coldBase + COLD_APPLICATION] = this.#nameByPort(this.#udpNames)
    wide[(id << WIDE_SHIFT) + WIDE_START_MS] = timeMs(rows, at)
    wide[(id << WIDE_SHIFT) + WIDE_VLAN_ID] = packet.vlanId
    return id
  }

  #numberNames(names: Readonly<Record<number, string>> | undefined): ReadonlyMap<number, number> {
    return new Map(Object.entries(names ?? {}).map(([port, name]) => [Number(port), this.#applications.push(name.toUpperCase())]))
  }

  #nameByPort(names: ReadonlyMap<number, number>): number {
    const { sourcePort, destinationPort } = this.#decoder.dissector
    return names.get(sourcePort) ?? names.get(destinationPort) ?? 0
  }

  #evict(): void {
    const count = Math.max(1, this.columns.size >> EVICTION_SHIFT)
    const flows: Flow[] = []
    for (const id of this.columns.oldest(count)) {
      const { FinishType: finish = 1, LastRawPackets: _, ...flow } = this.exporter.flow(id)
      const rawPackets = this.raw.take(id)
      flows.push({ ...flow, FinishType: finish, ...(rawPackets && { LastRawPackets: rawPackets }) })
      this.remove(id)
    }
    this.#evicted += flows.length
    this.#onEvicted(flows)
  }

  /** RTT (spec flows 1.11), flag times (1.12) and the end of a connection. */
  #followEvents(id: number, rows: Int32Array, at: number, flags: number, isSameOrder: boolean): void {
    if ((flags & FLAG_ECHO_REQUEST) !== 0) this.#request(id, rows, at)
    else if ((flags & FLAG_ECHO_REPLY) !== 0) this.#reply(id, rows, at)
    if ((flags & FLAG_TCP_EVENT) === 0) return
    const isSyn = (flags & TCP_FLAG.SYN) !== 0
    const isReset = (flags & TCP_FLAG.RST) !== 0
    const { cold } = this.columns
    if (isSyn && cold[(id << COLD_SHIFT) + COLD_REQUEST_PENDING] === 0) this.#request(id, rows, at)
    else if (isReset || (isSyn && (flags & TCP_FLAG.ACK) !== 0)) this.#reply(id, rows, at)

    const finishAt = (id << COLD_SHIFT) + COLD_FINISH
    if (cold[finishAt] === 0) {
      if ((flags & TCP_FLAG.FIN) !== 0) cold[finishAt] = FINISH.FIN
      else if (isReset) cold[finishAt] = FINISH.RST
    }
    if (!this.#hasTcpMetric) return
    // Between equal addresses only a SYN is told apart by its ports; the rest counts as coming from A, as in spec flows 1.12.
    const isFromA = isSameOrder || ((flags & FLAG_SAME_ENDS) !== 0 && !isSyn)
    this.#followFlagTimes(id, rows, at, flags, isFromA ? 0 : 1)
  }

  #request(id: number, rows: Int32Array, at: number): void {
    const { cold } = this.columns
    const base = id << COLD_SHIFT
    if (cold[base + COLD_REQUEST_PENDING] !== 0) return
    cold[base + COLD_REQUEST_PENDING] = 1
    cold[base + COLD_REQUEST_SECONDS] = rows[at + ROW_SECONDS]!
    cold[base + COLD_REQUEST_NANOSECONDS] = rows[at + ROW_NANOSECONDS]!
  }

  #reply(id: number, rows: Int32Array, at: number): void {
    const { cold, wide } = this.columns
    const base = id << COLD_SHIFT
    if (cold[base + COLD_REQUEST_PENDING] === 0) return
    cold[base + COLD_REQUEST_PENDING] = 0
    wide[(id << WIDE_SHIFT) + WIDE_RTT_NS] =
      (rows[at + ROW_SECONDS]! - cold[base + COLD_REQUEST_SECONDS]!) * NANOSECONDS_PER_SECOND +
      (rows[at + ROW_NANOSECONDS]! - cold[base + COLD_REQUEST_NANOSECONDS]!)
  }

  /** `side` is 0 for segments from end A, 1 for those from end B. SYN comes before FIN before RST. */
  #followFlagTimes(id: number, rows: Int32Array, at: number, flags: number, side: number): void {
    const { tcp } = this.columns
    const base = id << TCP_SHIFT
    const now = timeMs(rows, at)
    if ((flags & TCP_FLAG.SYN) !== 0) {
      if (tcp[base + TCP_SYN_START + side] !== 0) return
      tcp[base + TCP_SYN_START + side] = now
      tcp[base + TCP_SYN_TTL + side] = (flags >>> FLAG_TTL_SHIFT) & 0xff
    } else if ((flags & TCP_FLAG.FIN) !== 0) tcp[base + TCP_FIN_START + side] = now
    else tcp[base + TCP_RST_START + side] = now
  }

  #keepPacket(id: number, rows: Int32Array, at: number): void {
    const { cold, records } = this.columns
    const countAt = (id << COLD_SHIFT) + COLD_RAW_PACKETS
    if (cold[countAt]! >= this.raw.limit) return
    cold[countAt]!++
    const kind = records[(id << RECORD_SHIFT) + KEY_KIND]!
    const hasLink = (kind & KIND_HAS_LINK) !== 0
    let offset = rows[at + ROW_OFFSET]!
    let capturedBytes = rows[at + ROW_CAPTURED_BYTES]!
    if (!hasLink) {
      const packet = this.#decoder.dissector
      packet.dissect(this.#view, offset, capturedBytes, this.#linkType)
      capturedBytes -= packet.ipOffset - offset
      offset = packet.ipOffset
    }
    this.raw.keep(id, this.#view, offset, capturedBytes, rows[at + ROW_STRIPPED_TAG]!, {
      Timestamp: timeMs(rows, at),
      Index: cold[countAt]!,
      LinkType: hasLink ? LINK_TYPE.ETHERNET : (kind & KIND_IPV4) !== 0 ? LINK_TYPE.IPV4 : LINK_TYPE.IPV6,
    })
  }
}

function timeMs(rows: Int32Array, at: number): number {
  return (rows[at + ROW_SECONDS]! >>> 0) * 1000 + Math.floor(rows[at + ROW_NANOSECONDS]! / 1_000_000)
}
