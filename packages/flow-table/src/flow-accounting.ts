import type { Flow, PacketFormat, RawPacket } from '@skydive/contracts'
import { ABSENT, LINK_TYPE, MAX_CAPTURED_BYTES, type PacketFilter, PCAP_RECORD_BYTES, TCP_FLAG, TRANSPORT } from '@skydive/packet'
import { AddressPairs } from './address-pairs.ts'
import { FlowColumns, randomFactors } from './flow-columns.ts'
import { FlowExporter } from './flow-export.ts'
import type { BlockConsumer, FlowTableOptions, FlowTableStats } from './flow-table.ts'
import { IdentifierHasher } from './identifiers.ts'
import {
  COLD,
  COLD_SHIFT,
  KEY,
  KIND,
  RECORD,
  RECORD_SHIFT,
  ROW,
  ROW_FLAG,
  ROW_SHIFT,
  TCP,
  TCP_SHIFT,
  WIDE,
  WIDE_SHIFT,
} from './layout.ts'
import { RawPacketKeeper } from './raw-packets.ts'
import { RowDecoder } from './row-decoder.ts'
import { TPACKET3 } from './tpacket.ts'
import { warmUpBlocks } from './warm-up.ts'

/** Rows gathered before they are applied, when the table no longer fits the cache. */
const BATCH_ROWS = 512
/** Above it the three passes of a batch are cheaper than one packet after the other (bench `flow-table`). */
const BATCHED_ABOVE_FLOWS = 30_000
const SPECIAL = ROW_FLAG.TCP_EVENT | ROW_FLAG.ECHO_REQUEST | ROW_FLAG.ECHO_REPLY | ROW_FLAG.SAME_ENDS | ROW_FLAG.IGNORED
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
  readonly #filter: PacketFilter | undefined
  readonly #maxFlows: number
  readonly #hasTcpMetric: boolean
  readonly #onEvicted: (flows: readonly Flow[]) => void
  readonly #applications: string[] = []
  readonly #tcpNames: ReadonlyMap<number, number>
  readonly #udpNames: ReadonlyMap<number, number>
  #view: DataView = new DataView(new ArrayBuffer(0))
  #linkType: number = LINK_TYPE.ETHERNET
  #serial = 0
  #packets = 0
  #ignored = 0
  #filtered = 0
  #evicted = 0

  constructor(options: FlowTableOptions, maxFlows: number) {
    const factors = randomFactors()
    this.#hasTcpMetric = options.extraTcpMetric ?? false
    this.columns = new FlowColumns(this.#hasTcpMetric, factors)
    this.#decoder = new RowDecoder(BATCH_ROWS, options.layerKeyMode ?? 'L2', this.pairs, factors)
    this.#filter = options.filter
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

  consumer({ layout, linkType }: PacketFormat): BlockConsumer {
    return (buffer, offset, byteLength) => {
      this.#linkType = linkType
      // One view for the whole memory behind: blocks of one ring or file share it.
      if (this.#view.buffer !== buffer.buffer) this.#view = new DataView(buffer.buffer)
      const start = buffer.byteOffset + offset
      return layout.format === 'pcap'
        ? this.#consumePcap(start, byteLength, layout.littleEndian, layout.nanoseconds ? 1 : 1000)
        : this.#consumeRing(start, byteLength)
    }
  }

  stats(): FlowTableStats {
    return {
      flows: this.columns.size,
      packets: this.#packets,
      ignoredPackets: this.#ignored,
      filteredPackets: this.#filtered,
      evictedFlows: this.#evicted,
    }
  }

  snapshot(): readonly Flow[] {
    const flows: Flow[] = []
    for (let id = 0; id < this.columns.limit; id++) if (this.columns.isLive(id)) flows.push(this.exporter.flow(id))
    return flows
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
      if ((records[base + KEY.KIND]! & KIND.IPV6) !== 0) used[records[base + KEY.ADDRESS_FIRST]!] = 1
    }
    this.pairs.keepOnly(used)
  }

  /** Removes a flow for good. */
  remove(id: number): void {
    this.raw.forget(id)
    this.columns.remove(id)
  }

  warmUp(): void {
    const before = { packets: this.#packets, serial: this.#serial }
    const consume = this.consumer({ layout: { format: 'tpacket-v3' }, linkType: LINK_TYPE.ETHERNET })
    for (const block of warmUpBlocks()) consume(block, 0, block.length)
    for (let id = 0; id < this.columns.limit; id++) if (this.columns.isLive(id)) this.remove(id)
    this.forgetUnusedPairs()
    this.#packets = before.packets
    this.#serial = before.serial
    this.#view = new DataView(new ArrayBuffer(0))
  }

  #consumePcap(start: number, byteLength: number, littleEndian: boolean, fractionFactor: number): number {
    const view = this.#view
    const decoder = this.#decoder
    const linkType = this.#linkType
    const end = start + byteLength
    const batchRows = this.columns.size > BATCHED_ABOVE_FLOWS ? BATCH_ROWS : 1
    let row = 0
    let at = start
    while (at + PCAP_RECORD_BYTES <= end) {
      const capturedBytes = view.getUint32(at + 8, littleEndian)
      const packet = at + PCAP_RECORD_BYTES
      if (capturedBytes > MAX_CAPTURED_BYTES || packet + capturedBytes > end) break
      const wireBytes = view.getUint32(at + 12, littleEndian)
      if (this.#accepts(packet, capturedBytes, wireBytes)) {
        const seconds = view.getInt32(at, littleEndian)
        const nanoseconds = Math.imul(view.getInt32(at + 4, littleEndian), fractionFactor)
        decoder.decode(view, packet, capturedBytes, wireBytes, seconds, nanoseconds, linkType, ABSENT, row)
        if (++row === batchRows) {
          this.#apply(row)
          row = 0
        }
      }
      at = packet + capturedBytes
    }
    this.#apply(row)
    return at - start
  }

  /** A block of a TPACKET_V3 ring (`struct tpacket_block_desc`); lengths that lead out of the block end it. */
  #consumeRing(start: number, byteLength: number): number {
    const view = this.#view
    const decoder = this.#decoder
    const linkType = this.#linkType
    const end = start + byteLength
    if (byteLength < TPACKET3.BLOCK_HEADER_BYTES) return byteLength
    const batchRows = this.columns.size > BATCHED_ABOVE_FLOWS ? BATCH_ROWS : 1
    const count = view.getUint32(start + TPACKET3.BLOCK_PACKETS, true)
    let at = start + view.getUint32(start + TPACKET3.BLOCK_FIRST_PACKET, true)
    let row = 0
    for (let i = 0; i < count && at + TPACKET3.HEADER_BYTES <= end; i++) {
      const packet = at + view.getUint16(at + TPACKET3.MAC_OFFSET, true)
      const capturedBytes = view.getUint32(at + TPACKET3.CAPTURED_BYTES, true)
      if (packet + capturedBytes > end) break
      const wireBytes = view.getUint32(at + TPACKET3.WIRE_BYTES, true)
      if (this.#accepts(packet, capturedBytes, wireBytes)) {
        const isTagged = (view.getUint32(at + TPACKET3.STATUS, true) & TPACKET3.STATUS_VLAN_VALID) !== 0
        const tag = isTagged ? view.getUint32(at + TPACKET3.VLAN_TCI, true) & 0xffff : ABSENT
        const seconds = view.getInt32(at + TPACKET3.SECONDS, true)
        const nanoseconds = view.getInt32(at + TPACKET3.NANOSECONDS, true)
        decoder.decode(view, packet, capturedBytes, wireBytes, seconds, nanoseconds, linkType, tag, row)
        if (++row === batchRows) {
          this.#apply(row)
          row = 0
        }
      }
      const next = view.getUint32(at, true)
      if (next === 0) break
      at += next
    }
    this.#apply(row)
    return byteLength
  }

  #accepts(offset: number, capturedBytes: number, wireBytes: number): boolean {
    this.#packets++
    if (this.#filter === undefined || this.#filter(this.#view, offset, capturedBytes, wireBytes) > 0) return true
    this.#filtered++
    return false
  }

  #apply(count: number): void {
    if (count > 1) this.#touch(count)
    for (let row = 0; row < count; row++) this.#applyRow(row << ROW_SHIFT)
  }

  /** Loads what the rows will need, all independent of one another: the memory answers many at once. */
  #touch(count: number): void {
    const { index, records, mask } = this.columns
    const rows = this.#decoder.rows
    let sum = 0
    for (let row = 0; row < count; row++) sum ^= index[(rows[(row << ROW_SHIFT) + ROW.HASH]! & mask) * 2 + 1]!
    for (let row = 0; row < count; row++) {
      const entry = index[(rows[(row << ROW_SHIFT) + ROW.HASH]! & mask) * 2 + 1]!
      if (entry !== 0) sum ^= records[(entry - 1) << RECORD_SHIFT]!
    }
    this.prefetched = sum
  }

  /** Only there so that the loads of a batch are not optimised away. */
  prefetched = 0

  #applyRow(at: number): void {
    const { rows } = this.#decoder
    const flags = rows[at + ROW.FLAGS]!
    if ((flags & ROW_FLAG.IGNORED) !== 0) {
      this.#ignored++
      return
    }
    const { columns } = this
    let id = columns.find(rows, at)
    if (id < 0) id = this.#create(rows, at, flags)
    const { records, recordsWide } = columns
    const base = id << RECORD_SHIFT
    // Both words have "swapped into key order" in their sign.
    const isSameOrder = (records[base + KEY.KIND]! ^ flags) >= 0
    const isAb = (flags & ROW_FLAG.SAME_ENDS) === 0 ? isSameOrder : this.#isAbBetweenEqualEnds(rows, at, records, base, flags)
    if (isAb) {
      records[base + RECORD.AB_PACKETS]!++
      recordsWide[(base >> 1) + RECORD.AB_BYTES_WIDE]! += rows[at + ROW.COUNTED_BYTES]!
    } else {
      records[base + RECORD.BA_PACKETS]!++
      recordsWide[(base >> 1) + RECORD.BA_BYTES_WIDE]! += rows[at + ROW.COUNTED_BYTES]!
    }
    records[base + RECORD.LAST_SECONDS] = rows[at + ROW.SECONDS]!
    records[base + RECORD.LAST_NANOSECONDS] = rows[at + ROW.NANOSECONDS]!
    if ((flags & SPECIAL) !== 0) this.#followEvents(id, rows, at, flags, isSameOrder)
    if (this.raw.limit > 0) this.#keepPacket(id, rows, at)
  }

  /** Spec flows 1.10 for packets whose addresses do not tell the ends apart. */
  #isAbBetweenEqualEnds(rows: Int32Array, at: number, records: Int32Array, base: number, flags: number): boolean {
    const kind = rows[at + KEY.KIND]!
    if ((kind & (KIND.IPV4 | KIND.IPV6)) === 0) return false
    const transport = kind & KIND.TRANSPORT_MASK
    if (transport === TRANSPORT.NONE || transport === TRANSPORT.ICMP) return true
    const ports = rows[at + KEY.TRANSPORT]!
    const sourcePort = (flags & ROW_FLAG.SWAPPED) !== 0 ? ports & 0xffff : ports >>> 16
    const portOfA = (records[base + KEY.KIND]! & KIND.FIRST_SWAPPED) !== 0 ? ports & 0xffff : ports >>> 16
    return portOfA > sourcePort
  }

  #create(rows: Int32Array, at: number, flags: number): number {
    const { columns } = this
    if (columns.size >= this.#maxFlows) this.#evict()
    const id = columns.insert(rows, at)
    const packet = this.#decoder.dissector
    packet.dissect(
      this.#view,
      rows[at + ROW.OFFSET]!,
      rows[at + ROW.CAPTURED_BYTES]!,
      this.#linkType,
      rows[at + ROW.STRIPPED_TAG],
    )
    const kindAt = (id << RECORD_SHIFT) + KEY.KIND
    if ((flags & ROW_FLAG.SWAPPED) !== 0) columns.records[kindAt]! |= KIND.FIRST_SWAPPED
    const { cold, wide } = columns
    const coldBase = id << COLD_SHIFT
    if (packet.linkOffset !== ABSENT) {
      columns.records[kindAt]! |= KIND.HAS_LINK
      const link = packet.linkOffset
      cold[coldBase + COLD.DESTINATION_MAC_HIGH] = this.#view.getInt32(link)
      cold[coldBase + COLD.SOURCE_MAC_HIGH] = this.#view.getInt32(link + 6)
      cold[coldBase + COLD.MAC_LOWS] = (this.#view.getUint16(link + 10) << 16) | this.#view.getUint16(link + 4)
    }
    cold[coldBase + COLD.PATH] = packet.path
    cold[coldBase + COLD.SERIAL] = ++this.#serial
    if (packet.transport === TRANSPORT.TCP) cold[coldBase + COLD.APPLICATION] = this.#nameByPort(this.#tcpNames)
    else if (packet.transport === TRANSPORT.UDP) cold[coldBase + COLD.APPLICATION] = this.#nameByPort(this.#udpNames)
    wide[(id << WIDE_SHIFT) + WIDE.START_MS] = timeMs(rows, at)
    wide[(id << WIDE_SHIFT) + WIDE.VLAN_ID] = packet.vlanId
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
    if ((flags & ROW_FLAG.ECHO_REQUEST) !== 0) this.#request(id, rows, at)
    else if ((flags & ROW_FLAG.ECHO_REPLY) !== 0) this.#reply(id, rows, at)
    if ((flags & ROW_FLAG.TCP_EVENT) === 0) return
    const isSyn = (flags & TCP_FLAG.SYN) !== 0
    const isReset = (flags & TCP_FLAG.RST) !== 0
    const { cold } = this.columns
    if (isSyn && cold[(id << COLD_SHIFT) + COLD.REQUEST_PENDING] === 0) this.#request(id, rows, at)
    else if (isReset || (isSyn && (flags & TCP_FLAG.ACK) !== 0)) this.#reply(id, rows, at)

    const finishAt = (id << COLD_SHIFT) + COLD.FINISH
    if (cold[finishAt] === 0) {
      if ((flags & TCP_FLAG.FIN) !== 0) cold[finishAt] = FINISH.FIN
      else if (isReset) cold[finishAt] = FINISH.RST
    }
    if (!this.#hasTcpMetric) return
    // Between equal addresses only a SYN is told apart by its ports; the rest counts as coming from A, as in spec flows 1.12.
    const isFromA = isSameOrder || ((flags & ROW_FLAG.SAME_ENDS) !== 0 && !isSyn)
    this.#followFlagTimes(id, rows, at, flags, isFromA ? 0 : 1)
  }

  #request(id: number, rows: Int32Array, at: number): void {
    const { cold } = this.columns
    const base = id << COLD_SHIFT
    if (cold[base + COLD.REQUEST_PENDING] !== 0) return
    cold[base + COLD.REQUEST_PENDING] = 1
    cold[base + COLD.REQUEST_SECONDS] = rows[at + ROW.SECONDS]!
    cold[base + COLD.REQUEST_NANOSECONDS] = rows[at + ROW.NANOSECONDS]!
  }

  #reply(id: number, rows: Int32Array, at: number): void {
    const { cold, wide } = this.columns
    const base = id << COLD_SHIFT
    if (cold[base + COLD.REQUEST_PENDING] === 0) return
    cold[base + COLD.REQUEST_PENDING] = 0
    wide[(id << WIDE_SHIFT) + WIDE.RTT_NS] =
      (rows[at + ROW.SECONDS]! - cold[base + COLD.REQUEST_SECONDS]!) * NANOSECONDS_PER_SECOND +
      (rows[at + ROW.NANOSECONDS]! - cold[base + COLD.REQUEST_NANOSECONDS]!)
  }

  /** `side` is 0 for segments from end A, 1 for those from end B. SYN comes before FIN before RST. */
  #followFlagTimes(id: number, rows: Int32Array, at: number, flags: number, side: number): void {
    const { tcp } = this.columns
    const base = id << TCP_SHIFT
    const now = timeMs(rows, at)
    if ((flags & TCP_FLAG.SYN) !== 0) {
      if (tcp[base + TCP.SYN_START + side] !== 0) return
      tcp[base + TCP.SYN_START + side] = now
      tcp[base + TCP.SYN_TTL + side] = (flags >>> ROW_FLAG.TTL_SHIFT) & 0xff
    } else if ((flags & TCP_FLAG.FIN) !== 0) tcp[base + TCP.FIN_START + side] = now
    else tcp[base + TCP.RST_START + side] = now
  }

  #keepPacket(id: number, rows: Int32Array, at: number): void {
    const { cold, records } = this.columns
    const countAt = (id << COLD_SHIFT) + COLD.RAW_PACKETS
    if (cold[countAt]! >= this.raw.limit) return
    cold[countAt]!++
    const kind = records[(id << RECORD_SHIFT) + KEY.KIND]!
    const hasLink = (kind & KIND.HAS_LINK) !== 0
    let offset = rows[at + ROW.OFFSET]!
    let capturedBytes = rows[at + ROW.CAPTURED_BYTES]!
    if (!hasLink) {
      const packet = this.#decoder.dissector
      packet.dissect(this.#view, offset, capturedBytes, this.#linkType)
      capturedBytes -= packet.ipOffset - offset
      offset = packet.ipOffset
    }
    this.raw.keep(id, this.#view, offset, capturedBytes, rows[at + ROW.STRIPPED_TAG]!, {
      Timestamp: timeMs(rows, at),
      Index: cold[countAt]!,
      LinkType: hasLink ? LINK_TYPE.ETHERNET : (kind & KIND.IPV4) !== 0 ? LINK_TYPE.IPV4 : LINK_TYPE.IPV6,
    })
  }
}

function timeMs(rows: Int32Array, at: number): number {
  return (rows[at + ROW.SECONDS]! >>> 0) * 1000 + Math.floor(rows[at + ROW.NANOSECONDS]! / 1_000_000)
}
