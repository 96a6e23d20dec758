import { describe, expect, test } from '@jest/globals'
import type { Flow } from '@skydive/contracts'
import { encodePcap, LINK_TYPE } from '@skydive/packet'
import fc from 'fast-check'
import { all, back, consume, counters, NOW_MS, type Over, record } from '../../test/record-builder.ts'
import { createFlowTable } from '../flow-table.ts'
import { createRecordTable } from './index.ts'

describe('records', () => {
  test('of both directions are one flow, whose A is the source of the first', () => {
    const table = createRecordTable({ nodeTid: 'tid', captureId: 'c' })
    consume(table, [record(), back({ startMs: NOW_MS - 6000, lastMs: NOW_MS - 500 }), record()])
    expect(all(table.update(NOW_MS))).toEqual([
      {
        UUID: expect.stringMatching(/^[0-9a-f]{1,16}$/),
        Application: 'TCP',
        Network: { Protocol: 'IPV4', A: '10.0.0.1', B: '10.0.0.2', ID: 0 },
        Transport: { Protocol: 'TCP', A: 1024, B: 80, ID: 0 },
        LastUpdateMetric: { ABPackets: 20, ABBytes: 2000, BAPackets: 7, BABytes: 700, Start: NOW_MS - 6000, Last: NOW_MS },
        Metric: { ABPackets: 20, ABBytes: 2000, BAPackets: 7, BABytes: 700, Start: NOW_MS - 6000, Last: NOW_MS - 500 },
        Start: NOW_MS - 6000,
        Last: NOW_MS - 500,
        TrackingID: expect.any(String),
        L3TrackingID: expect.any(String),
        ParentUUID: '',
        NodeTID: 'tid',
        CaptureID: 'c',
        RawPacketsCaptured: 0,
      },
    ])
  })

  test('when the first comes from the greater address, A is the greater one', () => {
    const table = createRecordTable()
    consume(table, [back(), record()])
    const [flow] = all(table.snapshot())
    expect([flow?.Network, flow?.Transport, counters(flow!)]).toEqual([
      { Protocol: 'IPV4', A: '10.0.0.2', B: '10.0.0.1', ID: 0 },
      { Protocol: 'TCP', A: 80, B: 1024, ID: 0 },
      [7, 700, 10, 1000],
    ])
  })

  test('have the tracking id that packets of the conversation get in mode L3', () => {
    const frame = Uint8Array.from(
      '020000000002 020000000001 0800 45000028 00000000 40060000 0a000001 0a000002 04000050 00000000 00000000 50100000 00000000'
        .replaceAll(' ', '')
        .match(/../g)!,
      (byte) => Number.parseInt(byte, 16),
    )
    const packets = createFlowTable({ layerKeyMode: 'L3' })
    const file = encodePcap([{ timeMs: NOW_MS, data: frame }]).subarray(24)
    const format = { format: 'pcap', littleEndian: true, nanoseconds: false } as const
    packets.consumer({ layout: format, linkType: LINK_TYPE.ETHERNET })(file, 0, file.length)
    const [ofPackets] = all(packets.snapshot())
    const table = createRecordTable()
    consume(table, [back()])
    const [ofRecords] = all(table.snapshot())
    expect(ofRecords?.TrackingID).toBe(ofPackets?.TrackingID)
    expect(ofRecords?.L3TrackingID).toBe(ofPackets?.L3TrackingID)
  })

  test.each<[string, Over, object]>([
    [
      'UDP over IPv6',
      { source: [0xfd000000, 0, 0, 1], destination: [0xfd000000, 0, 0, 2], protocol: 17 },
      {
        Application: 'UDP',
        Network: { Protocol: 'IPV6', A: 'fd00::1', B: 'fd00::2', ID: 0 },
        Transport: { Protocol: 'UDP', A: 1024, B: 80, ID: 0 },
      },
    ],
    ['an ICMPv4 echo', { protocol: 1, icmpType: 8 }, { Application: 'ICMPv4', ICMP: { Type: 'ECHO' } }],
    [
      'an ICMPv4 port unreachable',
      { protocol: 1, icmpType: 3, icmpCode: 3 },
      { Application: 'ICMPv4', ICMP: { Type: 'DESTINATION_UNREACHABLE', Code: 3 } },
    ],
    ['SCTP', { protocol: 132 }, { Application: 'SCTP', Transport: { Protocol: 'SCTP', A: 1024, B: 80, ID: 0 } }],
    ['IP in IP', { protocol: 4 }, { Application: 'IPV4' }],
    ['a protocol without a name', { protocol: 253 }, { Application: 'IP-253' }],
    [
      'MAC addresses and a VLAN',
      { sourceMac: 0x020000000001, destinationMac: 0xfe0000000002, vlanId: 10 },
      { Link: { Protocol: 'ETHERNET', A: '02:00:00:00:00:01', B: 'fe:00:00:00:00:02', ID: 10 } },
    ],
    ['a connection that was reset', { tcpFlags: 0x06 }, { FinishType: 3 }],
    ['a connection that ended', { tcpFlags: 0x1b }, { FinishType: 2 }],
    [
      'both ways in one record',
      { reversePackets: 3, reverseBytes: 300 },
      { Metric: { ABPackets: 10, ABBytes: 1000, BAPackets: 3, BABytes: 300, Start: NOW_MS - 5000, Last: NOW_MS - 1000 } },
    ],
  ])('%s', (_, over, expected) => {
    const table = createRecordTable()
    consume(table, [record(over)])
    expect(all(table.snapshot())).toEqual([expect.objectContaining(expected)])
  })

  test('an echo and its reply are one flow, and no port tells ICMP apart', () => {
    const table = createRecordTable()
    const ping = { protocol: 1, sourcePort: 0, destinationPort: 2048 }
    consume(table, [record({ ...ping, icmpType: 8 }), back({ ...ping, destinationPort: 0, icmpType: 0 })])
    expect(all(table.snapshot()).map(counters)).toEqual([[10, 1000, 7, 700]])
  })

  test('of two exporters are two flows with one tracking id', () => {
    const table = createRecordTable()
    consume(table, [record({ observer: 1 }), record({ observer: 2 })])
    const flows = all(table.snapshot())
    expect([
      flows.length,
      new Set(flows.map((flow) => flow.UUID)).size,
      new Set(flows.map((flow) => flow.TrackingID)).size,
    ]).toEqual([2, 2, 1])
  })

  test('totals replace, and begin anew when they shrink', () => {
    const table = createRecordTable()
    consume(table, [record({ isTotal: true }), record({ isTotal: true, packets: 15, bytes: 1500 })])
    expect(all(table.update(NOW_MS)).map(counters)).toEqual([[15, 1500, 0, 0]])
    consume(table, [record({ isTotal: true, packets: 2, bytes: 200 })])
    expect(all(table.update(NOW_MS + 1)).map(({ LastUpdateMetric: last }) => [last?.ABPackets, last?.ABBytes])).toEqual([
      [2, 200],
    ])
  })

  test('tell which exporter they are of, and the interfaces of the first', () => {
    const evicted: Flow[] = []
    const table = createRecordTable({ maxFlows: 2, onEvicted: (flows) => evicted.push(...flows) })
    const of = (observer: number, over: Over = {}) => record({ observer, exporterAddress: `192.0.2.${observer}`, ...over })
    consume(table, [of(1, { inputIndex: 3, outputIndex: 4 }), of(1, { inputIndex: 5 }), record()])
    expect(all(table.update(NOW_MS)).map(({ Exporter: exporter }) => exporter)).toEqual([
      { Address: '192.0.2.1', Input: 3, Output: 4 },
      undefined,
    ])
    // A third flow evicts the oldest with its exporter; the second of the exporter stays known as long as it has a flow.
    consume(table, [of(2)], NOW_MS + 1)
    expect(evicted.map(({ Exporter: exporter }) => exporter?.Address)).toEqual(['192.0.2.1'])
    const addresses = all(table.snapshot()).map(({ Exporter: exporter }) => exporter?.Address)
    expect(addresses.filter((address) => address !== undefined)).toEqual(['192.0.2.2'])
    all(table.expire(NOW_MS + 1000))
    expect(all(table.expire(NOW_MS + 2000)).map(({ Exporter: exporter }) => exporter?.Address)).toContain('192.0.2.2')
  })

  test.each([
    [false, true],
    [true, false],
  ])('of packets that come in or go out (egress first: %s) count once, whichever is told first', (first, second) => {
    const table = createRecordTable()
    const told = [
      record({ isEgress: first }),
      record({ isEgress: second }),
      back({ isEgress: second }),
      back({ isEgress: first }),
    ]
    expect([...told, record({ isEgress: first })].map((one) => table.consume(one, NOW_MS))).toEqual([
      true,
      false,
      true,
      false,
      true,
    ])
    expect(all(table.snapshot()).map(counters)).toEqual([[20, 2000, 7, 700]])
    expect(table.stats()).toMatchObject({ packets: 5, ignoredPackets: 2 })
  })

  test('without addresses are ignored and counted', () => {
    const table = createRecordTable()
    consume(table, [record({ ipVersion: 0 }), record()])
    expect(table.stats()).toEqual({ flows: 1, packets: 2, ignoredPackets: 1, filteredPackets: 0, evictedFlows: 0 })
  })
})

describe('flows of records', () => {
  test('an update reports what changed, with the difference', () => {
    const table = createRecordTable()
    consume(table, [record()])
    expect(all(table.update(NOW_MS))).toHaveLength(1)
    expect(all(table.update(NOW_MS + 1000))).toEqual([])
    consume(table, [record({ packets: 1, bytes: 60 })])
    expect(all(table.update(NOW_MS + 2000)).map((flow) => flow.LastUpdateMetric)).toEqual([
      { ABPackets: 1, ABBytes: 60, BAPackets: 0, BABytes: 0, Start: NOW_MS + 1000, Last: NOW_MS + 2000 },
    ])
  })

  test('what an evicted flow had since its last report is told, and no more', () => {
    const evicted: Flow[] = []
    const table = createRecordTable({ maxFlows: 2, onEvicted: (flows) => evicted.push(...flows) })
    consume(table, [record({ sourcePort: 1 }), record({ sourcePort: 2 })])
    all(table.update(NOW_MS))
    consume(table, [record({ sourcePort: 1, packets: 3, bytes: 180 })], NOW_MS + 1)
    for (const sourcePort of [3, 4, 5]) consume(table, [record({ sourcePort })], NOW_MS + sourcePort)
    const since = evicted.map(({ Transport, LastUpdateMetric: metric }) => [Transport?.A, metric?.ABPackets, metric?.ABBytes])
    expect(since).toEqual([
      [2, 0, 0],
      [1, 3, 180],
      [3, record().packets, record().bytes],
    ])
  })

  test('expiry goes by when records came, not by the past that they tell of', () => {
    const table = createRecordTable()
    consume(table, [record({ startMs: NOW_MS - 3_600_000, lastMs: NOW_MS - 1_800_000 })])
    expect(all(table.expire(NOW_MS - 1))).toEqual([])
    expect(all(table.expire(NOW_MS + 600_000))).toEqual([])
    expect(all(table.expire(NOW_MS + 1_200_000)).map((flow) => [flow.FinishType, counters(flow)])).toEqual([
      [1, [10, 1000, 0, 0]],
    ])
    expect(table.size).toBe(0)
  })

  test('a connection that ended waits for the other direction, then leaves', () => {
    const table = createRecordTable()
    consume(table, [record({ tcpFlags: 1 })])
    expect(all(table.update(NOW_MS)).map((flow) => flow.FinishType)).toEqual([2])
    consume(table, [back()], NOW_MS + 10_000)
    expect(all(table.update(NOW_MS + 20_000)).map(counters)).toEqual([[10, 1000, 7, 700]])
    expect(table.size).toBe(1)
    expect([all(table.update(NOW_MS + 25_000)), table.size]).toEqual([[], 0])
  })

  test('draining reports what was not reported', () => {
    const table = createRecordTable()
    consume(table, [record(), record({ sourcePort: 1, tcpFlags: 1 }), record({ sourcePort: 2, tcpFlags: 1 })])
    all(table.update(NOW_MS))
    consume(table, [record({ sourcePort: 2 })])
    const flows = all(table.drain())
    // What the update told is not told again.
    expect(flows.map((flow) => flow.LastUpdateMetric?.ABPackets)).toEqual([0, 10])
    const drained = flows.map((flow) => [flow.Transport?.A, flow.FinishType])
    expect([drained, table.size]).toEqual([
      [
        [1024, 1],
        [2, 2],
      ],
      0,
    ])
  })

  test('beyond the limit those told of the longest ago leave with a report', () => {
    const evicted: Flow[] = []
    const table = createRecordTable({ maxFlows: 64, onEvicted: (flows) => evicted.push(...flows) })
    for (let port = 0; port < 200; port++) table.consume(record({ sourcePort: port }), NOW_MS + port)
    expect(table.stats()).toMatchObject({ flows: 64, evictedFlows: 136 })
    expect(evicted.map((flow) => [flow.Transport?.A, flow.FinishType])).toEqual(
      Array.from({ length: 136 }, (_, port) => [port, 1]),
    )
  })

  test('a query finds them', async () => {
    const table = createRecordTable()
    consume(table, [record(), record({ destinationPort: 443 })])
    const found = await table.search({ Filter: { TermInt64Filter: { Key: 'Transport.B', Value: 443 } } })
    expect(found.map(({ Transport }) => Transport?.B)).toEqual([443])
    expect(table.rawPackets().size).toBe(0)
  })

  test('a limit out of range is refused', () => {
    expect(() => createRecordTable({ maxFlows: 0 })).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }))
  })
})

test('nothing is lost or counted twice, whatever comes, leaves and comes again', () => {
  const step = fc.oneof(
    { weight: 12, arbitrary: fc.record({ from: fc.nat(20), to: fc.nat(20), port: fc.nat(3), packets: fc.nat(100) }) },
    { weight: 1, arbitrary: fc.constantFrom('update' as const, 'expire' as const) },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), fc.integer({ min: 1, max: 60 }), (steps, maxFlows) => {
      let reported = 0
      // A report holds the whole counters: the last one of a flow counts.
      const whole = new Map<string, number>()
      const add = (flows: readonly Flow[]) => {
        for (const flow of flows) whole.set(flow.UUID, flow.Metric!.ABPackets + flow.Metric!.BAPackets)
      }
      const table = createRecordTable({ maxFlows, onEvicted: add })
      let sent = 0
      let nowMs = NOW_MS
      for (const one of steps) {
        nowMs++
        if (one === 'update') add(all(table.update(nowMs)))
        else if (one === 'expire') add(all(table.expire(nowMs)))
        else {
          sent += one.packets
          // Each start is another flow's: an identifier then names one stay in the table.
          const over = { packets: one.packets, sourcePort: one.port, destinationPort: one.port, startMs: nowMs, lastMs: nowMs }
          table.consume(record({ ...over, source: [one.from], destination: [one.to] }), nowMs)
        }
      }
      add(all(table.drain()))
      for (const packets of whole.values()) reported += packets
      expect([reported, table.size]).toEqual([sent, 0])
    }),
    { numRuns: 200 },
  )
})
