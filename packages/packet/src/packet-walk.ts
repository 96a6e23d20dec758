import type { IpDefragmenter } from './ip-defragmenter.ts'
import { EMPTY_PATH, LayerPaths } from './layers.ts'
import { STEP } from './steps.ts'
import { TunnelPorts } from './udp-ports.ts'

/** Which transport a packet has; the values are the end point types of spec flows 1.8. ICMP is none of them but excludes them. */
export const TRANSPORT = { NONE: 0, TCP: 4, UDP: 5, SCTP: 6, ICMP: 7 } as const

/** No link, network or transport header. */
export const ABSENT = -1

/** How a dissector is set up. */
export interface DissectorOptions {
  readonly paths?: LayerPaths
  readonly tunnelPorts?: TunnelPorts
  /** Puts fragments together; without it a fragment ends the walk. */
  readonly defragmenter?: IpDefragmenter
}

/** What is known of the packet that a dissector looks at, one sequence of layers at a time, and how far it has come. */
export class PacketWalk {
  readonly paths: LayerPaths
  readonly tunnelPorts: TunnelPorts
  /** The sequence of layers, interned in {@link PacketWalk.paths}. */
  path = EMPTY_PATH
  /** The bytes that the offsets of this sequence are of: those of the packet, or of a datagram that was put together. */
  view: DataView = new DataView(new ArrayBuffer(0))
  /** Where the Ethernet header begins, or {@link ABSENT}. */
  linkOffset = ABSENT
  /** VLAN ids packed as spec flows 1.6 says, the outermost in the low 12 bits; 0 without tags. Exact up to four tags. */
  vlanId = 0
  /** 4, 6, or 0 when there is no IP header. */
  ipVersion = 0
  /** Where the IP header begins, or {@link ABSENT}. */
  ipOffset = ABSENT
  /** Bytes of the IP datagram as its header says, header included. */
  ipBytes = 0
  /** Where an IPv4 header begins that comes after one of IPv6, or {@link ABSENT}: its addresses are the flow's (spec flows 1.1). */
  ipv4InIpv6Offset = ABSENT
  /** Time to live or hop limit. */
  ttl = 0
  /** One of {@link TRANSPORT}. */
  transport: number = TRANSPORT.NONE
  sourcePort = 0
  destinationPort = 0
  /** Ports of TCP that a UDP header of the same sequence carries (GTP-U), source in the upper half; 0 for none. */
  tcpPortsInUdp = 0
  /** Byte 13 of the TCP header; 0 for everything else. */
  tcpFlags = 0
  /** Sequence number of the TCP segment, as a signed word, and the bytes that it carries by the length of its datagram. */
  tcpSequence = 0
  segmentBytes = 0
  /** The class of spec flows 1.15 as its number, code and identifier as they enter the flow's key; only with {@link TRANSPORT.ICMP}. */
  icmpType = 0
  icmpCode = 0
  icmpId = 0
  /** The type byte as it was on the wire. */
  icmpWireType = 0
  /** VNI of VXLAN or Geneve, or the key of GRE (unsigned); 0 without one. */
  tunnelId = 0
  /** Whether VXLAN or Geneve ends the sequence: their VNI stands for the source port in the key (spec flows 1.8). */
  isVniKeyed = false
  /** The last layer when it is an application or VRRP: where its message begins and ends; {@link ABSENT} else. */
  messageOffset = ABSENT
  messageEnd = 0
  /** The bytes that {@link PacketWalk.messageOffset} is of. */
  messageView: DataView = this.view
  /** The first transport of the packet, in whatever sequence: one of {@link TRANSPORT}. */
  firstTransport: number = TRANSPORT.NONE
  /** Which sequence of the packet this is, from 0. */
  sequence = 0
  /** Bytes that the headers of this sequence take before those that it carries, without those of ERSPAN. */
  headerBytes = 0
  /** Bytes that it carries when they lie in a datagram that was put together; {@link ABSENT} else. */
  carriedBytes = ABSENT
  /** The packet is a fragment that was kept or refused by the defragmenter: it makes no flow. */
  isSwallowed = false
  /** The packet completed a datagram, which the defragmenter holds until it sees the next fragment. */
  isReassembled = false

  // How far the walk has come: for the steps, not for those who use a dissector.

  /** The bytes that are walked through, from `at` to `end`. */
  bytes: DataView = this.view
  at = 0
  end = 0
  /** Where the datagram ends by its header, captured or not. */
  declaredEnd = 0
  /** Where the sequence begins, and header bytes of it that lie elsewhere. */
  start = 0
  bytesBefore = 0
  /** IP and extension headers so far, and VLAN tags of the sequence. */
  nested = 0
  tags = 0
  strippedTag = ABSENT
  /** The packet was looked at before: its fragment does not count again. */
  isAgain = false
  /** What the next sequence begins with: one of `STEP`. */
  carried: number = STEP.END
  readonly defragmenter: IpDefragmenter | undefined

  constructor(options: DissectorOptions) {
    this.paths = options.paths ?? new LayerPaths()
    this.tunnelPorts = options.tunnelPorts ?? new TunnelPorts()
    this.defragmenter = options.defragmenter
  }

  /** A packet from its beginning. */
  begin(view: DataView, offset: number, capturedBytes: number, strippedTag: number, isAgain: boolean): void {
    this.bytes = view
    this.at = offset
    this.end = this.declaredEnd = offset + capturedBytes
    this.nested = this.bytesBefore = 0
    this.strippedTag = strippedTag
    this.isAgain = isAgain
    this.sequence = 0
    this.firstTransport = TRANSPORT.NONE
    this.isSwallowed = this.isReassembled = false
    this.beginSequence()
  }

  /** A sequence from where the walk is. */
  beginSequence(): void {
    this.view = this.bytes
    this.start = this.at
    this.tags = 0
    this.carried = STEP.END
    this.path = EMPTY_PATH
    this.linkOffset = this.ipOffset = this.ipv4InIpv6Offset = this.messageOffset = this.carriedBytes = ABSENT
    this.vlanId = this.ipVersion = this.ipBytes = this.ttl = this.tcpFlags = this.tunnelId = 0
    this.transport = TRANSPORT.NONE
    this.sourcePort = this.destinationPort = this.tcpPortsInUdp = this.segmentBytes = this.tcpSequence = this.headerBytes = 0
    this.icmpType = this.icmpCode = this.icmpId = this.icmpWireType = 0
    this.isVniKeyed = false
  }

  /** Lengthens the path. */
  add(layer: number): void {
    this.path = this.paths.append(this.path, layer)
  }

  /** A layer whose header takes so many bytes; answers `next`. */
  layer(layer: number, byteLength: number, next: number): number {
    this.add(layer)
    this.at += byteLength
    return next
  }

  /** Leaves bytes out; answers `next`. */
  skip(byteLength: number, next: number): number {
    this.at += byteLength
    return next
  }

  /** A layer whose message is kept for who wants to decode it. */
  message(layer: number, offset: number, end: number): void {
    this.add(layer)
    this.messageView = this.bytes
    this.messageOffset = offset
    this.messageEnd = end
  }

  /** The sequence ends with the tunnel header that ends here; what comes next is the next one's. */
  carry(next: number): number {
    this.carried = next
    this.headerBytes = this.at - this.start + this.bytesBefore
    if (this.isReassembled) this.carriedBytes = this.declaredEnd - this.at
    this.bytesBefore = 0
    return STEP.END
  }
}
