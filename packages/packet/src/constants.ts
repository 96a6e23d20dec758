/** EtherTypes (IEEE registration authority; RFC 7042 appendix B). */
export const ETHERTYPE = {
  IPV4: 0x0800,
  ARP: 0x0806,
  TRANSPARENT_ETHERNET: 0x6558,
  PPP: 0x880b,
  DOT1Q: 0x8100,
  IPV6: 0x86dd,
  PPPOE_DISCOVERY: 0x8863,
  PPPOE_SESSION: 0x8864,
  MPLS_UNICAST: 0x8847,
  MPLS_MULTICAST: 0x8848,
  EAPOL: 0x888e,
  DOT1AD: 0x88a8,
  ERSPAN: 0x88be,
  ERSPAN_III: 0x22eb,
  LLDP: 0x88cc,
  CONFIGURATION_TEST: 0x9000,
} as const

/** IP protocol numbers (IANA "Assigned Internet Protocol Numbers"). */
export const IP_PROTOCOL = {
  HOP_BY_HOP: 0,
  ICMP: 1,
  IGMP: 2,
  IPV4: 4,
  TCP: 6,
  UDP: 17,
  RUDP: 27,
  IPV6: 41,
  ROUTING: 43,
  FRAGMENT: 44,
  GRE: 47,
  ESP: 50,
  AH: 51,
  ICMPV6: 58,
  NO_NEXT_HEADER: 59,
  DESTINATION_OPTIONS: 60,
  OSPF: 89,
  IPIP: 94,
  ETHERIP: 97,
  VRRP: 112,
  SCTP: 132,
  UDP_LITE: 136,
  MPLS: 137,
} as const

/** Link types of capture files (https://www.tcpdump.org/linktypes.html). 12 and 14 are the BSD spellings of raw IP. */
export const LINK_TYPE = {
  NULL: 0,
  ETHERNET: 1,
  PPP: 9,
  RAW_BSD: 12,
  RAW_OPENBSD: 14,
  PPP_HDLC: 50,
  PPP_ETHER: 51,
  RAW: 101,
  LOOP: 108,
  LINUX_SLL: 113,
  IPV4: 228,
  IPV6: 229,
  LINUX_SLL2: 276,
} as const

/** TCP flags (RFC 9293 section 3.1), as they lie in byte 13 of the header. */
export const TCP_FLAG = { FIN: 0x01, SYN: 0x02, RST: 0x04, PSH: 0x08, ACK: 0x10 } as const

/** UDP ports whose payload is a tunnel (IANA; 8472 is the port that Linux takes for VXLAN unless it is told another one). */
export const TUNNEL_PORT = { GTP_U: 2152, VXLAN: 4789, GENEVE: 6081, VXLAN_LINUX: 8472 } as const
