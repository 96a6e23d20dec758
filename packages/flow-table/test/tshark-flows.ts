// What tables make of packets beside what they should by tshark's dissection.
import type { Flow } from '@skydive/contracts'
import { encodePcap, LINK_TYPE } from '@skydive/packet'
import { createFlowTable, type FlowTableOptions } from '../src/index.ts'
import { type ExpectedSequence, sequencesOf, type TsharkPacket } from './tshark.ts'

const PCAP_HEADER_BYTES = 24
const T0 = 1_700_000_000_000

/** The flows of the packets of a capture, a millisecond apart. */
export function flowsOf(
  packets: readonly Uint8Array[],
  options: FlowTableOptions = {},
  linkType: number = LINK_TYPE.ETHERNET,
): readonly Flow[] {
  const table = createFlowTable(options)
  const file = encodePcap(packets.map((data, i) => ({ timeMs: T0 + i, data })))
  const layout = { format: 'pcap' as const, littleEndian: true, nanoseconds: false }
  table.consumer({ layout, linkType })(file, PCAP_HEADER_BYTES, file.length - PCAP_HEADER_BYTES)
  return [...table.snapshot()].flat()
}

/** A flow of one packet as {@link ExpectedSequence} has it. */
export function shapeOf({ LayersPath, Link, Network, Transport, ICMP }: Flow) {
  return {
    path: LayersPath,
    link: Link && [Link.A, Link.B, Link.ID],
    network: Network && [Network.A, Network.B],
    tunnelId: Network?.ID ?? 0,
    transport: Transport && [Transport.Protocol, Transport.A, Transport.B],
    icmpId: ICMP && (ICMP.ID ?? 0),
  }
}

/** What makes two packets one flow, without their direction. */
function identity({ link, keyAddresses, keyPorts, icmpId }: ExpectedSequence, parent: string): string {
  const side = (i: 0 | 1) => [link?.[i], keyAddresses?.[i], typeof keyPorts === 'object' ? keyPorts[i] : undefined].join(' ')
  return [parent, ...[side(0), side(1)].sort(), typeof keyPorts === 'number' ? keyPorts : '', icmpId ?? ''].join(' > ')
}

/** A sequence as {@link shapeOf} shows the flow of it. */
export function expectedShape({ keyPorts: _ports, keyAddresses: _addresses, ...shape }: ExpectedSequence) {
  return shape
}

/** Flows as {@link expectedFlows} has them. */
export function countedFlows(flows: readonly Flow[]): readonly unknown[] {
  return flows.map(({ LayersPath, ParentUUID, Metric }) => [
    LayersPath,
    Metric!.ABPackets,
    Metric!.BAPackets,
    ...(ParentUUID === '' ? [Metric!.ABBytes, Metric!.BABytes] : []),
  ])
}

const IPV6_HEADER_BYTES = 40

/** What a packet counts: the frame, or without a link layer that is told what the IP header says (spec flows 1.7). */
function bytesOf(packet: TsharkPacket): number {
  const { link, network } = sequencesOf(packet)[0]!
  if (link || !network) return Number(packet.get('frame.len')![0])
  const isIpv4 = packet.get('ip.src')![0] === network[0]
  return isIpv4 ? Number(packet.get('ip.len')![0]) : Number(packet.get('ipv6.plen')![0]) + IPV6_HEADER_BYTES
}

/** The flows that the packets of one capture make, by tshark's dissection: path, packets of both directions, bytes of outermost flows. */
export function expectedFlows(packets: readonly TsharkPacket[]): readonly unknown[] {
  const flows = new Map<
    string,
    { path: string; from: string; counts: [number, number]; bytes: [number, number]; isOuter: boolean }
  >()
  for (const packet of packets) {
    let parent = ''
    for (const [depth, sequence] of sequencesOf(packet).entries()) {
      const own = identity(sequence, parent)
      const from = [
        sequence.link?.[0],
        sequence.keyAddresses?.[0],
        typeof sequence.keyPorts === 'object' ? sequence.keyPorts[0] : '',
      ].join()
      const flow = flows.get(own) ?? { path: sequence.path, from, counts: [0, 0], bytes: [0, 0], isOuter: depth === 0 }
      const side = flow.from === from ? 0 : 1
      flow.counts[side]++
      flow.bytes[side] += bytesOf(packet)
      flows.set(own, flow)
      parent = own
    }
  }
  return [...flows.values()].map(({ path, counts, bytes, isOuter }) => [path, ...counts, ...(isOuter ? bytes : [])])
}
