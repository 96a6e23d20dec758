import { type CaptureSource, type Clock, InvalidArgumentError, type PacketSource, type RecordSource } from '@skydive/contracts'
import type { DatagramSender, DatagramSenderOptions } from '@skydive/kernel'
import { IP_PROTOCOL, LINK_TYPE } from '@skydive/packet'
import type { CaptureSendTo, CaptureStart } from '../messages.ts'
import { FlowExporter, MAX_EXPORT_BYTES } from './flow-exporter.ts'
import { FrameMirror, mirroredBytes } from './frame-mirror.ts'

/** Opens a socket to a target; the thread gives the real thing. */
export type OpenSender = (options: DatagramSenderOptions) => DatagramSender

/** What a capture with a target has instead of the way to the analyzer. */
export type OpenTarget =
  | { readonly kind: 'flows'; readonly exporter: FlowExporter }
  | { readonly kind: 'frames'; readonly mirror: FrameMirror; readonly source: PacketSource }

/**
 * Opens where a capture's flows or frames go.
 * @throws ERR_INVALID_ARGUMENT when the source has no frames to mirror, or listens where it would send; what the socket says.
 */
export function openTarget(
  start: CaptureStart,
  to: CaptureSendTo,
  source: CaptureSource,
  open: OpenSender,
  clock: Clock,
): OpenTarget {
  const { address, port, type } = to
  if (source.kind === 'records' && listensAt(source, address, port)) {
    throw new InvalidArgumentError(`capture: target ${address}:${port} is where this capture listens; it would count itself`, {
      Target: `${address}:${port}`,
    })
  }
  if (type !== 'erspanv1') {
    const sender = open({ address, port, maxDatagramBytes: MAX_EXPORT_BYTES })
    return { kind: 'flows', exporter: new FlowExporter(type, `${start.table.captureId} ${start.table.nodeTid}`, sender, clock) }
  }
  if (source.kind !== 'packets' || source.format.linkType !== LINK_TYPE.ETHERNET) {
    const what = source.kind === 'packets' ? `frames of link type ${source.format.linkType}` : 'no frames'
    throw new InvalidArgumentError(`capture: erspanv1 mirrors Ethernet frames, and this source has ${what}`, { TargetType: type })
  }
  const { snapLength, ifindex } = start.target
  const sender = open({ address, port, protocol: IP_PROTOCOL.GRE, maxDatagramBytes: mirroredBytes(snapLength) })
  return { kind: 'frames', source, mirror: new FrameMirror(source.format, ifindex, snapLength, sender, clock) }
}

/** Whether one of the sockets that a collector tells of its capture (`NetFlowSocket`) is the target. */
function listensAt(source: RecordSource, address: string, port: number): boolean {
  const isLoopback = address === '::1' || address.startsWith('127.')
  const wildcards = isLoopback ? ['0.0.0.0', '[::]'] : []
  const own = new Set([address, `[${address}]`, ...wildcards].map((host) => `${host}:${port}`))
  return Object.values(source.describe?.().capture ?? {}).some(
    (value) => typeof value === 'string' && value.split(' ').some((socket) => own.has(socket)),
  )
}
