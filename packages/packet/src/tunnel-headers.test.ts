import { describe, expect, test } from '@jest/globals'
import { erspanHeaderBytes, geneveHeaderBytes, greHeaderBytes, greKey, gtpHeaderBytes } from './tunnel-headers.ts'

const bytes = (text: string) => Uint8Array.from(text.replace(/\s/g, '').match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))

/** What a function says of a header that lies behind two other bytes and ends where the bytes do. */
function of<T>(read: (view: DataView, at: number, end: number) => T, text: string): T {
  const memory = Uint8Array.of(9, 9, ...bytes(text))
  return read(new DataView(memory.buffer), 2, memory.length)
}

describe('GRE', () => {
  test.each<readonly [string, string, number, number]>([
    ['nothing but its protocol', '0000 0800', 4, 0],
    ['a checksum', '8000 0800 abcd0000', 8, 0],
    ['a key', '2000 0800 00000102', 8, 0x102],
    ['a key without a sign', '2000 0800 fffffffe', 8, 0xfffffffe],
    ['a sequence number', '1000 0800 00000009', 8, 0],
    ['checksum, key, sequence number', 'b000 0800 abcd0000 00000102 00000009', 16, 0x102],
    ['an acknowledgment of version 1', '3081 880b 00000102 00000009 00000008', 16, 0x102],
    ['that bit in version 0, where it says nothing', '0080 0800', 4, 0],
    ['source routes', '4000 0800 00000000 0800 00 04 0a000001 0000 00 00', 20, 0],
  ])('%s', (_, text, byteLength, key) => {
    expect([of(greHeaderBytes, text), of(greKey, text)]).toEqual([byteLength, key])
    expect(of(greHeaderBytes, text.replace(/\s/g, '').slice(0, -2))).toBe(-1)
  })
})

describe('ERSPAN', () => {
  test.each<readonly [string, number, string, number]>([
    ['of type II', 0x88be, '1000 1801 00000000', 8],
    ['of type III', 0x22eb, '2000 0000 00000000 0000 0000', 12],
    ['of type III with its part of the platform', 0x22eb, '2000 0000 00000000 0000 0001 0000000000000000', 20],
  ])('%s', (_, protocol, text, byteLength) => {
    const read = (view: DataView, at: number, end: number) => erspanHeaderBytes(view, at, end, protocol)
    expect([of(read, text), of(read, text.replace(/\s/g, '').slice(0, -2))]).toEqual([byteLength, -1])
  })

  test('nothing of another protocol', () => {
    expect(of((view, at, end) => erspanHeaderBytes(view, at, end, 0x0800), '1000 1801 00000000')).toBe(0)
  })
})

describe('Geneve', () => {
  test.each<readonly [string, string, number]>([
    ['without options', '0000 6558 00000a00', 8],
    ['with an option', '0200 6558 00000a00 0102030405060708', 16],
    ['bits that are not of the length', '00c0 6558 00000a00', 8],
    ['a version that nobody knows', '4000 6558 00000a00', -1],
    ['an option that is cut', '0200 6558 00000a00 01020304050607', -1],
    ['a header that is cut', '0000 6558 00000a', -1],
  ])('%s', (_, text, byteLength) => {
    expect(of(geneveHeaderBytes, text)).toBe(byteLength)
  })
})

describe('GTP-U', () => {
  test.each<readonly [string, string, number]>([
    ['nothing but its tunnel', '30ff 0000 00000005', 8],
    ['a sequence number', '32ff 0004 00000005 0001 00 00', 12],
    ['an extension', '34ff 0008 00000005 0000 00 85 01 0000 00', 16],
    ['two extensions', '34ff 0010 00000005 0000 00 85 01 0000 85 02 000000000000 00', 24],
    ['the number of an extension that does not count', '32ff 0004 00000005 0001 00 85', 12],
    ['an extension of no length', '34ff 0008 00000005 0000 00 85 00 0000 00', -1],
    ['an extension that is cut', '34ff 0008 00000005 0000 00 85 02 0000 00', -1],
    ['options that are cut', '32ff 0004 00000005 0001 00', -1],
    ['version 2', '50ff 0000 00000005', -1],
    ['the charging protocol', '20ff 0000 00000005', -1],
    ['extensions without end', `34ff 0000 00000005 0000 00 85 ${'01 0000 85 '.repeat(20)}`, -1],
  ])('%s', (_, text, byteLength) => {
    expect(of(gtpHeaderBytes, text)).toBe(byteLength)
  })
})
