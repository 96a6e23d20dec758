import { describe, expect, test } from '@jest/globals'
import { checkRing, DEFAULT_RING_BYTES, inMib, ringLayout, ringSizes } from './ring-size.ts'

const MIB = 1024 * 1024
const GIB = 1024 * MIB
const EIGHTH = 'all rings together would take more than 1024 MiB, an eighth of the memory'
const QUARTER = 'all rings together would take more than 2048 MiB, a quarter of the memory'

describe('sizes that the kernel is asked for', () => {
  test.each([
    ['the first on a host of 8 GiB', 64, 0, 8 * GIB, [64, 32, 16, 8, 4, 2, 1], undefined],
    ['the last that fits into an eighth', 64, 960, 8 * GIB, [64, 32, 16, 8, 4, 2, 1], undefined],
    ['the next', 64, 961, 8 * GIB, [16, 8, 4, 2, 1], EIGHTH],
    ['a small one is never made smaller than asked for an eighth', 8, 2040, 8 * GIB, [8, 4, 2, 1], undefined],
    ['the last of 16 MiB that fits into a quarter', 64, 2032, 8 * GIB, [16, 8, 4, 2, 1], EIGHTH],
    ['the next has the least', 64, 2033, 8 * GIB, [1], QUARTER],
    ['a small one has the least as well', 8, 2041, 8 * GIB, [1], QUARTER],
    ['the least is never made smaller', 1, 4096, 8 * GIB, [1], undefined],
    ['less than the least', 0.125, 0, 8 * GIB, [0.125], undefined],
  ])('%s', (_title, wanted, taken, hostBytes, sizes, modesty) => {
    expect(ringSizes(wanted * MIB, taken * MIB, hostBytes)).toEqual({
      sizes: sizes.map((size) => size * MIB),
      ...(modesty !== undefined && { modesty }),
    })
  })
})

test.each([
  ['one ring', 64 * MIB, 1, undefined, { blockBytes: MIB, blocks: 64 }],
  ['three rings', 64 * MIB, 3, undefined, { blockBytes: 262_144, blocks: 85 }],
  ['eight rings', 64 * MIB, 8, undefined, { blockBytes: 131_072, blocks: 64 }],
  ['64 rings', 64 * MIB, 64, undefined, { blockBytes: 131_072, blocks: 8 }],
  ['1 MiB', MIB, 1, undefined, { blockBytes: 131_072, blocks: 8 }],
  ['1 GiB', GIB, 1, undefined, { blockBytes: MIB, blocks: 1024 }],
  ['blocks of the user', 131_072, 1, 65_536, { blockBytes: 65_536, blocks: 2 }],
])('layout of %s', (_title, ringBytes, rings, blockBytes, layout) => {
  expect(ringLayout(ringBytes, rings, blockBytes)).toEqual(layout)
})

test.each([
  ['64 MiB that reach the eighth', 64, 0, [64, 32, 16, 8, 4, 2, 1], undefined],
  ['a byte more than it', 64, 1, [16, 8, 4, 2, 1], 'all rings together would take more than 64 MiB, an eighth of the memory'],
  // A modest ring is what everyone may have up to a quarter.
  ['16 MiB beyond it', 16, 112, [16, 8, 4, 2, 1], undefined],
  [
    'somewhat more beyond it',
    17,
    112,
    [16, 8, 4, 2, 1],
    'all rings together would take more than 64 MiB, an eighth of the memory',
  ],
  ['16 MiB beyond a quarter', 16, 113, [1], 'all rings together would take more than 128 MiB, a quarter of the memory'],
  ['1 MiB', 1, 0, [1], undefined],
  ['somewhat less than 2 MiB', 1.5, 0, [1.5], undefined],
  ['3 MiB', 3, 0, [3, 1.5], undefined],
])('of a host of 512 MiB: %s', (_title, wanted, taken, sizes, modesty) => {
  expect(ringSizes(wanted * MIB, taken === 1 ? 1 : taken * MIB, 512 * MIB)).toEqual({
    sizes: sizes.map((size) => size * MIB),
    ...(modesty !== undefined && { modesty }),
  })
})

test.each([
  ['a ring of one block', 131_072, 1, 131_072, { blockBytes: 131_072, blocks: 2 }],
  ['a ring of less than two blocks', 200_000, 1, 131_072, { blockBytes: 131_072, blocks: 2 }],
  ['a ring of three blocks and a half', 3.5 * 131_072, 1, 131_072, { blockBytes: 131_072, blocks: 3 }],
  ['somewhat less than 16 MiB', 16 * MIB - 1, 1, undefined, { blockBytes: 131_072, blocks: 127 }],
  ['16 MiB', 16 * MIB, 1, undefined, { blockBytes: 262_144, blocks: 64 }],
  ['32 MiB', 32 * MIB, 1, undefined, { blockBytes: 524_288, blocks: 64 }],
  ['128 MiB', 128 * MIB, 1, undefined, { blockBytes: MIB, blocks: 128 }],
])('layout of %s', (_title, ringBytes, rings, blockBytes, layout) => {
  expect(ringLayout(ringBytes, rings, blockBytes)).toEqual(layout)
})

test.each([
  [4096, 4096],
  [GIB, undefined],
  [MIB, 8192],
])('ringBytes %p, blockBytes %p are taken', (ringBytes, blockBytes) => {
  expect(checkRing(ringBytes, blockBytes)).toBeUndefined()
})

test.each([
  [DEFAULT_RING_BYTES, '64 MiB'],
  [MIB / 8, '0.1 MiB'],
  [1.25 * MIB, '1.3 MiB'],
  [GIB, '1024 MiB'],
])('%d bytes are shown as %s', (bytes, text) => {
  expect(inMib(bytes)).toBe(text)
})

test.each([
  [4095, undefined, 'afpacket: ringBytes 4095 is not from 4 KiB to 1 GiB'],
  [GIB + 1, undefined, 'afpacket: ringBytes 1073741825 is not from 4 KiB to 1 GiB'],
  [Number.NaN, undefined, 'afpacket: ringBytes NaN is not from 4 KiB to 1 GiB'],
  [MIB, 4095, 'afpacket: blockBytes 4095 is no power of two from 4096'],
  [MIB, 2048, 'afpacket: blockBytes 2048 is no power of two from 4096'],
  [MIB, 0, 'afpacket: blockBytes 0 is no power of two from 4096'],
  [1.5 * 4096 + 0.5, undefined, 'afpacket: ringBytes 6144.5 is not from 4 KiB to 1 GiB'],
  [2 * GIB, undefined, 'afpacket: ringBytes 2147483648 is not from 4 KiB to 1 GiB'],
  [MIB, 5000, 'afpacket: blockBytes 5000 is no power of two from 4096'],
])('ringBytes %p, blockBytes %p are refused', (ringBytes, blockBytes, message) => {
  expect(() => checkRing(ringBytes, blockBytes)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', message }))
})
