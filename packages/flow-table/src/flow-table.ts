import type { EnhancedFlow, Flow, FlowQuery, PacketFormat, RawPacket } from '@skydive/contracts'
import { InvalidArgumentError, UnsupportedError } from '@skydive/contracts'
import { enhancedFlowField, type Predicate, prepareFilter, searchFlows } from '@skydive/filter'
import type { IpDefragmenterStats, PacketFilter, PcapFormat } from '@skydive/packet'
import type { DirectionSink } from './directions/direction-sink.ts'
import { FlowAccounting } from './flow-accounting.ts'
import { FlowSchedule } from './flow-schedule.ts'
import type { PacketIntake } from './packet-intake.ts'
import type { TcpStreamStats } from './tcp-streams.ts'

/** Which layers tell flows apart: `L2` everything, `L3` addresses from IP upwards where there is IP. */
export type LayerKeyMode = 'L2' | 'L3'

/** Names by port number: `{ 8080: 'HTTP' }`. Names are written upper-case. */
export type PortNames = Readonly<Record<number, string>>

/** What a capture asks of its table. */
export interface FlowTableOptions {
  /** `TID` of the captured node; goes into every flow and into its UUID. */
  readonly nodeTid?: string
  readonly captureId?: string
  /**
   * Who sampled the packets, where the host did not see them itself: goes into every flow as `Exporter`, with the interfaces of the flow's first
   * packet where the blocks tell them (`tellsInterfaces` of their layout), else 0. Default: nobody.
   */
  readonly exporterAddress?: string
  /** Default `L2`. */
  readonly layerKeyMode?: LayerKeyMode
  /** Packets kept of each flow over its life, 0 to 10. Default 0. */
  readonly rawPacketLimit?: number
  /** Adds `TCPMetric` with the times of SYN, FIN and RST. Default false. */
  readonly extraTcpMetric?: boolean
  /** Flows held at most; beyond it those longest without a packet are evicted and reported with TIMEOUT. Default 500,000. */
  readonly maxFlows?: number
  readonly applicationPorts?: { readonly tcp?: PortNames; readonly udp?: PortNames }
  /** Idle time in ms after which an update ends flows of an application. Names are compared without case. */
  readonly applicationTimeoutsMs?: Readonly<Record<string, number>>
  /** Puts IP fragments together: a datagram counts as one packet, that of its last fragment. Default false. */
  readonly ipDefrag?: boolean
  /** Follows both directions of TCP connections by their sequence numbers and puts the figures into `TCPMetric`. Default false. */
  readonly reassembleTcp?: boolean
  /** A sum of `EXTRA_LAYERS` of `@skydive/contracts`: which of DNS, DHCPv4 and VRRP flows show. Default 0. */
  readonly extraLayers?: number
  /** UDP ports that carry MPLS, such as OpenContrail's 51234. */
  readonly mplsUdpPorts?: readonly number[]
  /** Packets that it answers 0 for are not counted. */
  readonly filter?: PacketFilter
  /**
   * Where the secret comes from without which nobody can make packets whose flows all fall together: numbers from 0 up to 1. Default: the
   * system's cryptography. `Math.random` will do where all packets are older than the process, and spares Node 2.6 ms of loading.
   */
  readonly random?: () => number
  /** Told of flows that were evicted; may be called while packets are consumed. It must not throw. */
  readonly onEvicted?: (flows: readonly Flow[]) => void
  /**
   * Is told of flows instead, as records of one direction without an object of a flow, at a tenth of the cost: for exporters of NetFlow. The
   * batches of `update`, `expire` and `drain` are empty then, come all the same when so many flows were told, and `onEvicted` is called with none.
   */
  readonly directions?: DirectionSink
}

/** What a table did so far. All counts are totals since it was made. */
export interface FlowTableStats {
  readonly flows: number
  readonly packets: number
  /** Neither link nor network header, or refused by the filter. */
  readonly ignoredPackets: number
  readonly filteredPackets: number
  readonly evictedFlows: number
  /** With `ipDefrag`. */
  readonly fragments?: IpDefragmenterStats
  /** With `reassembleTcp`. */
  readonly streams?: TcpStreamStats
}

/**
 * Consumes a block of one format in place; answers how many bytes it took (whole packets only). Never throws. Each packet counts for
 * `samplingRate` packets of its length; absent: 1.
 */
export type BlockConsumer = (buffer: Uint8Array, offset: number, byteLength: number, samplingRate?: number) => number

const DEFAULT_MAX_FLOWS = 500_000
const MAX_RAW_PACKETS = 10

/**
 * Packets in, flows out. One table serves one capture; it has no clock of its own: times come from the packets and from the caller.
 *
 * Flows leave by {@link FlowTable.update} and {@link FlowTable.expire}, which are lazy: nothing happens until the batches are iterated, and
 * packets may be consumed between two batches. A batch takes a few milliseconds at most and is empty when there was nothing to tell of so many
 * flows. Iterate to the end.
 */
export class FlowTable {
  readonly #accounting: FlowAccounting
  readonly #schedule: FlowSchedule

  /** Use {@link createFlowTable}. */
  constructor(options: FlowTableOptions) {
    this.#accounting = new FlowAccounting(options, options.maxFlows ?? DEFAULT_MAX_FLOWS)
    this.#schedule = new FlowSchedule(this.#accounting, options.applicationTimeoutsMs ?? {})
  }

  /** Flows held now. */
  get size(): number {
    return this.#accounting.columns.size
  }

  /** How to feed packets of one format: `source.poll(table.consumer(source.format))`. */
  consumer(format: PacketFormat): BlockConsumer {
    return this.#accounting.consumer(format)
  }

  /**
   * How to feed a pcap file that is read piece by piece: straight into the table's memory, after its header, without the copy that a consumer
   * makes: a tenth of a nanosecond a byte. One intake at a time; consumers may be called meanwhile.
   */
  intake(format: PcapFormat): PacketIntake {
    return this.#accounting.intake(format)
  }

  /**
   * The update of spec flows 2.4: flows that had packets since the last one, with the difference in `LastUpdateMetric`; besides those whose
   * application timed out. Finished flows leave 15 s after their last packet.
   */
  update(nowMs: number): Iterable<readonly Flow[]> {
    return this.#schedule.update(nowMs)
  }

  /** The expiry of spec flows 2.5: flows without a packet since before the previous call of this method leave, with TIMEOUT. */
  expire(nowMs: number): Iterable<readonly Flow[]> {
    return this.#schedule.expire(nowMs)
  }

  /**
   * Ends what `reassembleTcp` follows, as 30 s of silence would: the figures of connections that are still open come into their flows. For
   * the end of a file.
   */
  finishStreams(): void {
    this.#accounting.finishStreams()
  }

  /** Empties the table: every flow, with TIMEOUT unless it was finished. Flows that were reported whole already are left out. */
  drain(): Iterable<readonly Flow[]> {
    return this.#schedule.drain()
  }

  /** Every flow as it is now, in batches, in the order of their first packets as long as none has left. Lazy; changes nothing. */
  snapshot(): Iterable<readonly Flow[]> {
    return this.#schedule.snapshot()
  }

  /**
   * The same flows in the same order as a stream of protobuf messages `Flow`, each with its length before it (varint), straight from the
   * columns: the bytes that `FlowStreamWriter` of `@skydive/protocol` makes of {@link FlowTable.snapshot}, at a quarter of the cost. Whole
   * flows in chunks of some 256 KiB, whose memory is the caller's. Lazy; changes nothing.
   */
  snapshotAsProtobuf(): Iterable<Uint8Array> {
    return this.#schedule.snapshotAsProtobuf()
  }

  /**
   * The flows that a query finds, in its order (filter, sort, dedup, slice).
   * @throws ERR_INVALID_ARGUMENT for a bad pattern or a tree that is too deep.
   */
  async search(query: FlowQuery): Promise<readonly Flow[]> {
    const matches: Predicate<EnhancedFlow> = query.Filter ? await prepareFilter(query.Filter, enhancedFlowField) : () => true
    const all = [...this.snapshot()].flat().map((flow) => ({ flow, places: {} }))
    return searchFlows(all, query, matches).map(({ flow }) => flow)
  }

  /** Kept packets that no update has reported yet, by flow UUID. */
  rawPackets(): ReadonlyMap<string, readonly RawPacket[]> {
    return this.#accounting.pendingRawPackets()
  }

  stats(): FlowTableStats {
    return this.#accounting.stats()
  }

  /**
   * Runs the packet loop over made-up packets, so that the first real ones meet compiled code. Takes some 30 ms; the table stays empty.
   * Call it before a live source is opened.
   */
  warmUp(): void {
    this.#accounting.warmUp()
  }
}

/**
 * Makes a flow table: some 0.6 MiB, and 300 bytes more for each flow beyond the first thousand.
 * @throws ERR_INVALID_ARGUMENT for a limit or a mask out of range, ERR_UNSUPPORTED where there is no WebAssembly with vectors of 128 bits, such as
 * in a page that does not allow `wasm-unsafe-eval`.
 */
export function createFlowTable(options: FlowTableOptions = {}): FlowTable {
  const { rawPacketLimit = 0, maxFlows = DEFAULT_MAX_FLOWS } = options
  if (!Number.isInteger(rawPacketLimit) || rawPacketLimit < 0 || rawPacketLimit > MAX_RAW_PACKETS) {
    throw new InvalidArgumentError(`rawPacketLimit: ${rawPacketLimit} is out of range; give 0 to ${MAX_RAW_PACKETS}`, {
      rawPacketLimit,
    })
  }
  if (!Number.isInteger(maxFlows) || maxFlows < 1) {
    throw new InvalidArgumentError(`maxFlows: ${maxFlows} is out of range; give 1 or more`, { maxFlows })
  }
  try {
    return new FlowTable(options)
  } catch (error) {
    if (typeof WebAssembly === 'object' && !(error instanceof WebAssembly.CompileError)) throw error
    throw new UnsupportedError(
      "a flow table needs WebAssembly, which is not to be had here: allow 'wasm-unsafe-eval' in the page's Content-Security-Policy, or run node without --jitless",
      { node: 'WebAssembly' },
      error,
    )
  }
}
