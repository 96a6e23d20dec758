import type { Bytes } from './wire.ts'

/** Text of an IP address of 4 or 16 bytes; other lengths give an empty text. IPv6 as RFC 5952 section 4 wants it. */
export function readIp(bytes: Bytes, at: number, byteLength: number): string {
  if (byteLength === 4) return readIpv4(bytes, at)
  return byteLength === 16 ? readIpv6(bytes, at) : ''
}

function readIpv4({ view }: Bytes, at: number): string {
  return `${view.getUint8(at)}.${view.getUint8(at + 1)}.${view.getUint8(at + 2)}.${view.getUint8(at + 3)}`
}

function readIpv6(bytes: Bytes, at: number): string {
  const groups = Array.from({ length: 8 }, (_, i) => bytes.view.getUint16(at + i * 2))
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) return `::ffff:${readIpv4(bytes, at + 12)}`
  // The longest run of two or more zero groups, the first of several, is written as "::".
  let bestStart = -1
  let bestLength = 1
  for (let i = 0; i < 8; i++) {
    let length = 0
    while (i + length < 8 && groups[i + length] === 0) length++
    if (length > bestLength) [bestStart, bestLength] = [i, length]
    i += length
  }
  const hex = groups.map((group) => group.toString(16))
  if (bestStart < 0) return hex.join(':')
  return `${hex.slice(0, bestStart).join(':')}::${hex.slice(bestStart + bestLength).join(':')}`
}

/** The address whose bits are all zero, for a destination that the message leaves out. */
export function zeroIp(isIpv6: boolean): string {
  return isIpv6 ? '::' : '0.0.0.0'
}
