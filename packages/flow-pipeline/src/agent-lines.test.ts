// What the ledger says of agents whose line broke, while a copy of their graph is still there.
import { describe, expect, test } from '@jest/globals'
import type { GraphNode, Metadata } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import { CoverageLedger, type LossRecord, type SpanRecord } from './index.ts'

const capture = (received: number, over: Metadata = {}): Metadata => ({
  ...{ ID: 'c1', State: 'active', PacketsReceived: received, PacketsDropped: 0 },
  ...over,
})

/** A ledger over the copy of an agent's graph: the host and one of its interfaces, as a snapshot tells them. */
function setUp() {
  const clock = { nowMs: 1_000, now: () => clock.nowMs }
  const graph = createGraph({ clock })
  const replica = graph.replica('agent.alpha')
  let ids = 0
  const ledger = new CoverageLedger({ clock, retentionMs: 1_000_000, newId: () => `r${++ids}` })
  const changed: (SpanRecord | LossRecord)[] = []
  ledger.listen({ changed: (record) => changed.push(structuredClone(record)), forgotten: () => {} })
  ledger.follow(graph)
  const snapshot = (
    timeMs: number,
    captures: readonly Metadata[],
    createdAtMs: number,
    revision: number,
    names = ['host', 'eth0'],
  ) => {
    clock.nowMs = timeMs
    const node = (id: string): GraphNode => ({
      ...{
        kind: 'node',
        id,
        host: 'alpha',
        origin: 'agent.alpha',
        createdAtMs,
        updatedAtMs: timeMs,
        deletedAtMs: null,
        revision,
      },
      metadata: { Name: id, TID: id, ...(id === 'eth0' && captures.length > 0 && { Captures: captures as never }) },
    })
    replica.sync(names.map(node), [])
  }
  const spans = () => ledger.read(0, clock.nowMs).spans.map(({ fromMs, toMs }) => [fromMs, toMs])
  const at = (timeMs: number, act: (host: string) => void) => {
    clock.nowMs = timeMs
    act('alpha')
  }
  return {
    ...{ clock, ledger, replica, snapshot, spans, changed },
    breaks: (timeMs: number) => at(timeMs, (host) => ledger.agentAway(host)),
    comes: (timeMs: number) => at(timeMs, (host) => ledger.agentBack(host)),
  }
}

describe('an agent whose line broke', () => {
  test('is not known to watch while it is away, and did when it is back', () => {
    const { clock, ledger, snapshot, spans, breaks, comes } = setUp()
    snapshot(2_000, [capture(10)], 500, 3)
    breaks(5_000)
    clock.nowMs = 9_000
    ledger.confirmRunning()
    expect(spans()).toEqual([[2_000, 5_000]])
    expect(ledger.summary({ startMs: 1_000, lastMs: 9_000 }).complete).toBe(false)
    expect(ledger.summary({ startMs: 6_000, lastMs: 9_000 })).toMatchObject({ complete: false, watched: 0 })
    comes(10_000)
    snapshot(10_001, [capture(90)], 500, 4)
    expect(spans()).toEqual([[2_000, undefined]])
    expect(ledger.summary({ startMs: 6_000, lastMs: 9_000 })).toMatchObject({ complete: true, watched: 1 })
  })

  test('and that began anew watched until the line broke, also what is gone since', () => {
    const { snapshot, spans, breaks, comes, clock } = setUp()
    snapshot(2_000, [capture(10)], 500, 18)
    breaks(5_000)
    comes(10_000)
    snapshot(10_001, [], 9_000, 1)
    expect(spans()).toEqual([[2_000, 5_000]])
    snapshot(12_000, [capture(2)], 9_000, 2)
    expect(spans()).toEqual([
      [2_000, 5_000],
      [12_000, undefined],
    ])
    breaks(20_000)
    comes(25_000)
    snapshot(25_001, [], 24_000, 1, ['host'])
    clock.nowMs = 30_000
    expect(spans()).toEqual([
      [2_000, 5_000],
      [12_000, 20_000],
    ])
  })

  test('and that stays away watched until then', () => {
    const { replica, snapshot, spans, breaks, clock } = setUp()
    snapshot(2_000, [capture(10)], 500, 3)
    breaks(5_000)
    clock.nowMs = 20_000
    replica.clear()
    expect(spans()).toEqual([[2_000, 5_000]])
  })

  test('and is back: an interface that goes later watched until then', () => {
    const { snapshot, spans, breaks, comes, clock } = setUp()
    snapshot(2_000, [capture(10)], 500, 3)
    breaks(5_000)
    comes(6_000)
    snapshot(9_000, [], 500, 3, ['host'])
    clock.nowMs = 10_000
    expect(spans()).toEqual([[2_000, 9_000]])
  })
})

describe('a capture that an earlier run of the analyzer left open', () => {
  const seen = () => {
    const first = setUp()
    first.snapshot(2_000, [capture(100)], 500, 3)
    return first.changed[0] as SpanRecord
  }

  test('ended when it was last seen, if another one runs in its place', () => {
    const { ledger, snapshot, spans, changed } = setUp()
    ledger.restore([seen()], 1_000)
    snapshot(50_000, [capture(3)], 40_000, 1)
    // The next run of the analyzer is told so, and doesn't take it up.
    expect(changed.map((record) => 'span' in record && [record.id, record.span.toMs])).toEqual([
      ['r1', 2_000],
      ['r1', undefined],
    ])
    expect(spans()).toEqual([
      [2_000, 2_000],
      [50_000, undefined],
    ])
  })

  test('and one that was there before: the same', () => {
    const { ledger, snapshot, spans } = setUp()
    snapshot(50_000, [capture(3)], 40_000, 1)
    ledger.restore([seen()], 1_000)
    expect(spans()).toEqual([
      [2_000, 2_000],
      [50_000, undefined],
    ])
  })

  test.each([[['older', 'younger']], [['younger', 'older']]])('of two the younger runs on: %p', (order) => {
    const { ledger, snapshot, spans } = setUp()
    const { span } = seen()
    const records: Record<string, SpanRecord> = {
      older: { id: 'o', span, seenMs: 9_000 },
      younger: { id: 'y', span: { ...span, fromMs: 20_000, packetsReceived: 7 }, seenMs: 30_000 },
    }
    ledger.restore(
      order.map((name) => records[name]!),
      1_000,
    )
    snapshot(50_000, [capture(200)], 500, 9)
    expect(spans()).toEqual([
      [2_000, 9_000],
      [20_000, undefined],
    ])
  })
})
