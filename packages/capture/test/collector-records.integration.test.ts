// What a collector understands of what exporters send, field by field: nfcapd takes it, nfdump says it in JSON, and our own flows of the same
// packets say what it must be. In a network of the test's own.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Clock, Flow, PacketFormat } from '@skydive/contracts'
import { createFlowTable, type FlowTable } from '@skydive/flow-table'
import { type Kernel, openDatagramSender, openKernel } from '@skydive/kernel'
import { ipv4Text, ipv6Text, LINK_TYPE, macText } from '@skydive/packet'
import { enterPrivateNetwork, type PrivateNetwork } from '@skydive/testkit'
import { DirectionsOfFlow } from '../../flow-table/test/directions-of-flow.ts'
import * as p from '../../flow-table/test/packet-builder.ts'
import { randomCaptures } from '../../flow-table/test/random-captures.ts'
import { type RingPacket, ringBlock } from '../../flow-table/test/ring-block.ts'
import { type ExportFormat, FlowExporter, MAX_EXPORT_BYTES } from '../src/agent/target/flow-exporter.ts'
import { type CollectedRow, hasNfdump, Nfcapd, sortedRows } from './nfcapd.ts'

const withTools = hasNfdump ? describe : describe.skip

const FORMAT: PacketFormat = { layout: { format: 'tpacket-v3' }, linkType: LINK_TYPE.ETHERNET }
const T0 = 1_795_547_423_817
const PORT = 9995
const FORMATS = ['netflowv5', 'ipfix'] as const

let network: PrivateNetwork
let kernel: Kernel
let collector: Nfcapd

beforeAll(() => {
  kernel = openKernel()
  network = enterPrivateNetwork(kernel.systemCall)
  network.ip('link set lo up')
})
beforeEach(() => {
  collector = new Nfcapd(PORT)
})
afterEach(async () => {
  await collector.stop()
  collector.remove()
})
afterAll(() => {
  network.leave()
  kernel.dispose()
})

/** What it must have of flows that were told so. */
function expectedOf(format: ExportFormat, flows: readonly Flow[]): readonly CollectedRow[] {
  const expected: CollectedRow[] = []
  const directions = new DirectionsOfFlow()
  const address = (version: number, words: Int32Array) =>
    version === 4 ? ipv4Text(words[0]!) : ipv6Text(words[0]!, words[1]!, words[2]!, words[3]!)
  const mac = (value: number) => macText(Math.floor(value / 65_536) | 0, value % 65_536)
  for (const flow of flows) {
    directions.visit(flow, (one) => {
      if (format === 'netflowv5' && one.ipVersion !== 4) return
      const ends = [one.addresses.subarray(0, 4), one.addresses.subarray(4)]
        .map((words) => address(one.ipVersion, words))
        .join(' > ')
      const isIcmp = one.protocol === 1 || one.protocol === 58
      const ports = isIcmp ? `type ${one.icmpType} ${one.icmpCode}` : `${one.sourcePort} > ${one.destinationPort}`
      expected.push({
        key: `${one.protocol}: ${ends}, ${ports}`,
        firstMs: one.startMs,
        lastMs: one.lastMs,
        packets: one.packets,
        bytes: one.bytes,
        tcpFlags: one.protocol === 6 ? one.tcpFlags : 0,
        ...(format === 'ipfix' && { link: `${mac(one.sourceMac)} > ${mac(one.destinationMac)} VLAN ${one.vlanId}` }),
      })
    })
  }
  return sortedRows(expected)
}

/** An exporter with its table, and a table of the same packets that makes objects. */
function exportTo(format: ExportFormat, address = '127.0.0.1') {
  let nowMs = T0
  const clock: Clock = {
    now: () => nowMs,
    setTimeout: (callback) => setTimeout(callback, 0),
    clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
  }
  const sender = openDatagramSender(kernel, { address, port: PORT, maxDatagramBytes: MAX_EXPORT_BYTES })
  const exporter = new FlowExporter(format, `c ${format}`, sender, clock)
  const options = { extraTcpMetric: true, random: () => 0.5 }
  const table = createFlowTable({ ...options, directions: exporter.directions })
  const twin = createFlowTable(options)
  const told: Flow[] = []
  const walk = async (batches: (of: FlowTable) => Iterable<readonly Flow[]>) => {
    for (const flows of batches(twin)) told.push(...flows)
    for (const _ of batches(table)) {
      void exporter.send()
      await collector.allTaken()
    }
  }
  return {
    told,
    exporter,
    feed(packets: readonly RingPacket[], samplingRate = 1) {
      const block = ringBlock(packets)
      for (const one of [table, twin]) one.consumer(FORMAT)(block, 0, block.length, samplingRate)
    },
    async update(atMs: number) {
      nowMs = atMs
      await walk((of) => of.update(atMs))
      exporter.flush()
    },
    /** The last datagrams go out with it. */
    async stop() {
      await walk((of) => of.drain())
      await exporter.close()
    },
  }
}

const frame = (bytes: readonly number[], type = 0x0800) => Uint8Array.from(p.ethernet(bytes, type))
const datagram = (port: number, length = 0) => frame(p.ipv4(p.udp(new Array<number>(length).fill(0), port, 53), 17))

withTools.each(FORMATS)('%s to a collector', (format) => {
  test('every field of flows of all shapes, tunnels and ICMP among them, over several updates and to the end', async () => {
    await collector.start()
    const one = exportTo(format)
    const packets = randomCaptures(7, 0, 400).flatMap((capture) => capture.packets)
    for (const round of [0, 1, 2]) {
      // Longer than an update, to the ms.
      one.feed(packets.map((data, i) => ({ data, timeMs: T0 + round * 60_000 + i * 7 })))
      await one.update(T0 + (round + 1) * 60_000)
    }
    one.feed(packets.map((data, i) => ({ data, timeMs: T0 + 180_000 + i * 7 })))
    await one.stop()
    await collector.stop()
    const seen = collector.rows(format === 'ipfix')
    expect(seen).toEqual(expectedOf(format, one.told))
    expect(seen.length).toBeGreaterThan(1000)
    expect([collector.sequenceFailures(), one.exporter.stats().sent, one.exporter.stats().dropped]).toEqual([0, seen.length, 0])
  }, 60_000)

  test('what is sent is what the numbers say', async () => {
    await collector.start()
    const one = exportTo(format)
    one.feed([
      { data: frame(p.vlan(p.ipv4(p.tcp([1, 2, 3], 1024, 80, 2), 6), 7), 0x8100), timeMs: T0 + 1 },
      { data: frame(p.ipv4(p.icmp(8, 0, 1, 1, [1]), 1)), timeMs: T0 + 2 },
    ])
    await one.stop()
    await collector.stop()
    const link = '02:00:00:00:00:01 > 02:00:00:00:00:02 VLAN'
    const row = (key: string, ms: number, bytes: number, tcpFlags: number, vlan: number) => ({
      ...{ key, firstMs: T0 + ms, lastMs: T0 + ms, packets: 1, bytes, tcpFlags },
      ...(format === 'ipfix' && { link: `${link} ${vlan}` }),
    })
    expect(collector.rows(format === 'ipfix')).toEqual([
      row('1: 10.0.0.1 > 10.0.0.2, type 8 0', 2, 29, 0, 0),
      row('6: 10.0.0.1 > 10.0.0.2, 1024 > 80', 1, 43, 2, 7),
    ])
  })

  test('packets and bytes beyond 32 bits add up', async () => {
    await collector.start()
    const one = exportTo(format)
    const rate = 0x7fffffff
    one.feed(
      Array.from({ length: 5 }, (_, i) => ({ data: datagram(1000, 100), timeMs: T0 + i })),
      rate,
    )
    await one.stop()
    await collector.stop()
    const seen = collector.rows(format === 'ipfix')
    const sum = (member: 'packets' | 'bytes') => seen.reduce((all, row) => all + row[member], 0)
    const bytes = 5 * rate * 128
    expect([sum('packets'), sum('bytes')]).toEqual([5 * rate, bytes])
    expect(seen.length).toBe(format === 'ipfix' ? 1 : Math.ceil(bytes / 0xffffffff))
    expect(new Set(seen.map(({ key, firstMs, lastMs }) => `${key} ${firstMs - T0} ${lastMs - T0}`))).toEqual(
      new Set(['17: 10.0.0.1 > 10.0.0.2, 1000 > 53 0 4']),
    )
    expect(one.exporter.stats().sent).toBe(seen.length)
  })

  test('one that goes away, where datagrams are refused then, and comes back', async () => {
    await collector.start()
    const one = exportTo(format)
    const tell = async (port: number, minute: number) => {
      one.feed([{ data: datagram(port), timeMs: T0 + minute * 60_000 - 1 }])
      await one.update(T0 + minute * 60_000)
    }
    await tell(1001, 1)
    await collector.stop()
    // The host answers that nobody listens: for a target that is no error.
    for (const minute of [2, 3]) await tell(1000 + minute, minute)
    await collector.start()
    // The templates come again with it.
    await tell(1004, 4)
    await collector.stop()
    expect(collector.rows(format === 'ipfix').map(({ key }) => key)).toEqual(
      [1001, 1004].map((port) => `17: 10.0.0.1 > 10.0.0.2, ${port} > 53`),
    )
    expect(one.exporter.stats()).toEqual({ sent: 4, dropped: 0, skipped: 0 })
    await one.exporter.close()
  })

  test('templates come again while records do: a collector that begins in between understands the rest', async () => {
    await collector.start()
    const one = exportTo(format)
    const ports = Array.from({ length: 200 }, (_, i) => 1000 + i)
    one.feed(ports.map((port) => ({ data: datagram(port), timeMs: T0 })))
    await one.update(T0 + 1000)
    await collector.stop()
    expect(collector.rows(format === 'ipfix').length).toBe(200)
    collector.remove()
    collector = new Nfcapd(PORT)
    await collector.start()
    one.feed(ports.map((port) => ({ data: datagram(port), timeMs: T0 + 30_000 })))
    await one.update(T0 + 31_000)
    await collector.stop()
    expect(collector.rows(format === 'ipfix').length).toBe(200)
    await one.exporter.close()
  })
})

test.each(FORMATS)('%s where no route leads: dropped, with the reason, until there is one', async (format) => {
  const one = exportTo(format, '192.0.2.1')
  one.feed([{ data: datagram(1), timeMs: T0 }])
  await one.update(T0 + 60_000)
  expect(one.exporter.stats()).toEqual({ sent: 0, dropped: 1, skipped: 0, refusal: 'ENETUNREACH' })
  network.ip('route add 192.0.2.0/24 dev lo')
  one.feed([{ data: datagram(1), timeMs: T0 + 61_000 }])
  await one.update(T0 + 120_000)
  network.ip('route del 192.0.2.0/24 dev lo')
  expect(one.exporter.stats()).toEqual({ sent: 1, dropped: 1, skipped: 0 })
  await one.exporter.close()
})
