import { expect, test } from '@jest/globals'
import { SeenBatches } from './seen-batches.ts'

test('a batch of an agent is seen once; the same id of another agent is another batch', () => {
  const seen = new SeenBatches()
  const notes = [
    ['a', '1'],
    ['a', '1'],
    ['b', '1'],
    ['a', '2'],
    ['a', '1'],
  ].map(([agent, id]) => seen.note(agent!, id!))
  expect(notes).toEqual([false, true, false, false, true])
})

test('of an agent the last 4,096 are remembered', () => {
  const seen = new SeenBatches()
  for (let id = 0; id < 5_000; id++) seen.note('a', `${id}`)
  expect([seen.size, seen.note('a', '4999'), seen.note('a', '904'), seen.note('a', '903')]).toEqual([4_096, true, true, false])
})

test('a flood of agents leaves those that spoke last', () => {
  const seen = new SeenBatches()
  seen.note('steady', '1')
  for (let agent = 0; agent < 10_000; agent++) {
    seen.note(`a${agent}`, '1')
    seen.note('steady', '1')
  }
  expect([seen.size, seen.note('steady', '1'), seen.note('a9999', '1'), seen.note('a0', '1')]).toEqual([4_096, true, true, false])
})

test('ids of all agents together are bounded', () => {
  const seen = new SeenBatches()
  for (let agent = 0; agent < 300; agent++) for (let id = 0; id < 4_096; id++) seen.note(`a${agent}`, `${id}`)
  expect([seen.size, seen.note('a299', '0'), seen.note('a0', '0')]).toEqual([1_048_576, true, false])
})
