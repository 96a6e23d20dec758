import { LAYER } from './layers.ts'

/** ICMP classes in the order of their protobuf numbers (spec flows 1.2): what both versions are mapped to. */
export const ICMP_CLASSES = [
  'UNKNOWN',
  'DESTINATION_UNREACHABLE',
  'ECHO',
  'NEIGHBOR',
  'ADDRESS_MASK',
  'INFO',
  'PARAMETER_PROBLEM',
  'REDIRECT',
  'ROUTER',
  'SOURCE_QUENCH',
  'TIME_EXCEEDED',
  'TIMESTAMP',
  'PACKET_TOO_BIG',
] as const

/** Echo request and reply as they are on the wire: of ICMPv4 (RFC 792) and ICMPv6 (RFC 4443 section 4). */
export const ICMP_ECHO = { REQUEST_V4: 8, REPLY_V4: 0, REQUEST_V6: 128, REPLY_V6: 129 } as const

const V4 = byWireType({ 0: 2, 3: 1, 4: 9, 5: 7, 8: 2, 9: 8, 10: 8, 11: 10, 12: 6, 13: 11, 14: 11, 15: 5, 16: 5, 17: 4, 18: 4 })
const V6 = byWireType({ 1: 1, 2: 12, 3: 10, 4: 6, 128: 2, 129: 2, 133: 8, 134: 8, 135: 3, 136: 3, 137: 7 })

function byWireType(classes: Readonly<Record<number, number>>): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, type) => classes[type] ?? 0)
}

/** The class number of an ICMPv4 type (spec flows 1.15), an index of {@link ICMP_CLASSES}. */
export function icmpv4Class(wireType: number): number {
  return V4[wireType]!
}

/** The class number of an ICMPv6 type. */
export function icmpv6Class(wireType: number): number {
  return V6[wireType]!
}

/** The layer that follows ICMPv6, or -1 when it has no name or is cut. `messageBytes` counts from the ICMPv6 header. */
export function icmpv6Layer(wireType: number, messageBytes: number): number {
  switch (wireType) {
    case 128:
    case 129:
      return messageBytes >= 8 ? LAYER.ICMPv6Echo : -1
    case 130:
      // An MLDv2 query is told by its length (RFC 3810 section 8.1).
      return messageBytes >= 28 ? LAYER.MLDv2MulticastListenerQuery : messageBytes >= 24 ? LAYER.MLDv1MulticastListenerQuery : -1
    case 131:
      return messageBytes >= 24 ? LAYER.MLDv1MulticastListenerReport : -1
    case 132:
      return messageBytes >= 24 ? LAYER.MLDv1MulticastListenerDone : -1
    case 133:
      return messageBytes >= 8 ? LAYER.ICMPv6RouterSolicitation : -1
    case 134:
      return messageBytes >= 16 ? LAYER.ICMPv6RouterAdvertisement : -1
    case 135:
      return messageBytes >= 24 ? LAYER.ICMPv6NeighborSolicitation : -1
    case 136:
      return messageBytes >= 24 ? LAYER.ICMPv6NeighborAdvertisement : -1
    case 137:
      return messageBytes >= 40 ? LAYER.ICMPv6Redirect : -1
    case 143:
      return messageBytes >= 8 ? LAYER.MLDv2MulticastListenerReport : -1
    default:
      return -1
  }
}
