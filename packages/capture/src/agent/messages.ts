import type { CaptureStats, CaptureTarget, ErrorFault } from '@skydive/contracts'
import type { FlowTableStats, LayerKeyMode, PortNames } from '@skydive/flow-table'

/** What a capture's flow table is told: plain data, because it crosses a thread. */
export interface CaptureTableOptions {
  readonly nodeTid: string
  readonly captureId: string
  readonly layerKeyMode: LayerKeyMode
  readonly rawPacketLimit: number
  readonly extraTcpMetric: boolean
  readonly maxFlows: number
  readonly applicationPorts?: { readonly tcp?: PortNames; readonly udp?: PortNames }
  readonly applicationTimeoutsMs?: Readonly<Record<string, number>>
}

/** One capture on one node, for the thread that runs it. */
export interface CaptureStart {
  readonly taskId: number
  /** Module whose export `captureSource` opens the source; a `file:` URL or a package name. */
  readonly module: string
  readonly moduleOptions?: unknown
  readonly target: CaptureTarget
  readonly table: CaptureTableOptions
  readonly updateMs: number
  readonly expireMs: number
}

/** Figures of one running capture. */
export interface CaptureFigures {
  readonly taskId: number
  readonly source: CaptureStats
  readonly table: FlowTableStats
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
  | { readonly kind: 'started'; readonly taskId: number }
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
