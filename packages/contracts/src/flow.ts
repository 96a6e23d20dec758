/** Protocols of link, network and transport layers, as JSON spells them. */
export type FlowProtocol = 'ETHERNET' | 'IPV4' | 'TCP' | 'UDP' | 'SCTP' | 'IPV6' | 'ICMPV4' | 'ICMPV6'

/** ICMP classes (spec flows 1.15), as JSON spells them. */
export type IcmpType =
  | 'UNKNOWN'
  | 'DESTINATION_UNREACHABLE'
  | 'ECHO'
  | 'NEIGHBOR'
  | 'ADDRESS_MASK'
  | 'INFO'
  | 'PARAMETER_PROBLEM'
  | 'REDIRECT'
  | 'ROUTER'
  | 'SOURCE_QUENCH'
  | 'TIME_EXCEEDED'
  | 'TIMESTAMP'
  | 'PACKET_TOO_BIG'

/** Link or network end points. `A` is the source of the first packet. Absent `A`/`B` mean empty. */
export interface FlowLayer {
  readonly Protocol: FlowProtocol
  readonly A?: string
  readonly B?: string
  readonly ID: number
}

/** Transport end points: ports. */
export interface TransportLayer {
  readonly Protocol: FlowProtocol
  readonly A: number
  readonly B: number
  readonly ID: number
}

/** ICMP of either version. `Code` and `ID` are absent when 0. */
export interface IcmpLayer {
  readonly Type: IcmpType
  readonly Code?: number
  readonly ID?: number
}

/** Counters of both directions. `Start`/`Last` are ms since the epoch, `RTT` ns (absent when 0), sizes bytes. */
export interface FlowMetric {
  readonly ABPackets: number
  readonly ABBytes: number
  readonly BAPackets: number
  readonly BABytes: number
  readonly Start: number
  readonly Last: number
  readonly RTT?: number
}

/** Times of TCP flags (ms) and stream figures (spec flows 1.2). The TTLs are absent when 0. */
export interface TcpMetric {
  readonly ABSynStart: number
  readonly BASynStart: number
  readonly ABSynTTL?: number
  readonly BASynTTL?: number
  readonly ABFinStart: number
  readonly BAFinStart: number
  readonly ABRstStart: number
  readonly BARstStart: number
  readonly ABSegmentOutOfOrder: number
  readonly ABSegmentSkipped: number
  readonly ABSegmentSkippedBytes: number
  readonly ABPackets: number
  readonly ABBytes: number
  readonly ABSawStart: number
  readonly ABSawEnd: number
  readonly BASegmentOutOfOrder: number
  readonly BASegmentSkipped: number
  readonly BASegmentSkippedBytes: number
  readonly BAPackets: number
  readonly BABytes: number
  readonly BASawStart: number
  readonly BASawEnd: number
}

/** Fragment counters of an IPv4 flow. */
export interface IpMetric {
  readonly Fragments: number
  readonly FragmentErrors: number
}

/** A kept packet. `Timestamp` ms, `Index` from 1, `LinkType` a pcap link type (1 Ethernet, 228 raw IPv4, 229 raw IPv6). */
export interface RawPacket {
  readonly Timestamp: number
  readonly Index: number
  readonly Data: Uint8Array
  readonly LinkType: number
}

/** 0 not finished, 1 timeout, 2 TCP FIN, 3 TCP RST. Absent in JSON when 0. */
export type FlowFinishType = 0 | 1 | 2 | 3

/**
 * One flow, with the wire's field names and presence rules (spec flows 1.1). Times are ms since the epoch.
 * Plain data: structured-cloneable, and immutable once handed on.
 */
export interface Flow {
  readonly UUID: string
  readonly LayersPath?: string
  readonly Application?: string
  readonly Link?: FlowLayer
  readonly Network?: FlowLayer
  readonly Transport?: TransportLayer
  readonly ICMP?: IcmpLayer
  readonly LastUpdateMetric?: FlowMetric
  readonly Metric?: FlowMetric
  readonly TCPMetric?: TcpMetric
  readonly IPMetric?: IpMetric
  readonly Start: number
  readonly Last: number
  readonly TrackingID?: string
  readonly L3TrackingID?: string
  readonly ParentUUID: string
  readonly NodeTID?: string
  readonly CaptureID?: string
  readonly RawPacketsCaptured: number
  readonly FinishType?: FlowFinishType
  /** Protobuf only, never JSON. */
  readonly LastRawPackets?: readonly RawPacket[]
  /** Extra layers (spec flows 1.17). */
  readonly DNS?: Readonly<Record<string, unknown>>
  readonly DHCPv4?: Readonly<Record<string, unknown>>
  readonly VRRPv2?: Readonly<Record<string, unknown>>
}

/** A node that a flow touches, as it was called when the flow was seen. */
export interface FlowPlace {
  readonly tid: string
  readonly name: string
  readonly type: string
  readonly host: string
}

/** Where a flow was captured and between what it runs: the analyzer's side record, keyed by the flow's UUID. Absent: not resolved. */
export interface FlowPlaces {
  readonly capture?: FlowPlace
  readonly a?: FlowPlace
  readonly b?: FlowPlace
}

/** A flow with its places, as the analyzer hands it to stores and subscribers. */
export interface EnhancedFlow {
  readonly flow: Flow
  readonly places: FlowPlaces
}
