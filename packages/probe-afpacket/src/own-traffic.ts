import { InvalidArgumentError } from '@skydive/contracts'
import { BPF, type BpfInstruction, ETHERTYPE, IP_PROTOCOL, LINK_TYPE } from '@skydive/packet'

/** The other end of one of our own connections. */
export interface Peer {
  readonly address: string
  readonly port: number
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
 * Classic BPF that drops TCP and UDP between this host and the given peers, in either direction, and falls through for everything else: put
 * a program or a return after it. Assembled here, so that a host without libpcap does not capture its own reports. Addresses are IPv4 or
 * IPv6 literals; empty without peers.
 * @throws ERR_INVALID_ARGUMENT for an address that is neither.
 */
export function ownTrafficProgram(peers: readonly Peer[], linkType: number): readonly BpfInstruction[] {
  if (peers.length === 0) return []
  const ip = linkType === LINK_TYPE.ETHERNET ? 14 : 0
  const v4 = peers.flatMap(({ address, port }) => {
    const word = ipv4Word(address)
    return word === undefined ? [] : [...ipv4Match(ip, word, port)]
  })
  const v6 = peers.flatMap(({ address, port }) => (address.includes(':') ? [...ipv6Match(ip, ipv6Words(address), port)] : []))
  for (const { address } of peers) {
    if (!address.includes(':') && ipv4Word(address) === undefined) {
      throw new InvalidArgumentError(`own traffic: "${address}" is no IPv4 or IPv6 address; look the name up first`, { address })
    }
  }
  return [
    ...section(linkType, 4, [...(v4.length === 0 ? [] : [...ipv4Head(ip, v4.length), ...v4])]),
    ...section(linkType, 6, [...(v6.length === 0 ? [] : [...ipv6Head(ip, v6.length), ...v6])]),
  ]
}

/** `body` for packets of an IP version; the others jump over it. */
function section(linkType: number, version: 4 | 6, body: readonly BpfInstruction[]): readonly BpfInstruction[] {
  if (body.length === 0) return []
  const test: readonly BpfInstruction[] =
    linkType === LINK_TYPE.ETHERNET
      ? [load(BPF.H, 12), expect(version === 4 ? ETHERTYPE.IPV4 : ETHERTYPE.IPV6, 1)]
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

function ipv4Word(address: string): number | undefined {
  const parts = address.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) return undefined
  return parts.reduce((word, part) => ((word << 8) | Number(part)) >>> 0, 0)
}

function ipv6Words(address: string): readonly number[] {
  const refuse = (): never => {
    throw new InvalidArgumentError(`own traffic: "${address}" is no IPv6 address`, { address })
  }
  const [plain = ''] = address.split('%')
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(plain)
  const word = dotted ? ipv4Word(dotted[2]!) : undefined
  const text = word === undefined ? plain : `${dotted![1]}${(word >>> 16).toString(16)}:${(word & 0xffff).toString(16)}`
  const [head = '', tail] = text.split('::')
  const groups = (part: string) => (part === '' ? [] : part.split(':'))
  const before = groups(head)
  const after = tail === undefined ? [] : groups(tail)
  const missing = 8 - before.length - after.length
  if (tail === undefined ? missing !== 0 : missing < 1) refuse()
  const all = [...before, ...Array.from({ length: tail === undefined ? 0 : missing }, () => '0'), ...after]
  if (!all.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) refuse()
  const numbers = all.map((group) => Number.parseInt(group, 16))
  return [0, 2, 4, 6].map((index) => ((numbers[index]! << 16) | numbers[index + 1]!) >>> 0)
}
