import type { MetadataObject } from './element.ts'
import type { Detection } from './probe.ts'

/** Counters of a capture source since it was opened, as the kernel or the peer tells them. */
export interface CaptureStats {
  readonly packetsReceived: number
  /** For want of room in the kernel. */
  readonly packetsDropped: number
  /** By the interface, before the source could see them and whatever its filter. Never less than before; 0 where nobody tells. */
  readonly packetsIfDropped: number
}

/**
 * How the packets lie in a block:
 * - `tpacket-v3`: a `tpacket_block_desc` of a TPACKET_V3 ring (linux/if_packet.h), host byte order. With `tellsInterfaces` the eight bytes before
 *   each packet, which are padding of its header else, are two words: ifIndex of the exporter's interfaces that the packet came in by and goes out
 *   by; 0 when it does not tell;
 * - `pcap`: whole records of a pcap file without its header; `littleEndian` and `nanoseconds` as its magic says.
 */
export type PacketBlockLayout =
  | { readonly format: 'tpacket-v3'; readonly tellsInterfaces?: true }
  | { readonly format: 'pcap'; readonly littleEndian: boolean; readonly nanoseconds: boolean }

/**
 * Consumes a block in place. The bytes are valid only until it returns: nothing may keep the buffer. It must not throw.
 *
 * `samplingRate` is how many packets of the wire each packet of the block stands for: counters grow by so many packets and so many times
 * its length. A whole number from 1; absent: 1, which is every packet.
 *
 * `linkType` is that of the block where it is not the one of the source's format, as when the source takes streams of several kinds.
 *
 * `exporter` is the address of who sampled the packets, as text, of a source that {@link PacketSource.tellsExporters}.
 */
export type PacketBlockSink = (
  buffer: Uint8Array,
  offset: number,
  byteLength: number,
  samplingRate?: number,
  linkType?: number,
  exporter?: string,
) => void

/** What a table or test needs to know of packets before the first block. */
export interface PacketFormat {
  readonly layout: PacketBlockLayout
  readonly linkType: number
}

/**
 * What a source tells of itself for the captured node, besides its counters. Both are there while the capture runs and are asked for
 * again in the period of the counters.
 */
export interface CaptureDescription {
  /** Members of the capture's element of `Captures`: `{ SFlowSocket: '127.0.0.1:6343' }`. */
  readonly capture?: MetadataObject
  /** Keys of the node: `{ SFlow: { IfMetrics: … } }`. Taken away with the capture. */
  readonly node?: MetadataObject
}

/**
 * A source that hands over blocks of packets. Lives in the capture worker. `poll` drains what is ready and returns the number of
 * packets; it never blocks, and throws when nothing will ever come again. `readyFd` becomes readable when there is something to poll; it is polled
 * besides whenever its figures are asked for, by default every second.
 */
export interface PacketSource {
  readonly kind: 'packets'
  readonly format: PacketFormat
  readonly readyFd: number
  /** How long packets may lie in the source before {@link poll} can see them, ms: whoever ends a capture waits for them. Absent: 0. */
  readonly holdsBackMs?: number
  /** What the operator should know of how it was opened, in a sentence, such as that there was not the memory that was wanted. */
  readonly warning?: string
  /** Its packets were seen elsewhere, and each block says by whom: flows of several are kept apart. All blocks are of its format's link type. */
  readonly tellsExporters?: true
  /**
   * Of a source that spreads its packets over several ({@link CaptureTarget.spread}): for each of the others the options by which `open` of
   * its module gives it, in another thread of this process, as long as this one is open. Packets wait for them meanwhile.
   */
  readonly members?: readonly unknown[]
  /** Takes no more packets from now on, neither here nor at the members; those that were taken stay to be polled. */
  halt?(): void
  poll(sink: PacketBlockSink): number
  stats(): CaptureStats
  describe?(): CaptureDescription
  close(): void
}

/**
 * What one record of a source that counts by itself says of a flow (spec flows 2.6). A source has one such object and fills it anew for
 * each record: numbers, and text that is there already, so that a record costs no memory. Copy what must stay.
 */
export interface FlowRecord {
  /** Who counted: an exporter, or 0. Flows of different observers are kept apart. Numbers are not used for another one later. */
  readonly observer: number
  /** The address of the exporter as text, such as `10.0.0.9`; empty when nobody else counted. The same text for the same observer. */
  readonly exporterAddress: string
  /** ifIndex of the exporter's interfaces that the packets came in by and went out by; 0 when it does not tell. */
  readonly inputIndex: number
  readonly outputIndex: number
  /** Counted where packets leave the exporter. Of the two tellings that such an exporter makes of one packet, a flow counts one. */
  readonly isEgress: boolean
  /** 4 or 6. */
  readonly ipVersion: number
  /** Source in the words 0 to 3, destination in 4 to 7, as the network writes them; IPv4 addresses in the words 0 and 4. */
  readonly addresses: Int32Array
  /** Of the IP header: 6 TCP, 17 UDP. */
  readonly protocol: number
  readonly sourcePort: number
  readonly destinationPort: number
  /** Of ICMP of either version, as on the wire. */
  readonly icmpType: number
  readonly icmpCode: number
  /** From source to destination, with sampling rates applied. */
  readonly packets: number
  readonly bytes: number
  /** The other way round, where one record tells of both. */
  readonly reversePackets: number
  readonly reverseBytes: number
  /** The counters are those since the flow began (*replace*) instead of those since the record before (*update*). */
  readonly isTotal: boolean
  /** First and last packet, ms since the epoch. */
  readonly startMs: number
  readonly lastMs: number
  /** Flags of all segments, ORed: FIN 1, SYN 2, RST 4; 0 when the source does not tell. */
  readonly tcpFlags: number
  /** The MAC addresses as numbers of 48 bits, 0 when the source does not tell, and the VLAN. */
  readonly sourceMac: number
  readonly destinationMac: number
  readonly vlanId: number
}

/** Consumes a record before it returns; answers whether it was counted in a flow, for whoever counts those that were not. It must not throw. */
export type FlowRecordSink = (record: FlowRecord) => boolean

/**
 * A source of ready counters: NetFlow, IPFIX, eBPF. Lives in the capture worker. `poll` drains what is ready and returns the number of
 * records; it never blocks, and throws when nothing will ever come again. Each of `readyFds` becomes readable when there is something to poll; it is
 * polled besides whenever its figures are asked for, by default every second.
 */
export interface RecordSource {
  readonly kind: 'records'
  readonly readyFds: readonly number[]
  poll(sink: FlowRecordSink): number
  /** Counts records where a source of packets counts packets. */
  stats(): CaptureStats
  describe?(): CaptureDescription
  close(): void
}

export type CaptureSource = PacketSource | RecordSource

/** What every source is told. Plain data: it crosses a thread. `netns` is a path such as `/var/run/netns/x`; absent: the host's. */
export interface CaptureTarget {
  readonly interfaceName: string
  readonly ifindex: number
  readonly netns?: string
  /** libpcap expression of the user; empty: everything. */
  readonly bpfFilter: string
  /** Bytes kept of a packet. */
  readonly snapLength: number
  /** Port that the user fixed for a source that listens; absent: the source's own choice. */
  readonly port?: number
  /** IPv4 addresses of the node without prefix length: where a source listens that belongs to it. Absent: none is known. */
  readonly addresses?: readonly string[]
  /**
   * Own connections that must not be captured: the other ends of the agent's links, and where a capture sends to. Port 0: everything
   * that is exchanged with the address. With `protocol`, everything of that IP protocol, whatever the port.
   */
  readonly excludePeers: readonly { readonly address: string; readonly port: number; readonly protocol?: number }[]
  /** Wish to have the packets from several sources; one that can't spread them is one all the same. Absent: one. */
  readonly spread?: CaptureSpread
}

/** How packets are spread over several sources: all of a flow, in both directions, and of what it carries, come to the same one. */
export interface CaptureSpread {
  /** How many. */
  readonly sources: number
  /** Also fragments come to where their flow is. */
  readonly keepFragments: boolean
  /** UDP ports that carry tunnels, besides those that always do. */
  readonly tunnelUdpPorts: readonly number[]
}

/**
 * What the module of a source exports as `captureSource`. It is loaded by name inside the capture worker.
 * `open` throws `ERR_INVALID_ARGUMENT` for a bad BPF expression, `ERR_NOT_FOUND` for a missing interface, `ERR_PERMISSION`. It enters what it opens
 * into the `ledger` of its thread, when it is given one (`KernelOptions.ledger` of `@skydive/kernel`).
 */
export interface CaptureSourceModule<Options = unknown> {
  readonly name: string
  detect(): Promise<Detection>
  open(target: CaptureTarget, options?: Options, ledger?: SharedArrayBuffer): CaptureSource
}
