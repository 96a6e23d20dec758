import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { PendingPackets } from './pending-packets.ts'

/** What is kept of a packet besides its bytes. */
const HEADER_BYTES = 24
const FIRST_BYTES = 64 * 1024

const given = (size: number, value: number) => ({
  ...{ sinceFirstNs: value * 1e9 - 0.5, linkType: value, capturedBytes: size, wireBytes: 2 ** 32 - 1 - value },
})
const push = (pending: PendingPackets, size: number, value: number, offset = 2) => {
  const data = new Uint8Array(offset + size + 3)
  data.fill(value & 0xff, offset, offset + size)
  pending.push(given(size, value), data, offset)
}
const shown = (pending: PendingPackets) => {
  const packet = pending.peek()
  if (!packet) return undefined
  const { offset, ...rest } = packet
  return { ...rest, data: Buffer.from(pending.bytes.subarray(offset, offset + rest.capturedBytes)).toString('latin1') }
}
const expected = (size: number, value: number) => ({
  ...given(size, value),
  data: String.fromCharCode(value & 0xff).repeat(size),
})

test('of none nothing is shown, and none is taken away', () => {
  const pending = new PendingPackets()
  pending.shift()
  expect([pending.count, pending.peek()]).toEqual([0, undefined])
  push(pending, 3, 1)
  expect([pending.count, shown(pending)]).toEqual([1, expected(3, 1)])
})

test('come out as they went in, whatever their sizes', () => {
  const step = fc.oneof(
    fc.nat(300).map((size) => ({ size })),
    fc.integer({ min: 5000, max: 30_000 }).map((size) => ({ size })),
    fc.constant(undefined),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const pending = new PendingPackets()
      const model: (readonly [size: number, value: number])[] = []
      steps.forEach((one, value) => {
        if (one) {
          push(pending, one.size, value)
          model.push([one.size, value])
        } else {
          pending.shift()
          model.shift()
        }
        expect(pending.count).toBe(model.length)
        const [first] = model
        const isSame = JSON.stringify(shown(pending)) === JSON.stringify(first && expected(...first))
        expect([value, isSame]).toEqual([value, true])
      })
    }),
  )
})

test.each([
  ['fill it to its last byte', FIRST_BYTES - 2 * HEADER_BYTES - 1000, FIRST_BYTES],
  ['take a byte more than there is', FIRST_BYTES - 2 * HEADER_BYTES - 999, 2 * FIRST_BYTES],
  ['take more than twice the memory', 3 * FIRST_BYTES, 3 * FIRST_BYTES + 1000 + 2 * HEADER_BYTES],
])('those that %s', (_title, size, memory) => {
  const pending = new PendingPackets()
  push(pending, 1000, 1)
  push(pending, size, 2)
  expect(pending.bytes.length).toBe(memory)
  expect(shown(pending)).toEqual(expected(1000, 1))
  pending.shift()
  expect(shown(pending)).toEqual(expected(size, 2))
})

test('memory is used again, once they are gone and while some wait', () => {
  const pending = new PendingPackets()
  for (let value = 0; value < 1000; value++) {
    push(pending, 30_000, value)
    if (value > 0) {
      expect(shown(pending)?.linkType).toBe(value - 1)
      pending.shift()
    }
  }
  pending.shift()
  push(pending, FIRST_BYTES - HEADER_BYTES, 7)
  expect([pending.count, pending.bytes.length]).toEqual([1, FIRST_BYTES])
})

test.each([
  ['just has the place of those that are gone does not take more memory', 0, FIRST_BYTES],
  ['has a byte more than that takes twice the memory', 1, 2 * FIRST_BYTES],
])('one that %s', (_title, more, memory) => {
  const pending = new PendingPackets()
  push(pending, 1000, 1)
  push(pending, 40_000, 2)
  pending.shift()
  const room = FIRST_BYTES - (40_000 + HEADER_BYTES) - HEADER_BYTES
  push(pending, room + more, 3)
  expect([pending.count, pending.bytes.length]).toEqual([2, memory])
  expect(shown(pending)).toEqual(expected(40_000, 2))
  pending.shift()
  expect(shown(pending)).toEqual(expected(room + more, 3))
})
