import type { Detection } from './probe.ts'

/** Counters of a capture source since it was opened, as the kernel or the peer tells them. */
export interface CaptureStats {
  readonly packetsReceived: number
  readonly packetsDropped: number
  readonly packetsIfDropped: number
}

/**
 * How the packets lie in a block:
 * - `tpacket-v3`: a `tpacket_block_desc` of a TPACKET_V3 ring (linux/if_packet.h), host byte order;
 * - `pcap`: whole records of a pcap file without its header; `littleEndian` and `nanoseconds` as its magic says.
 */
export type PacketBlockLayout =
  | { readonly format: 'tpacket-v3' }
  | { readonly format: 'pcap'; readonly littleEndian: boolean; readonly nanoseconds: boolean }

/**
 * Consumes a block in place. The bytes are valid only until it returns: nothing may keep the buffer.
 * `linkType` is a pcap link type (1 Ethernet, 101 raw IP). It must not throw.
 */
export type PacketBlockSink = (buffer: Uint8Array, offset: number, byteLength: number) => void

/** What a table or test needs to know of packets before the first block. */
export interface PacketFormat {
  readonly layout: PacketBlockLayout
  readonly linkType: number
}

/**
 * A source that hands over blocks of packets. Lives in the capture worker. `poll` drains what is ready and returns the number of
 * packets; it never blocks. `readyFd` becomes readable when there is something to poll.
 */
export interface PacketSource {
  readonly kind: 'packets'
  readonly format: PacketFormat
  readonly readyFd: number
  poll(sink: PacketBlockSink): number
  stats(): CaptureStats
  close(): void
}

/** One operation of a source that counts by itself (spec flows 2.6). `key` is stable for a flow of that source. */
export type FlowOperation =
  | { readonly op: 'replace'; readonly key: string; readonly flow: import('./flow.ts').Flow }
  | { readonly op: 'update'; readonly key: string; readonly delta: import('./flow.ts').FlowMetric }

/** A source of ready counters: NetFlow, IPFIX, eBPF. Operations are handed over in batches; it must not throw after `open`. */
export interface RecordSource {
  readonly kind: 'records'
  start(sink: (operations: readonly FlowOperation[]) => void): void
  stats(): CaptureStats
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
  /** Own connections that must not be captured: the other ends of the agent's links. */
  readonly excludePeers: readonly { readonly address: string; readonly port: number }[]
}

/**
 * What the module of a source exports as `captureSource`. It is loaded by name inside the capture worker.
 * `open` throws `ERR_INVALID_ARGUMENT` for a bad BPF expression, `ERR_NOT_FOUND` for a missing interface, `ERR_PERMISSION`.
 */
export interface CaptureSourceModule<Options = unknown> {
  readonly name: string
  detect(): Promise<Detection>
  open(target: CaptureTarget, options?: Options): CaptureSource
}
