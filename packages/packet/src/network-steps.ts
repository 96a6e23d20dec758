import { FRAGMENT, type IpDefragmenter } from './ip-defragmenter.ts'
import { LAYER } from './layers.ts'
import { ABSENT, type PacketWalk } from './packet-walk.ts'
import { STEP, stepOfProtocol } from './steps.ts'

const IPV4_BYTES = 20
const IPV6_BYTES = 40
const FRAGMENT_BYTES = 8
/** Extension headers and nested IP headers walked in one packet; more is an attack. */
const MAX_NESTED_HEADERS = 16

// IP with its extension headers and fragments.

/** RFC 791 section 3.1. */
export function ipv4(walk: PacketWalk): number {
  if (walk.nested++ > MAX_NESTED_HEADERS) return STEP.END
  const at = walk.at
  walk.add(LAYER.IPv4)
  if (at + IPV4_BYTES > walk.end) return STEP.END
  const view = walk.bytes
  const headerBytes = (view.getUint8(at) & 0x0f) * 4
  // A length of 0 is what segmentation offload leaves: the rest of the frame is the datagram.
  const totalBytes = view.getUint16(at + 2) || walk.end - at
  if (walk.ipVersion === 0) {
    walk.ipVersion = 4
    walk.ipOffset = at
    walk.ipBytes = totalBytes
    walk.ttl = view.getUint8(at + 8)
  } else if (walk.ipVersion === 6 && walk.ipv4InIpv6Offset === ABSENT && walk.view === view) walk.ipv4InIpv6Offset = at
  if (headerBytes < IPV4_BYTES || headerBytes > totalBytes || at + headerBytes > walk.end) return STEP.END
  walk.declaredEnd = at + totalBytes
  walk.end = Math.min(walk.end, at + totalBytes)
  const place = view.getUint16(at + 6)
  walk.at = at + headerBytes
  if ((place & 0x3fff) === 0) return stepOfProtocol(view.getUint8(at + 9))
  walk.add(LAYER.Fragment)
  if (!walk.defragmenter || walk.nested > 1 || (place & 0x4000) !== 0) return STEP.END
  if (!walk.isAgain && walk.defragmenter.addIpv4(view, at, walk.at, walk.declaredEnd, walk.end) !== FRAGMENT.COMPLETED) {
    walk.isSwallowed = true
    return STEP.END
  }
  return reassembled(walk, walk.defragmenter)
}

/** RFC 8200 section 3. */
export function ipv6(walk: PacketWalk): number {
  if (walk.nested++ > MAX_NESTED_HEADERS) return STEP.END
  const at = walk.at
  walk.add(LAYER.IPv6)
  if (at + IPV6_BYTES > walk.end) return STEP.END
  const view = walk.bytes
  const payloadBytes = view.getUint16(at + 4)
  // 0 is a jumbogram (RFC 2675) or segmentation offload: the rest of the frame.
  walk.declaredEnd = payloadBytes === 0 ? walk.end : at + IPV6_BYTES + payloadBytes
  walk.end = Math.min(walk.end, walk.declaredEnd)
  if (walk.ipVersion === 0) {
    walk.ipVersion = 6
    walk.ipOffset = at
    walk.ipBytes = payloadBytes + IPV6_BYTES
    walk.ttl = view.getUint8(at + 7)
  }
  return walk.skip(IPV6_BYTES, stepOfProtocol(view.getUint8(at + 6)))
}

/**
 * RFC 8200 section 4.3 and its siblings: next header, then the length in units of 8 bytes beyond the first. That of an authentication
 * header (RFC 4302 section 2.2) is in units of 4 bytes, beyond the first two.
 */
export function extension(walk: PacketWalk, layer: number, unitShift: number): number {
  const at = walk.at
  if (walk.nested++ > MAX_NESTED_HEADERS || at + 8 > walk.end) return STEP.END
  const headerBytes = (walk.bytes.getUint8(at + 1) << unitShift) + 8
  if (at + headerBytes > walk.end) return STEP.END
  return walk.layer(layer, headerBytes, stepOfProtocol(walk.bytes.getUint8(at)))
}

export function ipv6Fragment(walk: PacketWalk): number {
  const at = walk.at
  if (at + FRAGMENT_BYTES > walk.end) return STEP.END
  walk.add(LAYER.IPv6Fragment)
  walk.add(LAYER.Fragment)
  const isOutermost = walk.view === walk.bytes && walk.sequence === 0 && walk.ipVersion === 6 && !walk.isReassembled
  if (!walk.defragmenter || !isOutermost) return STEP.END
  // A datagram in one fragment (RFC 6946) is handled without regard to others.
  if ((walk.bytes.getUint16(at + 2) & 0xfff9) === 0) return walk.skip(FRAGMENT_BYTES, stepOfProtocol(walk.bytes.getUint8(at)))
  const ip = walk.ipOffset
  if (!walk.isAgain && walk.defragmenter.addIpv6(walk.bytes, ip, at, walk.declaredEnd, walk.end) !== FRAGMENT.COMPLETED) {
    walk.isSwallowed = true
    return STEP.END
  }
  walk.at = at + FRAGMENT_BYTES
  return reassembled(walk, walk.defragmenter)
}

/** Goes on in the datagram that was put together. */
function reassembled(walk: PacketWalk, { view, capturedBytes, totalBytes, protocol }: IpDefragmenter): number {
  walk.isReassembled = true
  walk.bytesBefore = walk.at - walk.start
  walk.bytes = view
  walk.at = walk.start = 0
  walk.end = capturedBytes
  walk.declaredEnd = totalBytes
  return stepOfProtocol(protocol)
}
