import {
  type Flow,
  type FlowFinishType,
  type FlowLayer,
  type FlowMetric,
  type FlowProtocol,
  ICMP_TYPES,
  type IcmpLayer,
  type RawPacket,
  type TcpMetric,
  type TransportLayer,
} from '@skydive/contracts'
import { ipv4Text, ipv6Text, type LayerPaths, macText, TRANSPORT } from '@skydive/packet'
import type { AddressPairs } from './address-pairs.ts'
import type { DirectionSink } from './directions/direction-sink.ts'
import { FlowDirections } from './directions/flow-directions.ts'
import type { FlowColumns } from './flow-columns.ts'
import { FlowEnds } from './flow-ends.ts'
import type { FlowExtras } from './flow-extras.ts'
import type { IdentifierHasher } from './identifiers.ts'
import {
  COLD_APPLICATION,
  COLD_DESTINATION_MAC_HIGH,
  COLD_FINISH,
  COLD_MAC_LOWS,
  COLD_PATH,
  COLD_RAW_PACKETS,
  COLD_SHIFT,
  COLD_SHOWN,
  COLD_SOURCE_MAC_HIGH,
  COLD_TUNNEL_ID,
  INTERFACE_INPUT,
  INTERFACE_OUTPUT,
  KEY_KIND,
  KEY_TRANSPORT,
  KIND_HAS_LINK,
  KIND_TRANSPORT_MASK,
  RECORD_AB_BYTES_WIDE,
  RECORD_BA_BYTES_WIDE,
  RECORD_SHIFT,
  SHOWN_IP_METRIC,
  SHOWN_TCP_METRIC,
  TCP_FIN_START,
  TCP_RST_START,
  TCP_SHIFT,
  TCP_SYN_START,
  TCP_SYN_TTL,
  WIDE_PARENT_HIGH,
  WIDE_PARENT_LOW,
  WIDE_SHIFT,
  WIDE_UPDATE,
  WIDE_UPDATE_LAST_MS,
  WIDE_UPDATE_RTT_NS,
  WIDE_UPDATE_START_MS,
  WIDE_VLAN_ID,
} from './layout.ts'
import type { StreamFigures } from './tcp-streams.ts'
import { hexText } from './xxh64.ts'

const PROTOCOLS: Readonly<Record<number, FlowProtocol>> = {
  [TRANSPORT.TCP]: 'TCP',
  [TRANSPORT.UDP]: 'UDP',
  [TRANSPORT.SCTP]: 'SCTP',
}

/** A flow that is being put together. */
type Draft = { -readonly [K in keyof Flow]?: Flow[K] }

/** What the exporter reads besides the columns. */
export interface FlowExporterInit {
  readonly columns: FlowColumns
  readonly pairs: AddressPairs
  readonly paths: LayerPaths
  readonly identifiers: IdentifierHasher
  /** Names that a port map gives, by number minus 1. */
  readonly applications: readonly string[]
  readonly nodeTid: string
  readonly captureId: string
  /** Empty when nobody else saw the packets. */
  readonly exporterAddress: string
  readonly hasTcpMetric: boolean
  readonly extras: FlowExtras
  /** Is told of flows instead of their being made; see the option of that name of `FlowTableOptions`. */
  readonly directions: DirectionSink | undefined
}

/**
 * Makes {@link Flow} objects of records: the only place where a flow costs an allocation. Or tells of them without: see
 * {@link FlowExporter.directions}.
 */
export class FlowExporter {
  /** What flows are told by instead of as objects; `undefined` where they are told as objects. */
  readonly directions: FlowDirections | undefined
  readonly #init: FlowExporterInit
  readonly #ends: FlowEnds
  readonly #addresses = new Int32Array(8)

  constructor(init: FlowExporterInit) {
    this.#init = init
    this.#ends = new FlowEnds(init.columns, init.pairs)
    this.directions = init.directions && new FlowDirections(init, this.#ends, init.directions)
  }

  /** The flow as it is now, with the kept packets that are handed in. Members stand in the order of the wire's JSON. */
  flow(id: number, rawPackets?: readonly RawPacket[]): Flow {
    const { columns, identifiers, nodeTid, captureId, exporterAddress, hasTcpMetric, extras } = this.#init
    const kind = columns.records[(id << RECORD_SHIFT) + KEY_KIND]!
    const startMs = columns.starts[id]!
    const lastMs = columns.lastMs(id)
    const parent = this.parentUuid(id)
    const { uuid, trackingId, l3TrackingId } = identifiers.identify(columns.records, id, startMs, parent)
    const finish = columns.cold[(id << COLD_SHIFT) + COLD_FINISH]! as FlowFinishType
    const transport = kind & KIND_TRANSPORT_MASK
    const path = columns.cold[(id << COLD_SHIFT) + COLD_PATH]!
    const isUpdated = columns.wide[(id << WIDE_SHIFT) + WIDE_UPDATE_LAST_MS]! !== 0
    // Member by member, not by spreading conditions: this is made for every flow of every update.
    const flow: Draft = { UUID: uuid, LayersPath: this.#init.paths.text(path), Application: this.application(id) }
    if ((kind & KIND_HAS_LINK) !== 0) flow.Link = this.#link(id)
    const ipVersion = this.#ends.readAddresses(id, this.#addresses)
    if (ipVersion !== 0) flow.Network = this.#network(id, ipVersion)
    const protocol = PROTOCOLS[this.#ends.transport(id)]
    if (protocol) flow.Transport = this.#transport(id, protocol)
    if (transport === TRANSPORT.ICMP) flow.ICMP = this.#icmp(id)
    if (isUpdated) flow.LastUpdateMetric = this.#lastUpdate(id)
    flow.Metric = this.#metric(id, startMs, lastMs)
    const shown = columns.cold[(id << COLD_SHIFT) + COLD_SHOWN]!
    if (transport === TRANSPORT.TCP && (hasTcpMetric || (shown & SHOWN_TCP_METRIC) !== 0)) flow.TCPMetric = this.#tcpMetric(id)
    if ((shown & SHOWN_IP_METRIC) !== 0) flow.IPMetric = extras.ipMetric(id)
    flow.Start = startMs
    flow.Last = lastMs
    flow.TrackingID = trackingId
    flow.L3TrackingID = l3TrackingId
    flow.ParentUUID = parent
    if (nodeTid !== '') flow.NodeTID = nodeTid
    if (captureId !== '') flow.CaptureID = captureId
    flow.RawPacketsCaptured = columns.cold[(id << COLD_SHIFT) + COLD_RAW_PACKETS]!
    if (finish !== 0) flow.FinishType = finish
    if (rawPackets && rawPackets.length > 0) flow.LastRawPackets = rawPackets
    if (exporterAddress !== '') {
      const [Input, Output] = [columns.interfaceIndex(id, INTERFACE_INPUT), columns.interfaceIndex(id, INTERFACE_OUTPUT)]
      flow.Exporter = { Address: exporterAddress, Input, Output }
    }
    if (extras.layers) Object.assign(flow, extras.members(id))
    return flow as Flow
  }

  /** Leaves the halves of a flow's UUID in the hasher. */
  identify(id: number): void {
    const { columns, identifiers } = this.#init
    identifiers.identify(columns.records, id, columns.starts[id]!, this.parentUuid(id))
  }

  /** `ParentUUID`: empty for an outermost flow. */
  parentUuid(id: number): string {
    const { wide } = this.#init.columns
    const high = wide[(id << WIDE_SHIFT) + WIDE_PARENT_HIGH]!
    const low = wide[(id << WIDE_SHIFT) + WIDE_PARENT_LOW]!
    return high === 0 && low === 0 ? '' : hexText(high, low)
  }

  /** `Application`: what the port map says, or else the last layer of the path. */
  application(id: number): string {
    const { columns, applications, paths } = this.#init
    const mapped = columns.cold[(id << COLD_SHIFT) + COLD_APPLICATION]!
    return mapped > 0 ? applications[mapped - 1]! : paths.lastLayer(columns.cold[(id << COLD_SHIFT) + COLD_PATH]!)
  }

  #link(id: number): FlowLayer {
    const { cold, wide } = this.#init.columns
    const base = id << COLD_SHIFT
    const lows = cold[base + COLD_MAC_LOWS]!
    return {
      Protocol: 'ETHERNET',
      A: macText(cold[base + COLD_SOURCE_MAC_HIGH]!, lows >>> 16),
      B: macText(cold[base + COLD_DESTINATION_MAC_HIGH]!, lows & 0xffff),
      ID: wide[(id << WIDE_SHIFT) + WIDE_VLAN_ID]!,
    }
  }

  #network(id: number, ipVersion: 4 | 6): FlowLayer {
    const words = this.#addresses
    const isV4 = ipVersion === 4
    const a = isV4 ? ipv4Text(words[0]!) : ipv6Text(words[0]!, words[1]!, words[2]!, words[3]!)
    const b = isV4 ? ipv4Text(words[4]!) : ipv6Text(words[4]!, words[5]!, words[6]!, words[7]!)
    const tunnelId = this.#init.columns.cold[(id << COLD_SHIFT) + COLD_TUNNEL_ID]! >>> 0
    return { Protocol: isV4 ? 'IPV4' : 'IPV6', A: a, B: b, ID: tunnelId }
  }

  #transport(id: number, protocol: FlowProtocol): TransportLayer {
    const ports = this.#ends.ports(id)
    return { Protocol: protocol, A: ports >>> 16, B: ports & 0xffff, ID: 0 }
  }

  #icmp(id: number): IcmpLayer {
    const word = this.#init.columns.records[(id << RECORD_SHIFT) + KEY_TRANSPORT]!
    const code = (word >>> 16) & 0xff
    const icmpId = word & 0xffff
    return { Type: ICMP_TYPES[word >>> 24]!, ...(code !== 0 && { Code: code }), ...(icmpId !== 0 && { ID: icmpId }) }
  }

  #metric(id: number, startMs: number, lastMs: number): FlowMetric {
    const { columns } = this.#init
    const { recordsWide } = columns
    const base = id << RECORD_SHIFT
    const rtt = columns.rtts[id]!
    const metric = {
      ABPackets: columns.packetsOf(id, 0),
      ABBytes: recordsWide[(base >> 1) + RECORD_AB_BYTES_WIDE]!,
      BAPackets: columns.packetsOf(id, 1),
      BABytes: recordsWide[(base >> 1) + RECORD_BA_BYTES_WIDE]!,
      Start: startMs,
      Last: lastMs,
    }
    return rtt === 0 ? metric : { ...metric, RTT: rtt }
  }

  #lastUpdate(id: number): FlowMetric {
    const { wide } = this.#init.columns
    const base = id << WIDE_SHIFT
    const rtt = wide[base + WIDE_UPDATE_RTT_NS]!
    return {
      ABPackets: wide[base + WIDE_UPDATE]!,
      ABBytes: wide[base + WIDE_UPDATE + 2]!,
      BAPackets: wide[base + WIDE_UPDATE + 1]!,
      BABytes: wide[base + WIDE_UPDATE + 3]!,
      Start: wide[base + WIDE_UPDATE_START_MS]!,
      Last: wide[base + WIDE_UPDATE_LAST_MS]!,
      ...(rtt !== 0 && { RTT: rtt }),
    }
  }

  #tcpMetric(id: number): TcpMetric {
    const { columns, hasTcpMetric, extras } = this.#init
    // Without flag times their columns are not there.
    const base = id << TCP_SHIFT
    const time = (member: number) => (hasTcpMetric ? columns.tcp[base + member]! : 0)
    const [abTtl, baTtl] = [time(TCP_SYN_TTL), time(TCP_SYN_TTL + 1)]
    const [ab, ba] = [0, 1].map((side) => extras.streams?.figures(id, side) ?? NO_STREAM)
    return {
      ABSynStart: time(TCP_SYN_START),
      BASynStart: time(TCP_SYN_START + 1),
      ...(abTtl !== 0 && { ABSynTTL: abTtl }),
      ...(baTtl !== 0 && { BASynTTL: baTtl }),
      ABFinStart: time(TCP_FIN_START),
      BAFinStart: time(TCP_FIN_START + 1),
      ABRstStart: time(TCP_RST_START),
      BARstStart: time(TCP_RST_START + 1),
      ABSegmentOutOfOrder: ab!.segmentOutOfOrder,
      ABSegmentSkipped: ab!.segmentSkipped,
      ABSegmentSkippedBytes: ab!.segmentSkippedBytes,
      ABPackets: ab!.packets,
      ABBytes: ab!.bytes,
      ABSawStart: ab!.sawStart,
      ABSawEnd: ab!.sawEnd,
      BASegmentOutOfOrder: ba!.segmentOutOfOrder,
      BASegmentSkipped: ba!.segmentSkipped,
      BASegmentSkippedBytes: ba!.segmentSkippedBytes,
      BAPackets: ba!.packets,
      BABytes: ba!.bytes,
      BASawStart: ba!.sawStart,
      BASawEnd: ba!.sawEnd,
    }
  }
}

const NO_STREAM: Readonly<StreamFigures> = {
  packets: 0,
  bytes: 0,
  segmentOutOfOrder: 0,
  segmentSkipped: 0,
  segmentSkippedBytes: 0,
  sawStart: 0,
  sawEnd: 0,
}
