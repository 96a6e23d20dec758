// What flows of records say: which identifiers, which members, and when they are left out.
import { describe, expect, test } from '@jest/globals'
import type { Flow } from '@skydive/contracts'
import { encodePcap, LINK_TYPE } from '@skydive/packet'
import { ethernet, icmp, icmpv6, ipv4, ipv6, sctp, udp } from '../../test/packet-builder.ts'
import { A, all, B, consume, NOW_MS, type Over, record } from '../../test/record-builder.ts'
import { createFlowTable } from '../flow-table.ts'
import { createRecordTable, type RecordTableOptions } from './index.ts'

/** The flow of one record. */
function flowOf(over: Over = {}, options: RecordTableOptions = {}): Flow {
  const table = createRecordTable(options)
  table.consume(record(over), NOW_MS)
  return all(table.snapshot())[0]!
}

const V6 = { source: [0xfd000000, 0, 0, 1], destination: [0xfd000000, 0, 0, 2] }
const FROM_TO = { source: 'fd00::1', destination: 'fd00::2' }

test.each<[title: string, frame: readonly number[], over: Over]>([
  ['UDP', ethernet(ipv4(udp([1, 2], 1024, 80), 17)), { protocol: 17 }],
  ['SCTP', ethernet(ipv4(sctp([[0, [1]]], 1024, 80), 132)), { protocol: 132 }],
  // No record tells of the identifier of ICMPv4.
  ['ICMPv4', ethernet(ipv4(icmp(3, 1, 0, 0), 1)), { protocol: 1, icmpType: 3, icmpCode: 1 }],
  ['UDP over IPv6', ethernet(ipv6(udp([1, 2], 1024, 80), 17, FROM_TO), 0x86dd), { ...V6, protocol: 17 }],
  ['ICMPv6', ethernet(ipv6(icmpv6(1, [0, 0, 0, 0]), 58, FROM_TO), 0x86dd), { ...V6, protocol: 58, icmpType: 1 }],
])('%s has the tracking id that packets get in mode L3', (_title, frame, over) => {
  const packets = createFlowTable({ layerKeyMode: 'L3' })
  const file = encodePcap([{ timeMs: NOW_MS, data: Uint8Array.from(frame) }]).subarray(24)
  const layout = { format: 'pcap', littleEndian: true, nanoseconds: false } as const
  packets.consumer({ layout, linkType: LINK_TYPE.ETHERNET })(file, 0, file.length)
  const [ofPackets] = all(packets.snapshot())
  const { TrackingID, L3TrackingID, Network, Transport, ICMP } = flowOf(over)
  expect({ TrackingID, L3TrackingID, Network, Transport, ICMP: ICMP?.Type }).toEqual({
    TrackingID: ofPackets!.TrackingID,
    L3TrackingID: ofPackets!.L3TrackingID,
    Network: ofPackets!.Network,
    Transport: ofPackets!.Transport,
    ICMP: ofPackets!.ICMP?.Type,
  })
})

test('an identifier is that of a conversation, where it was told and when it began, and of nothing else', () => {
  const alike = [flowOf(), flowOf({ packets: 99, tcpFlags: 2, lastMs: NOW_MS, inputIndex: 3, vlanId: 9, sourceMac: 1 })]
  const others = [
    flowOf({ startMs: NOW_MS - 4_999 }),
    flowOf({ startMs: NOW_MS - 5_000 + 2 ** 32 }),
    flowOf({}, { nodeTid: 'tid' }),
    flowOf({}, { nodeTid: 'tie' }),
    flowOf({ observer: 1 }),
    flowOf({ observer: 2 }),
    flowOf({ source: [A + 2] }),
    flowOf({ destination: [B + 2] }),
    flowOf({ sourcePort: 1025 }),
    flowOf({ destinationPort: 81 }),
    flowOf({ protocol: 17 }),
    flowOf(V6),
  ]
  expect(new Set(alike.map(({ UUID }) => UUID)).size).toBe(1)
  const uuids = [alike[0]!, ...others].map(({ UUID }) => UUID)
  expect(new Set(uuids).size).toBe(uuids.length)
})

describe('left out or told', () => {
  test.each<[sourceMac: number, destinationMac: number, link: Flow['Link']]>([
    [0, 0, undefined],
    [1, 0, { Protocol: 'ETHERNET', A: '00:00:00:00:00:01', B: '00:00:00:00:00:00', ID: 10 }],
    [0, 0x8000_0000_0000, { Protocol: 'ETHERNET', A: '00:00:00:00:00:00', B: '80:00:00:00:00:00', ID: 10 }],
    [0xffff_ffff_fffe, 0x1_0000, { Protocol: 'ETHERNET', A: 'ff:ff:ff:ff:ff:fe', B: '00:00:00:01:00:00', ID: 10 }],
  ])('the link of MAC addresses %i and %i', (sourceMac, destinationMac, link) => {
    expect(flowOf({ sourceMac, destinationMac, vlanId: 10 }).Link).toEqual(link)
  })

  test.each<[tcpFlags: number, finish: Flow['FinishType'], left: Flow['FinishType']]>([
    [0, undefined, 1],
    [2 | 8 | 16, undefined, 1],
    [1, 2, 2],
    [4, 3, 3],
    [1 | 4, 3, 3],
  ])('how a connection with the flags %i ended, and when it leaves', (tcpFlags, finish, left) => {
    expect(flowOf({ tcpFlags }).FinishType).toBe(finish)
    const table = createRecordTable()
    table.consume(record({ tcpFlags }), NOW_MS)
    expect(all(table.drain()).map(({ FinishType }) => FinishType)).toEqual([left])
  })

  test.each([
    [0, undefined],
    [1, 1],
    [255, 255],
    [256, undefined],
  ])('the code %i of ICMP', (icmpCode, code) => {
    expect(flowOf({ protocol: 1, icmpType: 3, icmpCode }).ICMP).toEqual({
      Type: 'DESTINATION_UNREACHABLE',
      ...(code && { Code: code }),
    })
  })

  test('node, capture, exporter and a difference, where there are none', () => {
    const absent = ['NodeTID', 'CaptureID', 'Exporter', 'LastUpdateMetric', 'FinishType', 'Link', 'ICMP']
    expect(absent.filter((member) => member in flowOf())).toEqual([])
    const told = flowOf({ exporterAddress: '192.0.2.1', inputIndex: 1 }, { nodeTid: 't', captureId: 'c' })
    expect([told.NodeTID, told.CaptureID, told.Exporter]).toEqual(['t', 'c', { Address: '192.0.2.1', Input: 1, Output: 0 }])
  })

  test('counters of sampled packets are whole numbers', () => {
    const { Metric: metric } = flowOf({ packets: 1.5, bytes: 2.4, reversePackets: 0.4, reverseBytes: 3.6 })
    expect([metric!.ABPackets, metric!.ABBytes, metric!.BAPackets, metric!.BABytes]).toEqual([2, 2, 0, 4])
  })
})

test('a query without a condition finds all', async () => {
  const table = createRecordTable()
  consume(table, [record(), record({ sourcePort: 9 })])
  expect((await table.search({})).map(({ Transport }) => Transport!.A)).toEqual([1024, 9])
})
