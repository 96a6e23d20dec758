import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { readSFlowCounters, SFLOW_COUNTER, SFlowDecoder } from '../src/sflow/index.ts'
import { BytesWriter, hex } from './bytes-writer.ts'
import { rawHeader, type WrittenCounterSample, type WrittenFlowSample, writeSFlow } from './sflow-writer.ts'

const NUM_RUNS = Number(process.env['SKYDIVE_FUZZ_RUNS'] ?? 100_000)

/** What a datagram was decoded to, as plain values. */
function decode(bytes: Uint8Array) {
  const headers: object[] = []
  const counters: object[] = []
  const decoder = new SFlowDecoder({
    packetHeader(view, d) {
      headers.push({
        source: [d.sourceType, d.sourceIndex],
        sequence: d.sampleSequence,
        samplingRate: d.samplingRate,
        pool: d.samplePool,
        drops: d.drops,
        ports: [d.inputIndex, d.outputIndex],
        protocol: d.headerProtocol,
        lengths: [d.frameBytes, d.strippedBytes],
        header: [...new Uint8Array(view.buffer, view.byteOffset + d.headerOffset, d.headerBytes)],
      })
    },
    counters(view, d, format, offset, byteLength) {
      counters.push({
        source: [d.sourceType, d.sourceIndex],
        format,
        byteLength,
        values: readSFlowCounters(view, format, offset, byteLength),
      })
    },
  })
  // The view ends where the datagram ends: reading on would throw.
  decoder.decode(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.length)
  return { decoder, headers, counters, counts: decoder.counts }
}

const NOTHING = {
  datagrams: 1,
  flowSamples: 0,
  counterSamples: 0,
  packetHeaders: 0,
  counterRecords: 0,
  foreignVersions: 0,
  malformedDatagrams: 0,
  truncatedSamples: 0,
  unknownSamples: 0,
  skippedRecords: 0,
}

// By hand, after the specification: version, agent 10.0.0.1, sub-agent 0, datagram 7, up for 1000 ms, samples.
const HEAD = '00000005 00000001 0a000001 00000000 00000007 000003e8'
const FRAME = '020000000002 020000000001 0800 4500'
const RAW = `00000001 00000020 00000001 00000052 00000004 00000010 ${FRAME}`
const SWITCH = '000003e9 00000010 00000064 00000000 000000c8 00000000'

describe('sFlow datagrams', () => {
  test('a flow sample: 1 of 512 packets, from interface 3 to 4, behind switch data', () => {
    const sample = `00000009 00000003 00000200 00001388 00000002 00000003 00000004 00000002 ${SWITCH} ${RAW}`
    const { decoder, headers, counts } = decode(hex(`${HEAD} 00000001 00000001 ${length(sample)} ${sample}`))
    expect(headers).toEqual([
      {
        source: [0, 3],
        sequence: 9,
        samplingRate: 512,
        pool: 5000,
        drops: 2,
        ports: [3, 4],
        protocol: 1,
        lengths: [82, 4],
        header: [...hex(FRAME)],
      },
    ])
    expect(counts).toEqual({ ...NOTHING, flowSamples: 1, packetHeaders: 1, skippedRecords: 1 })
    expect([decoder.agentVersion, decoder.agentOffset, decoder.subAgentId, decoder.sequence, decoder.uptimeMs]).toEqual([
      4, 8, 0, 7, 1000,
    ])
  })

  test('an expanded flow sample: indices beyond 24 bits; the packet went to several interfaces', () => {
    const sample = `00000009 00000000 01000003 00000200 00001388 00000000 00000000 01000003 00000002 00000005 00000001 ${RAW}`
    const { headers } = decode(hex(`${HEAD} 00000001 00000003 ${length(sample)} ${sample}`))
    expect(headers).toMatchObject([{ source: [0, 0x1000003], ports: [0x1000003, 0], samplingRate: 512 }])
  })

  test.each([
    ['00000003', '00000000 00000003', 3],
    ['00000000', '00000000 00000000', 0],
    ['3ffffffe', '00000000 3ffffffe', 0x3ffffffe],
    ['3fffffff, the agent itself', '00000000 3fffffff', 0],
    ['40000001, dropped for a reason', '00000001 00000001', 0],
    ['80000002, several interfaces', '00000002 00000002', 0],
    ['ffffffff', '00000000 ffffffff', 0],
  ])('an interface of %s, or expanded %s, is %d', (compact, expanded, index) => {
    const [word] = compact.split(',')
    const both = [
      [1, `00000009 00000003 00000200 00001388 00000000 ${word} 00000004 00000001 ${RAW}`],
      [1, `00000009 00000003 00000200 00001388 00000000 00000004 ${word} 00000001 ${RAW}`],
      [3, `00000009 00000000 00000003 00000200 00001388 00000000 ${expanded} 00000000 00000004 00000001 ${RAW}`],
      [3, `00000009 00000000 00000003 00000200 00001388 00000000 00000000 00000004 ${expanded} 00000001 ${RAW}`],
    ] as const
    const ports = both.flatMap(([format, sample]) => {
      const { headers } = decode(hex(`${HEAD} 00000001 0000000${format} ${length(sample)} ${sample}`))
      return (headers as { ports: readonly number[] }[]).map((header) => header.ports)
    })
    expect(ports).toEqual([
      [index, 4],
      [4, index],
      [index, 4],
      [4, index],
    ])
  })

  test('counter samples: a generic interface, Ethernet, and a format of a vendor by its number', () => {
    const generic =
      '00000001 00000058 00000005 00000006 000000003b9aca00 00000001 00000003 0000000100000000 0000000a 0000000b 0000000c ' +
      '0000000d 0000000e 0000000f 00000000000003e8 00000010 00000011 00000012 00000013 00000014 00000000'
    const ethernet = `00000002 00000034 ${[...Array(13).keys()].map((n) => (n + 1).toString(16).padStart(8, '0')).join('')}`
    const vendor = '00123001 00000004 ffffffff'
    const sample = `00000001 00000005 00000003 ${generic} ${ethernet} ${vendor}`
    const { counters, counts } = decode(hex(`${HEAD} 00000001 00000002 ${length(sample)} ${sample}`))
    expect(counters).toEqual([
      {
        source: [0, 5],
        format: SFLOW_COUNTER.GENERIC_INTERFACE,
        byteLength: 88,
        values: {
          ifIndex: 5,
          ifType: 6,
          ifSpeed: 1_000_000_000,
          ifDirection: 1,
          ifStatus: 3,
          ifInOctets: 2 ** 32,
          ifInUcastPkts: 10,
          ifInMulticastPkts: 11,
          ifInBroadcastPkts: 12,
          ifInDiscards: 13,
          ifInErrors: 14,
          ifInUnknownProtos: 15,
          ifOutOctets: 1000,
          ifOutUcastPkts: 16,
          ifOutMulticastPkts: 17,
          ifOutBroadcastPkts: 18,
          ifOutDiscards: 19,
          ifOutErrors: 20,
          ifPromiscuousMode: 0,
        },
      },
      {
        source: [0, 5],
        format: SFLOW_COUNTER.ETHERNET_INTERFACE,
        byteLength: 52,
        values: {
          dot3StatsAlignmentErrors: 1,
          dot3StatsFCSErrors: 2,
          dot3StatsSingleCollisionFrames: 3,
          dot3StatsMultipleCollisionFrames: 4,
          dot3StatsSQETestErrors: 5,
          dot3StatsDeferredTransmissions: 6,
          dot3StatsLateCollisions: 7,
          dot3StatsExcessiveCollisions: 8,
          dot3StatsInternalMacTransmitErrors: 9,
          dot3StatsCarrierSenseErrors: 10,
          dot3StatsFrameTooLongs: 11,
          dot3StatsInternalMacReceiveErrors: 12,
          dot3StatsSymbolErrors: 13,
        },
      },
      { source: [0, 5], format: 0x123001, byteLength: 4, values: undefined },
    ])
    expect(counts).toEqual({ ...NOTHING, counterSamples: 1, counterRecords: 3 })
  })

  test.each([
    ['nothing', '', { malformedDatagrams: 1 }],
    ['version 4', '00000004 00000001 0a000001', { foreignVersions: 1 }],
    [
      'an agent of an unknown kind of address',
      '00000005 00000003 0a000001 00000000 00000000 00000000 00000000',
      { malformedDatagrams: 1 },
    ],
    ['a head that is cut', HEAD, { malformedDatagrams: 1 }],
    ['fewer samples than announced', `${HEAD} 00000002`, { malformedDatagrams: 1 }],
    ['a sample that leads out of the datagram', `${HEAD} 00000001 00000001 00000100 00000009`, { malformedDatagrams: 1 }],
    ['a sample of an enterprise', `${HEAD} 00000001 00001001 00000004 00000000`, { unknownSamples: 1 }],
    ['a sample without its head', `${HEAD} 00000001 00000001 00000004 00000009`, { flowSamples: 1, truncatedSamples: 1 }],
    [
      'a record that leads out of its sample, then a whole sample',
      `${HEAD} 00000002 00000002 00000014 00000001 00000005 00000001 00000001 00000058 00000002 0000000c 00000001 00000005 00000000`,
      { counterSamples: 2, truncatedSamples: 1 },
    ],
    [
      'a header longer than its record',
      `${HEAD} 00000001 00000001 00000038 00000009 00000003 00000001 00000000 00000000 00000000 00000000 00000001 00000001 00000010 00000001 00000052 00000004 00000080`,
      { flowSamples: 1, truncatedSamples: 1 },
    ],
  ])('%s', (_, bytes, counts) => {
    expect(decode(hex(bytes)).counts).toEqual({ ...NOTHING, ...counts })
  })

  test('a rate of 0 counts as 1', () => {
    const sample = `00000009 00000003 00000000 00000000 00000000 00000000 00000000 00000001 ${RAW}`
    expect(decode(hex(`${HEAD} 00000001 00000001 ${length(sample)} ${sample}`)).headers).toMatchObject([{ samplingRate: 1 }])
  })

  test('counters that are cut have no values', () => {
    expect(readSFlowCounters(new DataView(new ArrayBuffer(88)), SFLOW_COUNTER.GENERIC_INTERFACE, 0, 84)).toBeUndefined()
  })
})

const u32 = fc.nat(0xffffffff)
const index = fc.integer({ min: 0, max: 0xffffff })
const flowSample: fc.Arbitrary<WrittenFlowSample> = fc.record({
  kind: fc.constant('flow' as const),
  isExpanded: fc.boolean(),
  sequence: u32,
  sourceType: fc.nat(2),
  sourceIndex: index,
  samplingRate: fc.integer({ min: 1, max: 0xffffffff }),
  samplePool: u32,
  drops: u32,
  input: index,
  output: index,
  records: fc.array(
    fc
      .record({ frameBytes: u32, strippedBytes: u32, header: fc.uint8Array({ maxLength: 130 }) })
      .map(({ frameBytes, strippedBytes, header }) => rawHeader(1, frameBytes, strippedBytes, header)),
    { maxLength: 2 },
  ),
})
const counterSample: fc.Arbitrary<WrittenCounterSample> = fc.record({
  kind: fc.constant('counter' as const),
  isExpanded: fc.boolean(),
  sequence: u32,
  sourceType: fc.nat(2),
  sourceIndex: index,
  records: fc.array(
    fc.record({
      format: fc.constantFrom(3, 4, 1005, 0x123001),
      data: fc.array(u32, { maxLength: 8 }).map((words) => new BytesWriter().u32(...words).take()),
    }),
    { maxLength: 2 },
  ),
})
const datagram = fc.record({
  agent: fc.constantFrom(4, 16, 0).chain((length) => fc.uint8Array({ minLength: length, maxLength: length })),
  subAgentId: u32,
  sequence: u32,
  uptimeMs: u32,
  samples: fc.array(fc.oneof(flowSample, counterSample), { maxLength: 4 }),
})

test('what a switch writes is what is read', () => {
  fc.assert(
    fc.property(datagram, (written) => {
      const { headers, counters, counts } = decode(writeSFlow(written))
      const flows = written.samples.filter((sample) => sample.kind === 'flow')
      const polls = written.samples.filter((sample) => sample.kind === 'counter')
      expect(headers).toEqual(
        flows.flatMap((sample) =>
          sample.records.map(({ data }) => {
            const view = new DataView(data.buffer)
            return {
              source: [sample.sourceType, sample.sourceIndex],
              sequence: sample.sequence,
              samplingRate: sample.samplingRate,
              pool: sample.samplePool,
              drops: sample.drops,
              ports: [sample.input, sample.output],
              protocol: 1,
              lengths: [view.getUint32(4), view.getUint32(8)],
              header: [...data.subarray(16, 16 + view.getUint32(12))],
            }
          }),
        ),
      )
      expect(counters).toEqual(
        polls.flatMap((sample) =>
          sample.records.map(({ format, data }) => ({
            source: [sample.sourceType, sample.sourceIndex],
            format,
            byteLength: data.length,
            values: undefined,
          })),
        ),
      )
      expect(counts).toEqual({
        ...NOTHING,
        flowSamples: flows.length,
        counterSamples: polls.length,
        packetHeaders: headers.length,
        counterRecords: counters.length,
      })
    }),
    { numRuns: 500 },
  )
})

test('foreign bytes are read or counted, never anything else (fuzz)', () => {
  const seeds = fc.sample(datagram, { numRuns: 200, seed: 1 }).map(writeSFlow)
  const handed = { headers: 0, bytes: 0 }
  const decoder = new SFlowDecoder({
    packetHeader(view, { headerOffset, headerBytes }) {
      handed.headers++
      handed.bytes += headerBytes === 0 ? 0 : view.getUint8(headerOffset + headerBytes - 1)
    },
    counters(view, _, format, offset, byteLength) {
      if (readSFlowCounters(view, format, offset, byteLength) === undefined && byteLength > 0)
        view.getUint8(offset + byteLength - 1)
    },
  })
  let datagrams = 0
  fc.assert(
    fc.property(
      fc.nat(seeds.length - 1),
      fc.array(fc.tuple(fc.nat(400), fc.constantFrom(0, 1, 2, 3, 4, 5, 16, 0x7f, 0x80, 0xff)), { maxLength: 4 }),
      fc.nat(1000),
      (seed, mutations, cut) => {
        const bytes = Uint8Array.from(seeds[seed]!)
        for (const [at, value] of mutations) if (at < bytes.length) bytes[at] = value
        const byteLength = cut < 700 ? bytes.length : cut % (bytes.length + 1)
        decoder.decode(new DataView(bytes.buffer, 0, byteLength), 0, byteLength)
        datagrams++
      },
    ),
    { numRuns: NUM_RUNS },
  )
  expect([decoder.counts.datagrams, decoder.counts.packetHeaders]).toEqual([datagrams, handed.headers])
}, 3_600_000)

function length(text: string): string {
  return hex(text).length.toString(16).padStart(8, '0')
}
