import { invalidCidr } from './invalid-cidr.ts'
import { compileIpv4Range, parseIpv4 } from './ipv4.ts'

/** Longer texts are no addresses: eight groups, a zone and a prefix length fit well below. */
const MAX_TEXT = 96
const GROUPS = 8
const COLON = 58
const PERCENT = 37
const SLASH = 47

/** The digit that a character stands for, or -1. */
function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  const lower = code | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

/** Where the address itself ends: before a zone (`%eth0`) or a prefix length (`/64`). */
function addressEnd(text: string): number {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === PERCENT || code === SLASH) return i
  }
  return text.length
}

/** The `n` of a trailing `/n`; 128 without one, -1 when it is none. */
function prefixLength(text: string, from: number): number {
  const slash = text.indexOf('/', from)
  if (slash < 0) return 128
  const digits = text.slice(slash + 1)
  return /^[0-9]{1,3}$/.test(digits) && Number(digits) <= 128 ? Number(digits) : -1
}

/**
 * Reads an IPv6 address (RFC 4291 section 2.2) into its eight groups: `::`, a dotted IPv4 tail, a zone (RFC 4007) and `/n` are understood,
 * the last two ignored. False for anything else; `groups` is spoilt then. No allocation for a plain address; linear, at most 96 characters.
 */
export function parseIpv6(text: string, groups: Uint16Array): boolean {
  if (text.length > MAX_TEXT || text.length < 2) return false
  const end = addressEnd(text)
  if (end < text.length && prefixLength(text, end) < 0) return false
  let count = 0
  let gap = -1
  let i = 0
  if (text.charCodeAt(0) === COLON) {
    if (text.charCodeAt(1) !== COLON) return false
    gap = 0
    i = 2
  }
  while (i < end) {
    if (count === GROUPS) return false
    const start = i
    let value = 0
    let digit = hexDigit(text.charCodeAt(i))
    while (digit >= 0 && i < end) {
      value = value * 16 + digit
      digit = ++i < end ? hexDigit(text.charCodeAt(i)) : -1
    }
    if (i < end && text[i] === '.') {
      const tail = count <= GROUPS - 2 ? parseIpv4(text.slice(start, end)) : -1
      if (tail < 0) return false
      groups[count++] = tail >>> 16
      groups[count++] = tail & 0xffff
      i = end
      break
    }
    if (i === start || i - start > 4) return false
    groups[count++] = value
    if (i === end) break
    if (text.charCodeAt(i++) !== COLON) return false
    if (i < end && text.charCodeAt(i) === COLON) {
      if (gap >= 0) return false
      gap = count
      i++
    } else if (i === end) {
      return false
    }
  }
  return fillGap(groups, count, gap)
}

/** Spreads what stands behind `::` to the end. */
function fillGap(groups: Uint16Array, count: number, gap: number): boolean {
  if (gap < 0) return count === GROUPS
  if (count >= GROUPS) return false
  groups.copyWithin(GROUPS - (count - gap), gap, count)
  groups.fill(0, gap, GROUPS - (count - gap))
  return true
}

/**
 * A test whether a text is an IPv6 address, optionally with zone and `/n`, inside `cidr`. The host bits of `cidr` are ignored.
 * @throws ERR_INVALID_ARGUMENT for anything but an IPv6 network such as `2001:db8::/32`.
 */
export function compileIpv6Range(cidr: string): (text: string) => boolean {
  const network = new Uint16Array(GROUPS)
  const slash = cidr.indexOf('/')
  if (slash < 0 || !parseIpv6(cidr, network)) throw invalidCidr(cidr, '2001:db8::/32')
  const bits = Number(cidr.slice(slash + 1))
  const masks = Array.from(network, (_, group) => {
    const own = Math.min(16, Math.max(0, bits - group * 16))
    return (0xffff << (16 - own)) & 0xffff
  })
  const address = new Uint16Array(GROUPS)
  return (text) => {
    if (!parseIpv6(text, address)) return false
    for (let group = 0; group < GROUPS && masks[group] !== 0; group++) {
      if (((address[group]! ^ network[group]!) & masks[group]!) !== 0) return false
    }
    return true
  }
}

/** Whether a text is one address of either family, without a prefix length. */
export function isIpAddress(text: string): boolean {
  if (text.includes('/')) return false
  return text.includes(':') ? parseIpv6(text, new Uint16Array(GROUPS)) : parseIpv4(text) >= 0
}

/** {@link compileIpv4Range} or {@link compileIpv6Range}, whichever the network is of. @throws ERR_INVALID_ARGUMENT. */
export function compileIpRange(cidr: string): (text: string) => boolean {
  return cidr.includes(':') ? compileIpv6Range(cidr) : compileIpv4Range(cidr)
}
