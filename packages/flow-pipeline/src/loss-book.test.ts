import { expect, test } from '@jest/globals'
import type { FlowLoss } from '@skydive/contracts'
import { LossBook } from './loss-book.ts'

const loss = (fromMs: number, toMs: number, flows = 1): FlowLoss => ({
  ...{ cause: 'link', host: 'alpha', fromMs, toMs, packets: 10 * flows, flows },
})
const book = () => {
  let ids = 0
  return new LossBook(() => `l${++ids}`)
}

test('a loss that follows closely makes the one before longer, whatever comes first', () => {
  const made = book()
  const first = made.add(loss(20_000, 30_000))
  expect([made.add(loss(15_000, 25_000, 2)), made.add(loss(29_000, 35_000, 3))]).toEqual([first, first])
  expect(made.during(0, 90_000)).toEqual([{ ...loss(15_000, 35_000, 6) }])
  expect(first).toEqual({ id: 'l1', loss: loss(15_000, 35_000, 6) })
})

test('losses are told in the order of their end', () => {
  const made = book()
  made.add(loss(30_000, 50_000))
  made.add({ ...loss(31_000, 32_000), host: 'beta' })
  made.add({ ...loss(40_000, 45_000), host: 'beta' })
  expect(made.during(0, 90_000).map(({ toMs }) => toMs)).toEqual([45_000, 50_000])
  made.restore([{ id: 'x', loss: { ...loss(1_000, 2_000), host: 'gamma' } }])
  expect(made.during(0, 90_000).map(({ toMs }) => toMs)).toEqual([2_000, 45_000, 50_000])
  expect(made.prune(2_001, 9).map(({ id }) => id)).toEqual(['x'])
})

test('what an earlier run noted goes on', () => {
  const made = book()
  const record = { id: 'x', loss: loss(1_000, 2_000) }
  made.restore([record])
  expect(made.add(loss(12_000, 12_500))).toBe(record)
  expect(made.add(loss(30_000, 30_500)).id).toBe('l1')
})

test.each<[title: string, oldestMs: number, most: number, forgotten: readonly string[]]>([
  ['those that are too old', 40_001, 9, ['l1', 'l2']],
  ['of too many the oldest', 0, 1, ['l1', 'l2']],
  ['nothing', 20_000, 3, []],
  ['all', 99_000, 9, ['l1', 'l2', 'l3']],
])('forgets %s', (_title, oldestMs, most, forgotten) => {
  const made = book()
  for (const toMs of [20_000, 40_000, 60_000]) made.add(loss(toMs, toMs))
  expect(made.prune(oldestMs, most).map(({ id }) => id)).toEqual(forgotten)
  expect(made.during(0, 99_000)).toHaveLength(3 - forgotten.length)
  // What is forgotten does not grow any more.
  expect(made.add(loss(61_000, 61_000)).id).toBe(forgotten.includes('l3') ? 'l4' : 'l3')
})
