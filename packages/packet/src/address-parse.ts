const DOT = 46
const ZERO = 48
const COLON = 58

/** The big-endian word of an IPv4 address as text, `undefined` for anything else: `parseIpv4('10.0.0.1') === 0x0a000001`. */
export function parseIpv4(text: string): number | undefined {
  let word = 0
  let part = -1
  let dots = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === DOT) {
      if (part < 0 || ++dots > 3) return undefined
      word = (word << 8) | part
      part = -1
      continue
    }
    const digit = code - ZERO
    if (digit < 0 || digit > 9) return undefined
    part = part < 0 ? digit : part * 10 + digit
    if (part > 255) return undefined
  }
  return dots === 3 && part >= 0 ? ((word << 8) | part) >>> 0 : undefined
}

/** The four big-endian words of an IPv6 address as text, with or without a zone; `undefined` for anything else. */
export function parseIpv6(text: string): readonly [number, number, number, number] | undefined {
  const [plain = ''] = text.split('%')
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(plain)
  const word = dotted ? parseIpv4(dotted[2]!) : undefined
  const groups = word === undefined ? plain : `${dotted![1]}${(word >>> 16).toString(16)}:${(word & 0xffff).toString(16)}`
  const [head = '', tail, ...more] = groups.split('::')
  if (more.length > 0) return undefined
  const split = (part: string) => (part === '' ? [] : part.split(':'))
  const before = split(head)
  const after = tail === undefined ? [] : split(tail)
  const missing = 8 - before.length - after.length
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined
  const all = [...before, ...Array.from({ length: tail === undefined ? 0 : missing }, () => '0'), ...after]
  if (!all.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined
  const numbers = all.map((group) => Number.parseInt(group, 16))
  const at = (index: number) => ((numbers[index]! << 16) | numbers[index + 1]!) >>> 0
  return [at(0), at(2), at(4), at(6)]
}

/** A MAC address as a number of 48 bits, 0 for anything else: `parseMac('02:00:00:00:00:01') === 0x020000000001`. */
export function parseMac(text: string): number {
  if (text.length !== 17) return 0
  let number = 0
  for (let at = 0; at < 17; at += 3) {
    const high = hexDigit(text.charCodeAt(at))
    const low = hexDigit(text.charCodeAt(at + 1))
    if (high < 0 || low < 0 || (at < 15 && text.charCodeAt(at + 2) !== COLON)) return 0
    number = number * 256 + high * 16 + low
  }
  return number
}

/** The value of a hexadecimal digit by its character code, or -1. */
function hexDigit(code: number): number {
  const digit = code - ZERO
  if (digit >= 0 && digit <= 9) return digit
  const letter = (code | 0x20) - 97
  return letter >= 0 && letter < 6 ? letter + 10 : -1
}
