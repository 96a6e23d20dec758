import { ICMP_TYPES, type IcmpType } from '@skydive/contracts'
import { LAYER } from './layers.ts'

/** Echo request and reply as they are on the wire: of ICMPv4 (RFC 792) and ICMPv6 (RFC 4443 section 4). */
export const ICMP_ECHO = { REQUEST_V4: 8, REPLY_V4: 0, REQUEST_V6: 128, REPLY_V6: 129 } as const

/** The class number of an echo. */
export const ICMP_CLASS_ECHO = ICMP_TYPES.indexOf('ECHO')

const V4 = byWireType({
  DESTINATION_UNREACHABLE: [3],
  ECHO: [ICMP_ECHO.REPLY_V4, ICMP_ECHO.REQUEST_V4],
  ADDRESS_MASK: [17, 18],
  INFO: [15, 16],
  PARAMETER_PROBLEM: [12],
  REDIRECT: [5],
  ROUTER: [9, 10],
  SOURCE_QUENCH: [4],
  TIME_EXCEEDED: [11],
  TIMESTAMP: [13, 14],
})
const V6 = byWireType({
  DESTINATION_UNREACHABLE: [1],
  ECHO: [ICMP_ECHO.REQUEST_V6, ICMP_ECHO.REPLY_V6],
  NEIGHBOR: [135, 136],
  PARAMETER_PROBLEM: [4],
  REDIRECT: [137],
  ROUTER: [133, 134],
  TIME_EXCEEDED: [3],
  PACKET_TOO_BIG: [2],
})

/** The number of a class for each type on the wire; what belongs to no class is `UNKNOWN`. */
function byWireType(types: { readonly [Class in IcmpType]?: readonly number[] }): Uint8Array {
  const numbers = new Uint8Array(256).fill(ICMP_TYPES.indexOf('UNKNOWN'))
  for (const [number, name] of ICMP_TYPES.entries()) for (const wireType of types[name] ?? []) numbers[wireType] = number
  return numbers
}

/** The class number of an ICMPv4 type (spec flows 1.15), an index of `ICMP_TYPES` of `@skydive/contracts`. */
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
