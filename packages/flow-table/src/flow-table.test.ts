import { describe, expect, test } from '@jest/globals'
import type { Flow } from '@skydive/contracts'
import { encodePcap, LINK_TYPE } from '@skydive/packet'
import fc from 'fast-check'
import { createFlowTable, type FlowTable, type FlowTableOptions } from './index.ts'
import { TPACKET3 } from './tpacket.ts'

const PCAP_HEADER_BYTES = 24
const T0 = 1_700_000_000_000

interface Packet {
  readonly timeMs?: number
  readonly source?: number
  readonly destination?: number
  readonly ports?: readonly [number, number]
  readonly protocol?: number
  readonly tcpFlags?: number
  readonly wireBytes?: number
  readonly ipv6?: boolean
  readonly tag?: number
  readonly ttl?: number
}

/** An Ethernet frame of host `source` to host `destination`: addresses 10.0.0.n or fd00::n, MACs 02:…:n. */
function frame({
  source = 1,
  destination = 2,
  ports = [1000, 80],
  protocol = 6,
  tcpFlags = 0x10,
  ipv6 = false,
  tag,
  ttl = 64,
}: Packet): Uint8Array {
  const link = tag === undefined ? 14 : 18
  const ip = ipv6 ? 40 : 20
  const bytes = new Uint8Array(link + ip + 20)
  const view = new DataView(bytes.buffer)
  bytes.set([2, 0, 0, 0, 0, destination, 2, 0, 0, 0, 0, source])
  if (tag !== undefined) {
    view.setUint16(12, 0x8100)
    view.setUint16(14, tag)
  }
  view.setUint16(link - 2, ipv6 ? 0x86dd : 0x0800)
  if (ipv6) {
    view.setUint8(link, 0x60)
    view.setUint16(link + 4, 20)
    view.setUint8(link + 6, protocol)
    view.setUint8(link + 7, ttl)
    view.setUint16(link + 8, 0xfd00)
    view.setUint8(link + 23, source)
    view.setUint16(link + 24, 0xfd00)
    view.setUint8(link + 39, destination)
  } else {
    view.setUint8(link, 0x45)
    view.setUint16(link + 2, 40)
    view.setUint8(link + 8, ttl)
    view.setUint8(link + 9, protocol)
    bytes.set([10, 0, 0, source, 10, 0, 0, destination], link + 12)
  }
  view.setUint16(link + ip, ports[0])
  view.setUint16(link + ip + 2, ports[1])
  if (protocol === 6) {
    view.setUint8(link + ip + 12, 0x50)
    view.setUint8(link + ip + 13, tcpFlags)
  }
  return bytes
}

function feed(table: FlowTable, packets: readonly Packet[]): number {
  const file = encodePcap(
    packets.map((packet) => ({
      timeMs: packet.timeMs ?? T0,
      data: frame(packet),
      ...(packet.wireBytes && { wireBytes: packet.wireBytes }),
    })),
  )
  const format = { layout: { format: 'pcap' as const, littleEndian: true, nanoseconds: false }, linkType: LINK_TYPE.ETHERNET }
  return table.consumer(format)(file, PCAP_HEADER_BYTES, file.length - PCAP_HEADER_BYTES)
}

const all = (batches: Iterable<readonly Flow[]>): readonly Flow[] => [...batches].flat()
const made = (packets: readonly Packet[], options: FlowTableOptions = {}): readonly Flow[] => {
  const table = createFlowTable(options)
  feed(table, packets)
  return all(table.snapshot())
}
const reply = { source: 2, destination: 1, ports: [80, 1000] as const }

describe('counting', () => {
  test.each([
    ['IPv4', {}],
    ['IPv6', { ipv6: true }],
    ['one tag', { tag: 8 }],
    ['UDP', { protocol: 17 }],
  ] as const)('both directions are one flow: %s', (_, over) => {
    const [flow, ...others] = made([over, { ...over, ...reply }, { ...over, wireBytes: 1500 }])
    const bytes = frame(over).length
    expect(others).toEqual([])
    expect(flow?.Metric).toEqual({ ABPackets: 2, ABBytes: bytes + 1500, BAPackets: 1, BABytes: bytes, Start: T0, Last: T0 })
    expect(flow?.Link?.ID).toBe('tag' in over ? 8 : 0)
  })

  test('the flow is the same whichever packet comes first; A is the source of the first', () => {
    const [one] = made([{}, reply])
    const [other] = made([reply, {}])
    expect([one?.TrackingID, one?.UUID, one?.Network?.A, one?.Transport?.A]).toEqual([
      other?.TrackingID,
      other?.UUID,
      '10.0.0.1',
      1000,
    ])
    expect([other?.Network?.A, other?.Transport?.A]).toEqual(['10.0.0.2', 80])
  })

  test('mode L3 joins what differs in MAC addresses only', () => {
    const table = (layerKeyMode: 'L2' | 'L3') => {
      const one = createFlowTable({ layerKeyMode })
      const routed = frame({})
      routed.set([2, 9, 9, 9, 9, 9], 6)
      const file = encodePcap([
        { timeMs: T0, data: frame({}) },
        { timeMs: T0, data: routed },
      ])
      const format = { layout: { format: 'pcap' as const, littleEndian: true, nanoseconds: false }, linkType: 1 }
      one.consumer(format)(file, PCAP_HEADER_BYTES, file.length - PCAP_HEADER_BYTES)
      return all(one.snapshot())
    }
    expect(table('L2').length).toBe(2)
    const [flow, ...others] = table('L3')
    expect(others).toEqual([])
    expect(flow?.TrackingID).toBe(flow?.L3TrackingID)
    expect(flow?.Link?.A).toBe('02:00:00:00:00:01')
  })

  test('thousands of flows in any order are counted exactly (property)', () => {
    const packet = fc.record({
      source: fc.integer({ min: 1, max: 6 }),
      destination: fc.integer({ min: 1, max: 6 }),
      ports: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
      protocol: fc.constantFrom(6, 17, 132, 1, 50),
      ipv6: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 300 }), (packets) => {
        const flows = made(packets)
        const sum = (read: (flow: Flow) => number) => flows.reduce((total, flow) => total + read(flow), 0)
        expect(sum(({ Metric: metric }) => metric!.ABPackets + metric!.BAPackets)).toBe(packets.length)
        expect(sum(({ Metric: metric }) => metric!.ABBytes + metric!.BABytes)).toBe(
          packets.reduce((total, one) => total + frame(one).length, 0),
        )
        expect(new Set(flows.map(({ TrackingID }) => TrackingID)).size).toBe(flows.length)
      }),
      { numRuns: 60 },
    )
  })

  test('a table that grew a hundred times still finds every flow', () => {
    const table = createFlowTable()
    const packets = Array.from({ length: 20_000 }, (_, i): Packet => ({ ports: [i, 1], protocol: 6 }))
    feed(table, packets)
    feed(table, packets)
    expect(table.size).toBe(20_000)
    expect(all(table.snapshot()).every(({ Metric: metric }) => metric!.ABPackets === 2)).toBe(true)
  })

  test('foreign bytes never throw and never count as more than they are (fuzz)', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 120 }), { maxLength: 20 }),
        fc.constantFrom(0, 1, 12, 101, 113, 228, 229, 276, 999),
        (frames, linkType) => {
          const table = createFlowTable({ extraTcpMetric: true, rawPacketLimit: 3 })
          const file = encodePcap(frames.map((data) => ({ timeMs: T0, data })))
          const format = { layout: { format: 'pcap' as const, littleEndian: true, nanoseconds: false }, linkType }
          table.consumer(format)(file, PCAP_HEADER_BYTES, file.length - PCAP_HEADER_BYTES)
          expect(table.stats().packets).toBe(frames.length)
          expect(() => all(table.snapshot())).not.toThrow()
        },
      ),
      { numRuns: 300 },
    )
  })

  test('a ring block is read in place; a stripped tag is a layer and four bytes', () => {
    const data = frame({})
    const block = new Uint8Array(4096)
    const view = new DataView(block.buffer)
    view.setUint32(TPACKET3.BLOCK_PACKETS, 2, true)
    view.setUint32(TPACKET3.BLOCK_FIRST_PACKET, 48, true)
    for (const [at, next, status] of [
      [48, 256, 0],
      [304, 0, TPACKET3.STATUS_VLAN_VALID],
    ] as const) {
      view.setUint32(at + TPACKET3.NEXT_OFFSET, next, true)
      view.setUint32(at + TPACKET3.SECONDS, T0 / 1000, true)
      view.setUint32(at + TPACKET3.CAPTURED_BYTES, data.length, true)
      view.setUint32(at + TPACKET3.WIRE_BYTES, 1000, true)
      view.setUint32(at + TPACKET3.STATUS, status, true)
      view.setUint16(at + TPACKET3.MAC_OFFSET, 82, true)
      view.setUint16(at + TPACKET3.VLAN_TCI, status === 0 ? 0 : 0x2008, true)
      block.set(data, at + 82)
    }
    const table = createFlowTable({ rawPacketLimit: 2 })
    table.consumer({ layout: { format: 'tpacket-v3' }, linkType: 1 })(block, 0, block.length)
    const [flow] = all(table.snapshot())
    expect(flow?.Metric).toMatchObject({ ABPackets: 2, ABBytes: 2004 })
    const [kept] = table.rawPackets().values()
    expect(kept?.map(({ Data }) => Data.length)).toEqual([data.length, data.length + 4])
    expect([...kept![1]!.Data.subarray(12, 16)]).toEqual([0x81, 0x00, 0x20, 0x08])
  })

  test('a ring block with lengths that lead out of it is read as far as it makes sense (fuzz)', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 600 }), (bytes) => {
        const table = createFlowTable()
        expect(() => table.consumer({ layout: { format: 'tpacket-v3' }, linkType: 1 })(bytes, 0, bytes.length)).not.toThrow()
      }),
      { numRuns: 500 },
    )
  })

  test.each([
    ['behind the first packet', 4096],
    ['before it', -48],
    ['beyond all positions', -0x7fffffff],
  ])('a ring block whose next packet is said to be %s ends there', (_title, next) => {
    const data = frame({})
    const block = new Uint8Array(1024)
    const view = new DataView(block.buffer)
    view.setUint32(TPACKET3.BLOCK_PACKETS, 9, true)
    view.setUint32(TPACKET3.BLOCK_FIRST_PACKET, 48, true)
    view.setInt32(48 + TPACKET3.NEXT_OFFSET, next, true)
    view.setUint32(48 + TPACKET3.CAPTURED_BYTES, data.length, true)
    view.setUint16(48 + TPACKET3.MAC_OFFSET, 82, true)
    block.set(data, 48 + 82)
    const table = createFlowTable()
    table.consumer({ layout: { format: 'tpacket-v3' }, linkType: 1 })(block, 0, block.length)
    expect(table.stats()).toMatchObject({ flows: 1, packets: 1 })
  })

  test.each([0, 0x3fffffff - 100, 0x3fffffff, 0x40000000])('packets lie %d bytes behind the beginning of a memory', (offset) => {
    const file = encodePcap([{ timeMs: T0, data: frame({}) }])
    const records = file.subarray(PCAP_HEADER_BYTES)
    // Memory that nobody writes to is not there: this is a few pages.
    const memory = new Uint8Array(0x40000000 + 4096)
    memory.set(records, offset)
    const table = createFlowTable({ rawPacketLimit: 1 })
    const consume = table.consumer({ layout: { format: 'pcap', littleEndian: true, nanoseconds: false }, linkType: 1 })
    expect(consume(records, 0, records.length)).toBe(records.length)
    expect(consume(memory, offset, records.length)).toBe(records.length)
    expect(consume(records, 0, records.length)).toBe(records.length)
    expect(all(table.snapshot())[0]?.Metric).toMatchObject({ ABPackets: 3, ABBytes: 3 * frame({}).length })
    expect([...table.rawPackets().values()].flat().map(({ Data }) => Data)).toEqual([frame({})])
  })

  test('a packet that is kept from far behind in a memory is that packet', () => {
    const records = encodePcap([{ timeMs: T0, data: frame({}) }]).subarray(PCAP_HEADER_BYTES)
    const memory = new Uint8Array(0x40000000 + 4096)
    memory.set(records, 0x40000000)
    const table = createFlowTable({ rawPacketLimit: 1 })
    const consume = table.consumer({ layout: { format: 'pcap', littleEndian: true, nanoseconds: false }, linkType: 1 })
    consume(memory, 0x40000000, records.length)
    expect([...table.rawPackets().values()].flat().map(({ Data }) => Data)).toEqual([frame({})])
  })

  test('warming up leaves nothing behind', () => {
    const table = createFlowTable()
    table.warmUp()
    expect(table.stats()).toEqual({ flows: 0, packets: 0, ignoredPackets: 0, filteredPackets: 0, evictedFlows: 0 })
    feed(table, [{}])
    expect(all(table.snapshot())[0]?.UUID).toBe(made([{}])[0]?.UUID)
  })
})

describe('TCP', () => {
  const connection: readonly Packet[] = [
    { tcpFlags: 0x02, ttl: 64 },
    { tcpFlags: 0x02, ttl: 64, timeMs: T0 + 1 },
    { ...reply, tcpFlags: 0x12, ttl: 55, timeMs: T0 + 3 },
    { tcpFlags: 0x11, timeMs: T0 + 10 },
    { ...reply, tcpFlags: 0x11, timeMs: T0 + 11 },
  ]

  test('flag times, TTLs and RTT; a retransmitted SYN is still of A', () => {
    const [flow] = made(connection, { extraTcpMetric: true })
    expect(flow?.TCPMetric).toMatchObject({
      ABSynStart: T0,
      ABSynTTL: 64,
      BASynStart: T0 + 3,
      BASynTTL: 55,
      ABFinStart: T0 + 10,
      BAFinStart: T0 + 11,
    })
    // The second SYN finds a pending request and is no answer: the clock is that of the first.
    expect(flow?.Metric?.RTT).toBe(3_000_000)
    expect(flow?.FinishType).toBe(2)
  })

  test('without the option there is no TCPMetric', () => {
    expect(made(connection)[0]?.TCPMetric).toBeUndefined()
  })
})

describe('updates and expiry', () => {
  test('totals 2, 10, 15 give differences 2, 8, 5, then nothing', () => {
    const table = createFlowTable()
    const update = (packets: number, nowMs: number) => {
      feed(
        table,
        Array.from({ length: packets }, () => ({})),
      )
      return all(table.update(nowMs)).map(({ LastUpdateMetric: metric }) => [metric!.ABPackets, metric!.Start, metric!.Last])
    }
    expect(update(2, T0 + 1000)).toEqual([[2, T0, T0 + 1000]])
    expect(update(8, T0 + 2000)).toEqual([[8, T0 + 1000, T0 + 2000]])
    expect(update(5, T0 + 3000)).toEqual([[5, T0 + 2000, T0 + 3000]])
    expect(update(0, T0 + 4000)).toEqual([])
    expect(all(table.snapshot())[0]?.LastUpdateMetric).toMatchObject({ ABPackets: 0, Start: T0 + 3000, Last: T0 + 4000 })
  })

  test('an idle flow lives one to two expire periods and leaves with TIMEOUT; the first tick removes nothing', () => {
    const table = createFlowTable()
    feed(table, [{}])
    expect(all(table.expire(T0 + 600_000))).toEqual([])
    const [gone] = all(table.expire(T0 + 1_200_000))
    expect(gone).toMatchObject({ FinishType: 1, LastUpdateMetric: { ABPackets: 1, Start: T0, Last: T0 } })
    expect(table.size).toBe(0)
  })

  test('a finished connection is reported, stays 15 s and leaves without another report', () => {
    const table = createFlowTable()
    feed(table, [{ tcpFlags: 0x11 }])
    expect(all(table.update(T0 + 5000)).map(({ FinishType: finish }) => finish)).toEqual([2])
    expect(table.size).toBe(1)
    expect(all(table.update(T0 + 15_000))).toEqual([])
    expect(table.size).toBe(0)
  })

  test('a finished connection whose last packets no update has told is told when it expires', () => {
    const table = createFlowTable()
    feed(table, [{ tcpFlags: 0x14 }])
    expect(all(table.drain())).toMatchObject([{ FinishType: 3, LastUpdateMetric: { ABPackets: 1 } }])
  })

  test.each<[string, (table: FlowTable) => Iterable<readonly Flow[]>]>([
    ['drained', (table) => table.drain()],
    ['expired', (table) => [...table.expire(T0 + 1500), ...table.expire(T0 + 2000)]],
  ])('what an update told is not told again when the flow is %s', (_, leave) => {
    const table = createFlowTable()
    feed(table, [{}])
    expect(all(table.update(T0 + 1000))).toMatchObject([{ LastUpdateMetric: { ABPackets: 1 } }])
    expect(all(leave(table))).toMatchObject([
      {
        FinishType: 1,
        Metric: { ABPackets: 1 },
        LastUpdateMetric: { ABPackets: 0, ABBytes: 0, BAPackets: 0, BABytes: 0, Start: T0 + 1000, Last: T0 + 1000 },
      },
    ])
  })

  test('application timeouts are compared without case and count a difference once', () => {
    const table = createFlowTable({ applicationTimeoutsMs: { Web: 10_000 }, applicationPorts: { tcp: { 80: 'web' } } })
    feed(table, [{}])
    all(table.update(T0 + 1000))
    const [ended] = all(table.update(T0 + 15_000))
    expect(ended).toMatchObject({ Application: 'WEB', FinishType: 1, LastUpdateMetric: { ABPackets: 0 } })
    expect(table.size).toBe(0)
  })

  test('beyond the limit the flow longest without a packet is reported and leaves', () => {
    const evicted: Flow[] = []
    const table = createFlowTable({ maxFlows: 3, onEvicted: (flows) => evicted.push(...flows) })
    feed(
      table,
      [1, 2, 3].map((port) => ({ ports: [port, 80], timeMs: T0 + port })),
    )
    feed(table, [{ ports: [1, 80], timeMs: T0 + 10 }])
    feed(table, [{ ports: [4, 80], timeMs: T0 + 11 }])
    expect(evicted).toMatchObject([{ Transport: { A: 2 }, FinishType: 1 }])
    expect([table.size, table.stats().evictedFlows]).toEqual([3, 1])
  })

  test('a flow that is evicted tells what no update has told, and no more', () => {
    const evicted: Flow[] = []
    const table = createFlowTable({ maxFlows: 2, onEvicted: (flows) => evicted.push(...flows) })
    feed(table, [
      { ports: [1, 80], timeMs: T0 + 1, wireBytes: 100 },
      { ports: [2, 80], timeMs: T0 + 2, wireBytes: 100 },
    ])
    all(table.update(T0 + 1000))
    feed(table, [{ ports: [1, 80], timeMs: T0 + 1001, wireBytes: 70 }])
    feed(
      table,
      [3, 4, 5].map((port) => ({ ports: [port, 80], timeMs: T0 + 2000 + port, wireBytes: 60 })),
    )
    const none = { ABPackets: 0, ABBytes: 0, BAPackets: 0, BABytes: 0 }
    expect(evicted.map(({ Transport, LastUpdateMetric }) => [Transport?.A, LastUpdateMetric])).toEqual([
      [2, { ...none, Start: T0 + 1000, Last: T0 + 1000 }],
      [1, { ...none, ABPackets: 1, ABBytes: 70, Start: T0 + 1000, Last: T0 + 1001 }],
      // Never told of before.
      [3, { ...none, ABPackets: 1, ABBytes: 60, Start: T0 + 2003, Last: T0 + 2003 }],
    ])
  })

  test('whatever is evicted when, differences added up are the totals', () => {
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.record({ port: fc.integer({ min: 1, max: 12 }), isReply: fc.boolean() }) },
      { weight: 1, arbitrary: fc.constantFrom('update' as const, 'expire' as const) },
    )
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 120 }), fc.integer({ min: 1, max: 6 }), (steps, maxFlows) => {
        const told: Flow[] = []
        const table = createFlowTable({ maxFlows, onEvicted: (flows) => told.push(...flows) })
        let packets = 0
        for (const [i, what] of steps.entries()) {
          const timeMs = T0 + i * 10
          if (what === 'update') told.push(...all(table.update(timeMs)))
          else if (what === 'expire') told.push(...all(table.expire(timeMs)))
          else {
            const ports: [number, number] = [what.port, 80]
            packets++
            feed(table, [what.isReply ? { source: 2, destination: 1, ports: [80, what.port], timeMs } : { ports, timeMs }])
          }
        }
        told.push(...all(table.drain()))
        const sums = told.map(({ LastUpdateMetric: metric }) => metric!.ABPackets + metric!.BAPackets)
        expect(sums.reduce((a, b) => a + b, 0)).toBe(packets)
      }),
    )
  })

  test('packets are kept up to the limit, reported once, and counted for good', () => {
    const table = createFlowTable({ rawPacketLimit: 2 })
    feed(table, [{}, reply, {}])
    const [first] = all(table.update(T0 + 1000))
    expect(first?.LastRawPackets).toMatchObject([
      { Index: 1, LinkType: 1, Timestamp: T0 },
      { Index: 2, LinkType: 1, Timestamp: T0 },
    ])
    feed(table, [{}])
    const [second] = all(table.update(T0 + 2000))
    expect([second?.LastRawPackets, second?.RawPacketsCaptured]).toEqual([undefined, 2])
  })

  test('a flow that comes again after it left has a new UUID and the same tracking id', () => {
    const table = createFlowTable()
    feed(table, [{ ipv6: true }])
    const [first] = all(table.drain())
    feed(table, [{ ipv6: true, timeMs: T0 + 1 }])
    const [second] = all(table.snapshot())
    expect(second?.TrackingID).toBe(first?.TrackingID)
    expect(second?.UUID).not.toBe(first?.UUID)
    expect(second?.Network?.A).toBe('fd00::1')
  })
})

describe('queries', () => {
  const table = createFlowTable({ nodeTid: 'probe-1' })
  feed(
    table,
    [5, 3, 9, 7].map((port) => ({ ports: [port, 80], timeMs: T0 + port })),
  )

  test.each([
    ['a term', { Filter: { TermStringFilter: { Key: 'NodeTID', Value: 'probe-1' } } }, [5, 3, 9, 7]],
    ['a number', { Filter: { GtInt64Filter: { Key: 'Transport.A', Value: 5 } } }, [9, 7]],
    // A84
    ['sort, ascending', { Sort: true, SortBy: 'Transport.A', SortOrder: 1 as const }, [3, 5, 7, 9]],
    ['sort, descending, page', { Sort: true, SortOrder: 2 as const, PaginationRange: { From: 1, To: 3 } }, [7, 5]],
    ['dedup', { Dedup: true, DedupBy: 'NodeTID' }, [5]],
  ])('%s', async (_, query, ports) => {
    expect((await table.search(query)).map(({ Transport }) => Transport?.A)).toEqual(ports)
  })

  test.each([{ rawPacketLimit: 11 }, { rawPacketLimit: -1 }, { maxFlows: 0 }])('%j is refused', (options) => {
    expect(() => createFlowTable(options)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }))
  })
})
