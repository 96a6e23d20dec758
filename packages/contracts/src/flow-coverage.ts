/**
 * One capture on one node, from its beginning to its end.
 *
 * Shape: `{ captureId: '4a1b…', captureName: 'web', nodeId: '7c…', nodeTid: '0d…', nodeName: 'eth0', host: 'alpha', type: 'afpacket',
 * filter: 'port 80', samplingRate: 1, fromMs: 1000, packetsReceived: 12, packetsDropped: 0 }`.
 */
export interface CaptureSpan {
  readonly captureId: string
  /** Empty when the capture has none. */
  readonly captureName: string
  readonly nodeId: string
  readonly nodeTid: string
  readonly nodeName: string
  readonly host: string
  /** Of the source, such as `afpacket`; empty when the capture named none and the agent chose. */
  readonly type: string
  /** The packet filter; empty: all packets. */
  readonly filter: string
  /** One packet in so many; 1: every one. */
  readonly samplingRate: number
  /** ms since the epoch. */
  readonly fromMs: number
  /** Absent while it runs. */
  readonly toMs?: number
  readonly packetsReceived: number
  /** By the kernel, for want of room. */
  readonly packetsDropped: number
  /** By the interface since the capture began, whatever the filter. Absent when whoever told of the capture did not tell of them. */
  readonly packetsIfDropped?: number
  /** Why it ended, when it failed. */
  readonly error?: string
}

/** Every {@link FlowLossCause}, in the order in which a packet comes by them. */
export const FLOW_LOSS_CAUSES = ['interface', 'kernel', 'table', 'link', 'store'] as const

/**
 * Where something was lost: `interface` packets that the interface dropped before a capture could see them; `kernel` packets that did not fit into the
 * ring; `table` flows that a full flow table gave up; `link` flows that an agent could not send; `store` flows that the store did not take.
 *
 * What an interface dropped is lost like the rest, though no capture ever had it: it was on the wire, and an answer without it is not complete.
 * Nobody knows what those packets were. So they count whatever the filter of the capture, which may have wanted only some of them or none, and once
 * for each capture of the interface: at most so many are missing.
 */
export type FlowLossCause = (typeof FLOW_LOSS_CAUSES)[number]

/** Something that was lost between two times, ms since the epoch. `packets` counts packets, `flows` reports of flows. */
export interface FlowLoss {
  readonly cause: FlowLossCause
  readonly host: string
  /** Absent when it is not known of which capture. */
  readonly captureId?: string
  readonly fromMs: number
  readonly toMs: number
  readonly packets: number
  readonly flows: number
}

/** What was watched between two times, and what of it was lost. Spans are in the order of their beginning, losses in that of their end. */
export interface FlowCoverage {
  readonly fromMs: number
  readonly toMs: number
  /** Before this nothing is known; absent when the whole window is. */
  readonly knownFromMs?: number
  readonly spans: readonly CaptureSpan[]
  readonly losses: readonly FlowLoss[]
}

/** How far an answer about flows can be trusted, in short. */
export interface FlowCoverageSummary {
  /** Something was watched at every moment of the window, and nothing was lost. */
  readonly complete: boolean
  readonly lostPackets: number
  readonly lostFlows: number
  /** The share of the window in which at least one capture ran, 0 to 1. */
  readonly watched: number
}
