import { describe, expect, test } from '@jest/globals'
import type { FlowRecord } from '@skydive/contracts'
import { hex } from '../../packet/test/bytes-writer.ts'
import { fieldsOf, writeIpfix, writeRecord, writeSet, writeTemplate } from '../../packet/test/netflow-writer.ts'
import { NetflowCollector } from './index.ts'

const NOW_MS = 1_700_000_000_000
const OCTET = 85
const PACKET = 86

/** A message that defines a template and has one record of it. */
function ipfix(fields: string, values: readonly (number | Uint8Array)[], more: readonly Uint8Array[] = []): Uint8Array {
  const list = fieldsOf(fields)
  return writeIpfix({ exportSeconds: NOW_MS / 1000, sequence: 0, domainId: 7 }, [
    ...more,
    writeSet(2, writeTemplate(256, list)),
    writeSet(256, writeRecord(list, values)),
  ])
}

/** Each sender's address ends where the memory ends, as the last of a batch may lie. */
function collecting(takes = true) {
  const collector = new NetflowCollector()
  const records: FlowRecord[] = []
  const send = (datagram: Uint8Array, sender: readonly number[] = [192, 0, 2, 1]) => {
    const memory = new Uint8Array(datagram.length + sender.length)
    memory.set(datagram)
    memory.set(sender, datagram.length)
    const version = sender.length === 4 ? 4 : 6
    collector.consume(new DataView(memory.buffer), 0, datagram.length, version, datagram.length, NOW_MS, (record) => {
      records.push({ ...record, addresses: record.addresses.slice() })
      return takes
    })
  }
  return { collector, records, send }
}

const RECORD: FlowRecord = {
  observer: 1,
  exporterAddress: '192.0.2.1',
  inputIndex: 0,
  outputIndex: 0,
  isEgress: false,
  ipVersion: 4,
  addresses: Int32Array.of(0x0a000001, 0, 0, 0, 0x0a000002, 0, 0, 0),
  protocol: 6,
  sourcePort: 0,
  destinationPort: 0,
  icmpType: 0,
  icmpCode: 0,
  packets: 0,
  bytes: 0,
  reversePackets: 0,
  reverseBytes: 0,
  isTotal: false,
  startMs: NOW_MS,
  lastMs: NOW_MS,
  tcpFlags: 0,
  sourceMac: 0,
  destinationMac: 0,
  vlanId: 0,
}
const ENDS = [0x0a000001, 0x0a000002]

describe('a record', () => {
  test.each<readonly [string, string, readonly (number | Uint8Array)[], Partial<FlowRecord>]>([
    ['both ends alone', '4:1', [6], {}],
    [
      'ports and flags of TCP',
      '4:1 7:2 11:2 6:1',
      [6, 1024, 80, 0x1b],
      { sourcePort: 1024, destinationPort: 80, tcpFlags: 0x1b },
    ],
    ['flags of both ways', '4:1 6:1 6:1:29305', [6, 0x02, 0x10], { tcpFlags: 0x12 }],
    // A field of flags and one of ICMP in a template for all protocols say nothing of UDP.
    [
      'flags and ICMP of UDP',
      '4:1 7:2 11:2 6:1 32:2',
      [17, 9, 0x0301, 0x1b, 0x0800],
      { protocol: 17, sourcePort: 9, destinationPort: 0x0301 },
    ],
    ['ICMP in the port', '4:1 11:2', [1, 0x0301], { protocol: 1, destinationPort: 0x0301, icmpType: 3, icmpCode: 1 }],
    [
      'ICMP as one number, which goes before the port',
      '4:1 11:2 32:2',
      [1, 0x0301, 0x0b02],
      { protocol: 1, destinationPort: 0x0301, icmpType: 11, icmpCode: 2 },
    ],
    [
      'ICMP as two numbers, which go before one',
      '4:1 32:2 176:1 177:1',
      [1, 0x0b02, 5, 6],
      { protocol: 1, icmpType: 5, icmpCode: 6 },
    ],
    ['ICMP of version 6', '4:1 139:2', [58, 0x8107], { protocol: 58, icmpType: 129, icmpCode: 7 }],
    ['where it came in', '4:1 10:4 14:4 61:1', [6, 3, 4, 0], { inputIndex: 3, outputIndex: 4 }],
    ['where it went out', '4:1 10:4 14:4 61:1', [6, 3, 4, 1], { inputIndex: 3, outputIndex: 4, isEgress: true }],
    ['a direction that is none', '4:1 61:1', [6, 2], {}],
    [
      'MAC addresses and a VLAN',
      '4:1 56:6 80:6 58:2',
      [6, 2 ** 41 + 1, 2 ** 47 + 5, 9],
      {
        sourceMac: 2 ** 41 + 1,
        destinationMac: 2 ** 47 + 5,
        vlanId: 9,
      },
    ],
    ['times', '4:1 152:8 153:8', [6, NOW_MS - 5000, NOW_MS - 1000], { startMs: NOW_MS - 5000, lastMs: NOW_MS - 1000 }],
    ['counters', '4:1 2:4 1:4', [6, 3, 300], { packets: 3, bytes: 300 }],
    [
      'counters of both ways',
      '4:1 2:4 1:4 2:4:29305 1:4:29305',
      [6, 3, 300, 2, 200],
      { packets: 3, bytes: 300, reversePackets: 2, reverseBytes: 200 },
    ],
    ['totals', `4:1 ${PACKET}:4 ${OCTET}:4`, [6, 5, 500], { packets: 5, bytes: 500, isTotal: true }],
    ['a total of one packet', `4:1 ${PACKET}:4 ${OCTET}:4`, [6, 1, 60], { packets: 1, bytes: 60, isTotal: true }],
    ['a total of packets alone', `4:1 ${PACKET}:4`, [6, 5], { packets: 5, isTotal: true }],
    ['a total of bytes alone', `4:1 ${OCTET}:4`, [6, 500], { bytes: 500, isTotal: true }],
    ['a total of one byte', `4:1 ${OCTET}:4`, [6, 1], { bytes: 1, isTotal: true }],
    ['totals that are 0', `4:1 ${PACKET}:4 ${OCTET}:4`, [6, 0, 0], {}],
    ['totals beside counters', `4:1 2:4 1:4 ${PACKET}:4 ${OCTET}:4`, [6, 3, 300, 5, 500], { packets: 3, bytes: 300 }],
    ['totals beside packets', `4:1 2:4 1:4 ${PACKET}:4 ${OCTET}:4`, [6, 3, 0, 5, 500], { packets: 3 }],
    ['totals beside bytes', `4:1 2:4 1:4 ${PACKET}:4 ${OCTET}:4`, [6, 0, 300, 5, 500], { bytes: 300 }],
    [
      'totals beside counters that are 0',
      `4:1 2:4 1:4 ${PACKET}:4 ${OCTET}:4`,
      [6, 0, 0, 5, 500],
      {
        packets: 5,
        bytes: 500,
        isTotal: true,
      },
    ],
  ])('of %s', (_title, fields, values, over) => {
    const { records, send } = collecting()
    send(ipfix(`8:4 12:4 ${fields}`, [...ENDS, ...values]))
    expect(records).toEqual([{ ...RECORD, ...over }])
  })

  test('of version 6', () => {
    const { records, send } = collecting()
    const [from, to] = [hex('20010db8 00000001 00000002 00000003'), hex('20010db8 00000004 00000005 80000006')]
    send(ipfix('27:16 28:16 4:1', [from!, to!, 17]))
    expect(records).toEqual([
      {
        ...RECORD,
        ipVersion: 6,
        addresses: Int32Array.of(0x20010db8, 1, 2, 3, 0x20010db8, 4, 5, 0x80000006 | 0),
        protocol: 17,
      },
    ])
  })

  test('of a sampler: each counter is multiplied by its rate', () => {
    // Scope 302 (selectorId), of which 0 stands for all, then 305 and 306: one packet is taken, nine are left out.
    const options = hex('0003 0016 0101 0003 0001 012e 0004 0131 0004 0132 0004')
    const rate = hex('0101 0010 00000000 00000001 00000009')
    const { collector, records, send } = collecting()
    send(ipfix('8:4 12:4 4:1 2:4 1:4 2:4:29305 1:4:29305', [...ENDS, 6, 3, 300, 2, 200], [options, rate]))
    send(ipfix(`8:4 12:4 4:1 ${PACKET}:4 ${OCTET}:4`, [...ENDS, 6, 5, 500]))
    expect(records).toEqual([
      { ...RECORD, packets: 30, bytes: 3000, reversePackets: 20, reverseBytes: 2000 },
      { ...RECORD, packets: 50, bytes: 5000, isTotal: true },
    ])
    expect([collector.records, collector.metadata()]).toStrictEqual([
      2,
      {
        Datagrams: 2,
        Records: 2,
        Templates: 3,
        Lost: 0,
        Exporters: { '192.0.2.1': { ID: 1, Datagrams: 2, Records: 2, Lost: 0, SamplingRate: 10 } },
      },
    ])
  })

  test('that the sink does not take is counted as repeated', () => {
    const { collector, send } = collecting(false)
    send(ipfix('8:4 12:4 4:1', [...ENDS, 6]))
    expect(collector.metadata()['Unused']).toEqual({ RepeatedRecords: 1 })
  })
})

describe('exporters', () => {
  const v4 = [192, 0, 2, 1]
  const v6 = (...tail: readonly number[]) => [...hex('20010db8 00000001 00000002'), ...tail]
  const datagram = ipfix('8:4 12:4 4:1', [...ENDS, 6])

  test.each<readonly [string, readonly (readonly number[])[], readonly string[]]>([
    [
      'none whose address is 0',
      [
        [0, 0, 0, 0],
        [0, 0, 0, 0],
      ],
      ['0.0.0.0', '0.0.0.0'],
    ],
    [
      'each byte of version 4',
      [v4, [193, 0, 2, 1], [192, 1, 2, 1], [192, 0, 3, 1], [192, 0, 2, 2], v4],
      ['192.0.2.1', '193.0.2.1', '192.1.2.1', '192.0.3.1', '192.0.2.2', '192.0.2.1'],
    ],
    [
      'each word of version 6',
      [
        v6(0, 0, 0, 3),
        v6(0, 0, 0, 4),
        [...hex('20010db8 00000001 00000005 00000004')],
        [...hex('20010db8 00000006 00000005 00000004')],
        [...hex('20010db9 00000006 00000005 00000004')],
        [...hex('20010db9 00000006 00000005 00000004')],
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
      [v4, [...v4, ...new Array<number>(12).fill(0)], v4],
      ['192.0.2.1', 'c000:201::', '192.0.2.1'],
    ],
    [
      'version 4 after a longer one of version 6',
      [v6(0, 0, 0, 3), v4, v6(0, 0, 0, 3)],
      ['2001:db8:0:1:0:2:0:3', '192.0.2.1', '2001:db8:0:1:0:2:0:3'],
    ],
  ])('are told apart by %s', (_title, senders, names) => {
    const { records, send } = collecting()
    for (const sender of senders) send(datagram, sender)
    expect(records.map(({ exporterAddress }) => exporterAddress)).toEqual(names)
    const ids = [...new Set(names)]
    expect(records.map(({ observer }) => observer)).toEqual(names.map((name) => ids.indexOf(name) + 1))
  })
})
