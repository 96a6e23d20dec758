import { describe, expect, test } from '@jest/globals'
import type { GraphSource, GraphView, SliceCoverage, TimeSlice } from '@skydive/contracts'
import { createHistory } from './index.ts'

/** A half that knows everything since `knownFromMs` and tells who was asked. */
function half(name: string, knownFromMs: number, asked: string[]): GraphSource {
  return {
    async open(slice?: TimeSlice) {
      asked.push(`${name} ${slice ? `${slice.startMs}-${slice.lastMs}` : 'now'}`)
      return { slice } as GraphView
    },
    async coverage(slice: TimeSlice): Promise<SliceCoverage> {
      return slice.startMs >= knownFromMs ? { complete: true } : { complete: false, knownFromMs }
    },
  }
}

describe('createHistory', () => {
  test.each([
    ['the present', undefined, 'memory now'],
    ['a time that memory covers', { startMs: 500, lastMs: 600 }, 'memory 500-600'],
    ['a slice that begins before', { startMs: 499, lastMs: 600 }, 'store 499-600'],
    ['a slice wholly before', { startMs: 10, lastMs: 20 }, 'store 10-20'],
  ])('%s', async (_title, slice, expected) => {
    const asked: string[] = []
    await createHistory({ memory: half('memory', 500, asked), store: half('store', 100, asked) }).open(slice)
    expect(asked).toEqual([expected])
  })

  test('what neither knows is told by the store', async () => {
    const history = createHistory({ memory: half('memory', 500, []), store: half('store', 100, []) })
    expect(await history.coverage({ startMs: 50, lastMs: 600 })).toEqual({ complete: false, knownFromMs: 100 })
  })
})
