import type { DnsQuestion, DnsRecord, FlowDns } from '@skydive/contracts'
import { ipv4Text, ipv6Text } from './address-text.ts'

const HEADER_BYTES = 12
const MAX_NAME_BYTES = 255
/** Compression pointers followed in one name: each leads back, and no name has more labels. */
const MAX_POINTERS = 127

/** Record types with a name of their own here (IANA "Domain Name System (DNS) Parameters"). */
const TYPES: Readonly<Record<number, string>> = {
  1: 'A',
  2: 'NS',
  3: 'MD',
  4: 'MF',
  5: 'CNAME',
  6: 'SOA',
  7: 'MB',
  8: 'MG',
  9: 'MR',
  10: 'NULL',
  11: 'WKS',
  12: 'PTR',
  13: 'HINFO',
  14: 'MINFO',
  15: 'MX',
  16: 'TXT',
  28: 'AAAA',
  33: 'SRV',
  41: 'OPT',
  256: 'URI',
}
const CLASSES: Readonly<Record<number, string>> = { 1: 'IN', 2: 'CS', 3: 'CH', 4: 'HS', 255: 'Any' }
const OP_CODES: Readonly<Record<number, string>> = { 0: 'Query', 1: 'Inverse Query', 2: 'Status', 4: 'Notify', 5: 'Update' }
const RESPONSE_CODES: readonly string[] = [
  'No Error',
  'Format Error',
  'Server Failure',
  'Non-Existent Domain',
  'Not Implemented',
  'Query Refused',
  'Name Exists when it should not',
  'RR Set Exists when it should not',
  'RR Set that should exist does not',
  'Server Not Authoritative for zone',
  'Name not contained in zone',
]
/** Options of EDNS (IANA "DNS EDNS0 Option Codes"). */
const OPTIONS: Readonly<Record<number, string>> = {
  3: 'NSID',
  5: 'DAU',
  6: 'DHU',
  7: 'N3U',
  8: 'EDNSClientSubnet',
  9: 'EDNSExpire',
  10: 'Cookie',
  11: 'EDNSKeepAlive',
  12: 'Padding',
  13: 'CHAIN',
  14: 'EDNSKeyTag',
}
const UNKNOWN = 'Unknown'

type Draft<T> = { -readonly [K in keyof T]?: T[K] }

/**
 * The DNS message (RFC 1035 section 4.1) in `[offset, end)`, with the members of {@link FlowDns} but for the time; records of types that have
 * no member there are left out. `undefined` when it is cut or contradicts itself.
 */
export function decodeDns(view: DataView, offset: number, end: number): FlowDns | undefined {
  return new DnsReader(view, offset, end).message()
}

/** Reads a message; every method answers `undefined` for what is not whole. */
class DnsReader {
  readonly #view: DataView
  readonly #start: number
  readonly #end: number
  #at: number

  constructor(view: DataView, offset: number, end: number) {
    this.#view = view
    this.#start = offset
    this.#end = Math.min(end, view.byteLength)
    this.#at = offset + HEADER_BYTES
  }

  message(): FlowDns | undefined {
    if (this.#at > this.#end) return undefined
    const word = (index: number) => this.#view.getUint16(this.#start + index * 2)
    const flags = word(1)
    const counts = [word(2), word(3), word(4), word(5)]
    const questions = this.#list(counts[0]!, () => this.#question())
    const answers = questions && this.#list(counts[1]!, () => this.#record())
    const authorities = answers && this.#list(counts[2]!, () => this.#record())
    const additionals = authorities && this.#list(counts[3]!, () => this.#record())
    if (!additionals) return undefined
    return withoutZeros<FlowDns>({
      ID: word(0),
      QR: (flags & 0x8000) !== 0,
      op_code: OP_CODES[(flags >>> 11) & 15] ?? UNKNOWN,
      AA: (flags & 0x0400) !== 0,
      TC: (flags & 0x0200) !== 0,
      RD: (flags & 0x0100) !== 0,
      RA: (flags & 0x0080) !== 0,
      z: (flags >>> 4) & 7,
      response_code: RESPONSE_CODES[flags & 15] ?? UNKNOWN,
      QDCount: counts[0]!,
      ANCount: counts[1]!,
      NSCount: counts[2]!,
      ARCount: counts[3]!,
      questions,
      answers: answers.filter(isKnown),
      authorities: authorities.filter(isKnown),
      additionals: additionals.filter(isKnown),
    })
  }

  #list<T>(count: number, read: () => T | undefined): T[] | undefined {
    const items: T[] = []
    for (let i = 0; i < count; i++) {
      const item = read()
      if (item === undefined) return undefined
      items.push(item)
    }
    return items
  }

  #question(): DnsQuestion | undefined {
    const name = this.#name()
    if (name === undefined || this.#at + 4 > this.#end) return undefined
    const [type, dnsClass] = [this.#view.getUint16(this.#at), this.#view.getUint16(this.#at + 2)]
    this.#at += 4
    return withoutZeros<DnsQuestion>({ name, type: TYPES[type] ?? UNKNOWN, class: CLASSES[dnsClass] ?? UNKNOWN })
  }

  /** `null` for a type that is left out. */
  #record(): DnsRecord | null | undefined {
    const name = this.#name()
    if (name === undefined || this.#at + 10 > this.#end) return undefined
    const at = this.#at
    const view = this.#view
    const type = view.getUint16(at)
    const dataBytes = view.getUint16(at + 8)
    const data = at + 10
    if (data + dataBytes > this.#end) return undefined
    const members = this.#data(type, data, data + dataBytes)
    this.#at = data + dataBytes
    return (
      members &&
      withoutZeros<DnsRecord>({
        name,
        type: TYPES[type] ?? UNKNOWN,
        class: CLASSES[view.getUint16(at + 2)] ?? UNKNOWN,
        TTL: view.getUint32(at + 4),
        data_length: dataBytes,
        ...members,
      })
    )
  }

  #data(type: number, at: number, end: number): Draft<DnsRecord> | null {
    const view = this.#view
    const words = (index: number) => view.getInt32(at + index * 4)
    switch (TYPES[type]) {
      case 'A':
        return end - at === 4 ? { IP: ipv4Text(words(0)) } : null
      case 'AAAA':
        return end - at === 16 ? { IP: ipv6Text(words(0), words(1), words(2), words(3)) } : null
      case 'NS':
        return this.#named(at, (NS) => ({ NS }))
      case 'CNAME':
        return this.#named(at, (CNAME) => ({ CNAME }))
      case 'PTR':
        return this.#named(at, (PTR) => ({ PTR }))
      case 'TXT':
      case 'HINFO':
        return { TXTs: texts(view, at, end) }
      case 'SOA':
        return this.#soa(at, end)
      case 'SRV':
        return end - at < 7 ? null : this.#named(at + 6, (name) => ({ SRV: withoutZeros({ ...this.#srv(at), name }) }))
      case 'MX':
        return end - at < 3
          ? null
          : this.#named(at + 2, (name) => ({ MX: withoutZeros({ preference: view.getUint16(at), name }) }))
      case 'OPT':
        return { OPT: options(view, at, end) }
      default:
        return null
    }
  }

  #srv(at: number) {
    const view = this.#view
    return { priority: view.getUint16(at), weight: view.getUint16(at + 2), port: view.getUint16(at + 4) }
  }

  #soa(at: number, end: number): Draft<DnsRecord> | null {
    this.#at = at
    const MName = this.#name()
    const RName = MName === undefined ? undefined : this.#name()
    if (MName === undefined || RName === undefined || this.#at + 20 > end) return null
    const number = (index: number) => this.#view.getUint32(this.#at + index * 4)
    const [serial, refresh, retry, expire, minimum] = [number(0), number(1), number(2), number(3), number(4)]
    return { SOA: withoutZeros({ MName, RName, serial, refresh, retry, expire, minimum }) }
  }

  #named(at: number, make: (name: string) => Draft<DnsRecord>): Draft<DnsRecord> | null {
    this.#at = at
    const name = this.#name()
    return name === undefined ? null : make(name)
  }

  /** RFC 1035 section 4.1.4: labels, and pointers to where the rest stands; leaves off after the name as it stands here. */
  #name(): string | undefined {
    const view = this.#view
    const labels: string[] = []
    let at = this.#at
    let after = -1
    let bytes = 0
    for (let pointers = 0; at < this.#end; ) {
      const length = view.getUint8(at)
      if (length === 0) {
        this.#at = after < 0 ? at + 1 : after
        return labels.join('.')
      }
      if (length >= 0xc0) {
        if (at + 2 > this.#end || ++pointers > MAX_POINTERS) return undefined
        if (after < 0) after = at + 2
        at = this.#start + (view.getUint16(at) & 0x3fff)
        continue
      }
      bytes += 1 + length
      if (length >= 0x40 || at + 1 + length > this.#end || bytes > MAX_NAME_BYTES) return undefined
      labels.push(characters(view, at + 1, length))
      at += 1 + length
    }
    return undefined
  }
}

function isKnown(record: DnsRecord | null): record is DnsRecord {
  return record !== null
}

/** Bytes as they are: names are no text of any encoding. */
function characters(view: DataView, at: number, length: number): string {
  let text = ''
  for (let i = 0; i < length; i++) text += String.fromCharCode(view.getUint8(at + i))
  return text
}

/** Character strings (RFC 1035 section 3.3): a length byte before each. */
function texts(view: DataView, start: number, end: number): string[] {
  const found: string[] = []
  for (let at = start; at < end; ) {
    const length = Math.min(view.getUint8(at), end - at - 1)
    found.push(characters(view, at + 1, length))
    at += 1 + length
  }
  return found
}

function options(view: DataView, start: number, end: number): { Code?: string; Data?: string }[] {
  const found: { Code?: string; Data?: string }[] = []
  for (let at = start; at + 4 <= end; ) {
    const code = view.getUint16(at)
    const length = view.getUint16(at + 2)
    if (at + 4 + length > end) break
    let data = ''
    for (let i = 0; i < length; i++)
      data += view
        .getUint8(at + 4 + i)
        .toString(16)
        .padStart(2, '0')
    found.push(withoutZeros({ Code: OPTIONS[code] ?? String(code), Data: data }))
    at += 4 + length
  }
  return found
}

/** An object without the members that are zero or empty. */
function withoutZeros<T extends object>(value: T): T {
  return Object.fromEntries(
    Object.entries(value).filter(([, member]) => Boolean(member) && !(Array.isArray(member) && member.length === 0)),
  ) as T
}
