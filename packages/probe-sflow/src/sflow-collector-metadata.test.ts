import { describe, expect, test } from '@jest/globals'
import { BytesWriter, hex } from '../../packet/test/bytes-writer.ts'
import { rawHeader, type WrittenRecord, writeSFlow } from '../../packet/test/sflow-writer.ts'
import { collecting, frame, NOW_MS, raw, sample } from '../test/collecting.ts'
import { SAMPLE_FORMAT } from './index.ts'

/** Data sources whose counters are kept. */
const MOST_SOURCES = 8192

test('who sends is told by agent, with what was lost', () => {
  const { collector, send } = collecting()
  const other = Uint8Array.of(10, 0, 0, 10)
  send([sample([raw(1, 2)], { samplingRate: 512 })])
  send([sample([raw(1, 2)])], other)
  send([sample([raw(1, 2)], { samplingRate: 256 })])
  expect(collector.metadata()).toEqual({
    Agents: {
      '10.0.0.9': { Datagrams: 2, Samples: 2, Lost: 1, SamplingRate: 256 },
      '10.0.0.10': { Datagrams: 1, Samples: 1, Lost: 0, SamplingRate: 1 },
    },
  })
})

test.each<readonly [string, readonly string[], readonly string[]]>([
  ['each byte of version 4', ['0a000009', '0b000009', '0a000109', '0a000009'], ['10.0.0.9', '11.0.0.9', '10.0.1.9', '10.0.0.9']],
  [
    'each word of version 6',
    [
      '20010db8 00000001 00000002 00000003',
      '20010db8 00000001 00000002 00000004',
      '20010db8 00000001 00000005 00000004',
      '20010db8 00000006 00000005 00000004',
      '20010db9 00000006 00000005 00000004',
      '20010db9 00000006 00000005 00000004',
    ],
    [
      '2001:db8:0:1:0:2:0:3',
      '2001:db8:0:1:0:2:0:4',
      '2001:db8:0:1:0:5:0:4',
      '2001:db8:0:6:0:5:0:4',
      '2001:db9:0:6:0:5:0:4',
      '2001:db9:0:6:0:5:0:4',
    ],
  ],
  [
    'version 4 and 6 with the same words',
    ['c0000201', 'c0000201 00000000 00000000 00000000', 'c0000201'],
    ['192.0.2.1', 'c000:201::', '192.0.2.1'],
  ],
  ['an address of zeros', ['00000000', '', '00000000'], ['0.0.0.0', '', '0.0.0.0']],
  ['none and one', ['', '', '0a000009', ''], ['', '', '10.0.0.9', '']],
])('agents are told apart by %s, and a datagram counts once however many samples it has', (_title, agents, names) => {
  const { collector } = collecting()
  const told: (string | undefined)[] = []
  agents.forEach((agent, sequence) => {
    const written = {
      agent: hex(agent),
      subAgentId: 0,
      sequence,
      uptimeMs: 1,
      samples: [sample([raw(1, 2)]), sample([raw(1, 3)])],
    }
    const bytes = writeSFlow(written)
    const packets = collector.consume(
      new DataView(bytes.buffer),
      0,
      bytes.length,
      NOW_MS,
      (_bytes, _offset, _length, _rate, _link, exporter) => {
        told.push(exporter)
      },
    )
    expect(packets).toBe(2)
  })
  expect(told).toEqual(names)
  const shown = Object.values(collector.metadata()['Agents'] as Record<string, { Datagrams: number; Samples: number }>)
  const counts = [...new Set(names)].map((name) => names.filter((one) => one === name).length)
  expect(shown.map(({ Datagrams, Samples }) => [Datagrams, Samples])).toEqual(counts.map((count) => [count, 2 * count]))
})

test('a datagram without a sample that is of use is no loss, and one without a head is not counted', () => {
  const { collector, send, table } = collecting()
  const counters = {
    ...{ kind: 'counter', isExpanded: false, sequence: 1, sourceType: 0, sourceIndex: 3 },
    // Host counters, which hsflowd sends.
    records: [{ format: 2000, data: new Uint8Array(4) }],
  }
  send([sample([raw(1, 2)])])
  send([])
  send([counters, counters])
  send([sample([rawHeader(11, 100, 0, frame(1, 2))])])
  send([sample([{ format: 1001, data: new Uint8Array(16) }])])
  send([counters], Uint8Array.of(10, 0, 0, 1))
  // Where the datagram before lay.
  const foreign = new Uint8Array(200)
  collector.consume(new DataView(foreign.buffer), 64, 100, NOW_MS, table.consumer(SAMPLE_FORMAT))
  send([sample([raw(1, 2)])], Uint8Array.of(10, 0, 0, 1))
  expect(collector.metadata()).toStrictEqual({
    Agents: {
      '10.0.0.9': { Datagrams: 5, Samples: 1, Lost: 0, SamplingRate: 1 },
      '10.0.0.1': { Datagrams: 2, Samples: 1, Lost: 0, SamplingRate: 1 },
    },
    Unused: { ForeignVersions: 1, ForeignHeaders: 1 },
  })
})

test('a flood of agents is counted together beyond some', () => {
  const { collector, send } = collecting()
  for (let i = 0; i < 1000; i++) send([sample([raw(1, 2)])], Uint8Array.of(10, 1, i >> 8, i & 255))
  const agents = collector.metadata()['Agents'] as Record<string, { readonly Datagrams: number }>
  expect([Object.keys(agents).length, agents['others']?.Datagrams]).toEqual([257, 744])
})

describe('counters', () => {
  const generic = (ifIndex: number, inOctets: number, outErrors = 0xffffffff): WrittenRecord => ({
    format: 1,
    data: new BytesWriter()
      .u32(ifIndex, 6, 0, 1000, 1, 3)
      .unsigned(inOctets, 8)
      .u32(5, 0, 0, 0, 0, 0)
      .unsigned(0, 8)
      .u32(0, 0, 0, 0, outErrors, 0)
      .take(),
  })
  const counter = (...records: readonly WrittenRecord[]) => ({
    kind: 'counter',
    isExpanded: false,
    sequence: 1,
    sourceType: 0,
    sourceIndex: 3,
    records,
  })

  test('of interfaces are kept by index and summed; 0 and all ones are no value', () => {
    const { collector, send } = collecting()
    send([counter(generic(5, 1000)), counter(generic(6, 500, 2))])
    const first = { IfInOctets: 1000, IfInUcastPkts: 5 }
    expect(collector.metadata()).toMatchObject({
      IfMetrics: { 5: first, 6: { IfInOctets: 500, IfInUcastPkts: 5, IfOutErrors: 2 } },
      Metric: { IfInOctets: 1500, IfInUcastPkts: 10, IfOutErrors: 2, Last: NOW_MS },
    })
    expect(collector.metadata()['LastUpdateMetric']).toBeUndefined()
    send([counter(generic(5, 1400)), counter(generic(6, 0))])
    const second = collector.metadata()
    expect(second).toMatchObject({
      Metric: { IfInOctets: 1900, IfInUcastPkts: 10, IfOutErrors: 2, Last: NOW_MS },
      LastUpdateMetric: { IfInOctets: 400, Start: NOW_MS, Last: NOW_MS },
    })
    expect(second['IfMetrics']).toEqual({
      5: { ...first, IfInOctets: 1400 },
      6: { IfInOctets: 500, IfInUcastPkts: 5, IfOutErrors: 2 },
    })
    // Nothing came: nothing changes.
    expect(collector.metadata()['Metric']).toBe(second['Metric'])
  })

  test('that are cut are left out', () => {
    const { collector, send } = collecting()
    send([counter({ format: 1, data: new Uint8Array(4) }, generic(5, 1000))])
    expect(collector.metadata()['IfMetrics']).toEqual({ 5: { IfInOctets: 1000, IfInUcastPkts: 5 } })
  })

  test('of an interface have all their members, and no value keeps the one before', () => {
    const { collector, send } = collecting()
    const all = (first: number) => ({
      format: 1,
      data: new BytesWriter()
        .u32(5, 6, 0, 1000, 1, 3)
        .unsigned(first, 8)
        .u32(first + 1, first + 2, first + 3, first + 4, first + 5, first + 6)
        .unsigned(first + 7, 8)
        .u32(first + 8, first + 9, first + 10, first + 11, first + 12, 1)
        .take(),
    })
    const none = (value: number) => ({
      format: 1,
      data: new BytesWriter()
        .u32(5, 6, 0, 1000, 1, 3, value, value)
        .u32(value, value, value, value, value, value, value, value)
        .u32(value, value, value, value, value, value)
        .take(),
    })
    send([counter(all(100))])
    const members = {
      IfInOctets: 100,
      IfInUcastPkts: 101,
      IfInMulticastPkts: 102,
      IfInBroadcastPkts: 103,
      IfInDiscards: 104,
      IfInErrors: 105,
      IfInUnknownProtos: 106,
      IfOutOctets: 107,
      IfOutUcastPkts: 108,
      IfOutMulticastPkts: 109,
      IfOutBroadcastPkts: 110,
      IfOutDiscards: 111,
      IfOutErrors: 112,
    }
    const shown = { IfMetrics: { 5: members }, Metric: { ...members, Last: NOW_MS } }
    expect(collector.metadata()).toStrictEqual({ ...shown, Agents: expect.anything() })
    send([counter(none(0)), counter(none(0xffffffff))])
    // Nothing grew: there is no last update.
    expect(collector.metadata()).toStrictEqual({ ...shown, Agents: expect.anything() })
  })

  test('of a flood of interfaces: those beyond the room are counted', () => {
    const { collector, send } = collecting()
    const third = (MOST_SOURCES + 10) / 3
    for (let first = 1; first <= MOST_SOURCES + 10; first += third) {
      send([counter(...Array.from({ length: third }, (_, i) => generic(first + i, 1)))])
    }
    const { IfMetrics: interfaces, Unused: unused } = collector.metadata()
    expect([Object.keys(interfaces as object).length, unused]).toEqual([MOST_SOURCES, { RefusedCounters: 10 }])
  }, 30_000)

  test('of a second agent do not mix with those of the first', () => {
    const { collector, send } = collecting()
    send([counter(generic(5, 1000))])
    send([counter(generic(5, 70))], Uint8Array.of(10, 0, 0, 10))
    expect(Object.keys(collector.metadata()['IfMetrics'] as object)).toEqual(['5', '5@10.0.0.10'])
  })

  test('of Ethernet, VLANs and Open vSwitch have their members; those of the datapath are added up', () => {
    const { collector, send } = collecting()
    const records = [
      { format: 2, data: new BytesWriter().u32(...Array.from({ length: 13 }, (_, i) => i + 1)).take() },
      { format: 5, data: new BytesWriter().u32(10).unsigned(4000, 8).u32(1, 2, 3, 4).take() },
      { format: 2207, data: new BytesWriter().u32(10, 20, 0, 40, 50, 60).take() },
      { format: 2203, data: new BytesWriter().u32(1, 2).unsigned(1000, 8).unsigned(2000, 8).u32(3, 4, 5, 6).take() },
      { format: 0x999999, data: new Uint8Array(4) },
    ]
    send([counter(...records)])
    send([counter(...records)])
    const { Last: _, ...metric } = collector.metadata()['Metric'] as Record<string, number>
    expect(metric).toEqual({
      EthAlignmentErrors: 1,
      EthFCSErrors: 2,
      EthSingleCollisionFrames: 3,
      EthMultipleCollisionFrames: 4,
      EthSQETestErrors: 5,
      EthDeferredTransmissions: 6,
      EthLateCollisions: 7,
      EthExcessiveCollisions: 8,
      EthInternalMacTransmitErrors: 9,
      EthCarrierSenseErrors: 10,
      EthFrameTooLongs: 11,
      EthInternalMacReceiveErrors: 12,
      EthSymbolErrors: 13,
      VlanOctets: 4000,
      VlanUcastPkts: 1,
      VlanMulticastPkts: 2,
      VlanBroadcastPkts: 3,
      VlanDiscards: 4,
      OvsDpNHit: 20,
      OvsDpNMissed: 40,
      OvsDpNMaskHit: 80,
      OvsDpNFlows: 100,
      OvsDpNMasks: 120,
      OvsAppMemUsed: 2000,
      OvsAppMemMax: 2000,
      OvsAppFdOpen: 6,
      OvsAppFdMax: 4,
      OvsAppConnOpen: 10,
      OvsAppConnMax: 6,
    })
  })
})
