import { describe, expect, test } from '@jest/globals'
import type { Flow } from '@skydive/contracts'
import { FIELD, NetflowDecoder } from '@skydive/packet/netflow'
import { FakeSender, HandClock } from '../../../test/fake-sender.ts'
import { type ExportFormat, FlowExporter } from './flow-exporter.ts'

function flow(port: number, over: Partial<Flow> = {}): Flow {
  const counters = { ABPackets: 2, ABBytes: 200, BAPackets: 1, BABytes: 100, Start: 0, Last: 0 }
  return {
    UUID: String(port),
    LayersPath: 'Ethernet/IPv4/UDP',
    ParentUUID: '',
    Start: 1_700_000_000_000,
    Last: 1_700_000_000_000,
    Network: { Protocol: 'IPV4', A: '10.0.0.1', B: '10.0.0.2', ID: 0 },
    Transport: { Protocol: 'UDP', A: port, B: 53, ID: 0 },
    LastUpdateMetric: counters,
    Metric: counters,
    RawPacketsCaptured: 0,
    ...over,
  }
}

const V6 = { Network: { Protocol: 'IPV6', A: 'fd00::1', B: 'fd00::2', ID: 0 } } as const

function setUp(format: ExportFormat = 'ipfix', identity = 'capture node') {
  const sender = new FakeSender()
  const clock = new HandClock()
  return { sender, clock, exporter: new FlowExporter(format, identity, sender, clock) }
}

/** Source ports of what was sent, by our own decoder. */
function portsOf({ sent }: FakeSender) {
  const ports: number[] = []
  const domains = new Set<number>()
  const decoder = new NetflowDecoder({
    record: ({ values, domainId }) => {
      ports.push(values[FIELD.SOURCE_PORT]!)
      domains.add(domainId)
    },
  })
  for (const bytes of sent) decoder.decode(new DataView(bytes.buffer), 0, bytes.length, 'r', 1_700_000_000_000)
  expect(decoder.counts).toMatchObject({ malformedSets: 0, unknownTemplateSets: 0, lost: 0 })
  return { ports, domains: [...domains] }
}

describe('flows of a capture', () => {
  test('leave in full datagrams, and the last one at the end of an update', () => {
    const { exporter, sender } = setUp('netflowv5')
    void exporter.send(Array.from({ length: 12 }, (_, i) => flow(1000 + i)))
    expect([sender.sent.length, exporter.stats()]).toEqual([1, { sent: 20, dropped: 0, skipped: 0 }])
    exporter.flush()
    expect([portsOf(sender).ports.filter((port) => port !== 53).length, exporter.stats()]).toEqual([
      12,
      { sent: 24, dropped: 0, skipped: 0 },
    ])
  })

  test.each([
    ['netflowv5', 2, 3],
    ['ipfix', 4, 1],
  ] as const)('what %s can not carry is counted', (format, sent, skipped) => {
    const { exporter } = setUp(format)
    const { Network: _, ...arp } = flow(2, { LayersPath: 'Ethernet/ARP' })
    void exporter.send([flow(1, V6), arp, flow(3)])
    exporter.flush()
    expect(exporter.stats()).toEqual({ sent, dropped: 0, skipped })
  })

  test('come at a pace that a collector keeps up with: two datagrams a millisecond', async () => {
    const { exporter, clock } = setUp('netflowv5')
    const paces: number[] = []
    for (let batch = 0; batch < 3; batch++) {
      let isOver = false
      const pause = exporter.send(Array.from({ length: 100 }, (_, i) => flow(i)))?.then(() => {
        isOver = true
      })
      const before = clock.now()
      while (pause && !isOver) await clock.advance(1)
      paces.push(clock.now() - before)
    }
    expect(paces).toEqual([5, 5, 5])
    await clock.advance(100)
    expect(exporter.send([flow(1)])).toBeUndefined()
  })

  test('what the kernel has no room for waits, is offered again, and is dropped when the queue is full', async () => {
    const { exporter, sender, clock } = setUp('netflowv5')
    sender.room = 1
    const pause = exporter.send(Array.from({ length: 75 }, (_, i) => flow(i)))
    // Seven datagrams of 20 records: one taken, four wait, two dropped; ten records are not full yet.
    expect([sender.queued, exporter.stats()]).toEqual([4, { sent: 20, dropped: 40, skipped: 0 }])
    await clock.advance(3)
    await pause
    expect(clock.timers).toBe(1)
    sender.room = 3
    await clock.advance(10)
    expect([sender.queued, exporter.stats().sent, clock.timers]).toEqual([1, 80, 1])
    sender.room = 10
    await clock.advance(10)
    expect([sender.queued, exporter.stats().sent, clock.timers]).toEqual([0, 100, 0])
  })

  test('at the end what waits is offered for a second, then dropped', async () => {
    const { exporter, sender, clock } = setUp()
    sender.room = 0
    void exporter.send([flow(1)])
    let isClosed = false
    const closing = exporter.close().then(() => {
      isClosed = true
    })
    for (let i = 0; i < 99; i++) await clock.advance(10)
    expect([isClosed, sender.queued]).toEqual([false, 1])
    await clock.advance(10)
    await closing
    expect([sender.isClosed, exporter.stats(), clock.timers]).toEqual([true, { sent: 0, dropped: 2, skipped: 0 }, 0])
  })

  test('evicted flows are told once: what they had since their last report', () => {
    const { exporter, sender } = setUp()
    const nothing = { ...flow(2).Metric!, ABPackets: 0, ABBytes: 0, BAPackets: 0, BABytes: 0 }
    exporter.sendEvicted([flow(1), flow(2, { LastUpdateMetric: nothing }), flow(3)])
    exporter.flush()
    expect(portsOf(sender).ports).toEqual([1, 53, 3, 53])
    expect(exporter.stats()).toEqual({ sent: 4, dropped: 0, skipped: 0 })
  })

  test('captures are observation domains of their own', () => {
    const domains = ['a n', 'b n', 'a m', 'a n'].map((identity) => {
      const { exporter, sender } = setUp('ipfix', identity)
      void exporter.send([flow(1)])
      exporter.flush()
      return portsOf(sender).domains[0]
    })
    expect([new Set(domains).size, domains[0]]).toEqual([3, domains[3]])
  })
})
