// What the ledger says of what it could not see: agents that were away, runs that began anew, losses of every cause, windows that cut them.
import { describe, expect, test } from '@jest/globals'
import { FLOW_LOSS_CAUSES, type FlowLoss, type Metadata } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import { CoverageLedger, type LossRecord, type SpanRecord } from './index.ts'

const MADE_MS = 500

/** A ledger that follows a graph in which one node is shown with captures, as an agent sends it: with the time at which it was made. */
function setUp() {
  const clock = { nowMs: 1_000, now: () => clock.nowMs }
  const graph = createGraph({ clock })
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  let ids = 0
  const ledger = new CoverageLedger({ clock, retentionMs: 1_000_000, newId: () => `r${++ids}` })
  const changed: (SpanRecord | LossRecord)[] = []
  ledger.listen({ changed: (record) => changed.push(structuredClone(record)), forgotten: () => {} })
  ledger.follow(graph)
  const show = (timeMs: number, captures: readonly Metadata[], createdAtMs = MADE_MS) => {
    clock.nowMs = timeMs
    const metadata = {
      Name: 'eth0',
      TID: 'tid-eth0',
      Type: 'device',
      ...(captures.length > 0 && { Captures: captures as never }),
    }
    writer.transaction((tx) =>
      graph.view.nodeOrdinal('n1') < 0
        ? tx.addNode({ id: 'n1', createdAtMs, updatedAtMs: timeMs, metadata })
        : tx.putNode({ id: 'n1', metadata }),
    )
  }
  const away = (timeMs: number) => {
    clock.nowMs = timeMs
    writer.transaction((tx) => tx.deleteNode('n1'))
  }
  return { clock, ledger, show, away, changed }
}

const capture = (received: number, dropped = 0, over: Metadata = {}): Metadata => ({
  ...{ ID: 'c1', State: 'active', PacketsReceived: received, PacketsDropped: dropped },
  ...over,
})
const times = (ledger: CoverageLedger) => ledger.read(0, 99_000).spans.map(({ fromMs, toMs }) => [fromMs, toMs])
const kernelLoss = (fromMs: number, toMs: number, packets: number): FlowLoss => ({
  ...{ cause: 'kernel', host: 'alpha', captureId: 'c1', fromMs, toMs, packets, flows: 0 },
})

describe('an agent that was away', () => {
  test('went on watching, and what it lost meanwhile counts', () => {
    const { ledger, show, away, changed } = setUp()
    show(2_000, [capture(10, 1)])
    away(5_000)
    expect(times(ledger)).toEqual([[2_000, 5_000]])
    show(60_000, [capture(900, 41)])
    expect(times(ledger)).toEqual([[2_000, undefined]])
    expect(ledger.read(0, 99_000).losses).toEqual([kernelLoss(5_000, 60_000, 40)])
    expect(ledger.summary({ startMs: 3_000, lastMs: 60_000 })).toEqual({
      complete: false,
      lostPackets: 40,
      lostFlows: 0,
      watched: 1,
    })
    // Whoever keeps the ledger hears that the span is open again.
    expect(changed.at(-1)).toMatchObject({ id: 'r1', span: { fromMs: 2_000, packetsReceived: 900, packetsDropped: 41 } })
    expect(changed.at(-1)).not.toHaveProperty('span.toMs')
    away(70_000)
    expect(times(ledger)).toEqual([[2_000, 70_000]])
  })

  test.each<[title: string, back: Metadata, createdAtMs: number, losses: readonly FlowLoss[]]>([
    ['began anew', capture(3, 2), 20_000, [kernelLoss(5_000, 60_000, 2)]],
    ['began anew and has counted as much since', capture(900, 41), 20_000, [kernelLoss(5_000, 60_000, 40)]],
    ['captures with another filter', capture(900, 1, { BPFFilter: 'icmp' }), MADE_MS, []],
    ['has dropped less than before', capture(900, 0), MADE_MS, []],
  ])('and %s has not watched meanwhile', (_title, back, createdAtMs, losses) => {
    const { ledger, show, away } = setUp()
    show(2_000, [capture(10, 1)])
    away(5_000)
    show(60_000, [back], createdAtMs)
    expect(times(ledger)).toEqual([
      [2_000, 5_000],
      [60_000, undefined],
    ])
    expect(ledger.read(0, 99_000).losses).toEqual(losses)
  })

  test('a capture that ended while its node stayed is not taken up', () => {
    const { ledger, show } = setUp()
    show(2_000, [capture(10)])
    show(5_000, [])
    show(6_000, [capture(20)])
    expect(times(ledger)).toEqual([
      [2_000, 5_000],
      [6_000, undefined],
    ])
  })

  test('one whose end is forgotten begins anew', () => {
    const { ledger, show, away } = setUp()
    show(2_000, [capture(10)])
    away(5_000)
    show(1_100_000, [])
    ledger.addLoss({ cause: 'link', host: 'alpha', fromMs: 1_100_000, toMs: 1_100_000, packets: 0, flows: 1 })
    show(1_100_000, [capture(20)])
    expect(ledger.read(0, 1_200_000).spans.map(({ fromMs, toMs }) => [fromMs, toMs])).toEqual([[1_100_000, undefined]])
  })
})

describe('a capture whose counters began anew', () => {
  test('has lost what the new ones say, since it was last seen', () => {
    const { ledger, show } = setUp()
    show(2_000, [capture(100, 50)])
    show(3_000, [capture(4, 3)])
    expect(ledger.read(0, 99_000).losses).toEqual([kernelLoss(2_000, 3_000, 3)])
  })

  test('with what an earlier run of the analyzer knew of it: lost in between is what the counter grew by', () => {
    const [first, second] = [setUp(), setUp()]
    first.show(2_000, [capture(100, 5)])
    const [record] = first.changed as SpanRecord[]
    second.show(50_000, [capture(200, 9)])
    second.ledger.restore([record!], 1_000)
    expect(times(second.ledger)).toEqual([[2_000, undefined]])
    expect(second.ledger.read(0, 99_000)).toMatchObject({ knownFromMs: 1_000, losses: [kernelLoss(2_000, 50_000, 4)] })
    expect(second.changed.at(-1)).toMatchObject({ id: record!.id, span: { packetsDropped: 9 } })
  })

  test('first seen with losses that nobody saw happen: they are in its counters alone', () => {
    const { ledger, show } = setUp()
    show(2_000, [capture(100, 50)])
    expect(ledger.read(0, 99_000)).toMatchObject({ spans: [{ packetsDropped: 50 }], losses: [] })
  })
})

test('what the kernel drops counts though nothing was received besides', () => {
  const { ledger, show } = setUp()
  show(2_000, [capture(100, 5)])
  show(3_000, [capture(100, 9)])
  expect(ledger.read(0, 99_000)).toMatchObject({
    spans: [{ packetsReceived: 100, packetsDropped: 9 }],
    losses: [kernelLoss(2_000, 3_000, 4)],
  })
})

describe('of more than 20,000 records', () => {
  const loss = (host: string, timeMs: number): FlowLoss => ({
    cause: 'link',
    host,
    fromMs: timeMs,
    toMs: timeMs,
    packets: 0,
    flows: 1,
  })
  test('the oldest losses go, and it is known only from then on', () => {
    const { ledger } = setUp()
    for (let i = 0; i < 20_003; i++) ledger.addLoss(loss(`h${i}`, 2_000 + i))
    const { losses, knownFromMs } = ledger.read(0, 99_000)
    expect([losses.length, losses[0]?.toMs, knownFromMs]).toEqual([20_000, 2_003, 2_002])
  })

  test('the oldest captures go, and it is known only from then on', () => {
    const { ledger, show } = setUp()
    show(1_500, [capture(1)])
    const [span] = ledger.read(0, 99_000).spans
    const ended = Array.from({ length: 20_003 }, (_, i) => ({
      id: `e${i}`,
      seenMs: 0,
      span: { ...span!, fromMs: 2_000, toMs: 2_000 + i },
    }))
    ledger.restore(ended, 1_000)
    const { spans, knownFromMs } = ledger.read(1_000, 99_000)
    expect([spans.length, knownFromMs]).toEqual([20_001, 2_002])
    expect(ledger.read(2_002, 99_000).knownFromMs).toBeUndefined()
  })
})

describe('captures of one node that run at once', () => {
  test('are told each with its filter and sampling, and watch no more than all of the time', () => {
    const { ledger, show, clock } = setUp()
    const web = capture(1, 0, { BPFFilter: 'port 80', Type: 'pcap' })
    const samples = capture(2, 0, { ID: 'c2', Type: 'sflow', SamplingRate: 100 })
    show(2_000, [web])
    show(4_000, [web, samples])
    show(6_000, [samples])
    show(8_000, [])
    clock.nowMs = 10_000
    expect(
      ledger
        .read(1_000, 10_000)
        .spans.map(({ captureId, filter, type, samplingRate, fromMs, toMs }) => [
          captureId,
          filter,
          type,
          samplingRate,
          fromMs,
          toMs,
        ]),
    ).toEqual([
      ['c1', 'port 80', 'pcap', 1, 2_000, 6_000],
      ['c2', '', 'sflow', 100, 4_000, 8_000],
    ])
    // 2 s to 8 s of 2 s to 10 s.
    expect(ledger.summary({ startMs: 2_000, lastMs: 10_000 }).watched).toBe(0.75)
    // What began in the middle of the window counts from there on.
    expect(ledger.summary({ startMs: 0, lastMs: 4_000 }).watched).toBe(0.5)
    expect(ledger.summary({ startMs: 5_000, lastMs: 5_500 })).toEqual({
      complete: true,
      lostPackets: 0,
      lostFlows: 0,
      watched: 1,
    })
  })
})

describe.each(FLOW_LOSS_CAUSES)('a loss by the %s', (cause) => {
  const [packets, flows] = cause === 'kernel' || cause === 'interface' ? [7, 0] : [0, 7]
  const loss: FlowLoss = { cause, host: 'alpha', fromMs: 20_000, toMs: 30_000, packets, flows }
  test.each<[startMs: number, lastMs: number, counts: boolean]>([
    [0, 19_999, false],
    [0, 20_000, true],
    [24_000, 25_000, true],
    [30_000, 40_000, true],
    [30_001, 40_000, false],
    [0, 90_000, true],
  ])('counts from %i to %i: %p', (startMs, lastMs, counts) => {
    const { ledger, clock } = setUp()
    ledger.addLoss(loss)
    clock.nowMs = 90_000
    expect(ledger.read(startMs, lastMs).losses).toEqual(counts ? [loss] : [])
    const told = { lostPackets: counts ? packets : 0, lostFlows: counts ? flows : 0 }
    expect(ledger.summary({ startMs, lastMs })).toEqual({ complete: false, watched: 0, ...told })
  })

  test.each<[gapMs: number, count: number]>([
    [10_000, 1],
    [10_001, 2],
  ])('that another one follows after %i ms is %i', (gapMs, count) => {
    const { ledger } = setUp()
    ledger.addLoss(loss)
    ledger.addLoss({ ...loss, fromMs: loss.toMs + gapMs, toMs: loss.toMs + gapMs + 5 })
    // Of another host, and of a capture: these are others.
    ledger.addLoss({ ...loss, host: 'beta' })
    ledger.addLoss({ ...loss, captureId: 'c1' })
    const { losses } = ledger.read(0, 90_000)
    expect(losses.filter(({ host, captureId }) => host === 'alpha' && captureId === undefined)).toHaveLength(count)
    expect(losses).toHaveLength(count + 2)
    expect(losses.reduce((sum, each) => sum + each.packets + each.flows, 0)).toBe(28)
  })
})
