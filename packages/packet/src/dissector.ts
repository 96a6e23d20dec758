import { looksLikeApplication } from './application-layer.ts'
import { ETHERTYPE, IP_PROTOCOL, LINK_TYPE } from './constants.ts'
import { icmpv4Class, icmpv6Class, icmpv6Layer } from './icmp.ts'
import { EMPTY_PATH, LAYER, LayerPaths } from './layers.ts'
import { sctpChunkLayer } from './sctp.ts'

/** Which transport a packet has; the values are the end point types of spec flows 1.8. ICMP is none of them but excludes them. */
export const TRANSPORT = { NONE: 0, TCP: 4, UDP: 5, SCTP: 6, ICMP: 7 } as const

/** No link, network or transport header. */
export const ABSENT = -1

const ETHERNET_BYTES = 14
const VLAN_BYTES = 4
const IPV4_BYTES = 20
const IPV6_BYTES = 40
const TCP_BYTES = 20
const UDP_BYTES = 8
const SCTP_BYTES = 12
const ICMPV4_BYTES = 8
/** Extension headers and nested IP headers walked in one packet; more is an attack. */
const MAX_NESTED_HEADERS = 16
/** Tags that fit `vlanId` exactly (12 bits each below 2^53). */
const MAX_EXACT_TAGS = 4

/**
 * Takes a packet apart, layer by layer, into the numbers below. One instance is reused for every packet: nothing is allocated, and the
 * fields hold until the next {@link Dissector.dissect}. It never throws on foreign bytes and never reads past the captured length; a
 * layer that is cut ends the walk, and what came before stays (spec flows 1.5 rule 8).
 *
 * Ethernet (also 802.3 with LLC), 802.1Q/802.1ad tags, ARP, IPv4, IPv6 with extension headers, TCP, UDP, SCTP, ICMPv4 and ICMPv6 are
 * decoded; what they carry is named where it can be told. Of nested IP headers the outermost counts (spec flows 1.6).
 */
export class Dissector {
  readonly paths: LayerPaths
  /** The sequence of layers, interned in {@link Dissector.paths}. */
  path = EMPTY_PATH
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
  /** Time to live or hop limit. */
  ttl = 0
  /** One of {@link TRANSPORT}. */
  transport: number = TRANSPORT.NONE
  sourcePort = 0
  destinationPort = 0
  /** Byte 13 of the TCP header; 0 for everything else. */
  tcpFlags = 0
  /** The class of spec flows 1.15 as its number, code and identifier as they enter the flow's key; only with {@link TRANSPORT.ICMP}. */
  icmpType = 0
  icmpCode = 0
  icmpId = 0
  /** The type byte as it was on the wire. */
  icmpWireType = 0

  #view: DataView = new DataView(new ArrayBuffer(0))
  #end = 0
  #nested = 0
  #tags = 0

  constructor(paths = new LayerPaths()) {
    this.paths = paths
  }

  /**
   * Dissects the packet whose `capturedBytes` begin at `offset`. `linkType` is a pcap link type; unknown ones give an empty result.
   * `strippedTag` is a VLAN tag that the kernel took off (the TCI), or {@link ABSENT}.
   */
  dissect(view: DataView, offset: number, capturedBytes: number, linkType: number, strippedTag: number = ABSENT): void {
    this.#view = view
    this.#end = offset + capturedBytes
    this.#nested = 0
    this.#tags = 0
    this.path = EMPTY_PATH
    this.linkOffset = this.ipOffset = ABSENT
    this.vlanId = this.ipVersion = this.ipBytes = this.ttl = this.tcpFlags = 0
    this.transport = TRANSPORT.NONE
    this.sourcePort = this.destinationPort = 0
    this.icmpType = this.icmpCode = this.icmpId = this.icmpWireType = 0

    switch (linkType) {
      case LINK_TYPE.ETHERNET:
        this.#ethernet(offset, strippedTag)
        break
      case LINK_TYPE.RAW:
      case LINK_TYPE.RAW_BSD:
      case LINK_TYPE.RAW_OPENBSD:
        this.#rawIp(offset)
        break
      case LINK_TYPE.IPV4:
        this.#ipv4(offset)
        break
      case LINK_TYPE.IPV6:
        this.#ipv6(offset)
        break
      case LINK_TYPE.NULL:
      case LINK_TYPE.LOOP:
        if (capturedBytes >= 4) this.#rawIp(offset + 4)
        break
      case LINK_TYPE.LINUX_SLL:
        if (capturedBytes >= 16) this.#byEtherType(view.getUint16(offset + 14), offset + 16)
        break
      case LINK_TYPE.LINUX_SLL2:
        if (capturedBytes >= 20) this.#byEtherType(view.getUint16(offset), offset + 20)
        break
    }
  }

  #add(layer: number): void {
    this.path = this.paths.append(this.path, layer)
  }

  #ethernet(offset: number, strippedTag: number): void {
    if (offset + ETHERNET_BYTES > this.#end) return
    this.linkOffset = offset
    this.#add(LAYER.Ethernet)
    if (strippedTag !== ABSENT) this.#tag(strippedTag)
    const type = this.#view.getUint16(offset + 12)
    if (type < 0x0600) this.#llc(offset + ETHERNET_BYTES)
    else this.#byEtherType(type, offset + ETHERNET_BYTES)
  }

  #byEtherType(type: number, offset: number): void {
    switch (type) {
      case ETHERTYPE.IPV4:
        this.#ipv4(offset)
        break
      case ETHERTYPE.IPV6:
        this.#ipv6(offset)
        break
      case ETHERTYPE.DOT1Q:
      case ETHERTYPE.DOT1AD: {
        if (offset + VLAN_BYTES > this.#end) return
        this.#tag(this.#view.getUint16(offset))
        const inner = this.#view.getUint16(offset + 2)
        if (inner < 0x0600) this.#llc(offset + VLAN_BYTES)
        else this.#byEtherType(inner, offset + VLAN_BYTES)
        break
      }
      case ETHERTYPE.ARP:
        // RFC 826: the fixed part is 8 bytes, followed by two hardware and two protocol addresses.
        if (offset + 8 <= this.#end) {
          const addresses = 2 * (this.#view.getUint8(offset + 4) + this.#view.getUint8(offset + 5))
          if (offset + 8 + addresses <= this.#end) this.#add(LAYER.ARP)
        }
        break
      case ETHERTYPE.LLDP:
        // Two layers: the mandatory TLVs, and what is in the optional ones.
        if (offset + 9 <= this.#end) {
          this.#add(LAYER.LinkLayerDiscovery)
          this.#add(LAYER.LinkLayerDiscoveryInfo)
        }
        break
      case ETHERTYPE.EAPOL:
        if (offset + 4 <= this.#end) this.#add(LAYER.EAPOL)
        break
    }
  }

  #tag(tci: number): void {
    this.#add(LAYER.Dot1Q)
    if (this.#tags < MAX_EXACT_TAGS) this.vlanId += (tci & 0x0fff) * 4096 ** this.#tags
    this.#tags++
  }

  /** IEEE 802.2: DSAP, SSAP, control (two bytes for information and supervisory frames). */
  #llc(offset: number): void {
    if (offset + 3 > this.#end) return
    const control = this.#view.getUint8(offset + 2)
    const payload = offset + ((control & 0x03) === 0x03 ? 3 : 4)
    if (payload > this.#end) return
    this.#add(LAYER.LLC)
    const dsap = this.#view.getUint8(offset)
    if (dsap === 0xaa && this.#view.getUint8(offset + 1) === 0xaa) {
      if (payload + 5 > this.#end) return
      this.#add(LAYER.SNAP)
      this.#byEtherType(this.#view.getUint16(payload + 3), payload + 5)
    } else if (dsap === 0x42 && payload + 4 <= this.#end) this.#add(LAYER.STP)
  }

  /** The first nibble decides, as rule 9 of spec flows 1.5 says. */
  #rawIp(offset: number): void {
    if (offset >= this.#end) return
    const version = this.#view.getUint8(offset) >>> 4
    if (version === 4) this.#ipv4(offset)
    else if (version === 6) this.#ipv6(offset)
    else this.#byEtherType(ETHERTYPE.ARP, offset)
  }

  /** RFC 791 section 3.1. */
  #ipv4(offset: number): void {
    if (this.#nested++ > MAX_NESTED_HEADERS) return
    this.#add(LAYER.IPv4)
    if (offset + IPV4_BYTES > this.#end) return
    const view = this.#view
    const headerBytes = (view.getUint8(offset) & 0x0f) * 4
    // A length of 0 is what segmentation offload leaves: the rest of the frame is the datagram.
    const totalBytes = view.getUint16(offset + 2) || this.#end - offset
    if (this.ipVersion === 0) {
      this.ipVersion = 4
      this.ipOffset = offset
      this.ipBytes = totalBytes
      this.ttl = view.getUint8(offset + 8)
    }
    if (headerBytes < IPV4_BYTES || headerBytes > totalBytes || offset + headerBytes > this.#end) return
    this.#end = Math.min(this.#end, offset + totalBytes)
    const moreFragmentsOrOffset = view.getUint16(offset + 6) & 0x3fff
    if (moreFragmentsOrOffset !== 0) this.#add(LAYER.Fragment)
    else this.#byProtocol(view.getUint8(offset + 9), offset + headerBytes)
  }

  /** RFC 8200 section 3. */
  #ipv6(offset: number): void {
    if (this.#nested++ > MAX_NESTED_HEADERS) return
    this.#add(LAYER.IPv6)
    if (offset + IPV6_BYTES > this.#end) return
    const view = this.#view
    const payloadBytes = view.getUint16(offset + 4)
    if (this.ipVersion === 0) {
      this.ipVersion = 6
      this.ipOffset = offset
      this.ipBytes = payloadBytes + IPV6_BYTES
      this.ttl = view.getUint8(offset + 7)
    }
    // 0 is a jumbogram (RFC 2675) or segmentation offload: the rest of the frame.
    if (payloadBytes !== 0) this.#end = Math.min(this.#end, offset + IPV6_BYTES + payloadBytes)
    this.#byProtocol(view.getUint8(offset + 6), offset + IPV6_BYTES)
  }

  #byProtocol(protocol: number, offset: number): void {
    switch (protocol) {
      case IP_PROTOCOL.TCP:
        this.#tcp(offset)
        break
      case IP_PROTOCOL.UDP:
        this.#udp(offset)
        break
      case IP_PROTOCOL.SCTP:
        this.#sctp(offset)
        break
      case IP_PROTOCOL.ICMP:
        this.#icmpv4(offset)
        break
      case IP_PROTOCOL.ICMPV6:
        this.#icmpv6(offset)
        break
      case IP_PROTOCOL.HOP_BY_HOP:
        this.#extension(LAYER.IPv6HopByHop, offset)
        break
      case IP_PROTOCOL.ROUTING:
        this.#extension(LAYER.IPv6Routing, offset)
        break
      case IP_PROTOCOL.DESTINATION_OPTIONS:
        this.#extension(LAYER.IPv6Destination, offset)
        break
      case IP_PROTOCOL.FRAGMENT:
        if (offset + 8 > this.#end) return
        this.#add(LAYER.IPv6Fragment)
        this.#add(LAYER.Fragment)
        break
      case IP_PROTOCOL.IPV4:
      case IP_PROTOCOL.IPIP:
        this.#ipv4(offset)
        break
      case IP_PROTOCOL.IPV6:
        this.#ipv6(offset)
        break
      default:
        this.#named(protocol, offset)
    }
  }

  /** Protocols of which only the name is told; the number is the least that a whole header has. */
  #named(protocol: number, offset: number): void {
    const available = this.#end - offset
    if (protocol === IP_PROTOCOL.GRE && available >= 4) this.#add(LAYER.GRE)
    else if (protocol === IP_PROTOCOL.IGMP && available >= 8) this.#add(LAYER.IGMP)
    else if (protocol === IP_PROTOCOL.ESP && available >= 8) this.#add(LAYER.IPSecESP)
    else if (protocol === IP_PROTOCOL.AH && available >= 12) this.#add(LAYER.IPSecAH)
    else if (protocol === IP_PROTOCOL.OSPF && available >= 14) this.#add(LAYER.OSPF)
    else if (protocol === IP_PROTOCOL.VRRP && available >= 8) this.#add(LAYER.VRRP)
    else if (protocol === IP_PROTOCOL.UDP_LITE && available >= 8) this.#add(LAYER.UDPLite)
  }

  /** RFC 8200 section 4.3 and its siblings: next header, length in units of 8 bytes beyond the first. */
  #extension(layer: number, offset: number): void {
    if (this.#nested++ > MAX_NESTED_HEADERS || offset + 8 > this.#end) return
    const headerBytes = (this.#view.getUint8(offset + 1) + 1) * 8
    if (offset + headerBytes > this.#end) return
    this.#add(layer)
    this.#byProtocol(this.#view.getUint8(offset), offset + headerBytes)
  }

  /** RFC 9293 section 3.1. */
  #tcp(offset: number): void {
    this.#add(LAYER.TCP)
    this.transport = TRANSPORT.TCP
    if (offset + TCP_BYTES > this.#end) return
    this.#ports(offset)
    this.tcpFlags = this.#view.getUint8(offset + 13)
  }

  /** RFC 768. */
  #udp(offset: number): void {
    this.#add(LAYER.UDP)
    this.transport = TRANSPORT.UDP
    if (offset + UDP_BYTES > this.#end) return
    this.#ports(offset)
    const declared = this.#view.getUint16(offset + 4)
    if (declared !== 0 && declared < UDP_BYTES) return
    const end = declared === 0 ? this.#end : Math.min(this.#end, offset + declared)
    const layer = looksLikeApplication(this.#view, offset + UDP_BYTES, end, this.sourcePort, this.destinationPort)
    if (layer !== ABSENT) this.#add(layer)
  }

  /** RFC 9260 section 3: a common header, then chunks padded to 4 bytes. */
  #sctp(offset: number): void {
    this.#add(LAYER.SCTP)
    this.transport = TRANSPORT.SCTP
    if (offset + SCTP_BYTES > this.#end) return
    this.#ports(offset)
    let chunk = offset + SCTP_BYTES
    for (let count = 0; count < MAX_NESTED_HEADERS && chunk + 4 <= this.#end; count++) {
      const chunkBytes = this.#view.getUint16(chunk + 2)
      if (chunkBytes < 4 || chunk + chunkBytes > this.#end) return
      this.#add(sctpChunkLayer(this.#view.getUint8(chunk)))
      chunk += (chunkBytes + 3) & ~3
    }
  }

  #ports(offset: number): void {
    this.sourcePort = this.#view.getUint16(offset)
    this.destinationPort = this.#view.getUint16(offset + 2)
  }

  /** RFC 792. Bytes 4 and 5 are the identifier whatever the type (spec flows 1.8). */
  #icmpv4(offset: number): void {
    if (offset + ICMPV4_BYTES > this.#end) return
    this.#add(LAYER.ICMPv4)
    this.transport = TRANSPORT.ICMP
    this.icmpWireType = this.#view.getUint8(offset)
    this.icmpType = icmpv4Class(this.icmpWireType)
    this.icmpCode = this.#view.getUint8(offset + 1)
    this.icmpId = this.#view.getUint16(offset + 4)
  }

  /** RFC 4443. An echo has code 0 and its identifier in the key, any other message its code and no identifier. */
  #icmpv6(offset: number): void {
    if (offset + 4 > this.#end) return
    this.#add(LAYER.ICMPv6)
    this.transport = TRANSPORT.ICMP
    this.icmpWireType = this.#view.getUint8(offset)
    this.icmpType = icmpv6Class(this.icmpWireType)
    const layer = icmpv6Layer(this.icmpWireType, this.#end - offset)
    if (layer !== ABSENT) this.#add(layer)
    if (layer === LAYER.ICMPv6Echo) this.icmpId = this.#view.getUint16(offset + 4)
    else if (this.icmpType !== 2) this.icmpCode = this.#view.getUint8(offset + 1)
  }
}
