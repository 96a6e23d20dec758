import { describe, expect, test } from '@jest/globals'
import type { EnhancedFlow, Flow, FlowReader } from '@skydive/contracts'
import { decodeTableQuery, encodeFlowMessage, encodeFlowSet, encodeTableReply } from '@skydive/protocol/flow'
import { createAgentFlows, createFlowHistory, createFlowPipeline, PlaceIndex } from './index.ts'

const flow = (UUID: string, Last: number, over: Partial<Flow> = {}): Flow => ({
  UUID,
  Start: 1_000,
  Last,
  ParentUUID: '',
  RawPacketsCaptured: 0,
  NodeTID: 'tid-1',
  TrackingID: `t${UUID}`,
  ...over,
})
const enhanced = (UUID: string, Last: number): EnhancedFlow => ({ flow: flow(UUID, Last), places: {} })
const ids = (flows: readonly EnhancedFlow[]) => flows.map(({ flow: { UUID, Last } }) => `${UUID}@${Last}`)

describe('createFlowPipeline', () => {
  test('a batch reaches store and subscribers, once, and what is no batch is counted', () => {
    const stored: EnhancedFlow[] = []
    const told: EnhancedFlow[] = []
    const stats: unknown[] = []
    const pipeline = createFlowPipeline({ places: new PlaceIndex(), store: { append: (flows) => stored.push(...flows) } })
    pipeline.subscribe((flows) => told.push(...flows))
    const stop = pipeline.subscribeStats((message) => stats.push(message))
    const Stats = { CaptureID: 'c', FlowCount: 1, FlowDropped: 0, KernelFlowDropped: 0, PacketsDropped: 2, PacketsReceived: 3 }
    const payload = encodeFlowMessage({ Flows: [flow('a', 2_000), flow('b', 3_000)], Stats })

    pipeline.take({ hostId: 'alpha', id: '1', payload })
    pipeline.take({ hostId: 'alpha', id: '1', payload })
    pipeline.take({ hostId: 'beta', id: '1', payload: encodeFlowMessage({ Flows: [flow('c', 4_000)] }) })
    pipeline.take({ hostId: 'beta', payload: Uint8Array.of(0xff, 0xff, 0xff) })
    stop()
    pipeline.take({ hostId: 'beta', payload: encodeFlowMessage({ Flows: [], Stats }) })

    expect([ids(stored), ids(told), stats, pipeline.status()]).toEqual([
      ['a@2000', 'b@3000', 'c@4000'],
      ['a@2000', 'b@3000', 'c@4000'],
      [Stats],
      { batches: 3, flows: 3, repeatedBatches: 1, malformedBatches: 1 },
    ])
  })
})

/** Agents with tables of their own; `down` ones do not answer. What was asked is kept. */
function agents(tables: Readonly<Record<string, readonly Flow[] | 'down'>>) {
  const asked: { host: string; query: unknown }[] = []
  const reader = createAgentFlows({
    hosts: () => Object.keys(tables),
    async queryFlowTable(host, query) {
      asked.push({ host, query: decodeTableQuery(query).Query })
      const table = tables[host]!
      if (table === 'down') throw new Error('no answer within 10 s')
      return encodeTableReply({ Status: 200, FlowSetBytes: [encodeFlowSet(table)] })
    },
    enhance: (found) => ({ flow: found, places: {} }),
  })
  return { reader, asked }
}

describe('createAgentFlows', () => {
  test('sorts and cuts over all agents, and names those that did not answer', async () => {
    const { reader, asked } = agents({ alpha: [flow('a', 5_000), flow('b', 2_000)], beta: [flow('c', 4_000)], gamma: 'down' })
    const answer = await reader.search(
      { Sort: true, SortBy: 'Last', SortOrder: 2, PaginationRange: { From: 1, To: 2 }, nodeTids: ['tid-1'] },
      undefined,
    )
    expect([ids(answer.flows), answer.missing]).toEqual([['c@4000'], ['agent.gamma']])
    expect(asked[0]!.query).toMatchObject({ PaginationRange: { From: 0, To: 2 }, Sort: true, SortBy: 'Last', SortOrder: 2 })
    expect(JSON.stringify(asked[0]!.query)).toContain('"Key":"NodeTID","Value":"tid-1"')
  })

  test('asks only the hosts named, and nobody for no node', async () => {
    const { reader, asked } = agents({ alpha: [flow('a', 1)], beta: [flow('c', 1)] })
    expect(ids((await reader.search({ hosts: ['beta'] }, undefined)).flows)).toEqual(['c@1'])
    expect(await reader.search({ nodeTids: [] }, undefined)).toEqual({ flows: [], missing: [] })
    expect(asked.map(({ host }) => host)).toEqual(['beta'])
  })

  test('metrics are those of the last update, or of the whole flow', async () => {
    const metric = (ABPackets: number) => ({ ABPackets, ABBytes: 1, BAPackets: 0, BABytes: 0, Start: 1_000, Last: 2_000 })
    const { reader } = agents({
      alpha: [
        flow('a', 1, { Metric: metric(9), LastUpdateMetric: metric(4) }),
        flow('b', 1, { Metric: metric(7) }),
        flow('c', 1),
      ],
    })
    expect([...(await reader.metrics({}, undefined))].map(([uuid, [found]]) => [uuid, found!.ABPackets])).toEqual([
      ['a', 4],
      ['b', 7],
    ])
  })
})

describe('createFlowHistory', () => {
  const reader = (flows: readonly EnhancedFlow[]): FlowReader => ({
    search: async () => ({ flows, missing: [] }),
    metrics: async () => new Map(),
    rawPackets: async () => new Map(),
  })
  const at = (nowMs: number) => ({ now: () => nowMs })

  test('now is asked of the agents, long ago of the store', async () => {
    const flows = createFlowHistory({
      live: reader([enhanced('live', 9_000)]),
      store: reader([enhanced('old', 2_000)]),
      clock: at(10_000_000),
      updateMs: 60_000,
    })
    expect(ids((await flows.search({}, undefined)).flows)).toEqual(['live@9000'])
    expect(ids((await flows.search({}, { startMs: 0, lastMs: 5_000 })).flows)).toEqual(['old@2000'])
  })

  test('what agents have not reported yet belongs to the near past, each flow once, with its later report', async () => {
    const live = reader([enhanced('a', 9_000), enhanced('b', 8_000), enhanced('early', 500)])
    const flows = createFlowHistory({
      live,
      store: reader([enhanced('a', 7_000), enhanced('c', 6_000)]),
      clock: at(10_000),
      updateMs: 60_000,
    })
    const answer = await flows.search(
      { Sort: true, SortBy: 'Last', PaginationRange: { From: 0, To: 2 } },
      { startMs: 1_000, lastMs: 10_000 },
    )
    expect(ids(answer.flows)).toEqual(['c@6000', 'b@8000'])
  })

  test('the past without a store is refused', async () => {
    const flows = createFlowHistory({ live: reader([]), store: undefined, clock: at(0), updateMs: 60_000 })
    await expect(flows.search({}, { startMs: 0, lastMs: 1 })).rejects.toThrow('No storage backend has been configured')
  })
})
