import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import type { Flow } from '@skydive/contracts'
import fc from 'fast-check'
import protobuf from 'protobufjs'
import { flow } from '../../test/any-flow.ts'
import {
  decodeFlowJson,
  decodeFlowMessage,
  decodeFlowSet,
  decodeFlowStream,
  decodeTableQuery,
  decodeTableReply,
  encodeFlowJson,
  encodeFlowMessage,
  FlowStreamWriter,
  withoutRawPackets,
} from './index.ts'

// protobufjs reads flow.proto by itself: an implementation that shares nothing with ours but the schema.
const schema = protobuf.parse(readFileSync(join(import.meta.dirname, 'flow.proto'), 'utf8'), { keepCase: true }).root
const oracle = (name: string) => schema.lookupType(`flow.${name}`)

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

/** The same schema with two more fields in every message. */
const later = protobuf.parse(
  readFileSync(join(import.meta.dirname, 'flow.proto'), 'utf8').replace(
    /(message \w+ \{)/g,
    '$1 string laterText = 1990; int64 laterNumber = 1991;',
  ),
  { keepCase: true },
).root

/** A message with values for the two more fields in it and in all that it holds. */
function withLaterFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withLaterFields)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  const members = Object.entries(value).map(([name, member]) => [name, withLaterFields(member)])
  return { ...Object.fromEntries(members), laterText: 'later', laterNumber: 7 }
}

/** A message without what proto3 leaves out. */
function withoutZeros(value: unknown): object {
  const members = Object.entries(value as object).flatMap(([name, member]): [string, unknown][] => {
    if (member === 0 || member === '' || member === 'ETHERNET' || member === 'UNKNOWN') return []
    if (member instanceof Uint8Array) return member.length === 0 ? [] : [[name, member]]
    if (Array.isArray(member)) return [[name, member.map((item) => (typeof item === 'object' ? withoutZeros(item) : item))]]
    return [[name, typeof member === 'object' ? withoutZeros(member) : member]]
  })
  return Object.fromEntries(members)
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

  test('the bytes are those that protobufjs writes by flow.proto', () => {
    fc.assert(
      fc.property(flow, (one) => {
        const Message = oracle('Message')
        const expected = Message.encode(Message.fromObject({ Flows: [withoutZeros(withTimeParts(one))] })).finish()
        expect(Buffer.from(encodeFlowMessage({ Flows: [one] })).toString('hex')).toBe(Buffer.from(expected).toString('hex'))
      }),
    )
  })

  test('fields of a later version are skipped in every message', () => {
    fc.assert(
      fc.property(flow, (one) => {
        const Message = later.lookupType('flow.Message')
        const bytes = Message.encode(Message.fromObject(withLaterFields({ Flows: [withTimeParts(one)] }) as object)).finish()
        expect(decodeFlowMessage(bytes)).toEqual({ Flows: [one] })
      }),
    )
  })

  test.each<readonly [string, string, object]>([
    ['nothing', '', {}],
    ['a link', 'a201 00', { Link: { Protocol: 'ETHERNET', ID: 0 } }],
    ['a link of a protocol that is none', 'a201 02 0808', { Link: { Protocol: 'ETHERNET', ID: 0 } }],
    ['a transport', 'b201 00', { Transport: { Protocol: 'ETHERNET', A: 0, B: 0, ID: 0 } }],
    ['a transport of a protocol that is none', 'b201 02 0808', { Transport: { Protocol: 'ETHERNET', A: 0, B: 0, ID: 0 } }],
    ['ICMP', 'ba01 00', { ICMP: { Type: 'UNKNOWN' } }],
    ['ICMP of a type that is none', 'ba01 02 080d', { ICMP: { Type: 'UNKNOWN' } }],
    ['a metric', '8202 00', { Metric: { ABPackets: 0, ABBytes: 0, BAPackets: 0, BABytes: 0, Start: 0, Last: 0 } }],
    ['a metric of IP', 'ba02 00', { IPMetric: { Fragments: 0, FragmentErrors: 0 } }],
    ['a raw packet', 'a202 00', { LastRawPackets: [{ Timestamp: 0, Index: 0, Data: new Uint8Array(0), LinkType: 0 }] }],
    ['an exporter', 'e244 00', { Exporter: { Address: '', Input: 0, Output: 0 } }],
    ['a finish type that is none', 'e003 04', {}],
    ['a finish type below 0', 'e003 ffffffffffffffffff01', {}],
    ['a finish type of 0', 'e003 00', {}],
    ['DNS', 'ca3e 00', { DNS: {} }],
    ['DNS with flags that are not set', 'ca3e 02 1000', { DNS: { QR: false } }],
    ['DNS with a time that is empty', 'ca3e 03 920100', { DNS: { timestamp: '1970-01-01T00:00:00.000000Z' } }],
    ['DNS with an empty text in a list', 'ca3e 04 7a025200', { DNS: { answers: [{ TXTs: [''] }] } }],
  ])('a flow with %s, and the zero values of what is not told', (_title, hex, members) => {
    const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex')
    const zero = { UUID: '', Start: 0, Last: 0, ParentUUID: '', RawPacketsCaptured: 0 }
    expect(decodeFlowMessage(Uint8Array.from([0x0a, bytes.length, ...bytes]))).toStrictEqual({ Flows: [{ ...zero, ...members }] })
  })

  test('a flag of DNS that is not set is left out', () => {
    const dns = { ID: 1, QR: false, AA: true, TC: false }
    const bytes = encodeFlowMessage({ Flows: [{ UUID: '', Start: 0, Last: 0, ParentUUID: '', RawPacketsCaptured: 0, DNS: dns }] })
    expect(Buffer.from(bytes).toString('hex')).toBe('0a07ca3e0408012001')
  })

  test('of TCP all zero values but the TTLs', () => {
    const [read] = decodeFlowMessage(Uint8Array.of(0x0a, 3, 0xb2, 2, 0)).Flows
    const { TCPMetric: metric } = read!
    expect([Object.keys(metric!).length, new Set(Object.values(metric!)), metric!.ABSynTTL, metric!.BASynTTL]).toEqual([
      20,
      new Set([0]),
      undefined,
      undefined,
    ])
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

  const one: Flow = { UUID: 'a', Start: 1, Last: 2, ParentUUID: '', RawPacketsCaptured: 0 }
  const raw = { LastRawPackets: [{ Timestamp: 1, Index: 1, Data: Uint8Array.of(1), LinkType: 1 }] }
  const exporter = { Exporter: { Address: '192.0.2.1', Input: 1, Output: 2 } }
  test.each([
    ['neither raw packets nor an exporter', {}],
    ['raw packets', raw],
    ['an exporter', exporter],
    ['both', { ...raw, ...exporter }],
  ])('a flow with %s is written without them', (_title, more) => {
    const text = '{"UUID":"a","Start":1,"Last":2,"ParentUUID":"","RawPacketsCaptured":0}'
    expect([encodeFlowJson({ ...one, ...more }), withoutRawPackets({ ...one, ...more })]).toStrictEqual([text, one])
  })

  test('what JSON leaves out is empty or 0', () => {
    expect(decodeFlowJson({ Start: 1, Last: 2 })).toStrictEqual({ ...one, UUID: '' })
  })

  test('what is null in an extra layer stays so', () => {
    const DNS = { a: null, timestamp: null, answers: [null, { c_name: null }] }
    expect(decodeFlowJson({ ...one, DNS }).DNS).toEqual({ a: null, timestamp: null, answers: [null, { CNAME: null }] })
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
    [{ seconds: 1.9, nanos: 1.5 }, '1970-01-01T00:00:01.000000Z'],
    [{ seconds: -1, nanos: 1000 }, '1969-12-31T23:59:59.000001Z'],
    [{ seconds: '7', nanos: '8' }, '1970-01-01T00:00:07.000000008Z'],
    [{ seconds: 1, nanos: 999_999_999 }, '1970-01-01T00:00:01.999999999Z'],
    [{ seconds: 1, nanos: 1e9 }, '1970-01-01T00:00:01.000000Z'],
    // RFC 3339 has years of four digits, protobuf the years 1 to 9999.
    [{ seconds: -62_135_596_800 }, '0001-01-01T00:00:00.000000Z'],
    [{ seconds: -62_135_596_801 }, '1970-01-01T00:00:00.000000Z'],
    [{ seconds: 253_402_300_799 }, '9999-12-31T23:59:59.000000Z'],
    [{ seconds: 253_402_300_799.5 }, '9999-12-31T23:59:59.000000Z'],
    [{ seconds: 253_402_300_800 }, '1970-01-01T00:00:00.000000Z'],
  ])('a time of %j', (timestamp, text) => {
    expect(decodeFlowJson({ UUID: 'a', Start: 1, Last: 1, DNS: { timestamp } }).DNS?.timestamp).toBe(text)
  })

  test.each([
    [{ UUID: 'a', Start: 'x', Last: 1 }, 'flow: Start: Invalid input: expected number, received string'],
    [{ UUID: 'a', Start: 1.5, Last: 1 }, 'flow: Start: Invalid input: expected int, received number'],
    [{ UUID: 'a', Start: 1, Last: 1, Link: { Protocol: 'TOKENRING', ID: 0 } }, /^flow: Link\.Protocol: Invalid option: /],
    ['flow', 'flow: value: Invalid input: expected object, received string'],
    [{ UUID: 'a', Start: 1, Last: 1, DNS: 'x' }, 'flow: DNS: Invalid input: expected record, received string'],
    [{ UUID: 'a', Start: 1, Last: 1, FinishType: 4 }, 'flow: FinishType: Invalid input'],
  ])('%j is refused', (value, message) => {
    const told = typeof message === 'string' ? message : expect.stringMatching(message)
    expect(() => decodeFlowJson(value)).toThrow(expect.objectContaining({ code: 'ERR_DECODE', offset: 0, message: told }))
  })

  test('a layer that is nested without end is refused', () => {
    const nested = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`)
    const withDns = (DNS: unknown) => decodeFlowJson({ UUID: 'a', Start: 1, Last: 1, DNS })
    expect(withDns({ x: nested(60) }).DNS).toEqual({ x: nested(60) })
    expect(() => withDns({ x: nested(100_000) })).toThrow(expect.objectContaining({ code: 'ERR_DECODE' }))
  })
})

describe('the time of DNS', () => {
  const flowOf = (timestamp: string): Flow => ({
    ...{ UUID: 'a', Start: 1, Last: 1, ParentUUID: '', RawPacketsCaptured: 0 },
    DNS: { timestamp },
  })

  test.each([
    ['2019-06-06T03:40:24.620570Z', '2019-06-06T03:40:24.620570Z'],
    ['2019-06-06T03:40:24.620570001Z', '2019-06-06T03:40:24.620570001Z'],
    ['2019-06-06T03:40:24Z', '2019-06-06T03:40:24.000000Z'],
    ['2019-06-06T03:40:24.5Z', '2019-06-06T03:40:24.500000Z'],
    ['2019-06-06T05:40:24.5+02:00', '2019-06-06T03:40:24.500000Z'],
    ['1969-12-31T23:59:59.999999999Z', '1969-12-31T23:59:59.999999999Z'],
    ['0001-01-01T00:00:00.000000Z', '0001-01-01T00:00:00.000000Z'],
    ['9999-12-31T23:59:59.999999Z', '9999-12-31T23:59:59.999999Z'],
    ['yesterday', '1970-01-01T00:00:00.000000Z'],
  ])('%s travels as %s', (timestamp, read) => {
    expect(decodeFlowMessage(encodeFlowMessage({ Flows: [flowOf(timestamp)] })).Flows).toEqual([flowOf(read)])
  })
})
