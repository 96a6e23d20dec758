import { expect, test } from '@jest/globals'
import { createGraph, type ElementTimes, isInSlice } from './index.ts'

const times = (createdAtMs: number, updatedAtMs: number, deletedAtMs: number | null = null): ElementTimes => ({
  createdAtMs,
  updatedAtMs,
  deletedAtMs,
})

test.each<
  [title: string, element: ElementTimes, supersededAtMs: number | undefined, startMs: number, lastMs: number, isIn: boolean]
>([
  ['before it was made', times(100, 100), undefined, 99, 99, false],
  ['from the instant on at which it was made', times(100, 100), undefined, 100, 100, true],
  ['long after', times(100, 100), undefined, 900, 900, true],
  ['until just before the next revision', times(100, 100), 200, 199, 199, true],
  ['not at the instant of the next revision', times(100, 100), 200, 200, 200, false],
  ['in a slice that began before the next revision', times(100, 100), 200, 199, 300, true],
  ['before its own update', times(100, 200), undefined, 150, 150, false],
  ['at the instant of its deletion', times(100, 100, 300), undefined, 300, 300, true],
  ['not after it', times(100, 100, 300), undefined, 301, 400, false],
  ['in a slice that touches its end', times(100, 100, 300), undefined, 300, 400, true],
  ['in a slice that ends when it is made', times(100, 100), undefined, 0, 100, true],
])('a revision is in a slice: %s', async (_title, element, supersededAtMs, startMs, lastMs, isIn) => {
  expect(isInSlice(element, supersededAtMs, { startMs, lastMs })).toBe(isIn)
})

test('what a graph shows of a slice is what isInSlice says', () => {
  const clock = { ms: 100 }
  const graph = createGraph({ clock: { now: () => clock.ms }, retention: { ageMs: Number.POSITIVE_INFINITY } })
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  writer.transaction((tx) => tx.addNode({ id: 'n', metadata: { v: 1 } }))
  clock.ms = 200
  writer.transaction((tx) => tx.patchNode('n', { v: 2 }))
  clock.ms = 300
  writer.transaction((tx) => tx.deleteNode('n'))
  const revisions = [
    [1, times(100, 100), 200],
    [2, times(100, 200, 300), undefined],
  ] as const
  const bounds = [50, 99, 100, 101, 199, 200, 201, 299, 300, 301, 400]
  for (const startMs of bounds) {
    for (const lastMs of bounds.filter((ms) => ms >= startMs)) {
      const view = graph.between(startMs, lastMs)
      const shown: number[] = []
      view.forEachNode((row) => shown.push(view.node(row).revision) > 0)
      const expected = revisions.filter(([, element, next]) => isInSlice(element, next, { startMs, lastMs }))
      expect([startMs, lastMs, shown]).toEqual([startMs, lastMs, expected.map(([revision]) => revision)])
    }
  }
})
