import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { parseIpv4, parseIpv6, parseMac } from './address-parse.ts'
import { ipv4Text, ipv6Text, macText } from './address-text.ts'

const RUNS = { numRuns: 500, seed: Number(process.env['SKYDIVE_SEED'] ?? 20_261_127) }
const word = fc.nat(0xffffffff)

test('what flows spell is read again', () => {
  fc.assert(
    fc.property(fc.tuple(word, word, fc.constantFrom(0, 0xffff, 7), word), ([a, b, c, d]) => {
      expect(parseIpv4(ipv4Text(a))).toBe(a)
      expect(parseIpv6(ipv6Text(a, b, c, d))).toEqual([a, b, c, d])
      expect(parseIpv6(ipv6Text(0, 0, c, d))).toEqual([0, 0, c, d])
      expect(parseMac(macText(a, b & 0xffff))).toBe(a * 65_536 + (b & 0xffff))
    }),
    RUNS,
  )
})

test.each([
  '',
  '10.0.0',
  '10..0.1',
  '.10.0.0',
  '10.0.0.',
  '10.0.0.1.',
  '10.0.0.1 ',
  '10.0.0.256',
  '10.0.0.1.2',
  'a.b.c.d',
  '::1',
  '1e1.0.0.1',
])('"%s" is no IPv4 address', (text) => {
  expect(parseIpv4(text)).toBeUndefined()
})

test.each(['', '10.0.0.1', ':', '1:2:3', '1::2::3', '::12345', '1:2:3:4:5:6:7:8:9', '::g', '1:2:3:4:5:6:7::8'])(
  '"%s" is no IPv6 address',
  (text) => {
    expect(parseIpv6(text)).toBeUndefined()
  },
)

test('letters of MAC addresses may be of either case', () => {
  expect(parseMac('aB:cD:Ef:00:11:99')).toBe(0xabcdef001199)
})

test('a zone is not looked at', () => {
  expect(parseIpv6('fe80::1%eth0')).toEqual([0xfe800000, 0, 0, 1])
})

test.each(['', '02:00', '02:00:00:00:00:zz', '02-00-00-00-00-01', '02:00:00:00:00:001'])('"%s" is no MAC address', (text) => {
  expect(parseMac(text)).toBe(0)
})
