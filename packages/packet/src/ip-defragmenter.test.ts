import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { FRAGMENT, IpDefragmenter } from './ip-defragmenter.ts'

interface Fragment {
  readonly id?: number
  /** In bytes. */
  readonly offset: number
  readonly bytes: readonly number[]
  readonly isMore: boolean
  /** Bytes that were captured of it. */
  readonly captured?: number
  readonly seconds?: number
}

/** Gives a fragment of IPv4 and answers the datagram that it completes. */
function add(
  defragmenter: IpDefragmenter,
  { id = 1, offset, bytes, isMore, captured, seconds = 0 }: Fragment,
): number[] | undefined {
  const packet = new Uint8Array(20 + bytes.length)
  const view = new DataView(packet.buffer)
  view.setUint16(4, id)
  view.setUint16(6, (offset >>> 3) | (isMore ? 0x2000 : 0))
  view.setUint8(9, 17)
  packet.set(bytes, 20)
  defragmenter.nowSeconds = seconds
  const end = packet.length
  const result = defragmenter.addIpv4(view, 0, 20, end, captured === undefined ? end : 20 + captured)
  if (result !== FRAGMENT.COMPLETED) return undefined
  return [...new Uint8Array(defragmenter.view.buffer, 0, defragmenter.totalBytes)]
}

const run = (value: number, length = 8) => new Array<number>(length).fill(value)

describe('fragments', () => {
  test.each<readonly [string, readonly Fragment[], number[] | undefined, { fragments?: number; errors?: number }]>([
    [
      'in order',
      [
        { offset: 0, bytes: run(1), isMore: true },
        { offset: 8, bytes: run(2, 5), isMore: false },
      ],
      [...run(1), ...run(2, 5)],
      { fragments: 1 },
    ],
    [
      'the last one first',
      [
        { offset: 8, bytes: run(2, 5), isMore: false },
        { offset: 0, bytes: run(1), isMore: true },
      ],
      [...run(1), ...run(2, 5)],
      { fragments: 1 },
    ],
    [
      'one that is repeated',
      [
        { offset: 0, bytes: run(1), isMore: true },
        { offset: 0, bytes: run(9), isMore: true },
        { offset: 8, bytes: run(2), isMore: false },
      ],
      [...run(1), ...run(2)],
      { fragments: 2 },
    ],
    [
      'one that overlaps: the byte that came first stays, and it is an error',
      [
        { offset: 0, bytes: run(1, 16), isMore: true },
        { offset: 8, bytes: run(9, 16), isMore: true },
        { offset: 24, bytes: run(2), isMore: false },
      ],
      [...run(1, 16), ...run(9), ...run(2)],
      { fragments: 2, errors: 1 },
    ],
    [
      'a hole',
      [
        { offset: 0, bytes: run(1), isMore: true },
        { offset: 16, bytes: run(2), isMore: false },
      ],
      undefined,
      {},
    ],
    [
      'no end',
      [
        { offset: 0, bytes: run(1), isMore: true },
        { offset: 8, bytes: run(2), isMore: true },
      ],
      undefined,
      {},
    ],
    [
      'two ends',
      [
        { offset: 8, bytes: run(2), isMore: false },
        { offset: 16, bytes: run(2), isMore: false },
      ],
      undefined,
      { errors: 1 },
    ],
    [
      'an end before what is there',
      [
        { offset: 16, bytes: run(2), isMore: true },
        { offset: 0, bytes: run(2), isMore: false },
      ],
      undefined,
      { errors: 1 },
    ],
    ['a fragment that is no multiple of 8 bytes', [{ offset: 0, bytes: run(1, 7), isMore: true }], undefined, { errors: 1 }],
    ['a datagram that is too long', [{ offset: 65_528, bytes: run(1, 16), isMore: false }], undefined, { errors: 1 }],
    ['an empty fragment', [{ offset: 8, bytes: [], isMore: false }], undefined, { errors: 1 }],
    [
      'different identifications',
      [
        { id: 1, offset: 0, bytes: run(1), isMore: true },
        { id: 2, offset: 8, bytes: run(2), isMore: false },
      ],
      undefined,
      {},
    ],
    [
      'after half a minute',
      [
        { offset: 0, bytes: run(1), isMore: true },
        { offset: 8, bytes: run(2), isMore: false, seconds: 31 },
      ],
      undefined,
      {},
    ],
  ])('%s', (_, fragments, datagram, { fragments: before = 0, errors = 0 }) => {
    const defragmenter = new IpDefragmenter()
    const results = fragments.map((fragment) => add(defragmenter, fragment))
    expect(results).toEqual([...new Array<undefined>(fragments.length - 1).fill(undefined), datagram])
    expect(defragmenter.stats().errors).toBe(errors)
    if (datagram)
      expect([defragmenter.fragments, defragmenter.fragmentErrors, defragmenter.protocol]).toEqual([before, errors, 17])
  })

  test('of a fragment that was cut by the capture nothing beyond is looked at', () => {
    const defragmenter = new IpDefragmenter()
    add(defragmenter, { offset: 0, bytes: run(1, 16), isMore: true, captured: 10 })
    expect(add(defragmenter, { offset: 16, bytes: run(2), isMore: false })?.length).toBe(24)
    expect([defragmenter.capturedBytes, defragmenter.totalBytes]).toEqual([10, 24])
  })

  test('the room is bounded: the datagram that waits longest is given up, and counted', () => {
    const defragmenter = new IpDefragmenter(4)
    for (let id = 1; id <= 6; id++) add(defragmenter, { id, offset: 0, bytes: run(id), isMore: true, seconds: id })
    expect(defragmenter.stats()).toEqual({ datagrams: 0, fragments: 6, errors: 0, evicted: 2, timedOut: 0 })
    expect(add(defragmenter, { id: 3, offset: 8, bytes: run(9), isMore: false, seconds: 6 })).toEqual([...run(3), ...run(9)])
    expect(add(defragmenter, { id: 1, offset: 8, bytes: run(9), isMore: false, seconds: 40 })).toBeUndefined()
    expect(defragmenter.stats()).toMatchObject({ datagrams: 1, evicted: 2, timedOut: 3 })
  })

  test('any datagram in any pieces in any order comes out as it was (property)', () => {
    const pieces = fc
      .tuple(fc.uint8Array({ minLength: 9, maxLength: 4000 }), fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1 }))
      .chain(([bytes, sizes]) => {
        const cuts: number[] = []
        for (let at = 0, i = 0; at < bytes.length; at += sizes[i++ % sizes.length]! * 8) cuts.push(at)
        return fc.tuple(fc.constant(bytes), fc.constant(cuts), fc.shuffledSubarray([...cuts.keys()], { minLength: cuts.length }))
      })
    fc.assert(
      fc.property(pieces, ([bytes, cuts, order]) => {
        const defragmenter = new IpDefragmenter()
        const results = order.map((i) => {
          const end = cuts[i + 1] ?? bytes.length
          const isMore = i + 1 < cuts.length
          return add(defragmenter, { offset: cuts[i]!, bytes: [...bytes.subarray(cuts[i]!, end)], isMore })
        })
        // A datagram in one piece is completed by it, too.
        expect(results.at(-1)).toEqual([...bytes])
        expect(results.slice(0, -1).every((result) => result === undefined)).toBe(true)
      }),
      { numRuns: 200 },
    )
  })
})
