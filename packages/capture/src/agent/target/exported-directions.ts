import type { Flow, FlowProtocol, IcmpType, TcpMetric } from '@skydive/contracts'
import { IP_PROTOCOL, type LayerName, parseIpv4, parseIpv6, parseMac } from '@skydive/packet'
import { ExportedFlow, FLOW_END } from '@skydive/packet/netflow'

/** Bytes of the headers before the IP header, by layer: what exporters count begins with IP. */
const LINK_BYTES: Readonly<Partial<Record<LayerName, number>>> = { Ethernet: 14, Dot1Q: 4, LLC: 3, SNAP: 5, PPPoE: 6, PPP: 2 }

const TRANSPORTS: Readonly<Partial<Record<FlowProtocol, number>>> = {
  TCP: IP_PROTOCOL.TCP,
  UDP: IP_PROTOCOL.UDP,
  SCTP: IP_PROTOCOL.SCTP,
}

/** Protocols without ports, by the name of their layer. */
const LAYERS: Readonly<Partial<Record<LayerName, number>>> = {
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

/** ICMP types by class: of end A, then of end B, which answers. A flow keeps the class alone (spec flows 1.15). */
const ICMP_V4: Readonly<Partial<Record<IcmpType, readonly [number, number]>>> = {
  DESTINATION_UNREACHABLE: [3, 3],
  ECHO: [8, 0],
  ADDRESS_MASK: [17, 18],
  INFO: [15, 16],
  PARAMETER_PROBLEM: [12, 12],
  REDIRECT: [5, 5],
  ROUTER: [10, 9],
  SOURCE_QUENCH: [4, 4],
  TIME_EXCEEDED: [11, 11],
  TIMESTAMP: [13, 14],
}
const ICMP_V6: Readonly<Partial<Record<IcmpType, readonly [number, number]>>> = {
  DESTINATION_UNREACHABLE: [1, 1],
  PACKET_TOO_BIG: [2, 2],
  TIME_EXCEEDED: [3, 3],
  PARAMETER_PROBLEM: [4, 4],
  ECHO: [128, 129],
  ROUTER: [133, 134],
  NEIGHBOR: [135, 136],
  REDIRECT: [137, 137],
}
/** For experiments (RFC 4443): no class is known. */
const ICMP_UNKNOWN: readonly [number, number] = [255, 255]

const FIN = 1
const SYN = 2
const RST = 4
const VLAN_MASK = 0xfff
const FINISH_TIMEOUT = 1

/** What all flows of one path of layers have in common. */
interface PathFacts {
  readonly linkBytes: number
  /** Of flows without ports. */
  readonly protocol: number
}
const MAX_PATHS = 1024

/** Takes a record of one direction; it is filled anew for the next one. */
export type DirectionVisitor = (record: ExportedFlow) => void

/** Flows to records of exporters, which tell of one direction each. Pure; a flow costs little more than its texts are read. */
export class ExportedDirections {
  readonly #record = new ExportedFlow()
  readonly #paths = new Map<string, PathFacts>()

  /**
   * Visits the directions of a flow that had packets since its last report; answers false for a flow without IP, of which records can't
   * tell.
   */
  visit(flow: Flow, visit: DirectionVisitor, endReason = endReasonOf(flow)): boolean {
    const record = this.#record
    if (!this.#setAddresses(flow)) return false
    const { Metric: total, LastUpdateMetric: update, Link: link, Transport: transport } = flow
    const metric = update ?? total
    if (!metric) return true
    const { linkBytes, protocol } = this.#factsOf(flow.LayersPath ?? flow.Application)
    record.protocol = (transport && TRANSPORTS[transport.Protocol]) ?? (flow.ICMP ? icmpProtocol(record.ipVersion) : protocol)
    record.endReason = endReason
    // What came since the last report lies between it and the last packet.
    record.lastMs = flow.Last
    record.startMs = Math.min(flow.Last, Math.max(flow.Start, update?.Start ?? 0))
    record.vlanId = (link?.ID ?? 0) % (VLAN_MASK + 1)
    const types = icmpTypesOf(flow)
    record.icmpCode = flow.ICMP?.Code ?? 0
    const [macA, macB] = [parseMac(link?.A ?? ''), parseMac(link?.B ?? '')]
    const [portA, portB] = [transport?.A ?? 0, transport?.B ?? 0]

    if (metric.ABPackets > 0) {
      this.#setEnds(macA, macB, portA, portB)
      this.#count(metric.ABPackets, metric.ABBytes, linkBytes)
      record.icmpType = types[0]
      record.tcpFlags = flagsOf(flow.TCPMetric, 'AB')
      visit(record)
    }
    if (metric.BAPackets > 0) {
      this.#swapAddresses()
      this.#setEnds(macB, macA, portB, portA)
      this.#count(metric.BAPackets, metric.BABytes, linkBytes)
      record.icmpType = types[1]
      record.tcpFlags = flagsOf(flow.TCPMetric, 'BA')
      visit(record)
    }
    return true
  }

  /** There are few paths, and many flows of each. Flows of collectors have none, and their bytes begin with IP: the protocol is told. */
  #factsOf(path = ''): PathFacts {
    let facts = this.#paths.get(path)
    if (!facts) {
      if (this.#paths.size >= MAX_PATHS) this.#paths.clear()
      facts = { linkBytes: linkBytesOf(path), protocol: protocolOf(path) }
      this.#paths.set(path, facts)
    }
    return facts
  }

  #setAddresses({ Network: network }: Flow): boolean {
    const { addresses } = this.#record
    addresses.fill(0)
    if (network?.Protocol === 'IPV4') {
      const [a, b] = [parseIpv4(network.A ?? ''), parseIpv4(network.B ?? '')]
      if (a === undefined || b === undefined) return false
      addresses[0] = a
      addresses[4] = b
      this.#record.ipVersion = 4
      return true
    }
    const [a, b] = [parseIpv6(network?.A ?? ''), parseIpv6(network?.B ?? '')]
    if (a === undefined || b === undefined) return false
    addresses.set(a, 0)
    addresses.set(b, 4)
    this.#record.ipVersion = 6
    return true
  }

  #swapAddresses(): void {
    const { addresses } = this.#record
    for (let word = 0; word < 4; word++) {
      const source = addresses[word]!
      addresses[word] = addresses[4 + word]!
      addresses[4 + word] = source
    }
  }

  #setEnds(sourceMac: number, destinationMac: number, sourcePort: number, destinationPort: number): void {
    const record = this.#record
    record.sourceMac = sourceMac
    record.destinationMac = destinationMac
    record.sourcePort = sourcePort
    record.destinationPort = destinationPort
  }

  #count(packets: number, bytes: number, linkBytes: number): void {
    this.#record.packets = packets
    this.#record.bytes = Math.max(0, bytes - packets * linkBytes)
  }
}

/** Why a flow is told of now. */
function endReasonOf({ FinishType: finish }: Flow): number {
  if (finish === undefined) return FLOW_END.ACTIVE
  return finish === FINISH_TIMEOUT ? FLOW_END.IDLE : FLOW_END.END_SEEN
}

function icmpProtocol(ipVersion: number): number {
  return ipVersion === 4 ? IP_PROTOCOL.ICMP : IP_PROTOCOL.ICMPV6
}

/** The protocol that the IP header of a path of layers tells, or the only layer: `GRE`, or `IP-46` for one without a name. */
function protocolOf(path: string): number {
  const number = /^IP-(\d+)$/.exec(path)
  if (number) return Number(number[1])
  const layers = path.split('/') as LayerName[]
  const first = layers.findIndex((name) => name === 'IPv4' || name === 'IPv6')
  for (const name of layers.slice(first + 1)) {
    const protocol = LAYERS[name]
    if (protocol !== undefined) return protocol
  }
  return PROTOCOL_UNKNOWN
}

/** What lies before the IP header of each packet. */
function linkBytesOf(path: string): number {
  let bytes = 0
  for (const name of path.split('/') as LayerName[]) {
    if (name === 'IPv4' || name === 'IPv6') break
    bytes += LINK_BYTES[name] ?? 0
  }
  return bytes
}

function icmpTypesOf({ ICMP: icmp, Network: network }: Flow): readonly [number, number] {
  if (!icmp) return [0, 0]
  return (network?.Protocol === 'IPV4' ? ICMP_V4 : ICMP_V6)[icmp.Type] ?? ICMP_UNKNOWN
}

/** The flags of which the flow knows when they were seen, with `ExtraTCPMetric`. */
function flagsOf(metric: TcpMetric | undefined, side: 'AB' | 'BA'): number {
  if (!metric) return 0
  return (
    (metric[`${side}SynStart`] > 0 ? SYN : 0) |
    (metric[`${side}FinStart`] > 0 ? FIN : 0) |
    (metric[`${side}RstStart`] > 0 ? RST : 0)
  )
}
