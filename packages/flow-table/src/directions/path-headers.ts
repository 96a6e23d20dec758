import { IP_PROTOCOL, type LayerName, type LayerPaths } from '@skydive/packet'

/** Bytes of the headers before the IP header, by layer: what exporters count begins with IP. */
const LINK_BYTES: Readonly<Partial<Record<LayerName, number>>> = { Ethernet: 14, Dot1Q: 4, LLC: 3, SNAP: 5, PPPoE: 6, PPP: 2 }

/** Protocols without ports, by the name of their layer. */
const PROTOCOLS: Readonly<Partial<Record<LayerName, number>>> = {
  IPv4: IP_PROTOCOL.IPV4,
  IPv6: IP_PROTOCOL.IPV6,
  GRE: IP_PROTOCOL.GRE,
  IPSecESP: IP_PROTOCOL.ESP,
  IPSecAH: IP_PROTOCOL.AH,
  IGMP: IP_PROTOCOL.IGMP,
  OSPF: IP_PROTOCOL.OSPF,
  VRRP: IP_PROTOCOL.VRRP,
  EtherIP: IP_PROTOCOL.ETHERIP,
  UDPLite: IP_PROTOCOL.UDP_LITE,
  RUDP: IP_PROTOCOL.RUDP,
  MPLS: IP_PROTOCOL.MPLS,
  ICMPv4: IP_PROTOCOL.ICMP,
  ICMPv6: IP_PROTOCOL.ICMPV6,
}
/** Reserved by IANA: the flow does not tell what it is. */
const PROTOCOL_UNKNOWN = 255

/** What the headers of all flows of one path of layers have in common. */
export interface PathHeaders {
  /** What lies before the IP header of each packet. */
  readonly linkBytes: number
  /** Of the IP header, where there are no ports. */
  readonly protocol: number
}

/** Reads a path once: there are few, and many flows of each. */
export class PathHeadersCache {
  readonly #paths: LayerPaths
  readonly #known: PathHeaders[] = []

  constructor(paths: LayerPaths) {
    this.#paths = paths
  }

  /** Of the path with this number. */
  of(path: number): PathHeaders {
    return this.#known[path] ?? this.#read(path)
  }

  #read(path: number): PathHeaders {
    const layers = this.#paths.text(path).split('/') as LayerName[]
    const ip = layers.findIndex((name) => name === 'IPv4' || name === 'IPv6')
    const link = ip < 0 ? layers : layers.slice(0, ip)
    const linkBytes = link.reduce((bytes, name) => bytes + (LINK_BYTES[name] ?? 0), 0)
    const carried = layers.slice(ip + 1).find((name) => PROTOCOLS[name] !== undefined)
    const headers = { linkBytes, protocol: (carried && PROTOCOLS[carried]) ?? PROTOCOL_UNKNOWN }
    this.#known[path] = headers
    return headers
  }
}
