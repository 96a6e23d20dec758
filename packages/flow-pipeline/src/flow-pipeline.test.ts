import { describe, expect, test } from '@jest/globals'
import { type EnhancedFlow, type Flow, type FlowLoss, SILENT_LOGGER, type StoreStatus } from '@skydive/contracts'
import { encodeFlowMessage } from '@skydive/protocol/flow'
import { createFlowPipeline, PlaceIndex } from './index.ts'

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
const ids = (flows: readonly EnhancedFlow[]) => flows.map(({ flow: { UUID, Last } }) => `${UUID}@${Last}`)

const NOTHING_DROPPED: StoreStatus = { state: 'ok', queued: 0, written: 0, dropped: 0, bytes: 0 }

describe('createFlowPipeline', () => {
  test('a batch reaches store and subscribers, once, and what is no batch is counted', () => {
    const stored: EnhancedFlow[] = []
    const told: EnhancedFlow[] = []
    const stats: unknown[] = []
    const pipeline = createFlowPipeline({
      places: new PlaceIndex(),
      store: { append: (flows) => stored.push(...flows), flush: async () => {}, status: () => NOTHING_DROPPED },
    })
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
      { batches: 3, flows: 3, importedFlows: 0, repeatedBatches: 1, malformedBatches: 1 },
    ])
  })
})

test('a subscriber that fails takes nothing from the others, nor from the store', () => {
  const stored: EnhancedFlow[] = []
  const told: unknown[] = []
  const errors: unknown[] = []
  const pipeline = createFlowPipeline({
    places: new PlaceIndex(),
    store: { append: (flows) => stored.push(...flows), flush: async () => {}, status: () => NOTHING_DROPPED },
    logger: { ...SILENT_LOGGER, error: (fields, message) => errors.push([fields, message]) },
  })
  const fail = () => {
    throw new Error('it broke')
  }
  pipeline.subscribe(fail)
  pipeline.subscribe((flows) => told.push(ids(flows)))
  pipeline.subscribeStats(fail)
  pipeline.subscribeStats(({ CaptureID }) => told.push(CaptureID))
  const Stats = { CaptureID: 'c', FlowCount: 1, FlowDropped: 0, KernelFlowDropped: 0, PacketsDropped: 0, PacketsReceived: 1 }
  pipeline.take({ hostId: 'alpha', id: '1', payload: encodeFlowMessage({ Flows: [flow('a', 2_000)], Stats }) })
  expect([ids(stored), told]).toEqual([['a@2000'], ['c', ['a@2000']]])
  expect(errors).toEqual(new Array(2).fill([{ reason: 'it broke' }, 'a subscriber to flows failed']))
})

describe('losses', () => {
  test('flows that a table gave up and those that the store did not take are told, each once', () => {
    const losses: FlowLoss[] = []
    const clock = { nowMs: 100_000, now: () => clock.nowMs }
    const store = {
      dropped: 5,
      append: () => {},
      flush: async () => {},
      status: () => ({ ...NOTHING_DROPPED, dropped: store.dropped }),
    }
    const pipeline = createFlowPipeline({ places: new PlaceIndex(), store, clock, onLoss: (loss) => losses.push(loss) })
    const Stats = { CaptureID: 'c', FlowCount: 1, FlowDropped: 3, KernelFlowDropped: 0, PacketsDropped: 2, PacketsReceived: 3 }
    const take = (message: Parameters<typeof encodeFlowMessage>[0]) =>
      pipeline.take({ hostId: 'alpha', payload: encodeFlowMessage(message) })

    take({ Flows: [], Stats })
    take({ Flows: [], Stats: { ...Stats, FlowDropped: 0 } })
    take({ Flows: [flow('a', 1)] })
    clock.nowMs = 101_000
    store.dropped = 7
    take({ Flows: [flow('b', 2)] })
    take({ Flows: [flow('c', 3)] })
    clock.nowMs = 103_000
    take({ Flows: [flow('d', 4)] })
    clock.nowMs = 108_000
    store.dropped = 8
    take({ Flows: [flow('e', 5)] })
    expect(losses).toEqual([
      { cause: 'table', host: 'alpha', captureId: 'c', fromMs: 40_000, toMs: 100_000, packets: 0, flows: 3 },
      { cause: 'store', host: 'alpha', fromMs: 100_000, toMs: 101_000, packets: 0, flows: 2 },
      // Since the store was looked at last.
      { cause: 'store', host: 'alpha', fromMs: 103_000, toMs: 108_000, packets: 0, flows: 1 },
    ])
  })
})

describe('malformed batches', () => {
  test('all are counted, one a second is told', () => {
    const told: unknown[] = []
    const logger = { ...SILENT_LOGGER, warn: (fields: object) => void told.push(fields) }
    const clock = { nowMs: 5000, now: () => clock.nowMs }
    const pipeline = createFlowPipeline({ places: new PlaceIndex(), clock, logger })
    const take = (hostId: string) => pipeline.take({ hostId, payload: Uint8Array.of(0x0a, 0x7f) })
    take('a')
    take('b')
    clock.nowMs += 999
    take('c')
    clock.nowMs += 1
    take('d')
    const reason = expect.stringContaining('protobuf')
    expect(told).toEqual([
      { host: 'a', reason },
      { host: 'd', reason },
    ])
    expect(pipeline.status()).toMatchObject({ batches: 0, flows: 0, malformedBatches: 4 })
  })

  test('flows of an import are stored without places and told to nobody', async () => {
    const [kept, told]: EnhancedFlow[][] = [[], []]
    const store = {
      append: (flows: readonly EnhancedFlow[]) => kept!.push(...flows),
      flush: async () => {},
      status: () => NOTHING_DROPPED,
    }
    const place = { tid: 't', name: 'eth0', type: 'device', host: 'alpha' }
    const places = { enhance: (one: Flow) => ({ flow: one, places: { a: place } }) } as unknown as PlaceIndex
    const pipeline = createFlowPipeline({ places, store })
    pipeline.subscribe((flows) => told!.push(...flows))
    await pipeline.importFlows([flow('a', 1)])
    await createFlowPipeline({ places }).importFlows([flow('b', 2)])
    expect([kept, told]).toEqual([[{ flow: flow('a', 1), places: {} }], []])
  })

  test('an import of which the store has no room for some is refused with its reason, and is no loss of an agent', async () => {
    const losses: FlowLoss[] = []
    const kept: EnhancedFlow[] = []
    const store = {
      room: 3,
      dropped: 5,
      append(flows: readonly EnhancedFlow[]) {
        kept.push(...flows.slice(0, store.room))
        store.dropped += Math.max(0, flows.length - store.room)
        store.room = Math.max(0, store.room - flows.length)
      },
      flush: async () => {},
      status: () => ({ ...NOTHING_DROPPED, dropped: store.dropped, ...(store.room === 0 && { reason: 'disk full' }) }),
    }
    const pipeline = createFlowPipeline({ places: new PlaceIndex(), store, onLoss: (loss) => losses.push(loss) })
    await pipeline.importFlows([flow('a', 1), flow('b', 2)])
    await expect(pipeline.importFlows([flow('c', 3), flow('d', 4), flow('e', 5)])).rejects.toMatchObject({
      code: 'ERR_UNAVAILABLE',
      retryable: true,
      message: 'the store did not take 2 of 3 flows: disk full; try again when it does',
      fields: { dropped: 2 },
    })
    store.room = 9
    pipeline.take({ hostId: 'alpha', payload: encodeFlowMessage({ Flows: [flow('f', 6)] }) })
    expect([ids(kept), losses, pipeline.status().importedFlows]).toEqual([['a@1', 'b@2', 'c@3', 'f@6'], [], 5])
  })
})
