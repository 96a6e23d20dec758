import { describe, expect, test } from '@jest/globals'
import type { Filter, Flow, FlowMetric, FlowQuery, RawPacket } from '@skydive/contracts'
import { decodeTableQuery, encodeFlowSet, encodeTableReply, type TableQuery } from '@skydive/protocol/flow'
import { createLiveFlowReader } from './live-flow-reader.ts'

function flow(UUID: string, address: string, Last: number): Flow {
  return {
    UUID,
    TrackingID: UUID,
    Network: { Protocol: 'IPV6', A: address, B: 'fe80::99', ID: 0 },
    Start: 0,
    Last,
    ParentUUID: '',
    RawPacketsCaptured: 0,
  }
}

const FLOWS = [flow('a', '2001:db8::1', 1), flow('b', 'fe80::1', 2), flow('c', '2001:db8::2', 3), flow('d', '10.0.0.1', 4)]

/** An agent that answers all that it has, as one of the original does that takes an unknown condition for true. */
async function ask(query: FlowQuery): Promise<{ asked: TableQuery; uuids: readonly string[] }> {
  let asked: TableQuery | undefined
  const reader = createLiveFlowReader({
    // The analyzer knows where two of them run.
    enhance: (one) => ({
      flow: one,
      places: ['a', 'b'].includes(one.UUID) ? { a: { tid: 't', name: 'eth0', type: 'device', host: 'alpha' } } : {},
    }),
    sources: () => [
      {
        name: 'agent.alpha',
        hostId: 'alpha',
        async query(bytes) {
          asked = decodeTableQuery(bytes)
          return encodeTableReply({ Status: 200, FlowSetBytes: [encodeFlowSet(FLOWS)] })
        },
      },
    ],
  })
  const { flows } = await reader.search(query, undefined)
  return { asked: asked!, uuids: flows.map((item) => item.flow.UUID) }
}

const range: Filter = { IPV6RangeFilter: { Key: 'Network.A', Value: '2001:db8::/32' } }
const isIpv6: Filter = { TermStringFilter: { Key: 'Network.Protocol', Value: 'IPV6' } }
const both = (filters: readonly Filter[]): Filter => ({ BoolFilter: { Op: 1, Filters: filters } })
const not = (filter: Filter): Filter => ({ BoolFilter: { Op: 2, Filters: [filter] } })

describe('a condition that agents of the original do not know', () => {
  test.each<[title: string, query: FlowQuery, asked: TableQuery['Query'], uuids: readonly string[]]>([
    ['is tested again', { Filter: range }, { Filter: range }, ['a', 'c']],
    ['beside others', { Filter: both([range, isIpv6]) }, { Filter: both([range, isIpv6]) }, ['a', 'c']],
    // Taken for true, it would exclude everything here.
    ['is not asked where it is negated', { Filter: not(range) }, {}, ['b', 'd']],
    ['but what stands beside that is', { Filter: both([not(range), isIpv6]) }, { Filter: both([isIpv6]) }, ['b', 'd']],
    [
      'leaves pages and doubles for afterwards',
      { Filter: range, Sort: true, SortBy: 'Last', SortOrder: 2, Dedup: true, PaginationRange: { From: 0, To: 1 } },
      { Filter: range, Sort: true, SortBy: 'Last', SortOrder: 2 },
      ['c'],
    ],
  ])('%s', async (_title, query, asked, uuids) => {
    const answer = await ask(query)
    expect(answer.asked.Query).toEqual(asked)
    expect(answer.uuids).toEqual(uuids)
  })

  const onEth0: Filter = { TermStringFilter: { Key: 'Place.A.Name', Value: 'eth0' } }
  const either = (filters: readonly Filter[]): Filter => ({ BoolFilter: { Op: 0, Filters: filters } })

  test.each<[title: string, filter: Filter, asked: Filter | undefined, uuids: readonly string[]]>([
    ['alone', onEth0, {}, ['a', 'b']],
    ['beside others', both([onEth0, isIpv6]), both([{}, isIpv6]), ['a', 'b']],
    ['or others', either([onEth0, range]), either([{}, range]), ['a', 'b', 'c']],
    ['negated', not(onEth0), undefined, ['c', 'd']],
  ])('on places, which agents can not tell, is tested here: %s', async (_title, Filter, asked, uuids) => {
    const answer = await ask({ Filter })
    expect(answer.asked.Query.Filter).toEqual(asked)
    expect(answer.uuids).toEqual(uuids)
  })

  test('a filter without one is asked as it is, and believed', async () => {
    const page = { From: 0, To: 2 }
    const { asked, uuids } = await ask({ Filter: isIpv6, Sort: true, SortBy: 'Last', PaginationRange: page })
    expect(asked.Query).toMatchObject({ Filter: isIpv6, PaginationRange: page })
    expect(uuids).toEqual(['a', 'b'])
  })
})

describe('what is asked of whom', () => {
  const metric = (packets: number): FlowMetric => ({
    ...{ ABPackets: packets, ABBytes: 60 * packets, BAPackets: 0, BABytes: 0 },
    ...{ Start: 1, Last: 2 },
  })
  const kept: RawPacket = { Timestamp: 5, Index: 1, LinkType: 1, Data: Uint8Array.of(1, 2) }
  const held: Readonly<Record<string, readonly Flow[]>> = {
    alpha: [{ ...flow('updated', '10.0.0.1', 1), Metric: metric(9), LastUpdateMetric: metric(4), LastRawPackets: [kept] }],
    beta: [{ ...flow('new', '10.0.0.2', 2), Metric: metric(3) }, flow('bare', '10.0.0.3', 3)],
  }
  const reader = (asked: string[] = [], onAsked: () => void = () => {}) =>
    createLiveFlowReader({
      sources: () =>
        Object.entries(held).map(([hostId, flows]) => ({
          name: `agent.${hostId}`,
          hostId,
          async query() {
            asked.push(hostId)
            onAsked()
            return encodeTableReply({ Status: 200, FlowSetBytes: [encodeFlowSet(flows)] })
          },
        })),
    })

  test.each<[query: FlowQuery, hosts: readonly string[], uuids: readonly string[]]>([
    [{}, ['alpha', 'beta'], ['updated', 'new', 'bare']],
    [{ hosts: ['beta', 'gone'] }, ['beta'], ['new', 'bare']],
    [{ hosts: [] }, [], []],
    [{ nodeTids: [] }, [], []],
  ])('%j', async (query, hosts, uuids) => {
    const asked: string[] = []
    const { flows, missing } = await reader(asked).search(query, undefined)
    expect([asked, flows.map((item) => item.flow.UUID), missing]).toEqual([hosts, uuids, []])
  })

  test('metrics are those of the last update, or else the totals', async () => {
    expect([...(await reader().metrics({}, undefined))]).toEqual([
      ['updated', [metric(4)]],
      ['new', [metric(3)]],
      ['bare', [{ ABPackets: 0, ABBytes: 0, BAPackets: 0, BABytes: 0, Start: 0, Last: 0 }]],
    ])
  })

  test('packets are those that no update has reported yet', async () => {
    expect([...(await reader().rawPackets({}, undefined))]).toEqual([['updated', [kept]]])
  })

  test('agents that do not answer are named, in every kind of answer', async () => {
    const failing = createLiveFlowReader({
      sources: () =>
        ['alpha', 'beta', 'gamma'].map((hostId) => ({
          name: `agent.${hostId}`,
          hostId,
          async query() {
            if (hostId !== 'beta') throw new Error('gone')
            return encodeTableReply({ Status: 200, FlowSetBytes: [encodeFlowSet(held['beta']!)] })
          },
        })),
    })
    const told: string[] = []
    const onMissing = (source: string) => void told.push(source)
    const { flows, missing } = await failing.search({}, undefined, { onMissing })
    expect([flows.length, missing, told]).toEqual([2, ['agent.alpha', 'agent.gamma'], []])
    expect((await failing.metrics({}, undefined, { onMissing })).size).toBe(2)
    expect((await failing.rawPackets({}, undefined, { onMissing })).size).toBe(0)
    expect(told).toEqual(['agent.alpha', 'agent.gamma', 'agent.alpha', 'agent.gamma'])
    // Whoever does not want to know is not told.
    expect((await failing.metrics({}, undefined)).size).toBe(2)
  })

  test('whoever gave up while agents were asked gets no answer', async () => {
    const gone = new AbortController()
    const searching = reader([], () => gone.abort()).search({}, undefined, { signal: gone.signal })
    await expect(searching).rejects.toMatchObject({ code: 'ERR_CANCELLED' })
  })
})
