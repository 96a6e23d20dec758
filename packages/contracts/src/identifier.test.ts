import { createHash } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { deterministicId, oidUuid, randomId, relationId } from './index.ts'

/** The same by the platform's SHA-1: an independent implementation to compare with. */
function expectedUuid(name: string): string {
  const bytes = createHash('sha1')
    .update(Buffer.from('6ba7b8129dad11d180b400c04fd430c8', 'hex'))
    .update(name, 'utf8')
    .digest()
    .subarray(0, 16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x50
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

describe('identifiers', () => {
  test.each(['', 'alpha', 'x'.repeat(39), 'x'.repeat(40), 'x'.repeat(47), 'x'.repeat(48), 'x'.repeat(200), 'ü/☃'])(
    'oidUuid(%j)',
    (name) => {
      expect(oidUuid(name)).toBe(expectedUuid(name))
    },
  )

  test('oidUuid equals the platform for any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (name) => oidUuid(name) === expectedUuid(name)))
  })

  test('deterministicId joins with a slash, relationId with nothing', () => {
    expect([deterministicId('a', 'b'), relationId('a', 'b', 'ownership')]).toEqual([
      expectedUuid('a/b'),
      expectedUuid('abownership'),
    ])
  })

  test('randomId is a version 4 UUID, and another one every time', () => {
    expect(randomId()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(randomId()).not.toBe(randomId())
  })
})
