import { ETHERTYPE, IP_PROTOCOL } from './constants.ts'

/** What the walk through a packet decodes next. `END`: nothing that it knows. */
export const STEP = {
  END: 0,
  ETHERNET: 1,
  DOT1Q: 2,
  LLC: 3,
  ARP: 4,
  LLDP: 5,
  EAPOL: 6,
  CONFIGURATION_TEST: 7,
  PPPOE: 8,
  PPP: 9,
  MPLS: 10,
  BELOW_MPLS: 11,
  RAW_IP: 12,
  IPV4: 13,
  IPV6: 14,
  HOP_BY_HOP: 15,
  ROUTING: 16,
  DESTINATION_OPTIONS: 17,
  FRAGMENT: 18,
  AH: 19,
  ESP: 20,
  GRE: 21,
  ETHERIP: 22,
  TCP: 23,
  UDP: 24,
  SCTP: 25,
  ICMPV4: 26,
  ICMPV6: 27,
  IGMP: 28,
  OSPF: 29,
  VRRP: 30,
  UDP_LITE: 31,
  RUDP: 32,
  VXLAN: 33,
  GENEVE: 34,
  GTP_U: 35,
} as const

/** The step for an EtherType (IEEE 802). */
export function stepOfEtherType(type: number): number {
  switch (type) {
    case ETHERTYPE.IPV4:
      return STEP.IPV4
    case ETHERTYPE.IPV6:
      return STEP.IPV6
    case ETHERTYPE.DOT1Q:
    case ETHERTYPE.DOT1AD:
      return STEP.DOT1Q
    case ETHERTYPE.ARP:
      return STEP.ARP
    case ETHERTYPE.MPLS_UNICAST:
    case ETHERTYPE.MPLS_MULTICAST:
      return STEP.MPLS
    case ETHERTYPE.PPPOE_DISCOVERY:
    case ETHERTYPE.PPPOE_SESSION:
      return STEP.PPPOE
    case ETHERTYPE.LLDP:
      return STEP.LLDP
    case ETHERTYPE.EAPOL:
      return STEP.EAPOL
    case ETHERTYPE.CONFIGURATION_TEST:
      return STEP.CONFIGURATION_TEST
    case ETHERTYPE.TRANSPARENT_ETHERNET:
      return STEP.ETHERNET
    case ETHERTYPE.PPP:
      return STEP.PPP
    default:
      // Below 0x0600 it is the length of an IEEE 802.3 frame.
      return type < 0x0600 ? STEP.LLC : STEP.END
  }
}

const OF_PROTOCOL = new Uint8Array(256)
for (const [protocol, step] of [
  [IP_PROTOCOL.HOP_BY_HOP, STEP.HOP_BY_HOP],
  [IP_PROTOCOL.ICMP, STEP.ICMPV4],
  [IP_PROTOCOL.IGMP, STEP.IGMP],
  [IP_PROTOCOL.IPV4, STEP.IPV4],
  [IP_PROTOCOL.TCP, STEP.TCP],
  [IP_PROTOCOL.UDP, STEP.UDP],
  [IP_PROTOCOL.RUDP, STEP.RUDP],
  [IP_PROTOCOL.IPV6, STEP.IPV6],
  [IP_PROTOCOL.ROUTING, STEP.ROUTING],
  [IP_PROTOCOL.FRAGMENT, STEP.FRAGMENT],
  [IP_PROTOCOL.GRE, STEP.GRE],
  [IP_PROTOCOL.ESP, STEP.ESP],
  [IP_PROTOCOL.AH, STEP.AH],
  [IP_PROTOCOL.ICMPV6, STEP.ICMPV6],
  [IP_PROTOCOL.DESTINATION_OPTIONS, STEP.DESTINATION_OPTIONS],
  [IP_PROTOCOL.OSPF, STEP.OSPF],
  [IP_PROTOCOL.IPIP, STEP.IPV4],
  [IP_PROTOCOL.ETHERIP, STEP.ETHERIP],
  [IP_PROTOCOL.VRRP, STEP.VRRP],
  [IP_PROTOCOL.SCTP, STEP.SCTP],
  [IP_PROTOCOL.UDP_LITE, STEP.UDP_LITE],
  [IP_PROTOCOL.MPLS, STEP.MPLS],
] as const)
  OF_PROTOCOL[protocol] = step

/** The step for an IP protocol number (a byte). */
export function stepOfProtocol(protocol: number): number {
  return OF_PROTOCOL[protocol]!
}

/** The step for a PPP protocol number (RFC 1332, 5072, 3032). */
export function stepOfPpp(protocol: number): number {
  switch (protocol) {
    case 0x0021:
      return STEP.IPV4
    case 0x0057:
      return STEP.IPV6
    case 0x0281:
    case 0x0283:
      return STEP.MPLS
    default:
      return STEP.END
  }
}

/** The step that the first nibble asks for, as rule 9 of spec flows 1.5 says; `otherwise` when it is no version of IP. */
export function stepOfNibble(nibble: number, otherwise: number): number {
  return nibble === 4 ? STEP.IPV4 : nibble === 6 ? STEP.IPV6 : otherwise
}
