// Packets from the inside out: each function puts a header before its payload. Lengths and checksums are right, so that other programs
// take the packets for real ones.

/** Bytes of a packet. */
export type Bytes = readonly number[] | Uint8Array

const u16 = (value: number) => [(value >>> 8) & 0xff, value & 0xff]
const u32 = (value: number) => [...u16(value >>> 16), ...u16(value & 0xffff)]

/** `'10.0.0.1'`. */
export const v4 = (text: string): number[] => text.split('.').map(Number)

/** `'fd00::1'`, with at most one `::`. */
export function v6(text: string): number[] {
  const [head = '', tail] = text.split('::')
  const groups = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)))
  const [first, last] = [groups(head), tail === undefined ? [] : groups(tail)]
  return [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last].flatMap(u16)
}

/** `'02:00:00:00:00:01'`. */
export const mac = (text: string): number[] => text.split(':').map((byte) => Number.parseInt(byte, 16))

/** The Internet checksum (RFC 1071). */
function checksum(...parts: readonly Bytes[]): number {
  let sum = 0
  for (const part of parts) for (let i = 0; i < part.length; i += 2) sum += (part[i]! << 8) | (part[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

const MAC_A = '02:00:00:00:00:01'
const MAC_B = '02:00:00:00:00:02'

/** Ethernet II; without a type IEEE 802.3 with the length of the payload. */
export function ethernet(payload: Bytes, type: number | undefined = 0x0800, source = MAC_A, destination = MAC_B): number[] {
  return [...mac(destination), ...mac(source), ...u16(type ?? payload.length), ...payload]
}

/** An 802.1Q (or other) tag behind an Ethernet header: `ethernet(vlan(ipv4(…), 8), 0x8100)`. */
export const vlan = (payload: Bytes, id: number, type = 0x0800): number[] => [...u16(id), ...u16(type), ...payload]

/** What an {@link ipv4} header says besides. */
export interface Ipv4Options {
  readonly source?: string
  readonly destination?: string
  readonly id?: number
  readonly ttl?: number
  /** In bytes, a multiple of 8. */
  readonly fragmentOffset?: number
  readonly moreFragments?: boolean
  readonly dontFragment?: boolean
  /** A multiple of 4 bytes. */
  readonly options?: Bytes
}

export function ipv4(payload: Bytes, protocol: number, over: Ipv4Options = {}): number[] {
  const { source = '10.0.0.1', destination = '10.0.0.2', id = 1, ttl = 64, fragmentOffset = 0, options = [] } = over
  const place = (over.moreFragments ? 0x2000 : 0) | (over.dontFragment ? 0x4000 : 0) | (fragmentOffset >>> 3)
  const headerBytes = 20 + options.length
  const before = [0x40 | (headerBytes >>> 2), 0, ...u16(headerBytes + payload.length), ...u16(id), ...u16(place), ttl, protocol]
  const after = [...v4(source), ...v4(destination), ...options]
  return [...before, ...u16(checksum(before, after)), ...after, ...payload]
}

/** What an {@link ipv6} header says besides. */
export interface Ipv6Options {
  readonly source?: string
  readonly destination?: string
  readonly hopLimit?: number
}

export function ipv6(payload: Bytes, next: number, over: Ipv6Options = {}): number[] {
  const { source = 'fd00::1', destination = 'fd00::2', hopLimit = 64 } = over
  return [0x60, 0, 0, 0, ...u16(payload.length), next, hopLimit, ...v6(source), ...v6(destination), ...payload]
}

/** An IPv6 extension header of 8 bytes and `more` times 8. */
export const extension = (payload: Bytes, next: number, more = 0): number[] => [
  next,
  more,
  1,
  4 + more * 8,
  ...new Array<number>(4 + more * 8).fill(0),
  ...payload,
]

export const ipv6Fragment = (payload: Bytes, next: number, id: number, offset: number, isMore: boolean): number[] => [
  next,
  0,
  ...u16(offset | (isMore ? 1 : 0)),
  ...u32(id),
  ...payload,
]

export function udp(payload: Bytes, source = 1000, destination = 2000): number[] {
  // Checksum 0: not computed.
  return [...u16(source), ...u16(destination), ...u16(8 + payload.length), 0, 0, ...payload]
}

export const TCP_FLAGS = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16 } as const

export function tcp(payload: Bytes, source = 1000, destination = 80, flags: number = TCP_FLAGS.ACK, sequence = 1): number[] {
  return [...u16(source), ...u16(destination), ...u32(sequence), ...u32(0), 0x50, flags, 0x10, 0, 0, 0, 0, 0, ...payload]
}

/** A common header and chunks; `[type, body]` each. */
export function sctp(chunks: readonly (readonly [number, Bytes])[], source = 1000, destination = 2000): number[] {
  const body = chunks.flatMap(([type, bytes]) => {
    const padding = new Array<number>((4 - (bytes.length % 4)) % 4).fill(0)
    return [type, 0, ...u16(4 + bytes.length), ...bytes, ...padding]
  })
  return [...u16(source), ...u16(destination), ...u32(1), ...u32(0), ...body]
}

export function icmp(type = 8, code = 0, id = 7, sequence = 1, payload: Bytes = []): number[] {
  const rest = [...u16(id), ...u16(sequence), ...payload]
  return [type, code, ...u16(checksum([type, code], rest)), ...rest]
}

/** ICMPv6 without a checksum. */
export const icmpv6 = (type: number, body: Bytes): number[] => [type, 0, 0, 0, ...body]

export const arp = (source = '10.0.0.1', target = '10.0.0.2', operation = 1): number[] => [
  ...[0, 1, 8, 0, 6, 4],
  ...u16(operation),
  ...mac(MAC_A),
  ...v4(source),
  ...[0, 0, 0, 0, 0, 0],
  ...v4(target),
]

/** GRE with a key when one is given. */
export const gre = (payload: Bytes, protocol = 0x0800, key?: number): number[] => [
  key === undefined ? 0 : 0x20,
  0,
  ...u16(protocol),
  ...(key === undefined ? [] : u32(key)),
  ...payload,
]

/** GRE with the header of ERSPAN type II (session 1). */
export const erspan = (payload: Bytes): number[] => [
  ...[0x10, 0, 0x88, 0xbe],
  ...u32(1),
  ...[0x10, 0, 0x18, 1],
  ...u32(0),
  ...payload,
]

export const vxlan = (payload: Bytes, vni = 10): number[] => [8, 0, 0, 0, ...u32(vni << 8), ...payload]

/** `options` is a multiple of 4 bytes. */
export const geneve = (payload: Bytes, vni = 10, type = 0x6558, options: Bytes = []): number[] => [
  options.length >>> 2,
  0,
  ...u16(type),
  ...u32(vni << 8),
  ...options,
  ...payload,
]

/** A stack of labels, the last one at the bottom. */
export const mpls = (payload: Bytes, ...labels: readonly number[]): number[] => [
  ...labels.flatMap((label, i) => u32(label * 4096 + (i === labels.length - 1 ? 0x100 : 0) + 64)),
  ...payload,
]

export const gtp = (payload: Bytes, tunnel = 5): number[] => [0x30, 255, ...u16(payload.length), ...u32(tunnel), ...payload]

export const pppoe = (payload: Bytes, protocol = 0x0021): number[] => [
  0x11,
  0,
  ...u16(1),
  ...u16(2 + payload.length),
  ...u16(protocol),
  ...payload,
]

/** A question for the A record of a name. */
export function dnsQuery(id: number, name: string): number[] {
  return [...u16(id), 1, 0, ...u16(1), ...[0, 0, 0, 0, 0, 0], ...dnsName(name), ...u16(1), ...u16(1)]
}

/** Labels of a name. */
export function dnsName(name: string): number[] {
  const labels = name === '' ? [] : name.split('.')
  return [...labels.flatMap((label) => [label.length, ...Buffer.from(label)]), 0]
}
