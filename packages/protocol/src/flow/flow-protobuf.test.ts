import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import type { Filter, Flow, FlowMetric } from '@skydive/contracts'
import fc from 'fast-check'
import protobuf from 'protobufjs'
import {
  decodeFlowJson,
  decodeFlowMessage,
  decodeFlowSet,
  decodeFlowStream,
  decodeTableQuery,
  decodeTableReply,
  encodeFlowJson,
  encodeFlowMessage,
  encodeFlowSet,
  encodeTableQuery,
  encodeTableReply,
  FlowStreamWriter,
  formatTimestamp,
} from './index.ts'

// protobufjs reads flow.proto by itself: an implementation that shares nothing with ours but the schema.
const schema = protobuf.parse(readFileSync(join(import.meta.dirname, 'flow.proto'), 'utf8'), { keepCase: true }).root
const oracle = (name: string) => schema.lookupType(`flow.${name}`)

const count = fc.integer({ min: 0, max: 2 ** 48 })
const port = fc.integer({ min: 0, max: 65535 })
const metric: fc.Arbitrary<FlowMetric> = fc.record(
  {
    ABPackets: count,
    ABBytes: count,
    BAPackets: count,
    BABytes: count,
    Start: count,
    Last: count,
    RTT: fc.integer({ min: 1, max: 2 ** 40 }),
  },
  { requiredKeys: ['ABPackets', 'ABBytes', 'BAPackets', 'BABytes', 'Start', 'Last'] },
)
const text = fc.string({ minLength: 1, maxLength: 200, unit: 'grapheme' })
const soon = fc.integer({ min: 1, max: 2 ** 31 })
const words = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' })
const question = fc.record({ name: words, type: words, class: words }, { requiredKeys: [] })
const dnsRecord = fc.record(
  {
    name: words,
    type: words,
    class: words,
    TTL: soon,
    data_length: soon,
    IP: words,
    NS: words,
    CNAME: words,
    PTR: words,
    TXTs: fc.array(words, { minLength: 1, maxLength: 3 }),
    SOA: fc.record({ MName: words, RName: words, serial: soon, refresh: soon, retry: soon, expire: soon, minimum: soon }),
    SRV: fc.record({ priority: soon, weight: soon, port: soon, name: words }),
    MX: fc.record({ preference: soon, name: words }),
    OPT: fc.array(fc.record({ Code: words, Data: words }), { minLength: 1, maxLength: 2 }),
  },
  { requiredKeys: [] },
)
const records = fc.array(dnsRecord, { minLength: 1, maxLength: 2 })
const dns = fc.record(
  {
    ID: soon,
    QR: fc.constant(true),
    op_code: words,
    AA: fc.constant(true),
    TC: fc.constant(true),
    RD: fc.constant(true),
    RA: fc.constant(true),
    z: soon,
    response_code: words,
    QDCount: soon,
    ANCount: soon,
    NSCount: soon,
    ARCount: soon,
    questions: fc.array(question, { minLength: 1, maxLength: 2 }),
    answers: records,
    authorities: records,
    additionals: records,
    timestamp: fc
      .tuple(fc.integer({ min: 1, max: 4e9 }), fc.integer({ min: 0, max: 999_999_999 }))
      .map(([seconds, nanos]) => formatTimestamp(seconds, nanos)),
  },
  { requiredKeys: [] },
)
const dhcp = fc.record(
  { hardware_len: soon, hardware_opts: soon, xid: soon, secs: soon, flags: soon, server_name: words, file: words },
  { requiredKeys: [] },
)
const vrrp = fc.record(
  { version: soon, VirtualRtrID: soon, priority: soon, CountIPAddr: soon, adver_int: soon, checksum: soon },
  { requiredKeys: [] },
)
const flow = fc.record(
  {
    UUID: fc.stringMatching(/^[0-9a-f]{1,16}$/),
    LayersPath: text,
    Application: text,
    Link: fc.record(
      { Protocol: fc.constant('ETHERNET' as const), A: text, B: text, ID: count },
      { requiredKeys: ['Protocol', 'ID'] },
    ),
    Network: fc.record({ Protocol: fc.constantFrom('IPV4' as const, 'IPV6' as const), A: text, B: text, ID: count }),
    Transport: fc.record({
      Protocol: fc.constantFrom('TCP' as const, 'UDP' as const, 'SCTP' as const),
      A: port,
      B: port,
      ID: fc.constant(0),
    }),
    ICMP: fc.record(
      {
        Type: fc.constantFrom('ECHO' as const, 'UNKNOWN' as const, 'PACKET_TOO_BIG' as const),
        Code: fc.integer({ min: 1, max: 255 }),
        ID: fc.integer({ min: 1, max: 65535 }),
      },
      { requiredKeys: ['Type'] },
    ),
    LastUpdateMetric: metric,
    Metric: metric,
    IPMetric: fc.record({ Fragments: count, FragmentErrors: count }),
    Start: count,
    Last: count,
    TrackingID: text,
    L3TrackingID: text,
    ParentUUID: fc.constantFrom('', 'e43bcb2faaee0002'),
    NodeTID: text,
    CaptureID: text,
    RawPacketsCaptured: count,
    FinishType: fc.constantFrom(1 as const, 2 as const, 3 as const),
    LastRawPackets: fc.array(
      fc.record({ Timestamp: count, Index: count, Data: fc.uint8Array({ maxLength: 300 }), LinkType: fc.constantFrom(1, 228) }),
      { minLength: 1, maxLength: 3 },
    ),
    DHCPv4: dhcp,
    DNS: dns,
    VRRPv2: vrrp,
    Exporter: fc.record({ Address: text, Input: fc.nat(0xffffffff), Output: fc.nat(0xffffffff) }),
  },
  { requiredKeys: ['UUID', 'Start', 'Last', 'ParentUUID', 'RawPacketsCaptured'] },
) as fc.Arbitrary<Flow>

/** A flow whose DNS time is what protobuf has for it. */
function withTimeParts(one: Flow): Flow {
  if (one.DNS?.timestamp === undefined) return one
  const [seconds = '', fraction = ''] = one.DNS.timestamp.replace('Z', '').split('.')
  const parts = { seconds: Date.parse(`${seconds}Z`) / 1000, nanos: Number(fraction.padEnd(9, '0')) }
  return { ...one, DNS: { ...one.DNS, timestamp: parts as unknown as string } }
}

/** A flow without what proto3 leaves out, as protobufjs prints it. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, inner) => {
      if (inner === 0 || inner === '' || inner === 'ETHERNET' || inner === 'UNKNOWN') return undefined
      return key === 'Data' ? Buffer.from(Object.values(inner as Record<string, number>)).toString('base64') || undefined : inner
    }),
  )
}

describe('flow protobuf', () => {
  test('decoding gives back what was encoded, for any flow', () => {
    fc.assert(
      fc.property(fc.array(flow, { maxLength: 4 }), (flows) => {
        expect(decodeFlowMessage(encodeFlowMessage({ Flows: flows })).Flows).toEqual(flows)
        expect(decodeFlowStream(new FlowStreamWriter().encode(flows))).toEqual(flows)
      }),
    )
  })

  test('protobufjs reads the same values by flow.proto', () => {
    fc.assert(
      fc.property(flow, (one) => {
        const Message = oracle('Message')
        const read = Message.toObject(Message.decode(encodeFlowMessage({ Flows: [one] })), {
          longs: Number,
          enums: String,
          bytes: Array,
        })
        const { FinishType: finish, ...rest } = withTimeParts(one)
        const names = ['', 'TIMEOUT', 'TCP_FIN', 'TCP_RST']
        expect(plain(read['Flows'][0])).toEqual(plain({ ...rest, ...(finish && { FinishType: names[finish] }) }))
      }),
    )
  })

  test('what protobufjs writes is read', () => {
    const Message = oracle('Message')
    const bytes = Message.encode(
      Message.fromObject({
        Flows: [
          {
            UUID: 'a',
            Start: 1,
            Last: 2,
            TCPMetric: { ABSynStart: 5, ABSegmentSkippedBytes: -1, ABSynTTL: 64 },
            Transport: { Protocol: 'TCP', A: 1, B: 2 },
          },
        ],
        Stats: { CaptureID: 'c', FlowCount: 3, PacketsReceived: 9 },
      }),
    ).finish()
    const { Flows, Stats } = decodeFlowMessage(bytes)
    expect(Flows[0]).toMatchObject({
      UUID: 'a',
      TCPMetric: { ABSynStart: 5, ABSegmentSkippedBytes: -1, ABSynTTL: 64, BASawEnd: 0 },
    })
    expect(Stats).toEqual({
      CaptureID: 'c',
      FlowCount: 3,
      FlowDropped: 0,
      KernelFlowDropped: 0,
      PacketsDropped: 0,
      PacketsReceived: 9,
    })
  })

  test('statistics and the batch id travel with a message', () => {
    const message = {
      Flows: [],
      Stats: { CaptureID: 'c', FlowCount: 1, FlowDropped: 2, KernelFlowDropped: 3, PacketsDropped: 4, PacketsReceived: 5 },
      Batch: { Origin: 'alpha:1', Sequence: 7 },
    }
    expect(decodeFlowMessage(encodeFlowMessage(message))).toEqual(message)
  })

  test('a set tells the smallest start and the greatest end', () => {
    const base = { UUID: 'a', ParentUUID: '', RawPacketsCaptured: 0 }
    const set = decodeFlowSet(
      encodeFlowSet([
        { ...base, Start: 5, Last: 9 },
        { ...base, Start: 3, Last: 4 },
      ]),
    )
    expect([set.Start, set.End, set.Flows.length]).toEqual([3, 9, 2])
    expect(decodeFlowSet(encodeFlowSet([]))).toEqual({ Flows: [], Start: 0, End: 0 })
  })

  test('foreign bytes are decoded or refused with ERR_DECODE, never anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        for (const decode of [decodeFlowMessage, decodeFlowSet, decodeFlowStream, decodeTableQuery, decodeTableReply]) {
          try {
            decode(bytes)
          } catch (error) {
            expect(error).toMatchObject({ code: 'ERR_DECODE' })
          }
        }
      }),
      { numRuns: 500 },
    )
  })

  test('a filter nested without end is refused', () => {
    let filter: Filter = {}
    for (let depth = 0; depth < 100; depth++) filter = { BoolFilter: { Op: 2, Filters: [filter] } }
    const query = encodeTableQuery({ Type: 'SearchQuery', Query: { Filter: filter } })
    expect(() => decodeTableQuery(query)).toThrow(expect.objectContaining({ code: 'ERR_DECODE' }))
  })

  test('a table query keeps its filter tree', () => {
    const query = {
      Type: 'SearchQuery',
      Query: {
        Filter: {
          BoolFilter: {
            Op: 1 as const,
            Filters: [
              { TermStringFilter: { Key: 'NodeTID', Value: 'x' } },
              { GtInt64Filter: { Key: 'Metric.ABBytes', Value: -5 } },
              {
                BoolFilter: {
                  Op: 2 as const,
                  Filters: [{ NullFilter: { Key: 'Link' } }, { TermBoolFilter: { Key: 'a', Value: true } }],
                },
              },
              { RegexFilter: { Key: 'Application', Value: '^D' } },
              { IPV4RangeFilter: { Key: 'Network.A', Value: '10.0.0.0/8' } },
              { IPV6RangeFilter: { Key: 'Network.A', Value: '2001:db8::/32' } },
            ],
          },
        },
        PaginationRange: { From: 0, To: 10 },
        Sort: true,
        SortBy: 'Last',
        SortOrder: 2 as const,
        Dedup: true,
        DedupBy: 'TrackingID',
      },
    }
    expect(decodeTableQuery(encodeTableQuery(query))).toEqual(query)
    const TableQuery = oracle('TableQuery')
    expect(TableQuery.toObject(TableQuery.decode(encodeTableQuery(query)), { longs: Number })).toMatchObject({
      Type: 'SearchQuery',
    })
  })

  test('a table reply keeps its sets, empty ones too', () => {
    const reply = { Status: 200, FlowSetBytes: [Uint8Array.of(1, 2), new Uint8Array(0)] }
    expect(decodeTableReply(encodeTableReply(reply))).toEqual(reply)
  })
})

describe('flow JSON', () => {
  test('a round trip loses nothing but raw packets and the exporter', () => {
    fc.assert(
      fc.property(flow, (one) => {
        const { LastRawPackets: _, Exporter: __, ...rest } = one
        expect(decodeFlowJson(JSON.parse(encodeFlowJson(one)))).toEqual(rest)
      }),
    )
  })

  test('extra layers are read in the spelling of the state after the release, too', () => {
    const base = { UUID: 'a', Start: 1, Last: 2, ParentUUID: '', RawPacketsCaptured: 0 }
    const read = decodeFlowJson({
      ...base,
      DNS: {
        op_code: 'Query',
        q_d_count: 1,
        a_n_count: 2,
        n_s_count: 3,
        a_r_count: 4,
        answers: [{ name: 'a', c_name: 'b', SOA: { m_name: 'm', r_name: 'r' }, OPT: [{ code: 'Cookie', data: '00' }] }],
        timestamp: { seconds: 1_559_792_424, nanos: 620_570_000 },
      },
      VRRPv2: { virtual_rtrID: 7, count_ipaddr: 1, version: 2 },
    })
    expect(read).toEqual({
      ...base,
      DNS: {
        op_code: 'Query',
        QDCount: 1,
        ANCount: 2,
        NSCount: 3,
        ARCount: 4,
        answers: [{ name: 'a', CNAME: 'b', SOA: { MName: 'm', RName: 'r' }, OPT: [{ Code: 'Cookie', Data: '00' }] }],
        timestamp: '2019-06-06T03:40:24.620570Z',
      },
      VRRPv2: { VirtualRtrID: 7, CountIPAddr: 1, version: 2 },
    })
  })

  test.each([
    [{}, '1970-01-01T00:00:00.000000Z'],
    [{ seconds: 1e300, nanos: -1 }, '1970-01-01T00:00:00.000000Z'],
    [{ seconds: 1, nanos: 5 }, '1970-01-01T00:00:01.000000005Z'],
  ])('a time of %j', (timestamp, text) => {
    expect(decodeFlowJson({ UUID: 'a', Start: 1, Last: 1, DNS: { timestamp } }).DNS?.timestamp).toBe(text)
  })

  test.each([
    [{ UUID: 'a', Start: 'x', Last: 1 }, /^flow: Start: /],
    [{ UUID: 'a', Start: 1, Last: 1, Link: { Protocol: 'TOKENRING', ID: 0 } }, /^flow: Link\.Protocol: /],
    ['flow', /^flow: value: /],
  ])('%j is refused', (value, message) => {
    expect(() => decodeFlowJson(value)).toThrow(
      expect.objectContaining({ code: 'ERR_DECODE', message: expect.stringMatching(message) }),
    )
  })
})
