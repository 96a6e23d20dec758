import { InvalidArgumentError } from '@skydive/contracts'
import { BPF, type BpfInstruction } from './bpf.ts'
import { ETHERTYPE, IP_PROTOCOL, LINK_TYPE } from './constants.ts'

/** How packets are spread over several readers. */
export interface SpreadOptions {
  /** Ethernet, or bare IP for every other. */
  readonly linkType: number
  /** Added to all offsets: where the link header begins. In a fan-out of the kernel it is `SKF_LL_OFF`. @default 0 */
  readonly base?: number
  /** Ports are not looked at: for readers that put fragments together, of which only the first has ports. @default false */
  readonly byAddresses?: boolean
  /** UDP ports that carry tunnels, besides those of VXLAN, Geneve and GTP-U. */
  readonly tunnelUdpPorts?: readonly number[]
}

/** VXLAN by IANA and as Linux has it, Geneve, GTP-U: their source port is that of the flow within. */
const TUNNEL_UDP_PORTS = [4789, 8472, 6081, 2152] as const
/** A jump goes over 255 instructions at most, and each port is two. */
const MAX_TUNNEL_PORTS = 64
/** Tags before the IP header; frames with more go by their MAC addresses. */
const MAX_TAGS = 3
const MORE_FRAGMENTS_OR_OFFSET = 0x3fff
/** An odd number far from small ones (2^32 divided by the golden ratio): its products differ in the high bits. */
const MULTIPLIER = 0x9e3779b1
/** Another one, so that neighbours of addresses and of ports do not meet. */
const PORT_MULTIPLIER = 0x85ebca6b

const ADDRESSES = 0
const FIRST_PORT = 1

const instruction = (code: number, k = 0, jt = 0, jf = 0): BpfInstruction => ({ code, jt, jf, k: k >>> 0 })
const load = (size: number, at: number) => instruction(BPF.LD | size | BPF.ABS, at)
const loadAfterX = (size: number, at: number) => instruction(BPF.LD | size | BPF.IND, at)
const jump = (over: number) => instruction(BPF.JMP | BPF.JA, over)
/** Jumps over `over` instructions when the accumulator is `value`. */
const jumpWhen = (value: number, over: number) => instruction(BPF.JMP | BPF.JEQ | BPF.K, value, over)
const store = (word: number) => instruction(BPF.ST, word)
/** Sums are the same both ways, and differ where exclusive ors would not: for the pairs x.1 and x.2 of all networks x. */
const ADD_X = instruction(BPF.ALU | BPF.X)
const TO_X = instruction(BPF.MISC)
/** Makes the answer of the accumulator. */
const ANSWER: readonly BpfInstruction[] = [
  instruction(BPF.ALU | 0x20 | BPF.K, MULTIPLIER),
  instruction(BPF.ALU | 0x70 | BPF.K, 16),
  instruction(BPF.RET | BPF.A),
]
/** Adds a word of memory. */
const addWord = (word: number) => [instruction(BPF.LDX | BPF.MEM, word), ADD_X]

/**
 * Classic BPF that answers a number of 16 bits for each packet: the same for all packets of a flow, in both directions, and of the flows that
 * it carries. So whoever takes the packets of one number (or of one remainder) sees whole flows, also of tunnels, and fragments with their like.
 *
 * It goes by the outermost header: TCP and UDP over IPv4 by addresses and ports, unless in fragments or by a port of tunnels; any other IP
 * by the addresses; everything else by the MAC addresses, or 0 where there are none. So what one tunnel carries, what two hosts say to one
 * another by IPv6, and fragments between them, is never spread.
 * @throws ERR_INVALID_ARGUMENT for more than 64 ports of tunnels.
 */
export function spreadProgram({
  linkType,
  base = 0,
  byAddresses = false,
  tunnelUdpPorts = [],
}: SpreadOptions): readonly BpfInstruction[] {
  const ports = byAddresses ? undefined : [...new Set([...TUNNEL_UDP_PORTS, ...tunnelUdpPorts])]
  if (ports && ports.length > MAX_TUNNEL_PORTS) {
    throw new InvalidArgumentError(`spread: ${ports.length} UDP ports of tunnels; give ${MAX_TUNNEL_PORTS} at most`, {
      tunnelUdpPorts,
    })
  }
  if (linkType === LINK_TYPE.ETHERNET) return afterTags(base, 0, ports)
  const version = [load(BPF.B, base), instruction(BPF.ALU | 0x50 | BPF.K, 0xf0)]
  return [...version, ...when(0x40, ipv4(base, ports)), ...when(0x60, ipv6(base)), instruction(BPF.RET | BPF.K, 0)]
}

/** `body`, which returns, when the accumulator is `value`; what comes after it else. */
function when(value: number, body: readonly BpfInstruction[]): readonly BpfInstruction[] {
  return [jumpWhen(value, 1), jump(body.length), ...body]
}

function afterTags(base: number, tags: number, ports: readonly number[] | undefined): readonly BpfInstruction[] {
  const typeAt = base + 12 + tags * 4
  const inner = tags < MAX_TAGS ? afterTags(base, tags + 1, ports) : []
  const tagged =
    inner.length === 0 ? [] : [jumpWhen(ETHERTYPE.DOT1Q, 2), jumpWhen(ETHERTYPE.DOT1AD, 1), jump(inner.length), ...inner]
  return [
    load(BPF.H, typeAt),
    ...when(ETHERTYPE.IPV4, ipv4(typeAt + 2, ports)),
    ...when(ETHERTYPE.IPV6, ipv6(typeAt + 2)),
    ...tagged,
    ...macAddresses(base),
  ]
}

/** The header at `ip`; `tunnelPorts` only when ports are to be looked at. */
function ipv4(ip: number, tunnelPorts: readonly number[] | undefined): readonly BpfInstruction[] {
  const addresses = [load(BPF.W, ip + 12), TO_X, load(BPF.W, ip + 16), ADD_X, store(ADDRESSES)]
  const answer = [instruction(BPF.LD | BPF.MEM, ADDRESSES), ...ANSWER]
  if (!tunnelPorts) return [...addresses, ...answer]
  const second = [
    loadAfterX(BPF.H, ip + 2),
    ...tunnelPorts.map((port, i) => jumpWhen(port, tunnelPorts.length - 1 - i + 6)),
    ...addWord(FIRST_PORT),
    instruction(BPF.ALU | 0x20 | BPF.K, PORT_MULTIPLIER),
    ...addWord(ADDRESSES),
    store(ADDRESSES),
  ]
  const both = [
    instruction(BPF.LDX | BPF.B | BPF.MSH, ip),
    loadAfterX(BPF.H, ip),
    ...tunnelPorts.map((port, i) => jumpWhen(port, tunnelPorts.length - 1 - i + 1 + second.length)),
    store(FIRST_PORT),
    ...second,
  ]
  return [
    ...addresses,
    load(BPF.H, ip + 6),
    instruction(BPF.JMP | BPF.JSET | BPF.K, MORE_FRAGMENTS_OR_OFFSET, 4 + both.length),
    load(BPF.B, ip + 9),
    jumpWhen(IP_PROTOCOL.TCP, 2),
    jumpWhen(IP_PROTOCOL.UDP, 1),
    jump(both.length),
    ...both,
    ...answer,
  ]
}

/** By addresses alone: between them and the ports there may be headers, in some packets of a flow and not in others. */
function ipv6(ip: number): readonly BpfInstruction[] {
  const words = [12, 16, 20, 24, 28, 32, 36].flatMap((at) => [TO_X, load(BPF.W, ip + at), ADD_X])
  return [load(BPF.W, ip + 8), ...words, ...ANSWER]
}

function macAddresses(link: number): readonly BpfInstruction[] {
  return [
    ...[load(BPF.W, link), TO_X, load(BPF.W, link + 6), ADD_X, store(ADDRESSES)],
    ...[load(BPF.H, link + 4), TO_X, load(BPF.H, link + 10), ADD_X, ...addWord(ADDRESSES), ...ANSWER],
  ]
}
