import { describe, expect, test } from '@jest/globals'
import type { EnhancedFlow, Filter, Flow, FlowQuery, FlowReader, TimeSlice } from '@skydive/contracts'
import { enhancedFlowField, prepareFilter, searchFlows } from '@skydive/filter'
import fc from 'fast-check'
import { createFlowHistory } from './index.ts'

const UPDATE_MS = 60_000

function enhanced(UUID: string, Last: number, Start = 1_000, packets = 0): EnhancedFlow {
  const metric = { ABPackets: packets, ABBytes: 0, BAPackets: 0, BABytes: 0, Start, Last }
  const flow: Flow = {
    ...{ UUID, Start, Last, ParentUUID: '', RawPacketsCaptured: 0, NodeTID: 'tid-1', TrackingID: `t${UUID}`, Metric: metric },
  }
  return { flow, places: {} }
}
const ids = (flows: readonly EnhancedFlow[]) => flows.map(({ flow: { UUID, Last } }) => `${UUID}@${Last}`)

/** A reader over flows at hand: of the present, or of a time as a store has it. It notes what it was asked. */
function reader(flows: readonly EnhancedFlow[], name = '', asked: unknown[] = []): FlowReader {
  const inSlice = ({ flow }: EnhancedFlow, slice: TimeSlice | undefined) =>
    !slice || (flow.Start <= slice.lastMs && flow.Last >= slice.startMs)
  return {
    async search(query, slice) {
      asked.push([name, query, slice])
      const of = flows.filter((item) => inSlice(item, slice))
      return { flows: searchFlows(of, query, await prepareFilter(query.Filter ?? {}, enhancedFlowField)), missing: [`${name}.x`] }
    },
    metrics: async (_query, slice) => new Map([[name, slice ? [] : [flows[0]!.flow.Metric!]]]),
    rawPackets: async () => new Map([[name, []]]),
  }
}

/** The history of both at a time. */
function history(live: readonly EnhancedFlow[], stored: readonly EnhancedFlow[], nowMs: number) {
  const asked: unknown[] = []
  const parts = { live: reader(live, 'live', asked), store: reader(stored, 'store', asked) }
  return { asked, flows: createFlowHistory({ ...parts, clock: { now: () => nowMs }, updateMs: UPDATE_MS }) }
}

test('now is asked of the agents, with all of the query', async () => {
  const { flows, asked } = history([enhanced('live', 9_000)], [enhanced('old', 2_000)], 10_000_000)
  const query: FlowQuery = { Sort: true, PaginationRange: { From: 0, To: 1 }, nodeTids: ['tid-1'] }
  const answer = await flows.search(query, undefined)
  expect([ids(answer.flows), answer.missing]).toEqual([['live@9000'], ['live.x']])
  expect(asked).toEqual([['live', query, undefined]])
})

describe('a slice of the past is asked of the store, and of the agents where these have not reported yet', () => {
  const nowMs = 1_000_000
  test.each([
    [nowMs - 2 * UPDATE_MS - 1, ['store']],
    [nowMs - 2 * UPDATE_MS, ['store', 'live']],
    [nowMs, ['store', 'live']],
  ])('one that ends at %i', async (lastMs, names) => {
    const { flows, asked } = history([], [], nowMs)
    const slice = { startMs: 0, lastMs }
    const { missing } = await flows.search({ Dedup: true }, slice)
    expect(asked).toEqual(
      names.map((name) => [
        name,
        name === 'live' || names.length > 1 ? {} : { Dedup: true },
        name === 'live' ? undefined : slice,
      ]),
    )
    expect(missing).toEqual(names.map((name) => `${name}.x`))
  })
})

test('each flow is told once, with its later report, and only when it is of the time', async () => {
  const live = [enhanced('a', 9_000), enhanced('b', 8_000), enhanced('early', 500, 0), enhanced('late', 12_000, 11_000)]
  const { flows } = history(live, [enhanced('a', 7_000), enhanced('c', 6_000), enhanced('b', 8_500)], 10_000)
  const slice = { startMs: 1_000, lastMs: 10_000 }
  const query: FlowQuery = { Sort: true, SortBy: 'Last' }
  expect(ids((await flows.search(query, slice)).flows)).toEqual(['c@6000', 'b@8500', 'a@9000'])
  const page = { ...query, PaginationRange: { From: 0, To: 2 } }
  expect(ids((await flows.search(page, slice)).flows)).toEqual(['c@6000', 'b@8500'])
})

test('a flow whose later report does not meet the condition is not told by an earlier one', async () => {
  const { flows, asked } = history([enhanced('a', 9_000, 1_000, 10)], [enhanced('a', 7_000, 1_000, 3)], 10_000)
  const few: Filter = { LtInt64Filter: { Key: 'Metric.ABPackets', Value: 5 } }
  const here: Filter = { TermStringFilter: { Key: 'NodeTID', Value: 'tid-1' } }
  const Filter: Filter = { BoolFilter: { Op: 1, Filters: [here, few] } }
  expect((await flows.search({ Filter }, { startMs: 0, lastMs: 10_000 })).flows).toEqual([])
  // What all reports say alike is still asked of the agents.
  expect(asked[1]).toEqual(['live', { Filter: { BoolFilter: { Op: 1, Filters: [here] } } }, undefined])
})

test('whatever was reported when, the answer is that of the latest reports', async () => {
  const report = fc.record({ id: fc.nat(4), last: fc.integer({ min: 0, max: 9 }), packets: fc.nat(6), isStored: fc.boolean() })
  const leaf = fc.oneof(
    fc.nat(6).map((Value): Filter => ({ GteInt64Filter: { Key: 'Metric.ABPackets', Value } })),
    fc.nat(9).map((Value): Filter => ({ LtInt64Filter: { Key: 'Last', Value } })),
    fc.nat(4).map((id): Filter => ({ TermStringFilter: { Key: 'UUID', Value: String(id) } })),
    fc.constant<Filter>({}),
  )
  const tree = fc.record({ Op: fc.constantFrom(0 as const, 1 as const, 2 as const), Filters: fc.array(leaf, { maxLength: 3 }) })
  const filter = fc.oneof(
    leaf,
    tree.map((BoolFilter): Filter => ({ BoolFilter })),
  )
  const window = fc.tuple(fc.nat(9), fc.nat(9)).map(([a, b]) => ({ startMs: Math.min(a, b), lastMs: Math.max(a, b) }))
  await fc.assert(
    fc.asyncProperty(fc.array(report, { maxLength: 12 }), filter, window, async (reports, Filter, slice) => {
      // Packets grow with time, as they do.
      const all = reports.map(({ id, last, packets }) => enhanced(String(id), last, 0, last * 10 + packets))
      const latest = (from: readonly EnhancedFlow[]) => {
        const newest = new Map<string, EnhancedFlow>()
        for (const item of from) {
          const { UUID, Last } = item.flow
          if (Last >= (newest.get(UUID)?.flow.Last ?? 0)) newest.set(UUID, item)
        }
        return [...newest.values()]
      }
      const live = latest(all.filter((_, i) => !reports[i]!.isStored))
      // What an agent knows is never behind what it reported.
      const isReported = ({ flow }: EnhancedFlow) => !live.some((now) => now.flow.UUID === flow.UUID && now.flow.Last < flow.Last)
      const stored = latest(all.filter((item, i) => reports[i]!.isStored && isReported(item)))
      const { flows } = history(live, stored, 9)
      const matches = await prepareFilter(Filter, enhancedFlowField)
      const inSlice = ({ flow }: EnhancedFlow) => flow.Start <= slice.lastMs && flow.Last >= slice.startMs
      const known = latest([...stored.filter(inSlice), ...live.filter(inSlice)])
      expect(ids((await flows.search({ Filter }, slice)).flows).sort()).toEqual(ids(known.filter(matches)).sort())
    }),
  )
})

test('metrics and packets of the present are those of the agents, of the past those of the store', async () => {
  const { flows } = history([enhanced('a', 9_000)], [enhanced('a', 7_000)], 10_000)
  const slice = { startMs: 0, lastMs: 10_000 }
  expect([...(await flows.metrics({}, undefined)), ...(await flows.metrics({}, slice))]).toEqual([
    ['live', [enhanced('a', 9_000).flow.Metric]],
    ['store', []],
  ])
  expect([...(await flows.rawPackets({}, undefined)), ...(await flows.rawPackets({}, slice))]).toEqual([
    ['live', []],
    ['store', []],
  ])
})

test.each(['search', 'metrics', 'rawPackets'] as const)('the past without a store is refused: %s', async (name) => {
  const flows = createFlowHistory({ live: reader([]), store: undefined, clock: { now: () => 0 }, updateMs: UPDATE_MS })
  await expect(flows[name]({}, { startMs: 0, lastMs: 1 })).rejects.toMatchObject({
    code: 'ERR_UNAVAILABLE',
    message: 'No storage backend has been configured',
  })
})

test('what was watched is asked of the ledger: of the slice, or of the last update until now', () => {
  const asked: TimeSlice[] = []
  const told = { complete: true, lostPackets: 0, lostFlows: 0, watched: 1 }
  const ledger = {
    summary(slice: TimeSlice) {
      asked.push(slice)
      return told
    },
  }
  const parts = { live: reader([]), store: undefined, clock: { now: () => 100_000 }, updateMs: UPDATE_MS }
  const flows = createFlowHistory({ ...parts, ledger })
  expect([flows.coverage?.(undefined), flows.coverage?.({ startMs: 1, lastMs: 2 })]).toEqual([told, told])
  expect(asked).toEqual([
    { startMs: 40_000, lastMs: 100_000 },
    { startMs: 1, lastMs: 2 },
  ])
  expect(createFlowHistory(parts).coverage).toBeUndefined()
})
