/** Protocols of link, network and transport layers, as JSON spells them, in the order of their protobuf numbers (spec flows 1.2). */
export const FLOW_PROTOCOLS = ['ETHERNET', 'IPV4', 'TCP', 'UDP', 'SCTP', 'IPV6', 'ICMPV4', 'ICMPV6'] as const

/** One of {@link FLOW_PROTOCOLS}. */
export type FlowProtocol = (typeof FLOW_PROTOCOLS)[number]

/**
 * ICMP classes (spec flows 1.15), what the types of both versions are mapped to, as JSON spells them. A place in this list is the number of
 * the class in protobuf (1.2) and in the key of a flow.
 */
export const ICMP_TYPES = [
  'UNKNOWN',
  'DESTINATION_UNREACHABLE',
  'ECHO',
  'NEIGHBOR',
  'ADDRESS_MASK',
  'INFO',
  'PARAMETER_PROBLEM',
  'REDIRECT',
  'ROUTER',
  'SOURCE_QUENCH',
  'TIME_EXCEEDED',
  'TIMESTAMP',
  'PACKET_TOO_BIG',
] as const

/** One of {@link ICMP_TYPES}. */
export type IcmpType = (typeof ICMP_TYPES)[number]

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

/** A question of a DNS message (RFC 1035 section 4.1.2), `type` and `class` in words: `{ name: 'a.example', type: 'AAAA', class: 'IN' }`. */
export interface DnsQuestion {
  readonly name?: string
  readonly type?: string
  readonly class?: string
}

/** A resource record of a DNS message; its type tells which of the members after `data_length` it has. */
export interface DnsRecord extends DnsQuestion {
  /** Seconds. */
  readonly TTL?: number
  /** Bytes of the record's data. */
  readonly data_length?: number
  /** Of A and AAAA. */
  readonly IP?: string
  readonly NS?: string
  readonly CNAME?: string
  readonly PTR?: string
  /** Of TXT and HINFO. */
  readonly TXTs?: readonly string[]
  readonly SOA?: {
    readonly MName?: string
    readonly RName?: string
    readonly serial?: number
    readonly refresh?: number
    readonly retry?: number
    readonly expire?: number
    readonly minimum?: number
  }
  readonly SRV?: { readonly priority?: number; readonly weight?: number; readonly port?: number; readonly name?: string }
  readonly MX?: { readonly preference?: number; readonly name?: string }
  /** Options of EDNS (RFC 6891), `Code` in words where it has a name, `Data` in hexadecimal. */
  readonly OPT?: readonly { readonly Code?: string; readonly Data?: string }[]
}

/** The latest DNS message of a flow (spec flows 1.17). Members that are zero or empty are absent. */
export interface FlowDns {
  readonly ID?: number
  readonly QR?: boolean
  readonly op_code?: string
  readonly AA?: boolean
  readonly TC?: boolean
  readonly RD?: boolean
  readonly RA?: boolean
  readonly z?: number
  readonly response_code?: string
  readonly QDCount?: number
  readonly ANCount?: number
  readonly NSCount?: number
  readonly ARCount?: number
  readonly questions?: readonly DnsQuestion[]
  readonly answers?: readonly DnsRecord[]
  readonly authorities?: readonly DnsRecord[]
  readonly additionals?: readonly DnsRecord[]
  /** When it was captured, RFC 3339. */
  readonly timestamp?: string
}

/** The first DHCPv4 message of a flow (RFC 2131 section 2). Members that are zero or empty are absent. */
export interface FlowDhcpv4 {
  readonly hardware_len?: number
  readonly hardware_opts?: number
  readonly xid?: number
  readonly secs?: number
  readonly flags?: number
  readonly server_name?: string
  readonly file?: string
}

/** The first VRRPv2 advertisement of a flow (RFC 3768 section 5). Members that are zero are absent. */
export interface FlowVrrpv2 {
  readonly version?: number
  readonly VirtualRtrID?: number
  readonly priority?: number
  readonly CountIPAddr?: number
  /** Seconds. */
  readonly adver_int?: number
  readonly checksum?: number
}

/**
 * Extra layers that a capture may ask for, by their bit in `ExtraLayers` (spec flows 1.17): `EXTRA_LAYERS.DNS | EXTRA_LAYERS.VRRP` is 3.
 */
export const EXTRA_LAYERS = { VRRP: 1, DNS: 2, DHCPv4: 4 } as const

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
  /** Of flows that a collector was told of. Between agent and analyzer only, never JSON: the analyzer makes a {@link FlowExporterPlace} of it. */
  readonly Exporter?: FlowExporter
  /** Extra layers (spec flows 1.17). */
  readonly DHCPv4?: FlowDhcpv4
  readonly DNS?: FlowDns
  readonly VRRPv2?: FlowVrrpv2
}

/** Who told a collector of a flow, and by which of its interfaces the first packets from A came in and went out. */
export interface FlowExporter {
  /** As text: `10.0.0.9`. */
  readonly Address: string
  /** ifIndex of the exporter; 0 when it does not tell. */
  readonly Input: number
  readonly Output: number
}

/** A node that a flow touches, as it was called when the flow was seen. */
export interface FlowPlace {
  readonly tid: string
  readonly name: string
  readonly type: string
  readonly host: string
}

/** The exporter of a flow, and its interfaces where the graph knows them. */
export interface FlowExporterPlace {
  readonly address: string
  /** Of the exporter, as it numbers its interfaces; 0 when it does not tell. */
  readonly inputIndex: number
  readonly outputIndex: number
  /** The node with the exporter's address. Absent: the graph has none. */
  readonly node?: FlowPlace
  /** The nodes of these interfaces. Absent: the host of `node` has none with the index. */
  readonly input?: FlowPlace
  readonly output?: FlowPlace
}

/** Where a flow was captured and between what it runs: the analyzer's side record, keyed by the flow's UUID. Absent: not resolved. */
export interface FlowPlaces {
  readonly capture?: FlowPlace
  readonly a?: FlowPlace
  readonly b?: FlowPlace
  /** Of flows that a collector was told of: `capture` is where it listens. */
  readonly exporter?: FlowExporterPlace
}

/** A flow with its places, as the analyzer hands it to stores and subscribers. */
export interface EnhancedFlow {
  readonly flow: Flow
  readonly places: FlowPlaces
}
