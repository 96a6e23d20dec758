import { invalidCidr } from './invalid-cidr.ts'

/** The address as an unsigned 32-bit number, an optional `/n` after it ignored; -1 when the text is no IPv4 address. No allocation. */
export function parseIpv4(text: string): number {
  let address = 0
  let part = -1
  let dots = 0
  let i = 0
  for (; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code >= 48 && code <= 57) {
      part = (part < 0 ? 0 : part * 10) + code - 48
      if (part > 255) return -1
    } else if (code === 46) {
      if (part < 0 || dots === 3) return -1
      address = address * 256 + part
      part = -1
      dots++
    } else if (code === 47) {
      break
    } else {
      return -1
    }
  }
  if (dots !== 3 || part < 0) return -1
  if (i < text.length && !isPrefixLength(text, i + 1)) return -1
  return address * 256 + part
}

function isPrefixLength(text: string, from: number): boolean {
  const digits = text.length - from
  if (digits < 1 || digits > 2) return false
  let length = 0
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 48 || code > 57) return false
    length = length * 10 + code - 48
  }
  return length <= 32
}

/**
 * A test whether a text is an IPv4 address, optionally with `/n`, inside `cidr`. The host bits of `cidr` are ignored.
 * @throws ERR_INVALID_ARGUMENT for anything but `a.b.c.d/n`, IPv6 included.
 */
export function compileIpv4Range(cidr: string): (text: string) => boolean {
  const slash = cidr.indexOf('/')
  const network = parseIpv4(cidr)
  if (slash < 0 || network < 0) throw invalidCidr(cidr, '10.0.0.0/24')
  const size = 2 ** (32 - Number(cidr.slice(slash + 1)))
  const first = network - (network % size)
  return (text) => {
    const address = parseIpv4(text)
    return address >= first && address < first + size
  }
}
