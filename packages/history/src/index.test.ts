import { describe, expect, test } from '@jest/globals'
import type { ElementSelection, GraphDiff, GraphNode, GraphSource, GraphView, SliceCoverage, TimeSlice } from '@skydive/contracts'
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
    diff(fromMs, toMs, options): GraphDiff {
      asked.push(`${name} diff ${fromMs}-${toMs} ${JSON.stringify(options)}`)
      return { fromMs, toMs, nodes: [], edges: [], transient: [], coverage: { complete: true } }
    },
    history(id, slice): readonly GraphNode[] {
      asked.push(`${name} history ${id} ${slice ? `${slice.startMs}-${slice.lastMs}` : 'whole'}`)
      return []
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

  test('the present is at hand where memory has it at hand', () => {
    const view = {} as GraphView
    const [near, far] = [{ ...half('memory', 500, []), view }, half('memory', 500, [])]
    const store = half('store', 100, [])
    expect([near, far].map((memory) => createHistory({ memory, store }).view)).toEqual([view, undefined])
  })

  test.each([
    ['from where memory begins', 500, 'memory diff 500-600 {"ignoreKeys":[]}'],
    ['from just before', 499, 'store diff 499-600 {"ignoreKeys":[]}'],
  ])('a difference %s', async (_title, fromMs, expected) => {
    const asked: string[] = []
    const history = createHistory({ memory: half('memory', 500, asked), store: half('store', 100, asked) })
    await history.diff(fromMs, 600, { ignoreKeys: [] })
    expect(asked).toEqual([expected])
  })

  test.each([
    ['whole', undefined, 'store history n whole'],
    ['of a slice that memory covers', { startMs: 500, lastMs: 600 }, 'memory history n 500-600'],
    ['of a slice that begins before', { startMs: 499, lastMs: 600 }, 'store history n 499-600'],
  ])('the history of an id: %s', async (_title, slice, expected) => {
    const asked: string[] = []
    await createHistory({ memory: half('memory', 500, asked), store: half('store', 100, asked) }).history('n', slice)
    expect(asked).toEqual([expected])
  })

  test('a store that can only be opened says what it lacks', async () => {
    const { open, coverage } = half('store', 100, [])
    const history = createHistory({ memory: half('memory', 500, []), store: { open, coverage } })
    await expect(history.diff(1, 2)).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED' })
    await expect(history.history('n')).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED' })
  })

  test('what neither knows is told by the store', async () => {
    const history = createHistory({ memory: half('memory', 500, []), store: half('store', 100, []) })
    expect(await history.coverage({ startMs: 50, lastMs: 600 })).toEqual({ complete: false, knownFromMs: 100 })
  })

  describe('select', () => {
    const element = (id: string, Type: string) => ({ kind: 'node', id, metadata: { Type } }) as unknown as GraphNode
    const all = [element('a', 'host'), element('b', 'veth'), element('c', 'host')]
    const view = {
      node: (row: number) => all[row],
      forEachNode: (visit: (row: number) => boolean | undefined) => [0, 1, 2].every((row) => visit(row) !== false),
    } as unknown as GraphView
    const source = (selects: boolean): GraphSource => ({
      open: async () => view,
      coverage: async ({ startMs }) => (startMs >= 500 ? { complete: true } : { complete: false, knownFromMs: 500 }),
      ...(selects && {
        async *select() {
          yield [all[1]!]
        },
      }),
    })
    const history = createHistory({ memory: source(false), store: source(true) })

    test.each<[title: string, selection: ElementSelection, startMs: number, ids: readonly string[]]>([
      ['memory is looked through', { kind: 'node' }, 500, ['a', 'b', 'c']],
      ['memory, with a filter', { kind: 'node', filter: { TermStringFilter: { Key: 'Type', Value: 'host' } } }, 500, ['a', 'c']],
      ['memory, up to a limit', { kind: 'node', limit: 2 }, 500, ['a', 'b']],
      ['memory, for nothing', { kind: 'node', limit: 0 }, 500, []],
      ['the store finds by itself', { kind: 'node' }, 499, ['b']],
    ])('%s', async (_title, selection, startMs, ids) => {
      const found: string[] = []
      for await (const batch of history.select!(selection, { startMs, lastMs: 600 })) found.push(...batch.map(({ id }) => id))
      expect(found).toEqual(ids)
    })
  })
})
