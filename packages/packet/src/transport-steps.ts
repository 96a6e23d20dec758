import { isWholeMessage } from './application-layer.ts'
import { ICMP_CLASS_ECHO, icmpv4Class, icmpv6Class, icmpv6Layer } from './icmp.ts'
import { LAYER } from './layers.ts'
import { ABSENT, type PacketWalk, TRANSPORT } from './packet-walk.ts'
import { sctpChunkLayer } from './sctp.ts'
import { STEP } from './steps.ts'
import { applicationOfPort } from './udp-ports.ts'

const TCP_BYTES = 20
const UDP_BYTES = 8
const SCTP_BYTES = 12
const ICMPV4_BYTES = 8
/** Chunks of one SCTP packet that are looked at. */
const MAX_CHUNKS = 16

// What lies above IP.

/** RFC 9293 section 3.1. */
export function tcp(walk: PacketWalk): number {
  const at = walk.at
  const isInner = enter(walk, LAYER.TCP, TRANSPORT.TCP)
  if (at + TCP_BYTES > walk.end) return STEP.END
  const view = walk.bytes
  if (isInner) {
    if (walk.transport === TRANSPORT.UDP && walk.tcpPortsInUdp === 0) walk.tcpPortsInUdp = view.getInt32(at)
    return STEP.END
  }
  ports(walk, at)
  walk.tcpFlags = view.getUint8(at + 13)
  walk.tcpSequence = view.getInt32(at + 4)
  walk.segmentBytes = Math.max(0, walk.declaredEnd - at - (view.getUint8(at + 12) >>> 4) * 4)
  return STEP.END
}

/** Whether the sequence has a transport already, whose ports count. */
function enter(walk: PacketWalk, layer: number, transport: number): boolean {
  walk.add(layer)
  if (walk.firstTransport === TRANSPORT.NONE) walk.firstTransport = transport
  if (walk.transport !== TRANSPORT.NONE) return true
  walk.transport = transport
  return false
}

/** RFC 768. */
export function udp(walk: PacketWalk): number {
  const at = walk.at
  const isInner = enter(walk, LAYER.UDP, TRANSPORT.UDP)
  if (at + UDP_BYTES > walk.end) return STEP.END
  const view = walk.bytes
  const source = view.getUint16(at)
  const destination = view.getUint16(at + 2)
  if (!isInner) ports(walk, at)
  const declared = view.getUint16(at + 4)
  if (declared !== 0 && declared < UDP_BYTES) return STEP.END
  const end = declared === 0 ? walk.end : Math.min(walk.end, at + declared)
  const payload = at + UDP_BYTES
  walk.at = payload
  const tunnel = tunnelStep(walk, source, destination)
  if (tunnel !== STEP.END) {
    walk.end = end
    return tunnel
  }
  let layer = applicationOfPort(destination)
  if (layer === ABSENT) layer = applicationOfPort(source)
  if (layer !== ABSENT && isWholeMessage(view, payload, end, layer)) walk.message(layer, payload, end)
  return STEP.END
}

function tunnelStep(walk: PacketWalk, source: number, destination: number): number {
  const ports = walk.tunnelPorts
  const step = ports.step(destination)
  return step !== STEP.END || applicationOfPort(destination) !== ABSENT ? step : ports.step(source)
}

/** RFC 9260 section 3: a common header, then chunks padded to 4 bytes. */
export function sctp(walk: PacketWalk): number {
  const at = walk.at
  const isInner = enter(walk, LAYER.SCTP, TRANSPORT.SCTP)
  if (at + SCTP_BYTES > walk.end) return STEP.END
  if (!isInner) ports(walk, at)
  let chunk = at + SCTP_BYTES
  for (let count = 0; count < MAX_CHUNKS && chunk + 4 <= walk.end; count++) {
    const chunkBytes = walk.bytes.getUint16(chunk + 2)
    if (chunkBytes < 4 || chunk + chunkBytes > walk.end) break
    walk.add(sctpChunkLayer(walk.bytes.getUint8(chunk)))
    chunk += (chunkBytes + 3) & ~3
  }
  return STEP.END
}

function ports(walk: PacketWalk, at: number): void {
  walk.sourcePort = walk.bytes.getUint16(at)
  walk.destinationPort = walk.bytes.getUint16(at + 2)
}

/** RFC 792. Bytes 4 and 5 are the identifier whatever the type (spec flows 1.8). */
export function icmpv4(walk: PacketWalk): number {
  const at = walk.at
  if (at + ICMPV4_BYTES > walk.end) return STEP.END
  walk.add(LAYER.ICMPv4)
  if (walk.transport !== TRANSPORT.NONE) return STEP.END
  walk.transport = TRANSPORT.ICMP
  walk.icmpWireType = walk.bytes.getUint8(at)
  walk.icmpType = icmpv4Class(walk.icmpWireType)
  walk.icmpCode = walk.bytes.getUint8(at + 1)
  walk.icmpId = walk.bytes.getUint16(at + 4)
  return STEP.END
}

/** RFC 4443. An echo has code 0 and its identifier in the key, any other message its code and no identifier. */
export function icmpv6(walk: PacketWalk): number {
  const at = walk.at
  if (at + 4 > walk.end) return STEP.END
  walk.add(LAYER.ICMPv6)
  const wireType = walk.bytes.getUint8(at)
  const layer = icmpv6Layer(wireType, walk.end - at)
  if (layer !== ABSENT) walk.add(layer)
  if (walk.transport !== TRANSPORT.NONE) return STEP.END
  walk.transport = TRANSPORT.ICMP
  walk.icmpWireType = wireType
  walk.icmpType = icmpv6Class(wireType)
  if (layer === LAYER.ICMPv6Echo) walk.icmpId = walk.bytes.getUint16(at + 4)
  else if (walk.icmpType !== ICMP_CLASS_ECHO) walk.icmpCode = walk.bytes.getUint8(at + 1)
  return STEP.END
}
