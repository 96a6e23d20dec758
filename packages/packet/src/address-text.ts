const COLON = 58

/** The character code of a hexadecimal digit. */
function digit(nibble: number): number {
  return nibble < 10 ? 48 + nibble : 87 + nibble
}

/** A MAC address of 6 bytes as flows spell it: `'02:00:00:00:01:02'`. The words hold its first four and last two bytes, big endian. */
export function macText(high: number, low: number): string {
  return String.fromCharCode(
    digit(high >>> 28),
    digit((high >>> 24) & 15),
    COLON,
    digit((high >>> 20) & 15),
    digit((high >>> 16) & 15),
    COLON,
    digit((high >>> 12) & 15),
    digit((high >>> 8) & 15),
    COLON,
    digit((high >>> 4) & 15),
    digit(high & 15),
    COLON,
    digit((low >>> 12) & 15),
    digit((low >>> 8) & 15),
    COLON,
    digit((low >>> 4) & 15),
    digit(low & 15),
  )
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
