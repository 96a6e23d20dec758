import type { CaptureDescription, CaptureStats, CaptureTarget, ErrorFault } from '@skydive/contracts'
import type { FlowTableStats, LayerKeyMode, PortNames } from '@skydive/flow-table'
import type { CaptureTargetType } from '@skydive/protocol'
import type { TargetFigures } from './target/target-figures.ts'

/** What a capture's flow table is told: plain data, because it crosses a thread. */
export interface CaptureTableOptions {
  readonly nodeTid: string
  readonly captureId: string
  readonly layerKeyMode: LayerKeyMode
  readonly rawPacketLimit: number
  readonly extraTcpMetric: boolean
  readonly ipDefrag: boolean
  readonly reassembleTcp: boolean
  /** A sum of `EXTRA_LAYERS`. */
  readonly extraLayers: number
  readonly mplsUdpPorts: readonly number[]
  readonly maxFlows: number
  readonly applicationPorts?: { readonly tcp?: PortNames; readonly udp?: PortNames }
  readonly applicationTimeoutsMs?: Readonly<Record<string, number>>
}

/** Where flows or frames go instead of to the analyzer. */
export interface CaptureSendTo {
  readonly type: CaptureTargetType
  /** An IP address. */
  readonly address: string
  /** Of UDP; not looked at by `erspanv1`. */
  readonly port: number
}

/** One capture on one node, for the thread that runs it. */
export interface CaptureStart {
  readonly taskId: number
  /** Module whose export `captureSource` opens the source; a `file:` URL or a package name. */
  readonly module: string
  readonly moduleOptions?: unknown
  readonly target: CaptureTarget
  readonly table: CaptureTableOptions
  readonly sendTo?: CaptureSendTo
  readonly updateMs: number
  readonly expireMs: number
}

/** What a capture is told by that runs: the first figures, and the other sources that its packets are spread over. */
export interface CaptureStarted {
  readonly figures: CaptureFigures
  /** Options of `module` for each of them. */
  readonly members: readonly unknown[]
  /** What the operator should know, from the source. */
  readonly warning?: string
}

/** Figures of one running capture. */
export interface CaptureFigures {
  readonly taskId: number
  readonly source: CaptureStats
  /** Absent for a mirror, which has no flows. */
  readonly table?: FlowTableStats
  /** With `sendTo`. */
  readonly sentTo?: TargetFigures
  /** What the source tells of itself, if it does. */
  readonly description?: CaptureDescription
}

/** An error on its way between threads. */
export interface PlainError {
  readonly message: string
  readonly code: string
  readonly fault: ErrorFault
}

/** What the thread is started with. */
export interface CaptureThreadData {
  /** Event descriptor that is signalled after every message to the thread. */
  readonly signalFd: number
  /** Takes what the thread opens, for its owner to close if it breaks. */
  readonly ledger: SharedArrayBuffer
}

/** To the capture thread. */
export type ToCaptureThread =
  | { readonly kind: 'start'; readonly start: CaptureStart }
  | { readonly kind: 'stop'; readonly taskId: number }
  /** A protobuf `TableQuery`. */
  | { readonly kind: 'query'; readonly requestId: number; readonly query: Uint8Array }
  | { readonly kind: 'figures' }
  | { readonly kind: 'close' }

/** From the capture thread. */
export type FromCaptureThread =
  | ({ readonly kind: 'started'; readonly taskId: number } & CaptureStarted)
  | { readonly kind: 'start-failed'; readonly taskId: number; readonly error: PlainError }
  /** A capture that ran ended by itself. */
  | { readonly kind: 'failed'; readonly taskId: number; readonly error: PlainError }
  /** All flows of a capture are out; its last figures. */
  | { readonly kind: 'stopped'; readonly taskId: number }
  /** A protobuf `Message` holding `flows` flows, or statistics. */
  | { readonly kind: 'batch'; readonly flows: number; readonly payload: Uint8Array }
  /** A protobuf `TableReply`. */
  | { readonly kind: 'answer'; readonly requestId: number; readonly reply: Uint8Array }
  | { readonly kind: 'refused'; readonly requestId: number; readonly error: PlainError }
  | { readonly kind: 'figures'; readonly figures: readonly CaptureFigures[] }
  | { readonly kind: 'closed' }
