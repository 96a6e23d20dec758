import { LAYER } from './layers.ts'
import { ABSENT, type PacketWalk } from './packet-walk.ts'
import { STEP, stepOfEtherType, stepOfPpp } from './steps.ts'

const ETHERNET_BYTES = 14
const VLAN_BYTES = 4
const IPV4_BYTES = 20
const IPV6_BYTES = 40
/** Tags that fit `vlanId` exactly (12 bits each below 2^53). */
const MAX_EXACT_TAGS = 4

// What lies below IP: Ethernet and its relatives, PPP, MPLS. Each step takes its header and tells the next one.

export function ethernet(walk: PacketWalk): number {
  const at = walk.at
  if (at + ETHERNET_BYTES > walk.end) return STEP.END
  if (walk.linkOffset === ABSENT) walk.linkOffset = at
  walk.add(LAYER.Ethernet)
  if (walk.strippedTag !== ABSENT) {
    tag(walk, walk.strippedTag)
    // It is not among the bytes but counts as a header of this sequence.
    walk.start -= VLAN_BYTES
    walk.strippedTag = ABSENT
  }
  return walk.skip(ETHERNET_BYTES, stepOfEtherType(walk.bytes.getUint16(at + 12)))
}

export function dot1q(walk: PacketWalk): number {
  const at = walk.at
  if (at + VLAN_BYTES > walk.end) return STEP.END
  tag(walk, walk.bytes.getUint16(at))
  return walk.skip(VLAN_BYTES, stepOfEtherType(walk.bytes.getUint16(at + 2)))
}

function tag(walk: PacketWalk, tci: number): void {
  walk.add(LAYER.Dot1Q)
  if (walk.tags < MAX_EXACT_TAGS) walk.vlanId += (tci & 0x0fff) * 4096 ** walk.tags
  walk.tags++
}

/** IEEE 802.2: DSAP, SSAP, control (two bytes for information and supervisory frames). */
export function llc(walk: PacketWalk): number {
  const view = walk.bytes
  const at = walk.at
  walk.end = Math.min(walk.end, at + view.getUint16(at - 2))
  if (at + 3 > walk.end) return STEP.END
  const payload = at + ((view.getUint8(at + 2) & 0x03) === 0x03 ? 3 : 4)
  if (payload > walk.end) return STEP.END
  walk.add(LAYER.LLC)
  const dsap = view.getUint8(at)
  if (dsap === 0x42 && payload + 4 <= walk.end) walk.add(LAYER.STP)
  if (dsap !== 0xaa || view.getUint8(at + 1) !== 0xaa || payload + 5 > walk.end) return STEP.END
  walk.add(LAYER.SNAP)
  const isCisco = view.getUint16(payload) === 0 && view.getUint8(payload + 2) === 0x0c
  const type = view.getUint16(payload + 3)
  walk.at = payload + 5
  if (isCisco && type === 0x2000 && walk.at + 4 <= walk.end) {
    walk.add(LAYER.CiscoDiscovery)
    walk.add(LAYER.CiscoDiscoveryInfo)
  } else if (type === 0x01a2 && walk.at + 7 <= walk.end) walk.add(LAYER.NortelDiscovery)
  // A length has no meaning here.
  return type < 0x0600 ? STEP.END : stepOfEtherType(type)
}

/** RFC 2516 section 4. */
export function pppoe(walk: PacketWalk): number {
  const at = walk.at
  if (at + 6 > walk.end) return STEP.END
  const code = walk.bytes.getUint8(at + 1)
  walk.end = Math.min(walk.end, at + 6 + walk.bytes.getUint16(at + 4))
  return walk.layer(LAYER.PPPoE, 6, code === 0 ? STEP.PPP : STEP.END)
}

/** RFC 1661 section 2, with the address and control bytes of RFC 1662 or without; the protocol has one or two bytes. */
export function ppp(walk: PacketWalk): number {
  const view = walk.bytes
  let at = walk.at
  if (at + 2 <= walk.end && view.getUint16(at) === 0xff03) at += 2
  if (at >= walk.end) return STEP.END
  const first = view.getUint8(at)
  const isShort = (first & 1) !== 0
  if (!isShort && at + 2 > walk.end) return STEP.END
  walk.add(LAYER.PPP)
  walk.at = at + (isShort ? 1 : 2)
  return stepOfPpp(isShort ? first : view.getUint16(at))
}

/** RFC 3032 section 2.1: labels down to the one with the bottom bit, after which the sequence ends. */
export function mpls(walk: PacketWalk): number {
  while (walk.at + 4 <= walk.end) {
    walk.add(LAYER.MPLS)
    const isBottom = (walk.bytes.getUint8(walk.at + 2) & 1) !== 0
    walk.at += 4
    if (isBottom) return walk.carry(STEP.BELOW_MPLS)
  }
  return STEP.END
}

/** A label does not tell what it carries: IP when the nibble says so and the header is one, else Ethernet (spec flows 1.5 rule 7). */
export function belowMpls(walk: PacketWalk): number {
  const view = walk.bytes
  const at = walk.at
  if (at >= walk.end) return STEP.END
  const first = view.getUint8(at)
  if (first >>> 4 === 6) return at + IPV6_BYTES <= walk.end ? STEP.IPV6 : STEP.ETHERNET
  if (first >>> 4 !== 4 || at + IPV4_BYTES > walk.end) return STEP.ETHERNET
  const headerBytes = (first & 0x0f) * 4
  return headerBytes >= IPV4_BYTES && headerBytes <= view.getUint16(at + 2) ? STEP.IPV4 : STEP.ETHERNET
}

/** Layers that nothing is read of but their name, if they have the bytes that a whole header has at least. */
export function named(walk: PacketWalk, step: number): number {
  const available = walk.end - walk.at
  switch (step) {
    case STEP.ARP:
      arp(walk)
      break
    case STEP.LLDP:
      // Two layers: the mandatory TLVs, and what is in the optional ones.
      if (available >= 9) walk.add(LAYER.LinkLayerDiscovery)
      if (available >= 9) walk.add(LAYER.LinkLayerDiscoveryInfo)
      break
    case STEP.EAPOL:
      if (available >= 4) walk.add(LAYER.EAPOL)
      // Type 0 is an EAP packet (IEEE 802.1X-2020 section 11.3.2).
      if (available >= 8 && walk.bytes.getUint8(walk.at + 1) === 0) walk.add(LAYER.EAP)
      break
    case STEP.CONFIGURATION_TEST:
      if (available >= 2) walk.add(LAYER.EthernetCTP)
      break
    case STEP.IGMP:
      if (available >= 8) walk.add(LAYER.IGMP)
      break
    case STEP.ESP:
      if (available >= 8) walk.add(LAYER.IPSecESP)
      break
    case STEP.OSPF:
      if (available >= 14) walk.add(LAYER.OSPF)
      break
    case STEP.VRRP:
      if (available >= 8) walk.message(LAYER.VRRP, walk.at, walk.end)
      break
    case STEP.UDP_LITE:
      if (available >= 8) walk.add(LAYER.UDPLite)
      break
    case STEP.RUDP:
      if (available >= 18) walk.add(LAYER.RUDP)
      break
  }
  return STEP.END
}

/** RFC 826: the fixed part is 8 bytes, followed by two hardware and two protocol addresses. */
function arp(walk: PacketWalk): void {
  const at = walk.at
  if (at + 8 > walk.end) return
  const addresses = 2 * (walk.bytes.getUint8(at + 4) + walk.bytes.getUint8(at + 5))
  if (at + 8 + addresses <= walk.end) walk.add(LAYER.ARP)
}
