// Own SHA-1, because layers 0 and 1 run in a browser, where the platform's digest is asynchronous and wants a secure context.

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
const ENCODER = new TextEncoder()
/** The OID namespace of RFC 4122 appendix C: 6ba7b812-9dad-11d1-80b4-00c04fd430c8. */
const OID_NAMESPACE = Uint8Array.of(
  0x6b,
  0xa7,
  0xb8,
  0x12,
  0x9d,
  0xad,
  0x11,
  0xd1,
  0x80,
  0xb4,
  0x00,
  0xc0,
  0x4f,
  0xd4,
  0x30,
  0xc8,
)

/** SHA-1 of `message` (FIPS 180-4 section 6.1). For identifiers only: it protects nothing. */
function sha1(message: Uint8Array): Uint8Array {
  const paddedLength = (((message.length + 8) >> 6) + 1) << 6
  const padded = new Uint8Array(paddedLength)
  padded.set(message)
  padded[message.length] = 0x80
  const view = new DataView(padded.buffer)
  view.setUint32(paddedLength - 8, Math.floor(message.length / 0x20000000))
  view.setUint32(paddedLength - 4, (message.length << 3) >>> 0)

  const words = new Int32Array(80)
  let h0 = 0x67452301
  let h1 = 0xefcdab89 | 0
  let h2 = 0x98badcfe | 0
  let h3 = 0x10325476
  let h4 = 0xc3d2e1f0 | 0
  for (let block = 0; block < paddedLength; block += 64) {
    for (let i = 0; i < 16; i++) words[i] = view.getInt32(block + i * 4)
    for (let i = 16; i < 80; i++) {
      const x = words[i - 3]! ^ words[i - 8]! ^ words[i - 14]! ^ words[i - 16]!
      words[i] = (x << 1) | (x >>> 31)
    }
    let a = h0
    let b = h1
    let c = h2
    let d = h3
    let e = h4
    for (let i = 0; i < 80; i++) {
      const mixed =
        i < 20
          ? ((b & c) | (~b & d)) + 0x5a827999
          : i < 40
            ? (b ^ c ^ d) + 0x6ed9eba1
            : i < 60
              ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc
              : (b ^ c ^ d) + 0xca62c1d6
      const next = (((a << 5) | (a >>> 27)) + mixed + e + words[i]!) | 0
      e = d
      d = c
      c = (b << 30) | (b >>> 2)
      b = a
      a = next
    }
    h0 = (h0 + a) | 0
    h1 = (h1 + b) | 0
    h2 = (h2 + c) | 0
    h3 = (h3 + d) | 0
    h4 = (h4 + e) | 0
  }
  const digest = new DataView(new ArrayBuffer(20))
  ;[h0, h1, h2, h3, h4].forEach((word, i) => {
    digest.setInt32(i * 4, word)
  })
  return new Uint8Array(digest.buffer)
}

function format(bytes: Uint8Array, version: 4 | 5): string {
  bytes[6] = (bytes[6]! & 0x0f) | (version << 4)
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  let text = ''
  for (let i = 0; i < 16; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) text += '-'
    text += HEX[bytes[i]!]
  }
  return text
}

/**
 * The UUID v5 of `name` in the OID namespace (RFC 9562 section 5.5): what every deterministic id and `TID` is made of.
 * Shape: `oidUuid('alpha')` is `'…-5…'`, the same on every host. About 1 µs.
 */
export function oidUuid(name: string): string {
  const encoded = ENCODER.encode(name)
  const input = new Uint8Array(16 + encoded.length)
  input.set(OID_NAMESPACE)
  input.set(encoded, 16)
  return format(sha1(input), 5)
}

/** The deterministic id of several parts: `oidUuid` over the parts joined with `/` (spec graph 1.3). */
export function deterministicId(...parts: readonly string[]): string {
  return oidUuid(parts.join('/'))
}

/** The id of an edge that names none: `oidUuid` over parent, child and relation type with nothing between (spec topology 2.1). */
export function relationId(parent: string, child: string, relationType: string): string {
  return oidUuid(parent + child + relationType)
}

/** Random bytes are asked for in advance: each call of the platform costs tens of microseconds, however few it gives. */
const randomPool = new Uint8Array(4096)
let randomUsed = randomPool.length

/** A random UUID v4 (RFC 9562 section 5.4). Below 1 µs. */
export function randomId(): string {
  if (randomUsed === randomPool.length) {
    globalThis.crypto.getRandomValues(randomPool)
    randomUsed = 0
  }
  return format(randomPool.subarray(randomUsed, (randomUsed += 16)), 4)
}
