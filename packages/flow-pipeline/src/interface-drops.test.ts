// What interfaces drop before a capture sees it: a cause of its own in the ledger.
import { describe, expect, test } from '@jest/globals'
import type { FlowLoss, Metadata } from '@skydive/contracts'
import { createGraph } from '@skydive/graph'
import fc from 'fast-check'
import { CoverageLedger, type LossRecord, type SpanRecord } from './index.ts'

/** A ledger that follows a graph whose one node is shown with the counters of one capture. */
function setUp() {
  const clock = { nowMs: 1_000, now: () => clock.nowMs }
  const graph = createGraph({ clock })
  const writer = graph.writer({ origin: 'agent.alpha', host: 'alpha' })
  let ids = 0
  const counted: Record<string, number> = {}
  const metrics = {
    counter: (name: string) => ({
      add(n: number, labels: Readonly<Record<string, string>> = {}) {
        const key = [name, ...Object.values(labels)].join(' ')
        counted[key] = (counted[key] ?? 0) + n
      },
    }),
    gauge: () => ({ set() {}, remove() {} }),
  }
  const ledger = new CoverageLedger({ clock, retentionMs: 1e9, newId: () => `r${++ids}`, metrics })
  const changed: (SpanRecord | LossRecord)[] = []
  ledger.listen({ changed: (record) => changed.push(structuredClone(record)), forgotten: () => {} })
  ledger.follow(graph)
  const show = (timeMs: number, counters: Metadata) => {
    clock.nowMs = timeMs
    const captures = [{ ID: 'c1', State: 'active', ...counters }] as never
    writer.transaction((tx) => tx.putNode({ id: 'n1', metadata: { Name: 'eth0', TID: 'tid-eth0', Captures: captures } }))
  }
  const lost = () => {
    const sums = { interface: 0, kernel: 0 }
    for (const { cause, packets } of ledger.read(0, 1e9).losses) sums[cause as keyof typeof sums] += packets
    return sums
  }
  return { ledger, show, changed, counted, lost }
}

const capture = (PacketsReceived: number, PacketsDropped: number, PacketsIfDropped?: number): Metadata => ({
  ...{ PacketsReceived, PacketsDropped, ...(PacketsIfDropped !== undefined && { PacketsIfDropped }) },
})

test('what the interface dropped is lost beside what the kernel dropped, and an answer about that time is not complete', () => {
  const { ledger, show, changed, counted } = setUp()
  show(2_000, capture(0, 0, 0))
  show(3_000, capture(10, 0, 4))
  show(4_000, capture(20, 3, 9))
  // Nothing else was counted: the interface drops what no ring ever sees.
  show(5_000, capture(20, 3, 11))
  const of = (cause: FlowLoss['cause'], fromMs: number, toMs: number, packets: number): FlowLoss => ({
    ...{ cause, host: 'alpha', captureId: 'c1', fromMs, toMs, packets, flows: 0 },
  })
  expect(ledger.read(0, 5_000).losses).toEqual([of('kernel', 3_000, 4_000, 3), of('interface', 2_000, 5_000, 11)])
  expect(ledger.summary({ startMs: 4_500, lastMs: 5_000 })).toEqual({
    complete: false,
    lostPackets: 11,
    lostFlows: 0,
    watched: 1,
  })
  expect(counted).toEqual({ 'skydive_lost_packets_total interface': 11, 'skydive_lost_packets_total kernel': 3 })
  expect(changed.at(-1)).toMatchObject({ span: { packetsReceived: 20, packetsDropped: 3, packetsIfDropped: 11 } })
})

describe.each<[title: string, before: Metadata, now: Metadata, byInterface: number, byKernel: number]>([
  ['grew by one', capture(5, 0, 7), capture(5, 0, 8), 1, 0],
  ['is as it was', capture(5, 0, 7), capture(6, 0, 7), 0, 0],
  ['fell alone: the driver began anew', capture(5, 2, 7), capture(6, 2, 3), 3, 0],
  ['fell to nothing', capture(5, 2, 7), capture(6, 2, 0), 0, 0],
  ['began anew with the capture', capture(5, 0, 7), capture(2, 0, 9), 9, 0],
  ['began anew with the capture, which the kernel tells too', capture(5, 4, 7), capture(6, 3, 9), 9, 3],
  ['ran backwards through 0', capture(5, 0, 7), capture(6, 0, 2 ** 32 - 40), 0, 0],
  ['grew by as much as is believed', capture(5, 0, 7), capture(6, 0, 7 + 2 ** 31 - 1), 2 ** 31 - 1, 0],
  ['grew by one more than is believed', capture(5, 0, 7), capture(6, 0, 7 + 2 ** 31), 0, 0],
  ['was not told of before: nobody knows when', capture(5, 0), capture(6, 0, 9), 0, 0],
  ['was not told of before, by another run', capture(5, 0), capture(2, 0, 9), 9, 0],
  ['is not told of any more', capture(5, 0, 7), capture(6, 0), 0, 0],
])('a counter of the interface that %s', (_title, before, now, byInterface, byKernel) => {
  test('while the ledger looks on', () => {
    const { show, lost } = setUp()
    show(2_000, before)
    show(3_000, now)
    expect(lost()).toEqual({ interface: byInterface, kernel: byKernel })
    // It goes on from there.
    const { PacketsReceived, PacketsDropped, PacketsIfDropped = 0 } = now as Record<string, number>
    show(60_000, capture(PacketsReceived! + 1, PacketsDropped!, PacketsIfDropped + 2))
    expect(lost()).toEqual({ interface: byInterface + ('PacketsIfDropped' in now ? 2 : 0), kernel: byKernel })
  })

  test('while the analyzer is away', () => {
    const [first, second] = [setUp(), setUp()]
    first.show(2_000, before)
    second.ledger.restore([first.changed[0] as SpanRecord], 1_000)
    second.show(50_000, now)
    expect(second.lost()).toEqual({ interface: byInterface, kernel: byKernel })
  })
})

test('whatever is counted and however often, the losses of each cause are what its counter grew by', () => {
  const step = fc.record({
    received: fc.nat(3),
    dropped: fc.nat(3),
    ifDropped: fc.nat(3),
    restarts: fc.boolean(),
    afterMs: fc.constantFrom(1, 1_000, 20_000),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const { show, lost } = setUp()
      const sums = { interface: 0, kernel: 0 }
      let [nowMs, received, dropped, ifDropped] = [2_000, 1, 0, 0]
      show(nowMs, capture(received, dropped, ifDropped))
      for (const more of steps) {
        nowMs += more.afterMs
        // A new run is told from the one before by what it received.
        if (more.restarts && received > 0) [received, dropped, ifDropped] = [0, 0, 0]
        else received += more.received + 1
        dropped += more.dropped
        ifDropped += more.ifDropped
        sums.kernel += more.dropped
        sums.interface += more.ifDropped
        show(nowMs, capture(received, dropped, ifDropped))
      }
      expect(lost()).toEqual(sums)
    }),
  )
})
