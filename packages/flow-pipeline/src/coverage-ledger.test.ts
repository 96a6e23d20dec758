import { describe, expect, test } from '@jest/globals'
import type { FlowLoss, GraphWriter, Metadata } from '@skydive/contracts'
import { createGraph, type Graph } from '@skydive/graph'
import fc from 'fast-check'
import { CoverageLedger } from './index.ts'

const RETENTION_MS = 1_000_000

/** A graph, a ledger that follows it, and a clock that both read. */
function setUp({ startMs = 1_000, retentionMs = RETENTION_MS } = {}) {
  const clock = { nowMs: startMs, now: () => clock.nowMs }
  const graph: Graph = createGraph({ clock })
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  let ids = 0
  const ledger = new CoverageLedger({ clock, retentionMs, newId: () => `r${++ids}` })
  const stop = ledger.follow(graph)
  const at = (timeMs: number, body: () => void) => {
    clock.nowMs = timeMs
    body()
  }
  return { clock, graph, writer, ledger, stop, at }
}

const NODE: Metadata = { Name: 'eth0', TID: 'tid-eth0', Type: 'device' }
const capture = (over: Metadata = {}): Metadata => ({ ID: 'c1', State: 'active', PacketsReceived: 0, PacketsDropped: 0, ...over })
const put = (writer: GraphWriter, captures: Metadata[], id = 'n1') =>
  writer.transaction((tx) =>
    tx.putNode({ id, metadata: { ...NODE, ...(captures.length > 0 && { Captures: captures as never }) } }),
  )

const SPAN = {
  captureId: 'c1',
  captureName: '',
  nodeId: 'n1',
  nodeTid: 'tid-eth0',
  nodeName: 'eth0',
  host: 'alpha',
  type: '',
  filter: '',
  samplingRate: 1,
  packetsReceived: 0,
  packetsDropped: 0,
}

describe('what was watched', () => {
  test('a capture whose flows go elsewhere watches nothing for us', () => {
    const { writer, ledger, at } = setUp()
    at(2_000, () => put(writer, [capture({ TargetType: 'ipfix' }), capture({ ID: 'c2', TargetType: 'local' })]))
    expect(ledger.read(0, 9_000).spans.map(({ captureId }) => captureId)).toEqual(['c2'])
  })

  test('a capture is a span from where it shows on a node to where it goes, with what it was told to do', () => {
    const { writer, ledger, at } = setUp()
    at(2_000, () => put(writer, [capture({ Name: 'web', Type: 'sflow', BPFFilter: 'port 80', SamplingRate: 10 })]))
    at(3_000, () =>
      put(writer, [capture({ Name: 'web', Type: 'sflow', BPFFilter: 'port 80', SamplingRate: 10, PacketsReceived: 7 })]),
    )
    const span = {
      ...SPAN,
      captureName: 'web',
      type: 'sflow',
      filter: 'port 80',
      samplingRate: 10,
      packetsReceived: 7,
      fromMs: 2_000,
    }
    expect(ledger.read(0, 3_000).spans).toEqual([span])
    at(4_000, () => put(writer, []))
    expect(ledger.read(0, 9_000)).toEqual({
      fromMs: 0,
      toMs: 9_000,
      knownFromMs: 1_000,
      spans: [{ ...span, toMs: 4_000 }],
      losses: [],
    })
    expect(ledger.read(4_001, 9_000).spans).toEqual([])
  })

  test.each<[string, (writer: GraphWriter) => void, object]>([
    ['its node is deleted', (writer) => writer.transaction((tx) => tx.deleteNode('n1')), {}],
    ['it fails', (writer) => put(writer, [capture({ State: 'error', Error: 'link is down' })]), { error: 'link is down' }],
    ['its list makes no sense', (writer) => put(writer, ['c1', null, { State: 'active' }] as never), {}],
  ])('it ends when %s', (_title, change, more) => {
    const { writer, ledger, at } = setUp()
    at(2_000, () => put(writer, [capture()]))
    at(5_000, () => change(writer))
    expect(ledger.read(1_000, 9_000).spans).toEqual([{ ...SPAN, fromMs: 2_000, toMs: 5_000, ...more }])
  })

  test.each<[string, Metadata]>([
    ['another filter', { BPFFilter: 'icmp', PacketsReceived: 5 }],
    ['counters that began anew', { PacketsReceived: 4 }],
  ])('with %s it is another span', (_title, change) => {
    const { writer, ledger, at } = setUp()
    at(2_000, () => put(writer, [capture({ PacketsReceived: 5 })]))
    at(3_000, () => put(writer, [capture(change)]))
    expect(ledger.read(1_000, 9_000).spans.map(({ fromMs, toMs }) => [fromMs, toMs])).toEqual([
      [2_000, 3_000],
      [3_000, undefined],
    ])
  })

  test('what ran before it followed is taken up, and nothing after it stopped', () => {
    const { writer, graph, ledger: _first, stop, clock, at } = setUp()
    at(2_000, () => put(writer, [capture()]))
    stop()
    clock.nowMs = 5_000
    const ledger = new CoverageLedger({ clock, retentionMs: RETENTION_MS, newId: () => 'x' })
    const stopSecond = ledger.follow(graph)
    stopSecond()
    at(6_000, () => put(writer, []))
    expect(ledger.read(0, 9_000).spans).toEqual([{ ...SPAN, fromMs: 5_000 }])
  })
})

describe('what was lost', () => {
  test('packets that the kernel dropped are a loss of the capture; those that follow closely are one', () => {
    const { writer, ledger, at } = setUp()
    at(2_000, () => put(writer, [capture()]))
    at(3_000, () => put(writer, [capture({ PacketsReceived: 9, PacketsDropped: 2 })]))
    at(4_000, () => put(writer, [capture({ PacketsReceived: 19, PacketsDropped: 5 })]))
    at(60_000, () => put(writer, [capture({ PacketsReceived: 20, PacketsDropped: 5 })]))
    at(61_000, () => put(writer, [capture({ PacketsReceived: 30, PacketsDropped: 6 })]))
    const kernel = { cause: 'kernel', host: 'alpha', captureId: 'c1', flows: 0 }
    expect(ledger.read(0, 70_000).losses).toEqual([
      { ...kernel, fromMs: 2_000, toMs: 4_000, packets: 5 },
      { ...kernel, fromMs: 60_000, toMs: 61_000, packets: 1 },
    ])
    expect(ledger.summary({ startMs: 5_000, lastMs: 59_000 })).toEqual({
      complete: true,
      lostPackets: 0,
      lostFlows: 0,
      watched: 1,
    })
    expect(ledger.summary({ startMs: 4_000, lastMs: 61_000 })).toEqual({
      complete: false,
      lostPackets: 6,
      lostFlows: 0,
      watched: 1,
    })
  })

  test('nothing lost is no loss', () => {
    const { ledger } = setUp()
    ledger.addLoss({ cause: 'link', host: 'alpha', fromMs: 1, toMs: 2, packets: 0, flows: 0 })
    expect(ledger.read(0, 9_000).losses).toEqual([])
  })
})

describe('in short', () => {
  test.each<[string, [number, number], number]>([
    ['before anything ran', [1_000, 2_000], 0],
    ['half of the time', [1_000, 3_000], 0.5],
    ['two captures, one after the other with a gap', [2_000, 6_000], 0.75],
    ['an instant that was watched', [2_500, 2_500], 1],
    ['an instant in the gap', [3_500, 3_500], 0],
    ['a window that reaches into the future', [5_000, 99_000], 1],
  ])('%s', (_title, [startMs, lastMs], watched) => {
    const { writer, ledger, at } = setUp()
    at(2_000, () => put(writer, [capture()]))
    at(3_000, () => put(writer, []))
    at(4_000, () => put(writer, [capture()], 'n2'))
    at(6_000, () => {})
    expect(ledger.summary({ startMs, lastMs })).toEqual({ complete: watched === 1, lostPackets: 0, lostFlows: 0, watched })
  })
})

describe('bounds', () => {
  test('what is older than the retention is forgotten, and the answer says from when it knows', () => {
    const { writer, ledger, at } = setUp({ retentionMs: 10_000 })
    const forgotten: string[] = []
    ledger.listen({ changed: () => {}, forgotten: ({ id }) => void forgotten.push(id) })
    at(2_000, () => put(writer, [capture()]))
    at(3_000, () => put(writer, []))
    at(12_500, () => expect(ledger.read(0, 12_500)).toMatchObject({ knownFromMs: 2_500, spans: [{ toMs: 3_000 }] }))
    at(20_000, () => ledger.addLoss({ cause: 'link', host: 'a', fromMs: 1, toMs: 20_000, packets: 0, flows: 1 }))
    expect([ledger.read(0, 20_000).spans, ledger.read(0, 20_000).knownFromMs, forgotten]).toEqual([[], 10_000, ['r1']])
  })

  test('of too many the oldest go', () => {
    const { ledger } = setUp()
    const loss = (i: number): FlowLoss => ({ cause: 'link', host: `h${i}`, fromMs: i, toMs: i, packets: 0, flows: 1 })
    for (let i = 0; i < 20_010; i++) ledger.addLoss(loss(i))
    const { losses, knownFromMs } = ledger.read(0, 30_000)
    expect([losses.length, losses[0], knownFromMs]).toEqual([20_000, loss(10), 1_000])
  })
})

test('whatever comes and goes, spans of one capture of one node never overlap and cover exactly when it was shown', () => {
  const steps = fc.array(
    fc.record({
      node: fc.constantFrom('n1', 'n2'),
      ids: fc.subarray(['c1', 'c2']),
      filter: fc.constantFrom('', 'icmp'),
      afterMs: fc.integer({ min: 1, max: 50 }),
    }),
    { maxLength: 30 },
  )
  fc.assert(
    fc.property(steps, (history) => {
      const { writer, ledger, clock } = setUp()
      const shown: { key: string; fromMs: number; toMs: number }[] = []
      const now = new Map<string, string[]>()
      for (const { node, ids, filter, afterMs } of history) {
        const begunMs = clock.nowMs
        put(
          writer,
          ids.map((ID) => capture({ ID, BPFFilter: filter })),
          node,
        )
        now.set(node, ids)
        clock.nowMs += afterMs
        for (const [id, captures] of now)
          for (const each of captures) shown.push({ key: `${id}/${each}`, fromMs: begunMs, toMs: clock.nowMs })
      }
      const { spans } = ledger.read(0, clock.nowMs)
      for (const key of ['n1/c1', 'n1/c2', 'n2/c1', 'n2/c2']) {
        const own = spans.filter(({ nodeId, captureId }) => `${nodeId}/${captureId}` === key)
        for (const [i, span] of own.entries()) if (i > 0) expect(span.fromMs).toBeGreaterThanOrEqual(own[i - 1]!.toMs!)
        const covered = own.reduce((sum, { fromMs, toMs = clock.nowMs }) => sum + toMs - fromMs, 0)
        const expected = shown.filter((one) => one.key === key).reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0)
        expect(covered).toBe(expected)
      }
    }),
  )
})
