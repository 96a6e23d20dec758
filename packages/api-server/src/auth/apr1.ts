import { createHash } from 'node:crypto'

const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const ROUNDS = 1000

/** Byte positions of the digest in the order in which three at a time become four characters. */
const GROUPS: readonly (readonly [number, number, number])[] = [
  [0, 6, 12],
  [1, 7, 13],
  [2, 8, 14],
  [3, 9, 15],
  [4, 10, 5],
]

/** The `$apr1$` hash of htpasswd files (Apache's variant of MD5-crypt), whole: `$apr1$<salt>$<22 characters>`. */
export function apr1(password: string, salt: string): string {
  const secret = Buffer.from(password, 'utf8')
  const salted = Buffer.from(salt, 'utf8')
  const inner = md5(secret, salted, secret)

  const first: Buffer[] = [secret, Buffer.from('$apr1$'), salted]
  for (let left = secret.length; left > 0; left -= 16) first.push(inner.subarray(0, Math.min(16, left)))
  for (let bits = secret.length; bits > 0; bits >>= 1) first.push(bits & 1 ? Buffer.of(0) : secret.subarray(0, 1))
  let digest = md5(...first)

  for (let round = 0; round < ROUNDS; round++) {
    const parts: Buffer[] = [round & 1 ? secret : digest]
    if (round % 3 !== 0) parts.push(salted)
    if (round % 7 !== 0) parts.push(secret)
    parts.push(round & 1 ? digest : secret)
    digest = md5(...parts)
  }

  let text = ''
  for (const [a, b, c] of GROUPS) text += encode((digest[a]! << 16) | (digest[b]! << 8) | digest[c]!, 4)
  return `$apr1$${salt}$${text}${encode(digest[11]!, 2)}`
}

function encode(value: number, length: number): string {
  let text = ''
  for (let i = 0; i < length; i++) text += ALPHABET[(value >> (6 * i)) & 0x3f]
  return text
}

function md5(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('md5')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
