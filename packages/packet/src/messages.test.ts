import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { decodeDhcpv4, decodeDns, decodeVrrpv2 } from './index.ts'

const hex = (text: string) => Uint8Array.from(text.replace(/\s/g, '').match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
const view = (bytes: Uint8Array) => new DataView(bytes.buffer)
const dns = (text: string) => {
  const bytes = hex(text)
  return decodeDns(view(bytes), 0, bytes.length)
}

/** A response to `www` with one answer of a type, its data in hexadecimal. */
const answer = (type: string, data: string) =>
  `1234 8180 0001 0001 0000 0000 03777777 00 0001 0001 c00c ${type} 0001 0000003c ${(data.replace(/\s/g, '').length / 2).toString(16).padStart(4, '0')} ${data}`

describe('DNS', () => {
  test.each<readonly [string, string, string, object]>([
    ['A', '0001', '0a000001', { IP: '10.0.0.1' }],
    ['AAAA', '001c', 'fd000000000000000000000000000001', { IP: 'fd00::1' }],
    ['NS', '0002', '026e73 c00c', { NS: 'ns.www' }],
    ['CNAME', '0005', '0161 00', { CNAME: 'a' }],
    ['PTR', '000c', '0161 0162 00', { PTR: 'a.b' }],
    ['TXT', '0010', '026869 00 0121', { TXTs: ['hi', '', '!'] }],
    ['HINFO', '000d', '03637075 026f73', { TXTs: ['cpu', 'os'] }],
    ['MX', '000f', '000a c00c', { MX: { preference: 10, name: 'www' } }],
    ['SRV', '0021', '0001 0002 0050 c00c', { SRV: { priority: 1, weight: 2, port: 80, name: 'www' } }],
    [
      'SOA',
      '0006',
      'c00c 0161 00 00000001 00000002 00000003 00000004 00000000',
      { SOA: { MName: 'www', RName: 'a', serial: 1, refresh: 2, retry: 3, expire: 4 } },
    ],
    ['OPT', '0029', '000a 0002 abcd 0011 0000', { OPT: [{ Code: 'Cookie', Data: 'abcd' }, { Code: '17' }] }],
  ])('a record of type %s', (type, code, data, members) => {
    const message = dns(answer(code, data))
    expect(message).toEqual({
      ID: 0x1234,
      QR: true,
      op_code: 'Query',
      RD: true,
      RA: true,
      response_code: 'No Error',
      QDCount: 1,
      ANCount: 1,
      questions: [{ name: 'www', type: 'A', class: 'IN' }],
      answers: [{ name: 'www', type, class: 'IN', TTL: 60, data_length: data.replace(/\s/g, '').length / 2, ...members }],
    })
  })

  test.each([
    ['a type without a member', '002e', '00'],
    ['an A that is no address', '0001', '0a0000'],
    ['an SOA that is cut', '0006', '00 00 00000001'],
    ['a CNAME that points at itself', '0005', 'c021'],
    ['an MX without a name', '000f', '000a'],
  ])('%s is left out', (_, code, data) => {
    expect(dns(answer(code, data))).toMatchObject({ ANCount: 1, ID: 0x1234 })
    expect(dns(answer(code, data))).not.toHaveProperty('answers')
  })

  test.each([
    ['nothing', ''],
    ['a header that is cut', '1234 8180 0001 0000'],
    ['a question that is not there', '1234 8180 0001 0000 0000 0000'],
    ['a name without an end', '1234 8180 0001 0000 0000 0000 03777777'],
    ['a label that is too long', '1234 8180 0001 0000 0000 0000 40'],
    ['pointers in a circle', '1234 8180 0001 0000 0000 0000 c00e c00c 0001 0001'],
    ['a record that is cut', answer('0001', '0a000001').slice(0, -2)],
  ])('%s is no message', (_, bytes) => {
    expect(dns(bytes)).toBeUndefined()
  })

  test('foreign bytes are a message or none, never anything else (fuzz)', () => {
    const seeds = ['0001', '0005', '0006', '000f', '0010', '0021', '0029'].map((type) =>
      hex(answer(type, 'c00c 0001 0203 0405 0607 0809')),
    )
    fc.assert(
      fc.property(
        fc.constantFrom(...seeds),
        fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 6 }),
        fc.nat(60),
        (seed, changes, cut) => {
          const bytes = Uint8Array.from(seed)
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value
          const end = Math.max(0, bytes.length - (cut % 20))
          // The view ends where the message ends: reading on would throw.
          decodeDns(new DataView(bytes.buffer, 0, end), 0, end)
        },
      ),
      { numRuns: 2000 },
    )
  })
})

test('DHCPv4', () => {
  const bytes = new Uint8Array(240)
  bytes.set([1, 1, 6, 2, 9, 9, 9, 9, 0, 5, 0x80, 0])
  bytes.set(Buffer.from('server'), 44)
  bytes.set(Buffer.from('pxelinux.0'), 108)
  bytes.set([0x63, 0x82, 0x53, 0x63], 236)
  const expected = { hardware_len: 6, hardware_opts: 2, secs: 5, flags: 0x8000, server_name: 'server', file: 'pxelinux.0' }
  expect(decodeDhcpv4(view(bytes), 0, 240)).toEqual(expected)
  expect(decodeDhcpv4(view(bytes), 0, 239)).toBeUndefined()
  bytes[239] = 0
  expect(decodeDhcpv4(view(bytes), 0, 240)).toBeUndefined()
})

test.each([
  ['an advertisement', '2107 64 01 00 01 0000', { version: 2, VirtualRtrID: 7, priority: 100, adver_int: 1 }],
  ['version 3', '3107 64 01 00 01 0000', undefined],
  ['one that is cut', '2107 64', undefined],
])('VRRP: %s', (_, text, expected) => {
  const bytes = hex(text)
  expect(decodeVrrpv2(view(bytes), 0, bytes.length)).toEqual(expected)
})
