import { describe, expect, test } from '@jest/globals'
import { INFORMATION_ELEMENT_NUMBERS, INFORMATION_ELEMENTS } from '../src/netflow/index.ts'
import { hex } from './bytes-writer.ts'
import { ip, join, NOW_MS, NOW_S, reading } from './netflow-reading.ts'
import {
  fieldsOf,
  writeIpfix,
  writeNetflow9,
  writeOptionsTemplate9,
  writeRecord,
  writeSet,
  writeTemplate,
} from './netflow-writer.ts'

describe('NetFlow 5', () => {
  // By hand: version, 2 records, up for 100,000 ms, seconds, ns, sequence 10, engine 1/2, one of 100 packets.
  const head = (count: string, sequence: string) => `0005 ${count} 000186a0 6553f100 1dcd6500 ${sequence} 01 02 4064`
  const record =
    '0a000001 0a000002 0a0000fe 0003 0004 0000000a 000003e8 00015f90 000182b8 d431 0050 00 1b 06 08 fde8 fde9 18 10 0000'

  test('two records, with times of the clock and a sampling rate', () => {
    const { read, counts } = reading()
    const expected = {
      BYTES: 1000,
      PACKETS: 10,
      PROTOCOL: 6,
      SOURCE_PORT: 54321,
      DESTINATION_PORT: 80,
      TCP_FLAGS: 0x1b,
      TYPE_OF_SERVICE: 8,
      INPUT_INDEX: 3,
      OUTPUT_INDEX: 4,
      START_MS: NOW_MS + 500 - 10_000,
      END_MS: NOW_MS + 500 - 1000,
      source: [ip(10, 0, 0, 1)],
      destination: [ip(10, 0, 0, 2)],
      samplingRate: 100,
      from: 'r/258',
    }
    expect(read(hex(`${head('0002', '0000000a')} ${record} ${record}`))).toEqual([expected, expected])
    expect(counts()).toEqual({ datagrams: 1, records: 2 })
  })

  test('lost records are counted by the sequence, once; late and restarted ones are not', () => {
    const { read, decoder } = reading()
    for (const sequence of ['0000000a', '0000000e', '0000000b', '00000010', '00f00000', '00f00002']) {
      read(hex(`${head('0002', sequence)} ${record} ${record}`))
    }
    // 12 was expected and 14 came; 11 came late; 16 was expected and came; then the exporter started anew.
    expect([decoder.counts.lost, decoder.exporters()]).toEqual([
      2,
      [{ name: 'r', id: 1, datagrams: 6, records: 12, lost: 2, samplingRate: 100 }],
    ])
  })

  test('times around the moment at which the uptime starts anew', () => {
    const { read } = reading()
    // Up for 16 ms since the wrap, the flow lasted from 16 ms before it to 8 ms after it.
    const [flow] = read(
      hex(`0005 0001 00000010 6553f100 00000000 00000000 0000 0000 ${record.replace('00015f90 000182b8', 'fffffff0 00000008')}`),
    )
    expect(flow).toMatchObject({ START_MS: NOW_MS - 32, END_MS: NOW_MS - 8 })
  })

  test('a datagram that announces more than it holds', () => {
    const { read, counts } = reading()
    expect(read(hex(`${head('0003', '00000000')} ${record}`))).toHaveLength(1)
    expect(counts()).toEqual({ datagrams: 1, records: 1, malformedSets: 1 })
  })
})

describe('NetFlow 9', () => {
  const head = { count: 2, uptimeMs: 100_000, exportSeconds: NOW_S, sequence: 1, sourceId: 3 }

  test('the layout of RFC 3954, by hand: a template, two records and padding', () => {
    const { read, counts } = reading()
    const flows = read(
      hex(
        '0009 0003 000186a0 6553f100 00000001 00000003 ' +
          '0000 0028 0100 0008 0008 0004 000c 0004 0007 0002 000b 0002 0004 0001 0002 0004 0016 0004 0015 0004 ' +
          '0100 0038 0a000001 0a000002 d431 0050 06 00000005 00015f90 000182b8 ' +
          '0a000003 0a000004 0035 0035 11 00000001 000182b8 000182b8 0000',
      ),
    )
    const both = { from: 'r/3', END_MS: NOW_MS - 1000 }
    expect(flows).toEqual([
      {
        source: [ip(10, 0, 0, 1)],
        destination: [ip(10, 0, 0, 2)],
        SOURCE_PORT: 54321,
        DESTINATION_PORT: 80,
        PROTOCOL: 6,
        PACKETS: 5,
        START_UPTIME_MS: 90_000,
        END_UPTIME_MS: 99_000,
        START_MS: NOW_MS - 10_000,
        ...both,
      },
      {
        source: [ip(10, 0, 0, 3)],
        destination: [ip(10, 0, 0, 4)],
        SOURCE_PORT: 53,
        DESTINATION_PORT: 53,
        PROTOCOL: 17,
        PACKETS: 1,
        START_UPTIME_MS: 99_000,
        END_UPTIME_MS: 99_000,
        START_MS: NOW_MS - 1000,
        ...both,
      },
    ])
    expect(counts()).toEqual({ datagrams: 1, records: 2, templates: 1 })
  })

  test('options of a sampler by its number, whose scope is no element', () => {
    const fields = fieldsOf('48:1 50:4')
    const plain = fieldsOf('2:4 48:1')
    const sets = [
      writeSet(1, writeOptionsTemplate9(257, [[1, 4]], fields)),
      writeSet(257, writeRecord([[1, 4], ...fields], [0xffffffff, 2, 64])),
      writeSet(0, writeTemplate(256, plain)),
      writeSet(256, writeRecord(plain, [9, 2])),
    ]
    const { read, counts, decoder } = reading()
    expect(read(writeNetflow9(head, sets))).toMatchObject([{ PACKETS: 9, samplingRate: 64 }])
    expect(counts()).toEqual({ datagrams: 1, records: 1, optionsRecords: 1, templates: 2 })
    expect(decoder.exporters()).toMatchObject([{ samplingRate: 64 }])
  })

  test('an interval for all packets of the exporter', () => {
    const options = fieldsOf('34:4 35:1')
    const sets = [
      writeSet(1, writeOptionsTemplate9(257, [[1, 4]], options)),
      writeSet(257, writeRecord([[1, 4], ...options], [0, 100, 1])),
      writeSet(0, writeTemplate(256, [[2, 4]])),
      writeSet(256, writeRecord([[2, 4]], [9])),
    ]
    expect(reading().read(writeNetflow9(head, sets))).toMatchObject([{ PACKETS: 9, samplingRate: 100 }])
  })

  test('lost datagrams are counted', () => {
    const { read, counts } = reading()
    for (const sequence of [1, 2, 5]) read(writeNetflow9({ ...head, sequence }, []))
    expect(counts()).toEqual({ datagrams: 3, lost: 2 })
  })
})

describe('what can not be used', () => {
  test.each([
    ['nothing', '', { foreignVersions: 1 }],
    ['version 8', '0008 0001', { foreignVersions: 1 }],
    ['a head that is cut', '000a 0010 00000000', { malformedSets: 1 }],
    ['an IPFIX message longer than its datagram', '000a 0014 00000000 00000000 00000000', { malformedSets: 1 }],
    ['a set that leads out', '000a 0014 00000000 00000000 00000000 0100 0008', { malformedSets: 1 }],
    ['a set shorter than its head', '000a 0014 00000000 00000000 00000000 0100 0003', { malformedSets: 1 }],
    ['a set of a reserved number', '000a 0014 00000000 00000000 00000000 00ff 0004', { malformedSets: 1 }],
    ['a template that is cut', '000a 001c 00000000 00000000 00000000 0002 000c 0100 0002 0008 0004', { malformedSets: 1 }],
    [
      'a template of a reserved number',
      '000a 001c 00000000 00000000 00000000 0002 000c 00ff 0001 0008 0004',
      { refusedTemplates: 1 },
    ],
    ['records of no length', '000a 001c 00000000 00000000 00000000 0002 000c 0100 0001 00d2 0000', { refusedTemplates: 1 }],
    ['more scopes than fields', '000a 001e 00000000 00000000 00000000 0003 000e 0100 0001 0002 0008 0004', { malformedSets: 1 }],
    ['an enterprise that is cut', '000a 001c 00000000 00000000 00000000 0002 000c 0100 0001 8008 0004', { malformedSets: 1 }],
    ['a withdrawal of a reserved number', '000a 0018 00000000 00000000 00000000 0002 0008 0064 0000', { refusedTemplates: 1 }],
  ])('%s', (_, bytes, counts) => {
    const { read, counts: counted } = reading()
    expect(read(hex(bytes))).toEqual([])
    expect(counted()).toEqual({ datagrams: 1, ...counts })
  })

  test('a record of variable length that leads out of its set', () => {
    const fields = fieldsOf('2:4 82:v')
    const body = join(writeRecord(fields, [1, new Uint8Array(2)]), hex('00000002 ff 0100 0000'))
    const { read, counts } = reading()
    const sets = [writeSet(2, writeTemplate(256, fields)), writeSet(256, body, false)]
    expect(read(writeIpfix({ exportSeconds: NOW_S, sequence: 0, domainId: 7 }, sets))).toMatchObject([{ PACKETS: 1 }])
    expect(counts()).toEqual({ datagrams: 1, records: 1, templates: 1, malformedSets: 1 })
  })

  test('a field longer than a number can be is skipped', () => {
    const fields = fieldsOf('2:9 8:3 1:4')
    const sets = [
      writeSet(2, writeTemplate(256, fields)),
      writeSet(256, writeRecord(fields, [new Uint8Array(9).fill(1), new Uint8Array(3).fill(1), 7])),
    ]
    const [flow] = reading().read(writeIpfix({ exportSeconds: NOW_S, sequence: 0, domainId: 7 }, sets))
    expect(flow).toEqual({ BYTES: 7, START_MS: NOW_MS, END_MS: NOW_MS, from: 'r/7' })
  })
})

test("names of elements and their numbers are each other's inverse", () => {
  expect([...INFORMATION_ELEMENTS].every(([number, name]) => INFORMATION_ELEMENT_NUMBERS.get(name) === number)).toBe(true)
  expect([8, 12, 61, 96, 136, 160, 176, 210, 236, 246, 311, 352].map((number) => INFORMATION_ELEMENTS.get(number))).toEqual([
    'sourceIPv4Address',
    'destinationIPv4Address',
    'flowDirection',
    'applicationName',
    'flowEndReason',
    'systemInitTimeMilliseconds',
    'icmpTypeIPv4',
    'paddingOctets',
    'VRFname',
    'dot1qCustomerPriority',
    'samplingProbability',
    'layer2OctetDeltaCount',
  ])
})
