import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { compileIpRange, compileIpv6Range, isIpAddress, parseIpv6 } from './index.ts'

function groupsOf(text: string): string | undefined {
  const groups = new Uint16Array(8)
  return parseIpv6(text, groups) ? [...groups].map((group) => group.toString(16)).join(':') : undefined
}

describe('parseIpv6', () => {
  test.each<[text: string, groups: string | undefined]>([
    ['::', '0:0:0:0:0:0:0:0'],
    ['::1', '0:0:0:0:0:0:0:1'],
    ['1::', '1:0:0:0:0:0:0:0'],
    ['2001:db8::8:800:200c:417a', '2001:db8:0:0:8:800:200c:417a'],
    ['2001:DB8:0:0:8:800:200C:417A', '2001:db8:0:0:8:800:200c:417a'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
    ['1::3:4:5:6:7:8', '1:0:3:4:5:6:7:8'],
    ['::ffff:10.0.0.1', '0:0:0:0:0:ffff:a00:1'],
    ['::10.0.0.1/96', '0:0:0:0:0:0:a00:1'],
    ['fe80::1%eth0', 'fe80:0:0:0:0:0:0:1'],
    ['fe80::1%eth0/64', 'fe80:0:0:0:0:0:0:1'],
    ['fe80::1/64', 'fe80:0:0:0:0:0:0:1'],
    ['fe80::1/128', 'fe80:0:0:0:0:0:0:1'],
    ['fe80::1/129', undefined],
    ['fe80::1/', undefined],
    ['fe80::1/6a', undefined],
    ['', undefined],
    [':', undefined],
    [':::', undefined],
    ['1::2::3', undefined],
    ['1:2:3:4:5:6:7', undefined],
    ['1:2:3:4:5:6:7:8:9', undefined],
    ['1:2:3:4:5:6:7::8', undefined],
    ['1:2:3:4:5:6:7:', undefined],
    [':1:2:3:4:5:6:7', undefined],
    ['12345::', undefined],
    ['g::', undefined],
    ['::1.2.3', undefined],
    ['::1.2.3.256', undefined],
    ['::1.2.3.4:5', undefined],
    ['1:2:3:4:5:6:7:1.2.3.4', undefined],
    ['10.0.0.1', undefined],
    ['02:00:00:00:00:01', undefined],
    [`${'0:'.repeat(1000)}1`, undefined],
    [`::${'0'.repeat(100_000)}`, undefined],
  ])('%j', (text, groups) => expect(groupsOf(text)).toBe(groups))

  test('reads every address that can be written, as it was meant', () => {
    fc.assert(
      fc.property(fc.ipV6(), fc.string({ maxLength: 20 }), (address, noise) => {
        const groups = groupsOf(address)
        expect(groups).toBeDefined()
        // The URL parser of the platform knows the same addresses.
        if (!/[%/]/.test(address)) expect(groupsOf(new URL(`http://[${address}]/`).hostname.slice(1, -1))).toBe(groups)
        groupsOf(noise + address.slice(0, 5) + noise)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('an IPv6 network', () => {
  test.each<[cidr: string, text: string, isInside: boolean]>([
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['2001:db8::ffff/32', '2001:db8::1/64', true],
    ['fe80::/10', 'febf::1%eth0', true],
    ['fe80::/10', 'fec0::1', false],
    ['::/0', '::1', true],
    ['::/0', '10.0.0.1', false],
    ['::1/128', '::1', true],
    ['::1/128', '::2', false],
    ['::ffff:0:0/96', '::ffff:10.0.0.1', true],
    ['::/0', 'no address', false],
  ])('%s holds %s: %j', (cidr, text, isInside) => expect(compileIpv6Range(cidr)(text)).toBe(isInside))

  test('holds all its addresses and no others', () => {
    const group = fc.integer({ min: 0, max: 0xffff })
    const address = fc.array(group, { minLength: 8, maxLength: 8 })
    const big = (groups: readonly number[]): bigint => groups.reduce((sum, part) => (sum << 16n) | BigInt(part), 0n)
    const text = (groups: readonly number[]): string => groups.map((part) => part.toString(16)).join(':')
    fc.assert(
      fc.property(address, fc.integer({ min: 0, max: 128 }), address, fc.boolean(), (network, bits, other, isNear) => {
        const tested = isNear ? network.map((part, i) => (i === 7 ? part ^ 1 : part)) : other
        const rest = BigInt(128 - bits)
        expect(compileIpv6Range(`${text(network)}/${bits}`)(text(tested))).toBe(big(network) >> rest === big(tested) >> rest)
      }),
      { numRuns: 2000 },
    )
  })

  test.each(['10.0.0.0/8', '::', 'x/64', '::/129', '', '2001:db8::/32/32'])('%s is no IPv6 network', (cidr) => {
    expect(() => compileIpv6Range(cidr)).toThrow(`invalid CIDR address: ${cidr}; write it as 2001:db8::/32`)
  })

  test('a refusal shows a piece of a text that is too long', () => {
    expect(() => compileIpv6Range(`${'f'.repeat(100_000)}/64`)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', fields: { value: `${'f'.repeat(96)}…` } }),
    )
  })
})

test.each<[text: string, isAddress: boolean]>([
  ['10.0.0.1', true],
  ['::1', true],
  ['fe80::1%eth0', true],
  ['10.0.0.1/8', false],
  ['::1/64', false],
  ['host', false],
  ['', false],
])('isIpAddress %j: %j', (text, isAddress) => expect(isIpAddress(text)).toBe(isAddress))

test.each<[cidr: string, text: string, isInside: boolean]>([
  ['10.0.0.0/8', '10.1.2.3', true],
  ['2001:db8::/32', '2001:db8::1', true],
  ['0.0.0.0/0', '::1', false],
  ['::/0', '10.0.0.1', false],
])('compileIpRange %s of %s: %j', (cidr, text, isInside) => expect(compileIpRange(cidr)(text)).toBe(isInside))
