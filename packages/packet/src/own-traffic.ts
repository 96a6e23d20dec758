import { InvalidArgumentError } from '@skydive/contracts'
import { parseIpv4, parseIpv6 } from './address-parse.ts'
import { BPF, type BpfInstruction } from './bpf.ts'
import { ETHERTYPE, IP_PROTOCOL, LINK_TYPE } from './constants.ts'

/** The other end of one of our own connections. */
export interface Peer {
  readonly address: string
  /** Of TCP and UDP; 0: whatever is exchanged with the address. */
  readonly port: number
  /**
   * Whatever is exchanged with the address by this IP protocol, such as 47 (GRE), also in fragments; the port is not looked at. With an
   * IPv4 address also the ICMP errors, whoever sends them, about such packets to it: who mirrors an error gets another one for it.
   */
  readonly protocol?: number
}

const NO_JUMP = 0
/** Whatever matches is dropped here; what does not goes on with the instruction after the program. */
const DROP: BpfInstruction = { code: BPF.RET | BPF.K, jt: 0, jf: 0, k: 0 }

const load = (size: number, offset: number): BpfInstruction => ({ code: BPF.LD | size | BPF.ABS, jt: 0, jf: 0, k: offset })
const loadAfterX = (size: number, offset: number): BpfInstruction => ({ code: BPF.LD | size | BPF.IND, jt: 0, jf: 0, k: offset })
/** Goes on when the accumulator is `value`, else jumps over `otherwise` instructions. */
const expect = (value: number, otherwise: number): BpfInstruction => ({
  code: BPF.JMP | BPF.JEQ | BPF.K,
  jt: NO_JUMP,
  jf: otherwise,
  k: value,
})
const jump = (over: number): BpfInstruction => ({ code: BPF.JMP | BPF.JA, jt: 0, jf: 0, k: over })

/**
 * Classic BPF that drops what goes between this host and the given peers, in either direction, and falls through for everything else: put
 * a program or a return after it. Assembled here, so that a host without libpcap does not capture its own reports. Addresses are IPv4 or
 * IPv6 literals; empty without peers.
 * @throws ERR_INVALID_ARGUMENT for an address that is neither.
 */
export function ownTrafficProgram(peers: readonly Peer[], linkType: number): readonly BpfInstruction[] {
  if (peers.length === 0) return []
  const { ip } = framingOf(linkType)
  const v4: BpfInstruction[] = []
  const v6: BpfInstruction[] = []
  const v4WithPorts: BpfInstruction[] = []
  const v6WithPorts: BpfInstruction[] = []
  for (const { address, port, protocol } of peers) {
    const word = parseIpv4(address)
    const words = word === undefined ? parseIpv6(address) : undefined
    const hasPorts = protocol === undefined && port !== 0
    if (word !== undefined) {
      if (hasPorts) v4WithPorts.push(...ipv4Match(ip, word, port))
      else {
        v4.push(...hostMatch([word], ip + 12, ip + 16, ip + 9, protocol))
        if (protocol !== undefined) v4.push(...errorMatch(ip, word, protocol))
      }
    } else if (words !== undefined) {
      if (hasPorts) v6WithPorts.push(...ipv6Match(ip, words, port))
      else v6.push(...hostMatch(words, ip + 8, ip + 24, ip + 6, protocol))
    } else {
      throw new InvalidArgumentError(`own traffic: "${address}" is no IPv4 or IPv6 address; look the name up first`, { address })
    }
  }
  if (v4WithPorts.length > 0) v4.push(...ipv4Head(ip, v4WithPorts.length), ...v4WithPorts)
  if (v6WithPorts.length > 0) v6.push(...ipv6Head(ip, v6WithPorts.length), ...v6WithPorts)
  return [...section(linkType, 4, v4), ...section(linkType, 6, v6)]
}

/** Where the IP header begins, and the EtherType where there is one; other link types are taken for bare IP. */
function framingOf(linkType: number): { readonly ip: number; readonly etherTypeAt?: number } {
  if (linkType === LINK_TYPE.ETHERNET) return { ip: 14, etherTypeAt: 12 }
  if (linkType === LINK_TYPE.LINUX_SLL) return { ip: 16, etherTypeAt: 14 }
  if (linkType === LINK_TYPE.LINUX_SLL2) return { ip: 20, etherTypeAt: 0 }
  return { ip: 0 }
}

/** `body` for packets of an IP version; the others jump over it. */
function section(linkType: number, version: 4 | 6, body: readonly BpfInstruction[]): readonly BpfInstruction[] {
  if (body.length === 0) return []
  const { etherTypeAt } = framingOf(linkType)
  const test: readonly BpfInstruction[] =
    etherTypeAt !== undefined
      ? [load(BPF.H, etherTypeAt), expect(version === 4 ? ETHERTYPE.IPV4 : ETHERTYPE.IPV6, 1)]
      : [load(BPF.B, 0), { code: BPF.ALU | 0x50 | BPF.K, jt: 0, jf: 0, k: 0xf0 }, expect(version << 4, 1)]
  return [...test, jump(1), jump(body.length), ...body]
}

/** Only first fragments of TCP and UDP have ports; leaves the header's length in X. */
function ipv4Head(ip: number, bodyLength: number): readonly BpfInstruction[] {
  return [
    load(BPF.B, ip + 9),
    { code: BPF.JMP | BPF.JEQ | BPF.K, jt: 2, jf: 0, k: IP_PROTOCOL.TCP },
    { code: BPF.JMP | BPF.JEQ | BPF.K, jt: 1, jf: 0, k: IP_PROTOCOL.UDP },
    jump(4 + bodyLength),
    load(BPF.H, ip + 6),
    { code: BPF.JMP | BPF.JSET | BPF.K, jt: 0, jf: 1, k: 0x1fff },
    jump(1 + bodyLength),
    { code: BPF.LDX | BPF.B | BPF.MSH, jt: 0, jf: 0, k: ip },
  ]
}

function ipv6Head(ip: number, bodyLength: number): readonly BpfInstruction[] {
  return [
    load(BPF.B, ip + 6),
    { code: BPF.JMP | BPF.JEQ | BPF.K, jt: 2, jf: 0, k: IP_PROTOCOL.TCP },
    { code: BPF.JMP | BPF.JEQ | BPF.K, jt: 1, jf: 0, k: IP_PROTOCOL.UDP },
    jump(bodyLength),
  ]
}

/** The address as source or as destination, by one protocol or by any. */
function* hostMatch(
  words: readonly number[],
  sourceAt: number,
  destinationAt: number,
  protocolAt: number,
  protocol: number | undefined,
): Generator<BpfInstruction> {
  const matches = [sourceAt, destinationAt].flatMap((at) => [
    // Each comparison that fails jumps behind the DROP.
    ...words.flatMap((word, index) => [load(BPF.W, at + index * 4), expect(word, (words.length - 1 - index) * 2 + 1)]),
    DROP,
  ])
  if (protocol !== undefined) yield* [load(BPF.B, protocolAt), expect(protocol, matches.length)]
  yield* matches
}

/** ICMP types that quote the packet they tell of: unreachable, source quench, redirect, time exceeded, parameter problem (RFC 792). */
const ICMP_ERRORS = [3, 4, 5, 11, 12] as const
const ICMP_HEADER_BYTES = 8

/** An ICMP error about a packet of a protocol that was sent to the address. The quoted header begins after that of ICMP. */
function errorMatch(ip: number, address: number, protocol: number): readonly BpfInstruction[] {
  const quoted = ip + ICMP_HEADER_BYTES
  const quotes = [loadAfterX(BPF.B, quoted + 9), expect(protocol, 3), loadAfterX(BPF.W, quoted + 16), expect(address, 1), DROP]
  const types = ICMP_ERRORS.map((type, index) => ({
    code: BPF.JMP | BPF.JEQ | BPF.K,
    jt: ICMP_ERRORS.length - index,
    jf: 0,
    k: type,
  }))
  const body = [
    { code: BPF.LDX | BPF.B | BPF.MSH, jt: 0, jf: 0, k: ip },
    loadAfterX(BPF.B, ip),
    ...types,
    jump(quotes.length),
    ...quotes,
  ]
  return [
    load(BPF.B, ip + 9),
    expect(IP_PROTOCOL.ICMP, body.length + 2),
    load(BPF.H, ip + 6),
    { code: BPF.JMP | BPF.JSET | BPF.K, jt: body.length, jf: 0, k: 0x1fff },
    ...body,
  ]
}

/** Source with its port, then destination with its port. */
function* ipv4Match(ip: number, address: number, port: number): Generator<BpfInstruction> {
  for (const [addressAt, portAt] of [
    [ip + 12, ip],
    [ip + 16, ip + 2],
  ] as const) {
    yield* [load(BPF.W, addressAt), expect(address, 3), loadAfterX(BPF.H, portAt), expect(port, 1), DROP]
  }
}

function* ipv6Match(ip: number, words: readonly number[], port: number): Generator<BpfInstruction> {
  for (const [addressAt, portAt] of [
    [ip + 8, ip + 40],
    [ip + 24, ip + 42],
  ] as const) {
    // Each comparison that fails jumps behind the DROP: 2 for every word that would still follow, 3 for the port and the DROP.
    yield* words.flatMap((word, index) => [load(BPF.W, addressAt + index * 4), expect(word, (3 - index) * 2 + 3)])
    yield* [load(BPF.H, portAt), expect(port, 1), DROP]
  }
}
