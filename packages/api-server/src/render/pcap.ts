import type { RawPacket } from '@skydive/contracts'
import { encodePcap, encodePcapng, LINK_TYPE } from '@skydive/packet'

/** Packets as a file, and what the file lacks. */
export interface PacketFile {
  readonly bytes: Uint8Array
  /** `linktype.228=3`: three packets of link type 228 are not in it. Empty when all are. */
  readonly leftOut: readonly string[]
}

/** Packets of any link types as a pcapng file, in the order of their time. Without packets it is empty, as that of {@link renderPcap}. */
export function renderPcapng(packets: readonly RawPacket[]): PacketFile {
  const bytes = packets.length === 0 ? new Uint8Array(0) : encodePcapng(inOrder(packets))
  return { bytes, leftOut: [] }
}

/**
 * A pcap file (little endian, microseconds) of kept packets in the order of their time. A file has one link type: Ethernet where there is such a packet, as
 * the original has it, or else that of the first one; packets of others are left out. Without packets the file is empty (spec platform 1.5).
 */
export function renderPcap(packets: readonly RawPacket[]): PacketFile {
  const [first] = packets
  if (!first) return { bytes: new Uint8Array(0), leftOut: [] }
  const linkType = packets.some((packet) => packet.LinkType === LINK_TYPE.ETHERNET) ? LINK_TYPE.ETHERNET : first.LinkType
  const others = new Map<number, number>()
  for (const { LinkType: other } of packets) if (other !== linkType) others.set(other, (others.get(other) ?? 0) + 1)
  const chosen = inOrder(packets).filter((packet) => packet.linkType === linkType)
  const leftOut = [...others].sort(([a], [b]) => a - b).map(([other, count]) => `linktype.${other}=${count}`)
  return { bytes: encodePcap(chosen, linkType), leftOut }
}

function inOrder(packets: readonly RawPacket[]) {
  return packets
    .map(({ Timestamp, LinkType, Data }) => ({ timeMs: Timestamp, linkType: LinkType, data: Data }))
    .sort((a, b) => a.timeMs - b.timeMs)
}
