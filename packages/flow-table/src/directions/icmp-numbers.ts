import { ICMP_TYPES, type IcmpType } from '@skydive/contracts'

/** Numbers on the wire by class: of end A, then of end B, which answers. A flow keeps the class alone (spec flows 1.15). */
type Numbers = Readonly<Partial<Record<IcmpType, readonly [number, number]>>>

const V4: Numbers = {
  DESTINATION_UNREACHABLE: [3, 3],
  ECHO: [8, 0],
  ADDRESS_MASK: [17, 18],
  INFO: [15, 16],
  PARAMETER_PROBLEM: [12, 12],
  REDIRECT: [5, 5],
  ROUTER: [10, 9],
  SOURCE_QUENCH: [4, 4],
  TIME_EXCEEDED: [11, 11],
  TIMESTAMP: [13, 14],
}
const V6: Numbers = {
  DESTINATION_UNREACHABLE: [1, 1],
  PACKET_TOO_BIG: [2, 2],
  TIME_EXCEEDED: [3, 3],
  PARAMETER_PROBLEM: [4, 4],
  ECHO: [128, 129],
  ROUTER: [133, 134],
  NEIGHBOR: [135, 136],
  REDIRECT: [137, 137],
}
/** For experiments (RFC 4443): no class is known. */
const UNKNOWN: readonly [number, number] = [255, 255]

const BY_CLASS_V4 = ICMP_TYPES.map((name) => V4[name] ?? UNKNOWN)
const BY_CLASS_V6 = ICMP_TYPES.map((name) => V6[name] ?? UNKNOWN)

/** The types of ICMP that messages of end A and of end B have, by the version of IP and the class: its place in `ICMP_TYPES`. */
export function icmpNumbers(ipVersion: number, icmpClass: number): readonly [number, number] {
  return (ipVersion === 4 ? BY_CLASS_V4 : BY_CLASS_V6)[icmpClass] ?? UNKNOWN
}
