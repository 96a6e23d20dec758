import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { compileIpv4Range, parseIpv4 } from './ipv4.ts'

describe('parseIpv4', () => {
  test.each<[text: string, address: number]>([
    ['0.0.0.0', 0],
    ['10.0.0.1', 0x0a000001],
    ['255.255.255.255', 0xffffffff],
    ['010.0.0.1', 0x0a000001],
    ['10.0.0.1/0', 0x0a000001],
    ['10.0.0.1/9', 0x0a000001],
    ['10.0.0.1/32', 0x0a000001],
    ['10.0.0.1/33', -1],
    ['10.0.0.1/99', -1],
    ['10.0.0.1/', -1],
    ['10.0.0.1/032', -1],
    ['10.0.0.1/2x', -1],
    ['10.0.0.1/-1', -1],
    ['10.0.0.1/24/24', -1],
    ['10.0.0', -1],
    ['10.0.0.', -1],
    ['10.0.0./8', -1],
    ['.10.0.0.1', -1],
    ['10..0.1', -1],
    ['10.0.0.1.2', -1],
    ['10.0.0.256', -1],
    ['10.0.0.1 ', -1],
    ['10.0.0.a', -1],
    ['-1.0.0.0', -1],
    ['', -1],
    ['/8', -1],
    ['::1', -1],
    ['1'.repeat(1000), -1],
  ])('%j', (text, address) => expect(parseIpv4(text)).toBe(address))
})

const written = (address: number): string => [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.')

describe('compileIpv4Range', () => {
  test.each([
    ['192.168.0.77/24', 24, '192.168.0.0', '192.168.0.255', '192.167.255.255', '192.168.1.0'],
    ['192.168.9.9/16', 16, '192.168.0.0', '192.168.255.255', '192.167.255.255', '192.169.0.0'],
    ['192.168.0.77/26', 26, '192.168.0.64', '192.168.0.127', '192.168.0.63', '192.168.0.128'],
    ['10.0.0.1/32', 32, '10.0.0.1', '10.0.0.1', '10.0.0.0', '10.0.0.2'],
    ['200.0.0.1/1', 1, '128.0.0.0', '255.255.255.255', '127.255.255.255', '0.0.0.0'],
  ])('A59 %s accepts its hosts with and without /%d, and not the networks beside', (cidr, length, first, last, before, after) => {
    const inside = compileIpv4Range(cidr)
    const texts = [first, last, before, after].flatMap((text) => [text, `${text}/${length}`])
    expect(texts.map(inside)).toEqual([true, true, true, true, false, false, false, false])
  })

  test('A59 accepts every host of a network, and nothing else', () => {
    const address = fc.integer({ min: 0, max: 0xffffffff })
    fc.assert(
      fc.property(address, address, fc.integer({ min: 0, max: 32 }), fc.nat(), (network, other, length, host) => {
        const size = 2 ** (32 - length)
        const first = network - (network % size)
        const inside = compileIpv4Range(`${written(network)}/${length}`)
        expect(inside(`${written(first + (host % size))}/${length}`)).toBe(true)
        expect(inside(written(other))).toBe(Math.floor(other / size) === Math.floor(network / size))
      }),
      { numRuns: 2000 },
    )
  })

  test.each(['10.0.0.0', '10.0.0.0/33', '10.0.0/8', '::/0', '', 'x/8', '/'])('%j is refused', (cidr) => {
    expect(() => compileIpv4Range(cidr)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }))
  })
})
