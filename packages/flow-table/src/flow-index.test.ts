import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { FlowIndex } from './flow-index.ts'
import { BUCKET_ENTRIES, BUCKET_WORDS } from './loop-layout.ts'
import { TableMemory } from './table-memory.ts'

const CAPACITY = 1024

/** Where the packet loop would find each flow: every bucket from the one of its hash up to its own is full. */
function found({ index, mask }: TableMemory): [hash: number, id: number][] {
  const flows: [number, number][] = []
  const isFull = (bucket: number) =>
    index.subarray(bucket * BUCKET_WORDS + BUCKET_ENTRIES, (bucket + 1) * BUCKET_WORDS).every((entry) => entry !== 0)
  for (let bucket = 0; bucket <= mask; bucket++) {
    for (let at = bucket * BUCKET_WORDS; at < bucket * BUCKET_WORDS + BUCKET_ENTRIES; at++) {
      const entry = index[at + BUCKET_ENTRIES]!
      if (entry === 0) continue
      let before = index[at]! & mask
      while (before !== bucket && isFull(before)) before = (before + 1) & mask
      if (before === bucket) flows.push([index[at]!, entry - 1])
    }
  }
  return flows.sort(([, a], [, b]) => a - b)
}

describe('the index of flows', () => {
  // Few buckets have most of the flows, the last and the first among them.
  const hash = fc.oneof(fc.integer(), fc.constantFrom(0, 1, 2, -1, -2, CAPACITY / 2 - 1, CAPACITY / 2))
  const step = fc.record({ hash, removes: fc.boolean(), which: fc.nat() })

  test('whatever was entered and not removed is found', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const memory = new TableMemory(CAPACITY, new Int32Array(8))
        const flowIndex = new FlowIndex(memory)
        const held = new Map<number, number>()
        for (const [id, { hash, removes, which }] of steps.entries()) {
          const removed = [...held.keys()][which % held.size]
          if (removes && removed !== undefined) {
            flowIndex.remove(held.get(removed)!, removed)
            held.delete(removed)
          } else {
            flowIndex.enter(hash, id)
            held.set(id, hash)
          }
        }
        expect(found(memory)).toEqual([...held].map(([id, hash]) => [hash, id]))
      }),
    )
  })

  test('flows of one bucket fill those behind it, around the end, and leave them again', () => {
    const memory = new TableMemory(CAPACITY, new Int32Array(8))
    const flowIndex = new FlowIndex(memory)
    const last = memory.mask
    for (let id = 0; id < 10; id++) flowIndex.enter(last, id)
    const ids = (bucket: number) => [...memory.index.subarray(bucket * 8 + 4, bucket * 8 + 8)]
    expect([last, 0, 1, 2].map(ids)).toEqual([
      [1, 2, 3, 4],
      [5, 6, 7, 8],
      [9, 10, 0, 0],
      [0, 0, 0, 0],
    ])
    flowIndex.remove(last, 1)
    flowIndex.remove(last, 9)
    expect([last, 0, 1].map(ids)).toEqual([
      [1, 5, 3, 4],
      [9, 6, 7, 8],
      [0, 0, 0, 0],
    ])
  })
})
