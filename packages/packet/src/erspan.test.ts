import { crc32 as zlibCrc32 } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { crc32 } from './crc32.ts'
import { ERSPAN_OVERHEAD_BYTES, type MirroredFrame, writeErspan } from './erspan.ts'

const RUNS = { numRuns: 200, seed: Number(process.env['SKYDIVE_SEED'] ?? 20_261_127) }
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

function write(frame: Partial<MirroredFrame> & Pick<MirroredFrame, 'bytes'>, sessionId = 1, index = 2, sequence = 3): string {
  const into = new Uint8Array(5 + frame.bytes.length + ERSPAN_OVERHEAD_BYTES)
  const { length } = frame.bytes
  const whole = { offset: 0, capturedBytes: length, wireBytes: length, strippedTag: -1, ...frame }
  const written = writeErspan(into, new DataView(into.buffer), 5, { sessionId, index }, sequence, whole)
  return hex(into.subarray(5, 5 + written))
}

describe('a mirrored frame', () => {
  const bytes = Uint8Array.from({ length: 20 }, (_, i) => i)
  const frame = '000102030405060708090a0b0c0d0e0f10111213'
  const TAGGED = `${frame.slice(0, 24)}81002007${frame.slice(24)}`
  const crcOf = (text: string) => zlibCrc32(Buffer.from(text, 'hex')).toString(16).padStart(8, '0')

  test.each<[string, Parameters<typeof write>, string]>([
    ['whole', [{ bytes }], `100088be000000031000180100000002${frame}${crcOf(frame)}`],
    ['cut', [{ bytes, wireBytes: 1500 }], `100088be0000000310001c0100000002${frame}${crcOf(frame)}`],
    [
      'with the tag that the kernel took off',
      [{ bytes, strippedTag: 0x2007 }],
      `100088be000000031000180100000002${TAGGED}${crcOf(TAGGED)}`,
    ],
    [
      'with great numbers, cut to their fields',
      [{ bytes }, 0xfff, 0xfffffff, 0xffffffff],
      `100088beffffffff10001bff000fffff${frame}${crcOf(frame)}`,
    ],
    [
      'within a block',
      [{ bytes, offset: 2, capturedBytes: 18, wireBytes: 18 }],
      `100088be000000031000180100000002${frame.slice(4)}${crcOf(frame.slice(4))}`,
    ],
  ])('%s', (_, args, expected) => {
    expect(write(...args)).toBe(expected)
  })
})

test('the CRC is that of zlib', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, from) => {
      expect(crc32(bytes, Math.min(from, bytes.length), bytes.length)).toBe(zlibCrc32(bytes.subarray(from)))
    }),
    RUNS,
  )
})
