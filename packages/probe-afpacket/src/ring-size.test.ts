import { describe, expect, test } from '@jest/globals'
import { checkRing, ringLayout, ringSizes } from './ring-size.ts'

const MIB = 1024 * 1024
const GIB = 1024 * MIB

describe('sizes that the kernel is asked for', () => {
  test.each([
    ['the first on a host of 8 GiB', 64, 0, 8 * GIB, [64, 32, 16, 8, 4, 2, 1], undefined],
    ['the last that fits into an eighth', 64, 960, 8 * GIB, [64, 32, 16, 8, 4, 2, 1], undefined],
    ['the next', 64, 961, 8 * GIB, [16, 8, 4, 2, 1], 'all rings together would take more than 1024 MiB, an eighth of the memory'],
    ['a small one is never made smaller than asked', 8, 4096, 8 * GIB, [8, 4, 2, 1], undefined],
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
  [1.5 * 4096 + 0.5, undefined, 'afpacket: ringBytes 6144.5 is not from 4 KiB to 1 GiB'],
  [2 * GIB, undefined, 'afpacket: ringBytes 2147483648 is not from 4 KiB to 1 GiB'],
  [MIB, 5000, 'afpacket: blockBytes 5000 is no power of two from 4096'],
])('ringBytes %p, blockBytes %p are refused', (ringBytes, blockBytes, message) => {
  expect(() => checkRing(ringBytes, blockBytes)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', message }))
})
