import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import protobuf from 'protobufjs'
import { WireWriter } from './wire-writer.ts'

// protobufjs writes the same by itself: an implementation that shares nothing with ours.
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const written = (write: (writer: WireWriter) => void) => {
  const writer = new WireWriter()
  write(writer)
  return writer.take()
}

describe('integers', () => {
  test.each<readonly [number, number, string]>([
    [1, 0, ''],
    [1, 1, '0801'],
    [1, 127, '087f'],
    [1, 128, '088001'],
    [1, 16_383, '08ff7f'],
    [1, 16_384, '08808001'],
    [1, 2 ** 32 - 1, '08ffffffff0f'],
    [1, 2 ** 32, '088080808010'],
    [1, 2 ** 32 + 127, '08ff80808010'],
    [1, 2 ** 35 - 1, '08ffffffff7f'],
    [1, 2 ** 35, '08808080808001'],
    [1, Number.MAX_SAFE_INTEGER, '08ffffffffffffff0f'],
    [1, -1, '08ffffffffffffffffff01'],
    [1, -128, '0880ffffffffffffffff01'],
    [1, -(2 ** 32), '0880808080f0ffffffff01'],
    [15, 5, '7805'],
    [16, 5, '800105'],
    [1100, 5, 'e04405'],
  ])('field %d, %d', (field, value, bytes) => {
    expect(hex(written((writer) => writer.integer(field, value)))).toBe(bytes)
  })

  test('any are what protobufjs writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), fc.maxSafeInteger(), (field, value) => {
        const expected =
          value === 0
            ? ''
            : hex(
                protobuf.Writer.create()
                  .uint32(field * 8)
                  .int64(value)
                  .finish(),
              )
        expect(hex(written((writer) => writer.integer(field, value)))).toBe(expected)
      }),
    )
  })
})

describe('text', () => {
  test.each([
    ['nothing', ''],
    ['the last code of one byte', '\u007f'],
    ['the first code of two bytes', '\u0080'],
    ['127 letters', 'a'.repeat(127)],
    ['128 letters', 'a'.repeat(128)],
    ['126 letters and one of two bytes', `${'a'.repeat(126)}é`],
    ['one of two bytes and 126 letters', `é${'a'.repeat(126)}`],
    ['one of three bytes between letters', 'a€b'],
    ['one outside the basic plane', '😀'],
    ['a byte order mark', '\ufeffa'],
    ['16,384 letters', 'a'.repeat(16_384)],
  ])('%s', (_title, value) => {
    const expected = value === '' ? '' : hex(protobuf.Writer.create().uint32(26).string(value).finish())
    expect(hex(written((writer) => writer.string(3, value)))).toBe(expected)
  })
})

test.each<readonly [string, (writer: WireWriter) => void, string]>([
  ['bytes', (writer) => writer.bytes(2, Uint8Array.of(1, 2)), '12020102'],
  ['no bytes', (writer) => writer.bytes(2, new Uint8Array(0)), ''],
  ['an element without bytes', (writer) => writer.element(2, new Uint8Array(0)), '1200'],
  ['an empty message', (writer) => writer.end(writer.begin(2)), '1200'],
  ['an empty message with its length before it', (writer) => writer.delimited(() => {}), '00'],
  ['a message with its length before it', (writer) => writer.delimited(() => writer.integer(1, 300)), '0308ac02'],
])('%s', (_title, write, bytes) => {
  expect(hex(written(write))).toBe(bytes)
})

test.each([0, 1, 124, 125, 126, 127, 16_378, 16_379, 16_380, 16_381, 2 ** 21 - 5, 2 ** 21 - 4])(
  'a message in a message around %d bytes',
  (size) => {
    const data = new Uint8Array(size).fill(7)
    const bytes = written((writer) => {
      writer.integer(9, 1)
      const outer = writer.begin(1)
      const inner = writer.begin(2)
      writer.element(3, data)
      writer.end(inner)
      writer.integer(4, 5)
      writer.end(outer)
      writer.integer(9, 2)
    })
    const expected = protobuf.Writer.create()
      .uint32(72)
      .int64(1)
      .uint32(10)
      .fork()
      .uint32(18)
      .fork()
      .uint32(26)
      .bytes(data)
      .ldelim()
    expect(Buffer.compare(bytes, expected.uint32(32).int64(5).ldelim().uint32(72).int64(2).finish())).toBe(0)
  },
)

describe('where the memory ends', () => {
  const FIRST_BYTES = 64 * 1024
  const fives = new Uint8Array(FIRST_BYTES).fill(5)
  const growths: readonly (readonly [string, number, (writer: WireWriter) => void])[] = [
    ['an integer', 20, (writer) => writer.integer(1100, -1)],
    ['short text', 24, (writer) => writer.string(1100, 'abcdefgh')],
    ['short text of three bytes a letter', 60, (writer) => writer.string(1100, '€'.repeat(16))],
    ['long text of three bytes a letter', 440, (writer) => writer.string(1100, '€'.repeat(140))],
    ['bytes', 40, (writer) => writer.bytes(1100, new Uint8Array(20).fill(9))],
    ['bytes of more than twice the memory', 24, (writer) => writer.bytes(1100, new Uint8Array(3 * FIRST_BYTES).fill(9))],
    ['a message', 24, (writer) => writer.end(writer.begin(1100))],
    ['a message with its length before it', 12, (writer) => writer.delimited(() => {})],
    [
      'a message whose length takes a byte more',
      160,
      (writer) => {
        const start = writer.begin(1100)
        // Written while there is room; only the length moves it over the end.
        writer.string(1, 'b'.repeat(125))
        writer.integer(1, 1)
        writer.end(start)
      },
    ],
  ]

  test.each(growths)('%s is whole, and what was before it stays', (_title, span, write) => {
    const alone = written(write)
    for (let before = FIRST_BYTES - span; before <= FIRST_BYTES + 1; before++) {
      const filled = fives.subarray(0, before - 4)
      const bytes = written((writer) => {
        writer.element(1, filled)
        write(writer)
      })
      if (Buffer.compare(bytes.subarray(4, before), filled) !== 0 || Buffer.compare(bytes.subarray(before), alone) !== 0) {
        throw new Error(`differs where ${before} bytes are before it`)
      }
    }
  })
})

test('what was taken is gone, and the writer goes on', () => {
  const writer = new WireWriter()
  writer.integer(1, 1)
  const first = writer.take()
  writer.integer(1, 2)
  expect([hex(first), hex(writer.take()), hex(writer.take())]).toEqual(['0801', '0802', ''])
})
