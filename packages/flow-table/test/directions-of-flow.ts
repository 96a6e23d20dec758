// Records of each direction from the objects of flows, as simply as can be: what those straight from the columns are held against.
import { type Flow, type FlowProtocol, ICMP_TYPES, type TcpMetric } from '@skydive/contracts'
import { IP_PROTOCOL, type LayerPaths, parseIpv4, parseIpv6, parseMac } from '@skydive/packet'
import { ExportedFlow, FLOW_END } from '@skydive/packet/netflow'
import { icmpNumbers } from '../src/directions/icmp-numbers.ts'
import { type PathHeaders, PathHeadersCache } from '../src/directions/path-headers.ts'

const TRANSPORTS: Readonly<Partial<Record<FlowProtocol, number>>> = {
  TCP: IP_PROTOCOL.TCP,
  UDP: IP_PROTOCOL.UDP,
  SCTP: IP_PROTOCOL.SCTP,
}

const FIN = 1
const SYN = 2
const RST = 4
const VLAN_IDS = 4096
const FINISH_TIMEOUT = 1

/** Takes a record of one direction; it is filled anew for the next one. */
export type DirectionVisitor = (record: ExportedFlow) => void

/** Flows to records of exporters, which tell of one direction each. */
export class DirectionsOfFlow {
  readonly #record = new ExportedFlow()

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
    const { linkBytes, protocol } = headersOf(flow.LayersPath ?? flow.Application)
    record.protocol = (transport && TRANSPORTS[transport.Protocol]) ?? (flow.ICMP ? icmpProtocol(record.ipVersion) : protocol)
    record.endReason = endReason
    // What came since the last report lies between it and the last packet.
    record.lastMs = flow.Last
    record.startMs = Math.min(flow.Last, Math.max(flow.Start, update?.Start ?? 0))
    record.vlanId = (link?.ID ?? 0) % VLAN_IDS
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

/** Flows of collectors have a name of their protocol alone, such as `GRE`, or `IP-46`; their bytes begin with IP. */
function headersOf(path = ''): PathHeaders {
  const number = /^IP-(\d+)$/.exec(path)
  if (number) return { linkBytes: 0, protocol: Number(number[1]) }
  return new PathHeadersCache({ text: () => path } as unknown as LayerPaths).of(0)
}

function icmpTypesOf({ ICMP: icmp, Network: network }: Flow): readonly [number, number] {
  return icmp ? icmpNumbers(network?.Protocol === 'IPV4' ? 4 : 6, ICMP_TYPES.indexOf(icmp.Type)) : [0, 0]
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
