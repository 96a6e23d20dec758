import type { PacketFormat, RawPacket } from '@skydive/contracts'
import { Dissector, IpDefragmenter, LINK_TYPE, type PacketFilter, TunnelPorts } from '@skydive/packet'
import { AddressPairs } from './address-pairs.ts'
import { BlockPackets } from './block-packets.ts'
import { FlowColumns, randomFactors } from './flow-columns.ts'
import { FlowDifferences } from './flow-differences.ts'
import { FlowEncoder } from './flow-encoder.ts'
import { FlowEvents } from './flow-events.ts'
import { FlowEviction } from './flow-eviction.ts'
import { FlowExporter, type FlowExporterInit } from './flow-export.ts'
import { FlowExtras } from './flow-extras.ts'
import type { BlockConsumer, FlowTableOptions, FlowTableStats } from './flow-table.ts'
import { IdentifierHasher } from './identifiers.ts'
import {
  COLD_SERIAL,
  COLD_SHIFT,
  COLD_SHOWN,
  FLAG_CARRIES,
  FLAG_REASSEMBLED,
  KEY_ADDRESS_FIRST,
  KEY_KIND,
  KEY_PARENT,
  KIND_IPV6,
  MAX_ROWS,
  RECORD_SHIFT,
  ROW_SHIFT,
  SHOWN_IP_METRIC,
  SHOWN_TCP_METRIC,
  WIDE_PARENT_HIGH,
  WIDE_PARENT_LOW,
  WIDE_SHIFT,
} from './layout.ts'
import { AT_PARENT, AT_PLAIN_LEFT, DISSECTED_DATAGRAM } from './loop-layout.ts'
import { NewFlows } from './new-flows.ts'
import { PacketFollower } from './packet-follower.ts'
import { PacketIntake } from './packet-intake.ts'
import { PacketLoop, type PacketLoopCalls } from './packet-loop.ts'
import { RawPacketKeeper } from './raw-packets.ts'
import { RowKeys } from './row-keys.ts'
import { SequenceRows } from './sequence-rows.ts'
import { warmUpBlocks } from './warm-up.ts'

const ROW_WORDS = 1 << ROW_SHIFT
/** What the packet loop multiplies with, a 32-bit integer. */
const MAX_SAMPLING_RATE = 0x7fffffff

/** The packet side of a table: what the packet loop calls for, and what it counts in. */
export class FlowAccounting {
  readonly columns: FlowColumns
  readonly differences: FlowDifferences
  readonly exporter: FlowExporter
  readonly pairs = new AddressPairs()
  readonly raw: RawPacketKeeper
  readonly extras: FlowExtras
  readonly #exported: FlowExporterInit
  #encoder: FlowEncoder | null | undefined
  readonly #hasExporter: boolean
  readonly #keys: RowKeys
  readonly #dissector: Dissector
  readonly #defragmenter: IpDefragmenter | undefined
  readonly #sequences: SequenceRows
  readonly #loop: PacketLoop
  #maxFlows: number
  readonly #eviction: FlowEviction
  readonly #packets: BlockPackets
  readonly #newFlows: NewFlows
  readonly #events: FlowEvents
  readonly #follower: PacketFollower
  /** What is counted now are made-up packets, of which nobody must hear. */
  #isWarmingUp = false

  constructor(options: FlowTableOptions, maxFlows: number) {
    const factors = randomFactors(options.random)
    const hasTcpMetric = options.extraTcpMetric ?? false
    this.#hasExporter = (options.exporterAddress ?? '') !== ''
    this.columns = new FlowColumns(hasTcpMetric, factors, this.#hasExporter)
    this.differences = new FlowDifferences(this.columns)
    const { memory } = this.columns
    const keysLink = (options.layerKeyMode ?? 'L2') === 'L2'
    const tunnelPorts = new TunnelPorts(options.mplsUdpPorts)
    this.#defragmenter = options.ipDefrag === true ? new IpDefragmenter() : undefined
    this.#dissector = new Dissector({ tunnelPorts, ...(this.#defragmenter && { defragmenter: this.#defragmenter }) })
    this.#keys = new RowKeys(memory, this.pairs, factors)
    this.#sequences = new SequenceRows(this.#keys, this.#dissector, keysLink, this.#defragmenter)
    this.#maxFlows = maxFlows
    this.#eviction = new FlowEviction(this, options.onEvicted ?? (() => {}))
    this.extras = new FlowExtras(options)
    this.raw = new RawPacketKeeper(options.rawPacketLimit ?? 0)
    this.#packets = new BlockPackets(memory, this.#dissector)
    const countsFragments = this.#defragmenter !== undefined
    this.#newFlows = new NewFlows(this.columns, this.#packets, countsFragments, options.applicationPorts)
    this.#events = new FlowEvents(this.columns, hasTcpMetric)
    this.#follower = new PacketFollower(this.columns, this.raw, this.extras, this.#packets)
    this.#exported = {
      columns: this.columns,
      pairs: this.pairs,
      paths: this.#dissector.paths,
      identifiers: new IdentifierHasher(this.pairs, options.nodeTid ?? ''),
      applications: this.#newFlows.applications,
      nodeTid: options.nodeTid ?? '',
      captureId: options.captureId ?? '',
      exporterAddress: options.exporterAddress ?? '',
      hasTcpMetric,
      extras: this.extras,
      directions: options.directions,
    }
    this.exporter = new FlowExporter(this.#exported)
    this.#loop = new PacketLoop(memory, {
      keysLink,
      hasFilter: options.filter !== undefined,
      isFollowing: this.#follower.isNeeded,
      keepsFlagTimes: hasTcpMetric,
      tunnelPorts,
      calls: this.#calls(options.filter),
      makeRoom: () => this.#makeRoom(),
      room: () => this.columns.room,
      plainRoom: () => this.#plainRoom(),
    })
  }

  /** What the packet loop leaves to be done here. */
  #calls(filter: PacketFilter | undefined): PacketLoopCalls {
    const { memory } = this.columns
    return {
      dissect: (row) => {
        const beyond = this.#sequences.fill(memory.view, row, this.#packets.linkType)
        return (beyond + 1) | (this.#dissector.isReassembled ? DISSECTED_DATAGRAM : 0)
      },
      pair: (first, second) => this.pairs.number(memory.view, first, second),
      filter: (offset, capturedBytes, wireBytes) =>
        filter ? filter(memory.view, offset, capturedBytes, wireBytes) : capturedBytes,
      create: (row, flags) => this.#create(memory.rows, row, flags),
      lookCloser: (id, row, flags, direction) => this.#lookCloser(id, memory.rows, row, flags, direction === 0),
      wrap: (id, side) => this.columns.wrap(id, side),
      follow: (id, row, direction) => this.#follower.follow(id, memory.rows, row, direction),
    }
  }

  /** What writes flows as protobuf from the columns, made when it is first asked for; `undefined` where it can't be had. */
  get encoder(): FlowEncoder | undefined {
    if (this.#encoder === undefined) {
      this.#encoder = this.extras.isUsed || this.#hasExporter ? null : (FlowEncoder.create(this.#exported) ?? null)
    }
    return this.#encoder ?? undefined
  }

  consumer(format: PacketFormat): BlockConsumer {
    const { layout } = format
    const tellsInterfaces = this.#hasExporter && layout.format === 'tpacket-v3' && layout.tellsInterfaces === true
    return (buffer, offset, byteLength, samplingRate = 1) => {
      this.#packets.begin(format.linkType, tellsInterfaces)
      return this.#loop.consume(format, buffer, offset, byteLength, Math.min(samplingRate, MAX_SAMPLING_RATE))
    }
  }

  intake(format: PacketFormat): PacketIntake {
    return new PacketIntake(this.columns.memory, (at, byteLength) => {
      this.#packets.begin(format.linkType)
      return this.#loop.consumeInPlace(format, at, byteLength)
    })
  }

  stats(): FlowTableStats {
    return {
      flows: this.columns.size,
      packets: this.#loop.packets,
      ignoredPackets: this.#loop.ignoredPackets,
      filteredPackets: this.#loop.filteredPackets,
      evictedFlows: this.#eviction.evictedFlows,
      ...(this.#defragmenter && { fragments: this.#defragmenter.stats() }),
      ...(this.extras.streams && { streams: this.extras.streams.stats() }),
    }
  }

  pendingRawPackets(): ReadonlyMap<string, readonly RawPacket[]> {
    return new Map([...this.raw.pending()].map(([id, packets]) => [this.exporter.flow(id).UUID, packets]))
  }

  /** Gives back the numbers of IPv6 pairs that no flow uses any more. */
  forgetUnusedPairs(): void {
    if (this.pairs.size === 0) return
    const { records, limit } = this.columns
    const used = new Uint8Array(this.pairs.limit)
    for (let id = 0; id < limit; id++) {
      const base = id << RECORD_SHIFT
      if ((records[base + KEY_KIND]! & KIND_IPV6) !== 0) used[records[base + KEY_ADDRESS_FIRST]!] = 1
    }
    this.pairs.keepOnly(used)
    this.columns.memory.forgetPairs()
  }

  /** Removes a flow for good. */
  remove(id: number): void {
    this.raw.forget(id)
    this.extras.forget(id)
    this.columns.remove(id)
  }

  /** Ends what reassembly follows of one flow, or of all. */
  finishStreams(only?: number): void {
    const { streams } = this.extras
    if (!streams) return
    for (const id of only === undefined ? streams.openFlows() : [only]) if (streams.finishFlow(id)) this.#showTcpMetric(id)
  }

  /** Ends what has been silent for long. */
  finishIdleStreams(nowMs: number): void {
    for (const id of this.extras.streams?.finishIdle(nowMs / 1000) ?? []) this.#showTcpMetric(id)
  }

  #showTcpMetric(id: number): void {
    this.columns.cold[(id << COLD_SHIFT) + COLD_SHOWN]! |= SHOWN_TCP_METRIC
  }

  warmUp(): void {
    const { packets, filteredPackets } = this.#loop
    const { serial } = this.#newFlows
    this.#isWarmingUp = true
    const consume = this.consumer({ layout: { format: 'tpacket-v3' }, linkType: LINK_TYPE.ETHERNET })
    for (const block of warmUpBlocks()) consume(block, 0, block.length)
    for (let id = 0; id < this.columns.limit; id++) if (this.columns.isLive(id)) this.remove(id)
    this.forgetUnusedPairs()
    this.#loop.packets = packets
    this.#loop.filteredPackets = filteredPackets
    this.#newFlows.serial = serial
    this.#isWarmingUp = false
  }

  /** Where there is no more memory, the table goes on with the flows that it has room for: others make place. */
  #makeRoom(): void {
    const { columns } = this
    try {
      columns.grow(() => this.#loop.enterAll())
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      this.#maxFlows = columns.memory.capacity - MAX_ROWS
      while (columns.size > this.#maxFlows) this.#eviction.evict(this.#isWarmingUp)
    }
  }

  #plainRoom(): number {
    return this.extras.layers ? 0 : this.#newFlows.plainRoom(this.#maxFlows)
  }

  #create(rows: Int32Array, at: number, flags: number): number {
    const { columns } = this
    const isInner = rows[at + KEY_PARENT] !== 0
    // Before anything is evicted: it might be the enclosing flow.
    if (isInner) this.exporter.identify(columns.memory.words[AT_PARENT >> 2]!)
    const { uuidHigh, uuidLow } = this.#exported.identifiers
    if (columns.size >= this.#maxFlows) this.#eviction.evict(this.#isWarmingUp)
    const id = columns.insert(rows, at)
    this.#newFlows.fill(id, rows, at, flags)
    const { wide } = columns
    if (isInner) {
      wide[(id << WIDE_SHIFT) + WIDE_PARENT_HIGH] = uuidHigh
      wide[(id << WIDE_SHIFT) + WIDE_PARENT_LOW] = uuidLow
    }
    if (this.extras.layers) this.#follower.keepMessage(id, rows, at, true)
    // A sequence of layers may have been learnt, or flows have gone.
    columns.memory.words[AT_PLAIN_LEFT >> 2] = this.#plainRoom()
    return id
  }

  /** Tells the next row, which is what this one carries, in which flow it lies. */
  #enclose(id: number, rows: Int32Array, inner: number): void {
    const { cold, memory } = this.columns
    memory.words[AT_PARENT >> 2] = id
    rows[inner + KEY_PARENT] = cold[(id << COLD_SHIFT) + COLD_SERIAL]!
    this.#keys.hash(inner)
  }

  /** What the flags of a few packets ask for. */
  #lookCloser(id: number, rows: Int32Array, at: number, flags: number, isSameOrder: boolean): void {
    if ((flags & FLAG_CARRIES) !== 0) this.#enclose(id, rows, at + ROW_WORDS)
    else if ((flags & FLAG_REASSEMBLED) !== 0) this.#countFragments(id)
    this.#events.follow(id, rows, at, flags, isSameOrder)
  }

  /** The packet was the last fragment of a datagram: what came before it counts in the innermost flow. */
  #countFragments(id: number): void {
    const defragmenter = this.#defragmenter
    if (!defragmenter) return
    this.columns.cold[(id << COLD_SHIFT) + COLD_SHOWN]! |= SHOWN_IP_METRIC
    this.extras.addFragments(id, defragmenter.fragments, defragmenter.fragmentErrors)
  }
}
