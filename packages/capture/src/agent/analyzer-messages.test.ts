import { describe, expect, test } from '@jest/globals'
import type { CaptureStats, Flow } from '@skydive/contracts'
import { decodeFlowMessage, decodeFlowSet, decodeTableReply, encodeTableQuery } from '@skydive/protocol/flow'
import { analyzerOutput, answerTableQuery, StatisticsSender } from './analyzer-messages.ts'
import type { CaptureFeed, CaptureTable } from './capture-feed.ts'
import type { FromCaptureThread } from './messages.ts'

const flow = (UUID: string, Start = 1, Last = 2): Flow => ({ UUID, Start, Last, ParentUUID: '', RawPacketsCaptured: 0 })

/** Takes messages, and shows the batches among them. */
function receiver() {
  const messages: FromCaptureThread[] = []
  const batches = () =>
    messages.flatMap((message) =>
      message.kind === 'batch' ? [{ flows: message.flows, ...decodeFlowMessage(message.payload) }] : [],
    )
  return { emit: (message: FromCaptureThread) => void messages.push(message), batches }
}

test.each([
  [0, []],
  [1, [1]],
  [1000, [1000]],
  [1001, [1000, 1]],
  [2500, [1000, 1000, 500]],
])('%i flows leave in messages of at most 1000, none lost and none twice', (count, sizes) => {
  const { emit, batches } = receiver()
  const flows = Array.from({ length: count }, (_, i) => flow(String(i)))
  const output = analyzerOutput(emit)
  expect(output.send(flows)).toBeUndefined()
  expect(batches().map((batch) => [batch.flows, batch.Flows.length])).toEqual(sizes.map((size) => [size, size]))
  expect(batches().flatMap((batch) => batch.Flows.map(({ UUID }) => UUID))).toEqual(flows.map(({ UUID }) => UUID))
})

test('W16 statistics tell what was counted since the message before', () => {
  const { emit, batches } = receiver()
  const sender = new StatisticsSender(emit, 'c1')
  const send = (packetsReceived: number, packetsDropped: number, flows: number, evictedFlows: number) => {
    const source: CaptureStats = { packetsReceived, packetsDropped, packetsIfDropped: 0 }
    sender.send(source, { stats: () => ({ flows, evictedFlows }) } as CaptureTable)
  }
  send(100, 10, 7, 1)
  send(150, 10, 9, 4)
  send(150, 12, 3, 4)
  const told = (over: object) => ({ flows: 0, Flows: [], Stats: { CaptureID: 'c1', KernelFlowDropped: 0, ...over } })
  expect(batches()).toEqual([
    told({ PacketsReceived: 100, PacketsDropped: 10, FlowCount: 7, FlowDropped: 1 }),
    told({ PacketsReceived: 50, PacketsDropped: 0, FlowCount: 9, FlowDropped: 3 }),
    told({ PacketsReceived: 0, PacketsDropped: 2, FlowCount: 3, FlowDropped: 0 }),
  ])
})

describe('a table query', () => {
  const feed = (flows: readonly Flow[]): CaptureFeed => {
    const packets = new Map([['a', [{ Timestamp: 5, Index: 1, LinkType: 1, Data: Uint8Array.of(1, 2) }]]])
    return { table: { search: async () => flows, rawPackets: () => packets } } as unknown as CaptureFeed
  }

  test('is answered by a set of each table, with the packets kept and the times that it spans; a mirror has none', async () => {
    const mirror = { source: {}, readyFds: [] } as unknown as CaptureFeed
    const query = encodeTableQuery({ Type: 'SearchQuery', Query: {} })
    const reply = decodeTableReply(await answerTableQuery(query, [feed([flow('a', 3, 9), flow('b', 2, 4)]), mirror, feed([])]))
    expect({ ...reply, FlowSetBytes: reply.FlowSetBytes.map((bytes) => decodeFlowSet(bytes)) }).toEqual({
      Status: 200,
      FlowSetBytes: [
        {
          Flows: [
            { ...flow('a', 3, 9), LastRawPackets: [{ Timestamp: 5, Index: 1, LinkType: 1, Data: Uint8Array.of(1, 2) }] },
            flow('b', 2, 4),
          ],
          Start: 2,
          // W29: of all flows, not of the one that was scanned last.
          End: 9,
        },
        { Flows: [], Start: 0, End: 0 },
      ],
    })
  })

  test('of another type is refused', async () => {
    await expect(answerTableQuery(encodeTableQuery({ Type: 'Other', Query: {} }), [])).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      message: 'flow table query: type "Other" is not known',
    })
  })
})
