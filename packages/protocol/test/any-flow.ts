import { FLOW_PROTOCOLS, type Flow, type FlowMetric, ICMP_TYPES, type TcpMetric } from '@skydive/contracts'
import fc from 'fast-check'
import { formatTimestamp } from '../src/flow/index.ts'

const count = fc.integer({ min: 0, max: 2 ** 48 })
const port = fc.integer({ min: 0, max: 65535 })
/** A member of a TCPMetric may be below 0: bytes that were skipped are not known then. */
const signed = fc.integer({ min: -(2 ** 48), max: 2 ** 48 })
const ttl = fc.integer({ min: 1, max: 255 })
const tcpMetric: fc.Arbitrary<TcpMetric> = fc.record(
  {
    ABSynStart: signed,
    BASynStart: signed,
    ABSynTTL: ttl,
    BASynTTL: ttl,
    ABFinStart: signed,
    BAFinStart: signed,
    ABRstStart: signed,
    BARstStart: signed,
    ABSegmentOutOfOrder: signed,
    ABSegmentSkipped: signed,
    ABSegmentSkippedBytes: signed,
    ABPackets: signed,
    ABBytes: signed,
    ABSawStart: signed,
    ABSawEnd: signed,
    BASegmentOutOfOrder: signed,
    BASegmentSkipped: signed,
    BASegmentSkippedBytes: signed,
    BAPackets: signed,
    BABytes: signed,
    BASawStart: signed,
    BASawEnd: signed,
  },
  {
    requiredKeys: [
      ...(['ABSynStart', 'BASynStart', 'ABFinStart', 'BAFinStart', 'ABRstStart', 'BARstStart'] as const),
      ...(['ABSegmentOutOfOrder', 'ABSegmentSkipped', 'ABSegmentSkippedBytes', 'ABPackets', 'ABBytes'] as const),
      ...(['ABSawStart', 'ABSawEnd', 'BASegmentOutOfOrder', 'BASegmentSkipped', 'BASegmentSkippedBytes'] as const),
      ...(['BAPackets', 'BABytes', 'BASawStart', 'BASawEnd'] as const),
    ],
  },
)
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
/** Any flow that the codecs give back as it was. */
export const flow = fc.record(
  {
    UUID: fc.stringMatching(/^[0-9a-f]{1,16}$/),
    LayersPath: text,
    Application: text,
    Link: fc.record(
      { Protocol: fc.constant('ETHERNET' as const), A: text, B: text, ID: count },
      { requiredKeys: ['Protocol', 'ID'] },
    ),
    Network: fc.record({ Protocol: fc.constantFrom(...FLOW_PROTOCOLS), A: text, B: text, ID: count }),
    Transport: fc.record({
      Protocol: fc.constantFrom(...FLOW_PROTOCOLS),
      A: port,
      B: port,
      ID: count,
    }),
    ICMP: fc.record(
      {
        Type: fc.constantFrom(...ICMP_TYPES),
        Code: fc.integer({ min: 1, max: 255 }),
        ID: fc.integer({ min: 1, max: 65535 }),
      },
      { requiredKeys: ['Type'] },
    ),
    LastUpdateMetric: metric,
    Metric: metric,
    TCPMetric: tcpMetric,
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
