import { describe, expect, test } from '@jest/globals'
import { DecodeError } from '@skydive/contracts'
import fc from 'fast-check'
import protobuf from 'protobufjs'
import { WireReader } from './wire-reader.ts'

const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const refusal = (read: () => unknown) => {
  try {
    read()
  } catch (error) {
    return error instanceof DecodeError ? [error.message, error.offset] : error
  }
  return undefined
}

/** Every field of a message: field 1 is an integer, 2 text, 3 bytes, 4 a message of the same kind; others are skipped. */
function readAll(reader: WireReader): unknown[] {
  const out: unknown[] = []
  const read = (field: number) => {
    if (field === 1) out.push(reader.integer())
    else if (field === 2) out.push(reader.string())
    else if (field === 3) out.push(reader.bytes())
    else if (field === 4) {
      const inner: unknown[] = []
      reader.message((member) => {
        if (member === 1) inner.push(reader.integer())
        else reader.skip()
      })
      out.push(inner)
    } else reader.skip()
  }
  for (let field = reader.next(); field !== 0; field = reader.next()) read(field)
  return out
}

describe('integers', () => {
  test.each([
    ['0800', 0],
    ['087f', 127],
    ['088001', 128],
    ['08ffffff7f', 2 ** 28 - 1],
    ['088080808001', 2 ** 28],
    ['08ffffffff07', 2 ** 31 - 1],
    ['088080808008', 2 ** 31],
    ['08ffffffff0f', 2 ** 32 - 1],
    ['088080808010', 2 ** 32],
    ['0880808080f001', 15 * 2 ** 32],
    ['08ffffffffffffff0f', Number.MAX_SAFE_INTEGER],
    ['08ffffffffffffffff7f', 2 ** 63],
    ['0880808080808080808001', -(2 ** 63)],
    ['08ffffffffffffffffff01', -1],
    ['0880ffffffffffffffff01', -128],
    // More digits than the number needs.
    ['088100', 1],
    ['0881808080808080808000', 1],
  ])('%s is %d', (bytes, value) => {
    expect(readAll(new WireReader(bytesOf(bytes)))).toEqual([value])
  })

  test('any that protobufjs writes', () => {
    fc.assert(
      fc.property(fc.array(fc.maxSafeInteger()), (values) => {
        const writer = protobuf.Writer.create()
        for (const value of values) writer.uint32(8).int64(value)
        expect(readAll(new WireReader(writer.finish()))).toEqual(values.map((value) => value + 0))
      }),
    )
  })
})

describe('text', () => {
  test.each([0, 1, 63, 64, 65, 200])('%d letters, also with one of two or three bytes at any place of them', (length) => {
    for (const letter of ['', '\u007f', '\u0080', 'é', '€', '😀', '\ufeff']) {
      for (const at of [0, 1, length >> 1, length]) {
        const text = 'a'.repeat(at) + letter + 'b'.repeat(Math.max(0, length - at))
        const bytes = protobuf.Writer.create().uint32(18).string(text).uint32(8).int64(7).finish()
        expect(readAll(new WireReader(bytes))).toEqual([text, 7])
      }
    }
  })

  test.each(['1203 61ff62', '1203 618062'])('%s, which is no UTF-8, has the replacement character', (bytes) => {
    expect(readAll(new WireReader(bytesOf(bytes)))).toEqual(['a\ufffdb'])
  })
})

test('bytes are a copy', () => {
  const whole = bytesOf('1a020102')
  const [bytes] = readAll(new WireReader(whole))
  whole.fill(0)
  expect(bytes).toEqual(Uint8Array.of(1, 2))
})

describe('a field that is not known is skipped', () => {
  test.each([
    ['a number', '28 ac02'],
    ['a number of ten bytes', '28 ffffffffffffffffff01'],
    ['eight bytes', '29 ffffffffffffffff'],
    ['a length', '2a 03 ffffff'],
    ['four bytes', '2d ffffffff'],
    ['a number of two bytes before it', '8008 01'],
  ])('%s', (_title, unknown) => {
    expect(readAll(new WireReader(bytesOf(`0801 ${unknown} 0802`)))).toEqual([1, 2])
    // Within a message, and as the last field of it.
    const inner = bytesOf(`0801 ${unknown}`)
    const bytes = Uint8Array.from([0x22, inner.length, ...inner, 0x08, 3])
    expect(readAll(new WireReader(bytes))).toEqual([[1], 3])
  })
})

describe('refused', () => {
  test.each<readonly [string, string, string, number]>([
    ['a field without a number', '0501', 'a field has the number 0', 1],
    ['a field without a number, of any kind', '0701', 'a field has the number 0', 1],
    ['a group', '2b', 'wire type 3 is not known', 1],
    ['the end of a group', '2c', 'wire type 4 is not known', 1],
    ['wire type 6', '2e', 'wire type 6 is not known', 1],
    ['wire type 7', '2f', 'wire type 7 is not known', 1],
    ['text where a number should be', '0a0161', 'field 1 has wire type 2, not 0', 1],
    ['a number where text should be', '1001', 'field 2 has wire type 0, not 2', 1],
    ['four bytes where a message should be', '25ffffffff', 'field 4 has wire type 5, not 2', 1],
    ['eight bytes where a number should be', '09 0000000000000000', 'field 1 has wire type 1, not 0', 1],
    ['a group where text should be', '1300', 'field 2 has wire type 3, not 2', 1],
    ['a field number of two bytes', '8008 80', 'a number is cut', 3],
    ['a number that is cut', '0880', 'a number is cut', 2],
    ['a number that is not there', '08', 'a number is cut', 1],
    ['a number of eleven bytes', '08 80808080808080808080 01', 'a number is longer than ten bytes', 11],
    ['a length after the end', '1203 6162', 'a field of 3 bytes ends after its message', 2],
    ['a length below zero', '12 ffffffffffffffffff01 00', 'a field of -1 bytes ends after its message', 11],
    [
      'a length below zero that leads to where it was',
      '12 f5ffffffffffffffff01',
      'a field of -11 bytes ends after its message',
      11,
    ],
    ['eight bytes of which one is missing', '29 ffffffffffffff', 'a field of 8 bytes ends after its message', 1],
    ['four bytes of which one is missing', '2d ffffff', 'a field of 4 bytes ends after its message', 1],
    [
      'a field that ends after its message, though not after the whole',
      '2203 2a02ff 0801',
      'a field of 2 bytes ends after its message',
      4,
    ],
    ['a number that ends after its message, though not after the whole', '2202 0880 0801', 'a number is cut', 4],
  ])('%s', (_title, bytes, message, offset) => {
    expect(refusal(() => readAll(new WireReader(bytesOf(bytes))))).toEqual([`protobuf: ${message} (byte ${offset})`, offset])
  })
})

describe('messages in messages', () => {
  /** Goes as deep as there are messages, and answers how deep that was. */
  const depthOf = (reader: WireReader): number => {
    let deepest = 0
    const read = (depth: number) => {
      deepest = Math.max(deepest, depth)
      reader.message(() => read(depth + 1))
    }
    for (let field = reader.next(); field !== 0; field = reader.next()) read(1)
    return deepest
  }
  const nested = (depth: number): Uint8Array => {
    let bytes: Uint8Array = new Uint8Array(0)
    for (let i = 0; i < depth; i++) bytes = protobuf.Writer.create().uint32(10).bytes(bytes).finish()
    return bytes
  }

  test('64 deep are read, also one behind the other', () => {
    expect(depthOf(new WireReader(Uint8Array.from([...nested(64), ...nested(64), ...nested(1)])))).toBe(64)
  })

  test('65 deep are refused', () => {
    expect(refusal(() => depthOf(new WireReader(nested(65))))).toEqual([
      expect.stringMatching(/^protobuf: messages are nested more than 64 deep/),
      expect.any(Number),
    ])
  })
})

test('how far it read is told after each field', () => {
  const reader = new WireReader(bytesOf('0801 2a03ffffff 08ac02'))
  const offsets = [reader.offset]
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    reader.skip()
    offsets.push(reader.offset)
  }
  expect(offsets).toEqual([0, 2, 7, 10])
})
