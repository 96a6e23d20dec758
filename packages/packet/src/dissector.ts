import { LINK_TYPE } from './constants.ts'
import { LAYER } from './layers.ts'
import { belowMpls, dot1q, ethernet, llc, mpls, named, ppp, pppoe } from './link-steps.ts'
import { extension, ipv4, ipv6, ipv6Fragment } from './network-steps.ts'
import { ABSENT, type DissectorOptions, PacketWalk } from './packet-walk.ts'
import { STEP, stepOfEtherType, stepOfNibble } from './steps.ts'
import { icmpv4, icmpv6, sctp, tcp, udp } from './transport-steps.ts'
import { geneve, gre, gtp, vxlan } from './tunnel-steps.ts'

const LOOPBACK_BYTES = 4
const SLL_BYTES = 16
const SLL2_BYTES = 20
const ETHERIP_BYTES = 2
/** Extension headers count in units of 8 bytes, that of authentication in units of 4 (RFC 4302 section 2.2). */
const EIGHT_BYTES = 3
const FOUR_BYTES = 2

/**
 * Takes a packet apart, layer by layer, into the fields of {@link PacketWalk}. One instance is reused for every packet: nothing is
 * allocated, and the fields hold until the next {@link Dissector.dissect} or {@link Dissector.next}. It never throws on foreign bytes and
 * never reads past the captured length; a layer that is cut ends the walk, and what came before stays (spec flows 1.5 rule 8).
 *
 * The fields tell of one sequence of layers. GRE, VXLAN, Geneve and MPLS end a sequence (spec flows 1.6): what they carry is the next one,
 * for as long as {@link Dissector.next} says that there is one. Of nested IP headers in one sequence the outermost counts.
 */
export class Dissector extends PacketWalk {
  constructor(options: DissectorOptions = {}) {
    super(options)
  }

  /**
   * Dissects the packet whose `capturedBytes` begin at `offset`. `linkType` is a pcap link type; unknown ones give an empty result.
   * `strippedTag` is a VLAN tag that the kernel took off (the TCI), or {@link ABSENT}.
   */
  dissect(view: DataView, offset: number, capturedBytes: number, linkType: number, strippedTag: number = ABSENT): void {
    this.begin(view, offset, capturedBytes, strippedTag, false)
    this.#walk(this.#firstStep(linkType))
  }

  /**
   * The same for a packet that was dissected before, up to its sequence of this number (from 0): a fragment that completed a datagram does
   * not count again. Only while no other fragment came between.
   */
  dissectAgain(
    view: DataView,
    offset: number,
    capturedBytes: number,
    linkType: number,
    strippedTag: number,
    sequence: number,
  ): void {
    this.begin(view, offset, capturedBytes, strippedTag, true)
    this.#walk(this.#firstStep(linkType))
    while (this.sequence < sequence && this.next());
  }

  /**
   * Goes on with what the tunnel carries; the fields tell of that sequence then. `false` when there is none, or when it has neither a link
   * nor a network header and is therefore no flow.
   */
  next(): boolean {
    const step = this.carried
    if (step === STEP.END) return false
    this.sequence++
    this.beginSequence()
    this.#walk(step)
    return this.linkOffset !== ABSENT || this.ipVersion !== 0
  }

  #firstStep(linkType: number): number {
    const available = this.end - this.at
    switch (linkType) {
      case LINK_TYPE.ETHERNET:
        return STEP.ETHERNET
      case LINK_TYPE.RAW:
      case LINK_TYPE.RAW_BSD:
      case LINK_TYPE.RAW_OPENBSD:
        return STEP.RAW_IP
      case LINK_TYPE.IPV4:
        return STEP.IPV4
      case LINK_TYPE.IPV6:
        return STEP.IPV6
      case LINK_TYPE.PPP:
      case LINK_TYPE.PPP_HDLC:
        return STEP.PPP
      case LINK_TYPE.PPP_ETHER:
        return STEP.PPPOE
      case LINK_TYPE.NULL:
      case LINK_TYPE.LOOP:
        return available < LOOPBACK_BYTES ? STEP.END : this.skip(LOOPBACK_BYTES, STEP.RAW_IP)
      case LINK_TYPE.LINUX_SLL:
        return available < SLL_BYTES ? STEP.END : this.skip(SLL_BYTES, cookedStep(this.bytes.getUint16(this.at + 14)))
      case LINK_TYPE.LINUX_SLL2:
        return available < SLL2_BYTES ? STEP.END : this.skip(SLL2_BYTES, cookedStep(this.bytes.getUint16(this.at)))
      default:
        return STEP.END
    }
  }

  /** A loop, so that no stack of headers is too deep for it: each step takes bytes and tells the next one. */
  #walk(first: number): void {
    let step = first
    while (step !== STEP.END) step = this.#step(step)
  }

  #step(step: number): number {
    switch (step) {
      case STEP.ETHERNET:
        return ethernet(this)
      case STEP.DOT1Q:
        return dot1q(this)
      case STEP.LLC:
        return llc(this)
      case STEP.PPPOE:
        return pppoe(this)
      case STEP.PPP:
        return ppp(this)
      case STEP.MPLS:
        return mpls(this)
      case STEP.BELOW_MPLS:
        return belowMpls(this)
      case STEP.RAW_IP:
        return this.at < this.end ? stepOfNibble(this.bytes.getUint8(this.at) >>> 4, STEP.ARP) : STEP.END
      case STEP.IPV4:
        return ipv4(this)
      case STEP.IPV6:
        return ipv6(this)
      case STEP.HOP_BY_HOP:
        return extension(this, LAYER.IPv6HopByHop, EIGHT_BYTES)
      case STEP.ROUTING:
        return extension(this, LAYER.IPv6Routing, EIGHT_BYTES)
      case STEP.DESTINATION_OPTIONS:
        return extension(this, LAYER.IPv6Destination, EIGHT_BYTES)
      case STEP.AH:
        return extension(this, LAYER.IPSecAH, FOUR_BYTES)
      case STEP.FRAGMENT:
        return ipv6Fragment(this)
      case STEP.GRE:
        return gre(this)
      case STEP.ETHERIP:
        return this.end - this.at < ETHERIP_BYTES ? STEP.END : this.layer(LAYER.EtherIP, ETHERIP_BYTES, STEP.ETHERNET)
      case STEP.TCP:
        return tcp(this)
      case STEP.UDP:
        return udp(this)
      case STEP.SCTP:
        return sctp(this)
      case STEP.ICMPV4:
        return icmpv4(this)
      case STEP.ICMPV6:
        return icmpv6(this)
      case STEP.VXLAN:
        return vxlan(this)
      case STEP.GENEVE:
        return geneve(this)
      case STEP.GTP_U:
        return gtp(this)
      default:
        return named(this, step)
    }
  }
}

/** In a cooked capture a number below 0x0600 is no length but one of Linux's own protocol numbers, of which none is decoded. */
function cookedStep(type: number): number {
  return type < 0x0600 ? STEP.END : stepOfEtherType(type)
}
