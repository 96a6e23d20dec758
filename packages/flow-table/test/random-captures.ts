// Captures of packets of all the shapes that there are, drawn from a seed: the same seed gives the same captures.
import * as p from './packet-builder.ts'

/** A capture: its packets in order. No two captures of one set have an address in common. */
export interface RandomCapture {
  /** What its packets are made of, outermost first. */
  readonly recipe: readonly string[]
  readonly packets: readonly Uint8Array[]
}

/** Numbers in [0, 1) from a seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x100000000
  }
}

/** Both ends as one packet has them: swapped for a reply. */
interface Ends {
  readonly capture: number
  readonly isReply: boolean
  readonly ports: readonly [number, number]
}

type Wrap = (payload: number[], ends: Ends, depth: number) => number[]

const hosts = ({ capture, isReply }: Ends, depth: number) => {
  const [a, b] = [1 + depth * 2, 2 + depth * 2].map((host) => `10.${capture >>> 8}.${capture & 255}.${host}`)
  return isReply ? { source: b!, destination: a! } : { source: a!, destination: b! }
}
const hosts6 = ({ capture, isReply }: Ends, depth: number) => {
  const [a, b] = [1 + depth * 2, 2 + depth * 2].map((host) => `fd00:${(capture + 1).toString(16)}::${host}`)
  return isReply ? { source: b!, destination: a! } : { source: a!, destination: b! }
}
const frame = (payload: number[], type: number, { capture, isReply }: Ends, depth: number) => {
  const [a, b] = [1, 2].map((end) => `02:0${depth}:00:${(capture >>> 8).toString(16)}:${(capture & 255).toString(16)}:0${end}`)
  return p.ethernet(payload, type, isReply ? b : a, isReply ? a : b)
}
/** Whether a datagram is IPv4, as its first byte tells. */
const etherType = (datagram: readonly number[]) => (datagram[0]! >>> 4 === 4 ? 0x0800 : 0x86dd)
const transport = ({ ports, isReply }: Ends) => (isReply ? ([ports[1], ports[0]] as const) : ports)

/** What carries an IP datagram and is itself carried by IP of a greater depth. */
const TUNNELS: Readonly<Record<string, Wrap>> = {
  vxlan: (inner, ends, depth) =>
    p.ipv4(
      p.udp(p.vxlan(frame(inner, etherType(inner), ends, depth), ends.capture), ends.ports[0], 4789),
      17,
      hosts(ends, depth + 1),
    ),
  'vxlan in IPv6': (inner, ends, depth) =>
    p.ipv6(p.udp(p.vxlan(frame(inner, etherType(inner), ends, depth), 7), ends.ports[0], 4789), 17, hosts6(ends, depth + 1)),
  geneve: (inner, ends, depth) =>
    p.ipv4(
      p.udp(p.geneve(frame(inner, etherType(inner), ends, depth), 9, 0x6558, [0, 0, 1, 1, 1, 2, 3, 4]), ends.ports[0], 6081),
      17,
      hosts(ends, depth + 1),
    ),
  gre: (inner, ends, depth) => p.ipv4(p.gre(inner, etherType(inner)), 47, hosts(ends, depth + 1)),
  'gre with a key': (inner, ends, depth) => p.ipv4(p.gre(inner, etherType(inner), 77), 47, hosts(ends, depth + 1)),
  'gre in IPv6': (inner, ends, depth) => p.ipv6(p.gre(inner, etherType(inner)), 47, hosts6(ends, depth + 1)),
  'gre with a frame': (inner, ends, depth) =>
    p.ipv4(p.gre(frame(inner, etherType(inner), ends, depth), 0x6558), 47, hosts(ends, depth + 1)),
  erspan: (inner, ends, depth) => p.ipv4(p.erspan(frame(inner, etherType(inner), ends, depth)), 47, hosts(ends, depth + 1)),
  'mpls in gre': (inner, ends, depth) => p.ipv4(p.gre(p.mpls(inner, 18, 19), 0x8847), 47, hosts(ends, depth + 1)),
  'IP in IPv4': (inner, ends, depth) => p.ipv4(inner, etherType(inner) === 0x0800 ? 4 : 41, hosts(ends, depth + 1)),
  'IP in IPv6': (inner, ends, depth) => p.ipv6(inner, etherType(inner) === 0x0800 ? 4 : 41, hosts6(ends, depth + 1)),
  gtp: (inner, ends, depth) => p.ipv4(p.udp(p.gtp(inner), 2152, 2152), 17, hosts(ends, depth + 1)),
}

const LINKS: Readonly<Record<string, Wrap>> = {
  ethernet: (ip, ends) => frame(ip, etherType(ip), ends, 9),
  'one tag': (ip, ends) => frame(p.vlan(ip, 8, etherType(ip)), 0x8100, ends, 9),
  'two tags': (ip, ends) => frame(p.vlan(p.vlan(ip, 10, etherType(ip)), 8, 0x8100), 0x88a8, ends, 9),
  'three tags': (ip, ends) => frame(p.vlan(p.vlan(p.vlan(ip, 4, etherType(ip)), 10, 0x8100), 8, 0x8100), 0x8100, ends, 9),
  mpls: (ip, ends) => frame(p.mpls(ip, 16, 17), 0x8847, ends, 9),
  pppoe: (ip, ends) => frame(p.pppoe(ip, etherType(ip) === 0x0800 ? 0x0021 : 0x0057), 0x8864, ends, 9),
}

/** The protocol number, and the bytes of packet number `i` of a conversation. */
type Payload = (ends: Ends, i: number) => readonly [protocol: number, bytes: number[]]

const filler = (i: number) => new Array<number>((i * 37) % 200).fill(0xee)
const PAYLOADS: Readonly<Record<string, Payload>> = {
  tcp: (ends, i) => [6, p.tcp(filler(i), ...transport(ends), i === 0 ? 2 : 16, 1 + i * 1000)],
  udp: (ends, i) => [17, p.udp(filler(i), ...transport(ends))],
  sctp: (ends, i) => [132, p.sctp([[0, [0, 0, 0, i, 0, 0, 0, i, 0, 0, 0, 0, 1, 2, 3, 4]]], ...transport(ends))],
  dns: ({ isReply, ports, capture }) => {
    const query = p.dnsQuery(capture, `host${capture}.example.org`)
    if (isReply) query.splice(2, 2, 0x81, 0x80)
    return [17, isReply ? p.udp(query, 53, ports[0]) : p.udp(query, ports[0], 53)]
  },
}
const PAYLOADS_4: Readonly<Record<string, Payload>> = {
  ...PAYLOADS,
  icmp: ({ capture, isReply }, i) => [1, p.icmp(isReply ? 0 : 8, 0, capture + 1, i, filler(i))],
}
const PAYLOADS_6: Readonly<Record<string, Payload>> = {
  ...PAYLOADS,
  icmpv6: ({ capture, isReply }) => [58, p.icmpv6(isReply ? 129 : 128, [(capture + 1) >>> 8, (capture + 1) & 255, 0, 1])],
}

/** Captures number `first` to `first + count - 1`. */
export function randomCaptures(seed: number, first: number, count: number): readonly RandomCapture[] {
  const random = seededRandom(seed)
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!
  return Array.from({ length: count }, (_, index) => {
    const capture = first + index
    const isV6 = random() < 0.35
    const link = pick(Object.keys(LINKS))
    const tunnels = Array.from({ length: Math.floor(random() * 3.5) }, () => pick(Object.keys(TUNNELS)))
    const payloads = isV6 ? PAYLOADS_6 : PAYLOADS_4
    const payload = pick(Object.keys(payloads))
    const extensions = isV6 ? pick([[], [], [0], [60], [0, 60]]) : []
    const options = !isV6 && random() < 0.2 ? [1, 1, 1, 0] : []
    const ports = [20_000 + Math.floor(random() * 20_000), 40_000 + Math.floor(random() * 20_000)] as const
    const packets = Array.from({ length: 2 + Math.floor(random() * 10) }, (_packet, i) => {
      const ends: Ends = { capture, ports, isReply: i > 0 && random() < 0.5 }
      let [protocol, bytes] = payloads[payload]!(ends, i)
      for (const extension of [...extensions].reverse()) {
        bytes = p.extension(bytes, protocol)
        protocol = extension
      }
      let datagram = isV6 ? p.ipv6(bytes, protocol, hosts6(ends, 0)) : p.ipv4(bytes, protocol, { ...hosts(ends, 0), options })
      // The innermost tunnel is the last of the recipe.
      for (const [depth, tunnel] of [...tunnels].reverse().entries()) datagram = TUNNELS[tunnel]!(datagram, ends, depth)
      return Uint8Array.from(LINKS[link]!(datagram, ends, 9))
    })
    return {
      recipe: [
        link,
        ...tunnels,
        ...extensions.map((next) => `extension ${next}`),
        ...(options.length > 0 ? ['options'] : []),
        payload,
      ],
      packets,
    }
  })
}
