import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { hexText, Xxh64 } from './index.ts'

const MASK = 0xffffffffffffffffn
const [P1, P2, P3, P4, P5] = [
  0x9e3779b185ebca87n,
  0xc2b2ae3d27d4eb4fn,
  0x165667b19e3779f9n,
  0x85ebca77c2b2ae63n,
  0x27d4eb2f165667c5n,
] as const

const rotate = (value: bigint, bits: bigint) => ((value << bits) | (value >> (64n - bits))) & MASK
const round = (lane: bigint, input: bigint) => (rotate((lane + input * P2) & MASK, 31n) * P1) & MASK

/** The specification, step by step, on big integers. */
function expected(bytes: Uint8Array, seed: bigint): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let at = 0
  let hash = (seed + P5) & MASK
  if (bytes.length >= 32) {
    const lanes = [seed + P1 + P2, seed + P2, seed, seed - P1].map((lane) => lane & MASK)
    for (; at + 32 <= bytes.length; at += 32) {
      for (let lane = 0; lane < 4; lane++) lanes[lane] = round(lanes[lane]!, view.getBigUint64(at + lane * 8, true))
    }
    hash = [1n, 7n, 12n, 18n].reduce((sum, bits, lane) => sum + rotate(lanes[lane]!, bits), 0n) & MASK
    for (const lane of lanes) hash = ((hash ^ round(0n, lane)) * P1 + P4) & MASK
  }
  hash = (hash + BigInt(bytes.length)) & MASK
  for (; at + 8 <= bytes.length; at += 8) {
    hash = (rotate(hash ^ round(0n, view.getBigUint64(at, true)), 27n) * P1 + P4) & MASK
  }
  if (at + 4 <= bytes.length) {
    hash = (rotate(hash ^ ((BigInt(view.getUint32(at, true)) * P1) & MASK), 23n) * P2 + P3) & MASK
    at += 4
  }
  for (; at < bytes.length; at++) hash = (rotate(hash ^ ((BigInt(bytes[at]!) * P5) & MASK), 11n) * P1) & MASK
  hash = ((hash ^ (hash >> 33n)) * P2) & MASK
  hash = ((hash ^ (hash >> 29n)) * P3) & MASK
  return hash ^ (hash >> 32n)
}

describe('XXH64', () => {
  // The published values of the empty input and of short texts.
  test.each([
    ['', 'ef46db3751d8e999'],
    ['a', 'd24ec4f1a98c6e5b'],
    ['abc', '44bc2cf5ad770999'],
  ])('%j', (text, hex) => {
    const hash = new Xxh64()
    const bytes = new TextEncoder().encode(text)
    hash.hash(new DataView(bytes.buffer), bytes.length)
    expect(hash.text()).toBe(hex)
  })

  test('equals the specification for any bytes and seed, one after the other in one object', () => {
    const hash = new Xxh64()
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 150 }), fc.bigInt({ min: 0n, max: MASK }), (bytes, seed) => {
        hash.hash(new DataView(bytes.buffer, bytes.byteOffset), bytes.length, Number(seed >> 32n), Number(seed & 0xffffffffn))
        expect((BigInt(hash.high) << 32n) | BigInt(hash.low)).toBe(expected(bytes, seed))
      }),
      { numRuns: 1000 },
    )
  })

  test.each([
    [0, 0, '0'],
    [0, 0x1f, '1f'],
    [1, 0xa, '10000000a'],
    [0xfedcba98, 0x76543210, 'fedcba9876543210'],
  ])('hexText(%i, %i)', (high, low, hex) => {
    expect(hexText(high, low)).toBe(hex)
  })
})
