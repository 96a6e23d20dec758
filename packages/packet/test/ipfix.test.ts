import { describe, expect, test } from '@jest/globals'
import { BytesWriter, hex } from './bytes-writer.ts'
import { ip, join, NOW_MS, NOW_S, reading } from './netflow-reading.ts'
import {
  fieldsOf,
  type WrittenField,
  writeIpfix,
  writeOptionsTemplate,
  writeRecord,
  writeSet,
  writeTemplate,
} from './netflow-writer.ts'

describe('IPFIX', () => {
  // The example of RFC 7011, appendix A: a template of five elements and three records.
  const TEMPLATE = '0002 001c 0100 0005 0008 0004 000c 0004 000f 0004 0002 0004 0001 0004'
  const DATA =
    '0100 0040 c000020c c00002fe c0000201 00001391 00518c81 c000021b c0000217 c0000202 000002ec 0005ef46 ' +
    'c0000238 c0000241 c0000203 00000005 00001986'
  const message = (length: string, sequence: string, sets: string) => hex(`000a ${length} 6553f100 ${sequence} 00000007 ${sets}`)
  const times = { START_MS: NOW_MS, END_MS: NOW_MS, from: 'r/7' }
  const rfc = [
    { source: [ip(192, 0, 2, 12)], destination: [ip(192, 0, 2, 254)], PACKETS: 5009, BYTES: 5_344_385, ...times },
    { source: [ip(192, 0, 2, 27)], destination: [ip(192, 0, 2, 23)], PACKETS: 748, BYTES: 388_934, ...times },
    { source: [ip(192, 0, 2, 56)], destination: [ip(192, 0, 2, 65)], PACKETS: 5, BYTES: 6534, ...times },
  ]

  test('the example of RFC 7011, appendix A', () => {
    const { read, counts } = reading()
    expect(read(message('006c', '00000000', `${TEMPLATE} ${DATA}`))).toEqual(rfc)
    expect(counts()).toEqual({ datagrams: 1, records: 3, templates: 1 })
  })

  test('the options of RFC 7011, appendix A.4: elements of a line card are no flow', () => {
    const { read, counts } = reading()
    const options = '0003 0018 0102 0003 0001 008d 0004 0029 0002 002a 0002 0000'
    const records = '0102 0014 00000001 0159 2710 00000002 0298 0dac'
    expect(read(message('003c', '00000000', `${options} ${records}`))).toEqual([])
    expect(counts()).toEqual({ datagrams: 1, optionsRecords: 2, templates: 1 })
  })

  test('data that come before their template wait for it, for a while', () => {
    const { read, counts } = reading({ maxHeldMs: 1000 })
    expect(read(message('0050', '00000000', DATA))).toEqual([])
    expect(counts()).toEqual({ datagrams: 1, unknownTemplateSets: 1 })
    expect(read(message('002c', '00000003', TEMPLATE))).toEqual(rfc)

    const late = reading({ maxHeldMs: 1000 })
    late.read(message('0050', '00000000', DATA))
    expect(late.read(message('002c', '00000003', TEMPLATE), 'r', NOW_MS + 1001)).toEqual([])
    expect(late.counts()).toMatchObject({ templates: 1, droppedSets: 1 })
  })

  test('sets beyond what may wait are dropped and counted', () => {
    const { read, counts, decoder } = reading({ maxHeldSets: 2 })
    for (let i = 0; i < 5; i++) read(message('0050', '00000000', DATA))
    expect(counts()).toMatchObject({ unknownTemplateSets: 5, droppedSets: 3 })
    expect(decoder.memoryBytes).toBe(120)
    const { read: readSmall, counts: countsSmall } = reading({ maxHeldBytes: 100 })
    for (let i = 0; i < 3; i++) readSmall(message('0050', '00000000', DATA))
    expect(countsSmall()).toMatchObject({ unknownTemplateSets: 3, droppedSets: 2 })
  })

  test('templates are those of their exporter and domain', () => {
    const { read, counts } = reading()
    read(message('002c', '00000000', TEMPLATE))
    expect(read(message('0050', '00000000', DATA), 'another')).toEqual([])
    expect(read(hex(`000a 0050 6553f100 00000000 00000008 ${DATA}`))).toEqual([])
    expect(counts()).toMatchObject({ unknownTemplateSets: 2 })
  })

  test.each([
    ['one template', '0002 0008 0100 0000'],
    ['all templates', '0002 0008 0002 0000'],
  ])('a withdrawal of %s', (_, withdrawal) => {
    const { read, counts } = reading()
    read(message('002c', '00000000', TEMPLATE))
    read(message('0018', '00000000', withdrawal))
    expect(read(message('0050', '00000000', DATA))).toEqual([])
    expect(counts()).toMatchObject({ withdrawals: 1, unknownTemplateSets: 1 })
  })

  test('a withdrawal of all options templates leaves the others', () => {
    const { read, counts } = reading()
    read(message('002c', '00000000', TEMPLATE))
    read(message('0018', '00000000', '0003 0008 0003 0000'))
    expect(read(message('0050', '00000000', DATA))).toEqual(rfc)
    expect(counts()).toMatchObject({ withdrawals: 1 })
  })

  test('a template that comes again changes nothing; a new one of the same number replaces it', () => {
    const { read, counts, decoder } = reading()
    read(message('002c', '00000000', TEMPLATE))
    const bytes = decoder.memoryBytes
    read(message('002c', '00000000', TEMPLATE))
    expect([counts()['templates'], decoder.memoryBytes]).toEqual([1, bytes])
    const fields: WrittenField[] = [[2, 8]]
    const sets = [writeSet(2, writeTemplate(256, fields)), writeSet(256, writeRecord(fields, [77]))]
    expect(read(writeIpfix({ exportSeconds: NOW_S, sequence: 3, domainId: 7 }, sets))).toEqual([{ PACKETS: 77, ...times }])
  })

  test('fields of variable length, short and long, around those that count', () => {
    const fields = fieldsOf('82:v 27:16 96:v 28:16 1:v 12:4:9')
    const six = (last: number) => Uint8Array.from({ length: 16 }, (_, i) => (i === 0 ? 0xfd : i === 15 ? last : 0))
    const record = writeRecord(fields, [new Uint8Array(3), six(1), new Uint8Array(300), six(2), 5000, 9])
    const { read, counts } = reading()
    const sets = [writeSet(2, writeTemplate(300, fields)), writeSet(300, join(record, record))]
    const expected = { source: [0xfd000000, 0, 0, 1], destination: [0xfd000000, 0, 0, 2], BYTES: 5000, ...times }
    expect(read(writeIpfix({ exportSeconds: NOW_S, sequence: 0, domainId: 7 }, sets))).toEqual([expected, expected])
    expect(counts()).toEqual({ datagrams: 1, records: 2, templates: 1 })
  })

  test('a biflow has counts of both ways (RFC 5103)', () => {
    const fields = fieldsOf('1:8 2:8 1:8:29305 2:4:29305 6:1:29305')
    const sets = [writeSet(2, writeTemplate(256, fields)), writeSet(256, writeRecord(fields, [2 ** 33, 10, 500, 5, 2]))]
    expect(reading().read(writeIpfix({ exportSeconds: NOW_S, sequence: 0, domainId: 7 }, sets))).toEqual([
      { BYTES: 2 ** 33, PACKETS: 10, REVERSE_BYTES: 500, REVERSE_PACKETS: 5, REVERSE_TCP_FLAGS: 2, ...times },
    ])
  })

  test('a template for both versions of IP, one of which is zero', () => {
    const fields = fieldsOf('8:4 12:4 27:16 28:16')
    const both = writeTemplate(256, fields)
    const reversed = writeTemplate(257, fields.toReversed())
    const zeros = new Uint8Array(16)
    const sets = [
      writeSet(2, join(both, reversed)),
      writeSet(256, writeRecord(fields, [1, 2, zeros, zeros])),
      writeSet(257, writeRecord(fields.toReversed(), [zeros, zeros, 2, 1])),
    ]
    const expected = { source: [1], destination: [2], ...times }
    expect(reading().read(writeIpfix({ exportSeconds: NOW_S, sequence: 0, domainId: 7 }, sets))).toEqual([expected, expected])
  })

  const NTP = new BytesWriter().u32(NOW_S - 10 + 2_208_988_800, 0x80000000).take()
  test.each<[string, readonly WrittenField[], (number | Uint8Array)[], [number, number]]>([
    ['seconds', fieldsOf('150:4 151:4'), [NOW_S - 10, NOW_S - 5], [-10_000, -5000]],
    ['milliseconds', fieldsOf('152:8 153:8'), [NOW_MS - 1500, NOW_MS - 1], [-1500, -1]],
    ['NTP time stamps', fieldsOf('154:8 157:8'), [NTP, NTP], [-9500, -9500]],
    ['differences in µs', fieldsOf('158:4 159:4'), [2_000_000, 1000], [-2000, -1]],
    ['an end and a duration', fieldsOf('153:8 161:4'), [NOW_MS - 100, 900], [-1000, -100]],
    ['a start and a duration in µs', fieldsOf('152:8 162:4'), [NOW_MS - 1000, 900_000], [-1000, -100]],
    ['uptimes and the time of the start', fieldsOf('22:4 21:4 160:8'), [5000, 6000, NOW_MS - 10_000], [-5000, -4000]],
    ['uptimes alone, of which nothing can be made', fieldsOf('22:4 21:4'), [5000, 6000], [0, 0]],
  ])('times as %s', (_, fields, values, [start, end]) => {
    const sets = [writeSet(2, writeTemplate(256, fields)), writeSet(256, writeRecord(fields, values))]
    const [flow] = reading().read(writeIpfix({ exportSeconds: NOW_S, sequence: 0, domainId: 7 }, sets))
    expect(flow).toMatchObject({ START_MS: NOW_MS + start, END_MS: NOW_MS + end })
  })

  test('the time of the start may come as an option', () => {
    const options = fieldsOf('144:4 160:8')
    const fields = fieldsOf('22:4 21:4')
    const sets = [
      writeSet(3, writeOptionsTemplate(257, 1, options)),
      writeSet(257, writeRecord(options, [1, NOW_MS - 10_000])),
      writeSet(2, writeTemplate(256, fields)),
      writeSet(256, writeRecord(fields, [5000, 6000])),
    ]
    expect(reading().read(writeIpfix({ exportSeconds: NOW_S, sequence: 0, domainId: 7 }, sets))).toMatchObject([
      { START_MS: NOW_MS - 5000, END_MS: NOW_MS - 4000 },
    ])
  })

  const PROBABILITY = new Uint8Array(new Float64Array([0.25]).buffer).reverse()
  test.each<[string, readonly WrittenField[], (number | Uint8Array)[], number]>([
    ['an interval', fieldsOf('34:4'), [512], 512],
    ['packets and a space between them', fieldsOf('305:4 306:4'), [1, 999], 1000],
    ['a sample of a population', fieldsOf('309:4 310:4'), [2, 100], 50],
    ['a probability', fieldsOf('311:8'), [PROBABILITY], 4],
    ['nothing', fieldsOf('1:4'), [9], 1],
  ])('a sampling rate told by %s, in the record and as an option', (_, telling, values, samplingRate) => {
    const fields = [...fieldsOf('2:4'), ...telling]
    const inRecord = [writeSet(2, writeTemplate(256, fields)), writeSet(256, writeRecord(fields, [1, ...values]))]
    const head = { exportSeconds: NOW_S, sequence: 0, domainId: 7 }
    expect(reading().read(writeIpfix(head, inRecord))[0]?.['samplingRate'] ?? 1).toBe(samplingRate)

    const options = [...fieldsOf('302:2'), ...telling]
    const plain = fieldsOf('2:4 302:2')
    const asOption = [
      writeSet(3, writeOptionsTemplate(258, 1, options)),
      writeSet(258, writeRecord(options, [6, ...values])),
      writeSet(2, writeTemplate(256, plain)),
      writeSet(256, join(writeRecord(plain, [1, 6]), writeRecord(plain, [1, 5]))),
    ]
    const rates = reading()
      .read(writeIpfix(head, asOption))
      .map((record) => record['samplingRate'] ?? 1)
    expect(rates).toEqual([samplingRate, 1])
  })

  test.each([
    ['what was sent before, with options', [0, 4, 8, 12]],
    ['what was sent before, without options', [0, 3, 6, 9]],
    ['what was sent with it, and options', [4, 8, 12, 16]],
    ['what was sent with it, without options', [3, 6, 9, 12]],
  ])('nothing is lost when the sequence counts %s', (_, sequences) => {
    const { read, counts } = reading()
    const options = '0003 0018 0102 0003 0001 008d 0004 0029 0002 002a 0002 0000 0102 000c 00000001 0159 2710'
    for (const sequence of sequences)
      read(message('0090', sequence.toString(16).padStart(8, '0'), `${TEMPLATE} ${options} ${DATA}`))
    expect(counts()).toMatchObject({ records: 12, optionsRecords: 4 })
    expect(counts()['lost']).toBeUndefined()
  })

  test('lost records are counted', () => {
    const { read, counts } = reading()
    for (const sequence of ['00000000', '00000003', '0000000c', '0000000f'])
      read(message('006c', sequence, `${TEMPLATE} ${DATA}`))
    expect(counts()['lost']).toBe(6)
  })
})
