import { describe, expect, test } from '@jest/globals'
import type { Flow } from '@skydive/contracts'
import { createFlowTable } from '@skydive/flow-table'
import { createPacketFilter } from '@skydive/packet'
import fc from 'fast-check'
import { BytesWriter, hex } from '../../packet/test/bytes-writer.ts'
import { rawHeader, type WrittenFlowSample, type WrittenRecord, writeSFlow } from '../../packet/test/sflow-writer.ts'
import { SAMPLE_FORMAT, SFlowCollector } from './index.ts'

const NOW_MS = 1_700_000_000_123
const AGENT = Uint8Array.of(10, 0, 0, 9)
/** Data sources whose counters are kept. */
const MOST_SOURCES = 8192

/** An ICMP echo from 10.0.0.<from> to 10.0.0.<to>. */
function frame(from: number, to: number): Uint8Array {
  const bytes = new Uint8Array(60)
  bytes.set([2, 0, 0, 0, 0, to, 2, 0, 0, 0, 0, from, 8, 0, 0x45, 0, 0, 84, 0, 0, 0, 0, 64, 1, 0, 0, 10, 0, 0, from, 10, 0, 0, to])
  bytes.set([from < to ? 8 : 0, 0, 0, 0, 0, 7, 0, 1], 34)
  return bytes
}

const sample = (records: readonly WrittenRecord[], over: Partial<WrittenFlowSample> = {}): WrittenFlowSample => ({
  kind: 'flow',
  isExpanded: false,
  sequence: 1,
  sourceType: 0,
  sourceIndex: 3,
  samplingRate: 1,
  samplePool: 1,
  drops: 0,
  input: 3,
  output: 4,
  records,
  ...over,
})
const raw = (from: number, to: number, wireBytes = 102, strippedBytes = 4) =>
  rawHeader(1, wireBytes, strippedBytes, frame(from, to))

/** A collector and the table that it feeds. */
function collecting(filter?: Parameters<typeof createPacketFilter>[0], snapLength = 256) {
  const collector = new SFlowCollector(filter && createPacketFilter(filter), snapLength)
  const table = createFlowTable({ rawPacketLimit: 10, exporterAddress: 'switch' })
  const consume = table.consumer(SAMPLE_FORMAT)
  let sequence = 0
  const send = (samples: readonly (WrittenFlowSample | object)[], agent = AGENT) => {
    const written = { agent, subAgentId: 0, sequence: sequence++, uptimeMs: 1, samples: samples as readonly WrittenFlowSample[] }
    const bytes = writeSFlow(written)
    // Somewhere in a greater memory, as a receiver has it.
    const memory = new Uint8Array(bytes.length + 100)
    memory.set(bytes, 64)
    return collector.consume(new DataView(memory.buffer), 64, bytes.length, NOW_MS, consume)
  }
  const flows = (): readonly Flow[] => [...table.snapshot()].flat()
  return { collector, send, flows, table }
}

const counted = (flows: readonly Flow[]) =>
  flows.map(({ Network, Metric }) => [
    `${Network?.A} ${Network?.B}`,
    Metric!.ABPackets,
    Metric!.ABBytes,
    Metric!.BAPackets,
    Metric!.BABytes,
  ])

describe('samples', () => {
  test('become flows, each packet counted by its rate and with its length on the wire less what was taken off', () => {
    const { send, flows } = collecting()
    expect(send([sample([raw(1, 2)], { samplingRate: 100 }), sample([raw(2, 1)], { samplingRate: 100 })])).toBe(2)
    const [flow] = flows()
    expect(flow).toMatchObject({
      LayersPath: 'Ethernet/IPv4/ICMPv4',
      Link: { A: '02:00:00:00:00:01', B: '02:00:00:00:00:02' },
      Metric: { ABPackets: 100, ABBytes: 9800, BAPackets: 100, BABytes: 9800, Start: NOW_MS, Last: NOW_MS },
    })
  })

  test('of one datagram at several rates, with switch data before and two headers in one', () => {
    const { send, flows } = collecting()
    const switchData = { format: 1001, data: new Uint8Array(16) }
    const count = send([
      sample([switchData, raw(1, 2)], { samplingRate: 10 }),
      sample([raw(1, 2), raw(1, 3)], { samplingRate: 10, isExpanded: true }),
      sample([raw(1, 2)], { samplingRate: 7 }),
      sample([raw(1, 3), raw(1, 3), raw(1, 3)]),
    ])
    expect([count, counted(flows())]).toEqual([
      7,
      [
        ['10.0.0.1 10.0.0.2', 27, 27 * 98, 0, 0],
        ['10.0.0.1 10.0.0.3', 13, 13 * 98, 0, 0],
      ],
    ])
  })

  test('tell by which interfaces of the switch the first packet of a flow came and went', () => {
    const { send, flows } = collecting()
    send([
      sample([raw(1, 2)], { input: 3, output: 4 }),
      sample([raw(2, 1)], { input: 4, output: 3 }),
      // The head of the first packet is written over the sample that both lie in.
      sample([raw(1, 3), raw(1, 4)], { input: 5, output: 0x3ffffffe }),
      sample([{ format: 1001, data: new Uint8Array(16) }, raw(1, 5), raw(1, 6)], {
        isExpanded: true,
        input: 0x1000001,
        output: 0xfffffffe,
      }),
      sample([raw(1, 7)], { input: 0x3fffffff, output: 0x80000002 }),
    ])
    expect(flows().map(({ Network, Exporter: exporter }) => [Network!.B, exporter!.Input, exporter!.Output])).toEqual([
      ['10.0.0.2', 3, 4],
      ['10.0.0.3', 5, 0x3ffffffe],
      ['10.0.0.4', 5, 0x3ffffffe],
      ['10.0.0.5', 0x1000001, 0xfffffffe],
      ['10.0.0.6', 0x1000001, 0xfffffffe],
      ['10.0.0.7', 0, 0],
    ])
  })

  test.each([
    ['an IPv4 agent', AGENT],
    ['an IPv6 agent', new Uint8Array(16).fill(1)],
    ['an agent that says no address', new Uint8Array(0)],
  ])('of %s keep the bytes of their packets', (_, agent) => {
    const { send, flows, table } = collecting()
    send([sample([raw(1, 2)]), sample([raw(1, 2)]), sample([raw(2, 1)])], agent)
    const [flow] = flows()
    expect([...table.rawPackets().get(flow!.UUID)!].map(({ Data }) => [...Data])).toEqual(
      [frame(1, 2), frame(1, 2), frame(2, 1)].map((bytes) => [...bytes]),
    )
  })

  test('are cut to the snap length', () => {
    const { send, flows, table } = collecting(undefined, 42)
    send([sample([raw(1, 2)])])
    expect(table.rawPackets().get(flows()[0]!.UUID)![0]!.Data).toEqual(frame(1, 2).subarray(0, 42))
  })

  test('that the filter refuses are left out and counted', () => {
    // Byte 33, the last of the destination's address, must be 2.
    const { collector, send, flows } = collecting([
      { code: 0x30, jt: 0, jf: 0, k: 33 },
      { code: 0x15, jt: 0, jf: 1, k: 2 },
      { code: 6, jt: 0, jf: 0, k: 256 },
      { code: 6, jt: 0, jf: 0, k: 0 },
    ])
    send([sample([raw(1, 2)]), sample([raw(1, 3)])])
    expect(counted(flows())).toEqual([['10.0.0.1 10.0.0.2', 1, 98, 0, 0]])
    expect(collector.metadata()['Unused']).toEqual({ Filtered: 1 })
  })

  test('without a usable length count what was captured; headers of other protocols are counted', () => {
    const { collector, send, flows } = collecting()
    send([sample([raw(1, 2, 4, 4)]), sample([rawHeader(11, 100, 0, frame(1, 2).subarray(14))])])
    expect(counted(flows())).toEqual([['10.0.0.1 10.0.0.2', 1, 60, 0, 0]])
    expect(collector.metadata()['Unused']).toEqual({ ForeignHeaders: 1 })
    expect(collector.stats()).toEqual({ packetsReceived: 1, packetsDropped: 0, packetsIfDropped: 0 })
  })

  test('that are cut leave the ones before them', () => {
    const { collector, flows, table } = collecting()
    const bytes = writeSFlow({
      agent: AGENT,
      subAgentId: 0,
      sequence: 1,
      uptimeMs: 1,
      samples: [sample([raw(1, 2)]), sample([raw(1, 3)])],
    })
    const consume = table.consumer(SAMPLE_FORMAT)
    collector.consume(new DataView(bytes.buffer), 0, bytes.length - 8, NOW_MS, consume)
    expect(counted(flows())).toEqual([['10.0.0.1 10.0.0.2', 1, 98, 0, 0]])
    expect(collector.metadata()['Unused']).toEqual({ MalformedDatagrams: 1 })
  })
})

describe('what can not be used', () => {
  const HEAD = '00000005 00000001 0a000009 00000000 00000001 00000001'

  test.each<readonly [string, string, object]>([
    ['another version', '00000004 00000001 0a000009', { ForeignVersions: 1 }],
    ['a head that is cut', HEAD, { MalformedDatagrams: 1 }],
    ['a sample of an enterprise', `${HEAD} 00000001 00001001 00000004 00000000`, { UnknownSamples: 1 }],
    ['a sample without its head', `${HEAD} 00000001 00000001 00000004 00000009`, { TruncatedSamples: 1 }],
  ])('%s: counted by that cause and no other', (_, bytes, unused) => {
    const { collector, flows, table } = collecting()
    const datagram = hex(bytes)
    collector.consume(new DataView(datagram.buffer), 0, datagram.length, NOW_MS, table.consumer(SAMPLE_FORMAT))
    expect([flows(), collector.metadata()['Unused']]).toEqual([[], unused])
  })

  test('datagrams that were cut before they came here', () => {
    expect(collecting().collector.metadata(3)['Unused']).toEqual({ TruncatedDatagrams: 3 })
  })
})

describe('datagrams that lie one behind the other', () => {
  const written = fc.record({
    agent: fc.constantFrom(AGENT, new Uint8Array(16).fill(1), new Uint8Array(0)),
    samples: fc.array(
      fc.record({
        samplingRate: fc.constantFrom(1, 10),
        headers: fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })), { maxLength: 3 }),
        hasSwitchData: fc.boolean(),
        isExpanded: fc.boolean(),
        input: fc.nat(9),
        output: fc.integer({ min: 0x3ffffff0, max: 0x3fffffff }),
      }),
      { maxLength: 4 },
    ),
    gap: fc.nat(40),
  })

  test('make the flows that they make one by one, in fewer blocks', () => {
    fc.assert(
      fc.property(fc.array(written, { minLength: 1, maxLength: 8 }), (datagrams) => {
        const bytes = datagrams.map(({ agent, samples }, sequence) =>
          writeSFlow({
            ...{ agent, subAgentId: 0, sequence, uptimeMs: 1 },
            samples: samples.map(({ headers, hasSwitchData, ...over }) => {
              const records = headers.map(([from, to]) => raw(from, to))
              return sample([...(hasSwitchData ? [{ format: 1001, data: new Uint8Array(16) }] : []), ...records], over)
            }),
          }),
        )
        const memory = new Uint8Array(64 + bytes.reduce((sum, { length }, i) => sum + length + datagrams[i]!.gap, 0))
        const view = new DataView(memory.buffer)
        const flowsOf = (isOneByOne: boolean) => {
          const collector = new SFlowCollector(undefined, 256)
          const table = createFlowTable({ rawPacketLimit: 10, exporterAddress: 'switch' })
          const consume = table.consumer(SAMPLE_FORMAT)
          let blocks = 0
          const sink: typeof consume = (...block) => {
            blocks++
            return consume(...block)
          }
          let offset = 64
          const places = bytes.map((datagram, i) => {
            const at = offset
            memory.set(datagram, at)
            offset += datagram.length + datagrams[i]!.gap
            return at
          })
          places.forEach((at, i) => {
            if (isOneByOne) collector.consume(view, at, bytes[i]!.length, NOW_MS, sink)
            else collector.gather(view, at, bytes[i]!.length, NOW_MS, sink)
          })
          collector.flush()
          const raws = table.rawPackets()
          const flows = [...table.snapshot()].flat()
          const kept = flows.map(({ UUID }) => raws.get(UUID)?.map(({ Data }) => [...Data]))
          const interfaces = flows.map(({ Exporter: exporter }) => [exporter!.Input, exporter!.Output])
          return {
            blocks,
            told: { flows: counted(flows), interfaces, kept, metadata: collector.metadata(), stats: collector.stats() },
          }
        }
        const first = new Map<string, readonly number[]>()
        for (const { headers, input, output } of datagrams.flatMap(({ samples }) => samples)) {
          for (const ends of headers) {
            const key = [...ends].sort().join(' ')
            if (!first.has(key)) first.set(key, [input, output === 0x3fffffff ? 0 : output])
          }
        }
        const [one, together] = [flowsOf(true), flowsOf(false)]
        expect(one.told.interfaces).toEqual([...first.values()])
        expect(together.told).toEqual(one.told)
        expect(together.blocks).toBeLessThanOrEqual(one.blocks)
      }),
      { numRuns: 300 },
    )
  })
})

test('each block says whose samples it holds', () => {
  const collector = new SFlowCollector(undefined, 256)
  const memory = new Uint8Array(4096)
  const view = new DataView(memory.buffer)
  const blocks: [number, string | undefined][] = []
  const agents = [AGENT, AGENT, Uint8Array.of(10, 0, 0, 10), new Uint8Array(0), AGENT]
  agents.forEach((agent, i) => {
    const bytes = writeSFlow({ agent, subAgentId: 0, sequence: i, uptimeMs: 1, samples: [sample([raw(1, 2)])] })
    memory.set(bytes, i * 512)
    collector.gather(view, i * 512, bytes.length, NOW_MS, (buffer, offset, _length, _rate, _linkType, exporter) => {
      blocks.push([new DataView(buffer.buffer).getUint32(offset + 12, true), exporter])
    })
  })
  collector.flush()
  expect(blocks).toEqual([
    [2, '10.0.0.9'],
    [1, '10.0.0.10'],
    [1, ''],
    [1, '10.0.0.9'],
  ])
})

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
