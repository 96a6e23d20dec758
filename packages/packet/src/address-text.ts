const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** A MAC address of 6 bytes as flows spell it: `'02:00:00:00:01:02'`. The words hold its first four and last two bytes, big endian. */
export function macText(high: number, low: number): string {
  const first = `${HEX[(high >>> 24) & 0xff]}:${HEX[(high >>> 16) & 0xff]}:${HEX[(high >>> 8) & 0xff]}:${HEX[high & 0xff]}`
  return `${first}:${HEX[(low >>> 8) & 0xff]}:${HEX[low & 0xff]}`
}

/** An IPv4 address from its big-endian word: `'10.0.0.1'`. */
export function ipv4Text(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 0xff}.${(word >>> 8) & 0xff}.${word & 0xff}`
}

/**
 * An IPv6 address from its four big-endian words, compressed as RFC 5952 section 4 says: `'fd49:37c8:5229::2'`. IPv4-mapped addresses
 * keep their dotted end (section 5): `'::ffff:10.0.0.1'`.
 */
export function ipv6Text(word0: number, word1: number, word2: number, word3: number): string {
  if (word0 === 0 && word1 === 0 && word2 === 0xffff) return `::ffff:${ipv4Text(word3)}`
  const groups = [word0, word1, word2, word3].flatMap((word) => [word >>> 16, word & 0xffff])
  const { start, length } = longestZeroRun(groups)
  const text = (from: number, to: number) =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':')
  return length < 2 ? text(0, 8) : `${text(0, start)}::${text(start + length, 8)}`
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  for (let start = 0; start < groups.length; start++) {
    let end = start
    while (groups[end] === 0) end++
    if (end - start > best.length) best = { start, length: end - start }
    if (end > start) start = end
  }
  return best
}
