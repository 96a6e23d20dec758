import { describe, expect, test } from '@jest/globals'
import { ExportedFlow, FIELD, NetflowDecoder } from '@skydive/packet/netflow'
import { FakeSender, HandClock } from '../../../test/fake-sender.ts'
import { type ExportFormat, FlowExporter } from './flow-exporter.ts'

/** A datagram between 10.0.0.1 and 10.0.0.2, or between fd00::1 and fd00::2. */
function record(sourcePort: number, ipVersion: 4 | 6 = 4): ExportedFlow {
  const made = new ExportedFlow()
  made.addresses.set(ipVersion === 4 ? [0x0a000001, 0, 0, 0, 0x0a000002] : [0xfd000000, 0, 0, 1, 0xfd000000, 0, 0, 2])
  const timeMs = 1_700_000_000_000
  return Object.assign(made, {
    ipVersion,
    protocol: 17,
    sourcePort,
    destinationPort: 53,
    packets: 2,
    bytes: 200,
    startMs: timeMs,
    lastMs: timeMs,
  })
}

/** As a table does that walks over so many flows of one direction. */
function tell({ directions }: FlowExporter, count: number): void {
  for (let i = 0; i < count; i++) directions.add(record(1000 + i))
}

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
    tell(exporter, 30)
    void exporter.send()
    expect([sender.sent.map(({ length }) => length), exporter.stats()]).toEqual([
      [24 + 28 * 48],
      { sent: 28, dropped: 0, skipped: 0 },
    ])
    exporter.flush()
    expect([portsOf(sender).ports, exporter.stats()]).toEqual([
      Array.from({ length: 30 }, (_, i) => 1000 + i),
      { sent: 30, dropped: 0, skipped: 0 },
    ])
  })

  test.each([
    ['netflowv5', 1, 2],
    ['ipfix', 2, 1],
  ] as const)('what %s can not carry is counted', (format, sent, skipped) => {
    const { exporter } = setUp(format)
    exporter.directions.add(record(1, 6))
    exporter.directions.skip()
    exporter.directions.add(record(3))
    exporter.flush()
    expect(exporter.stats()).toEqual({ sent, dropped: 0, skipped })
  })

  test('come at a pace that a collector keeps up with: two datagrams a millisecond, and never more than 49 at once', async () => {
    const { exporter, sender, clock } = setUp('netflowv5')
    const began = clock.now()
    let [atOnce, before] = [0, 0]
    for (let batch = 0; batch < 20; batch++) {
      tell(exporter, 700)
      let isOver = false
      const pause = exporter.send()?.then(() => {
        isOver = true
      })
      atOnce = Math.max(atOnce, sender.sent.length - before)
      if (!pause) continue
      while (!isOver) await clock.advance(1)
      before = sender.sent.length
    }
    expect([sender.sent.length, atOnce]).toEqual([500, 25])
    expect(clock.now() - began).toBeGreaterThanOrEqual(500 / 2 - 1)
    await clock.advance(100)
    tell(exporter, 28)
    expect(exporter.send()).toBeUndefined()
  })

  test('a pause that is hardly worth it is made up for by the next one', async () => {
    const { exporter, sender, clock } = setUp('netflowv5')
    const seen: (readonly [number, boolean])[] = []
    for (let batch = 0; batch < 4; batch++) {
      const before = sender.sent.length
      tell(exporter, 12 * 28)
      const pause = exporter.send()
      seen.push([sender.sent.length - before, pause !== undefined])
      if (pause) await clock.advance(12)
    }
    // 12 datagrams are 6 ms, 24 are 12.
    expect(seen).toEqual([
      [12, false],
      [12, true],
      [12, false],
      [12, true],
    ])
  })

  test('what the kernel has no room for waits, is offered again, and is dropped when the queue is full', async () => {
    const { exporter, sender, clock } = setUp('netflowv5')
    sender.room = 1
    tell(exporter, 7 * 28 + 10)
    void exporter.send()
    // Seven datagrams: one taken, four wait, two dropped; ten records are not full yet.
    expect([sender.queued, exporter.stats()]).toEqual([4, { sent: 28, dropped: 56, skipped: 0 }])
    await clock.advance(3)
    expect(clock.timers).toBe(1)
    sender.room = 3
    await clock.advance(10)
    expect([sender.queued, exporter.stats().sent, clock.timers]).toEqual([1, 112, 1])
    sender.room = 10
    await clock.advance(10)
    expect([sender.queued, exporter.stats().sent, clock.timers]).toEqual([0, 140, 0])
  })

  test('at the end what waits is offered for a second, then dropped', async () => {
    const { exporter, sender, clock } = setUp()
    sender.room = 0
    tell(exporter, 2)
    void exporter.send()
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

  test('flows that are evicted while packets come are sent at once, as far as datagrams are full', () => {
    const { exporter, sender } = setUp('netflowv5')
    tell(exporter, 30)
    expect(sender.sent.length).toBe(0)
    exporter.sendEvicted()
    expect(sender.sent.length).toBe(1)
  })

  test('captures are observation domains of their own', () => {
    const domains = ['a n', 'b n', 'a m', 'a n'].map((identity) => {
      const { exporter, sender } = setUp('ipfix', identity)
      tell(exporter, 1)
      exporter.flush()
      return portsOf(sender).domains[0]
    })
    expect([new Set(domains).size, domains[0]]).toEqual([3, domains[3]])
  })
})
