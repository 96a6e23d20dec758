import { describe, expect, test } from '@jest/globals'
import type { Flow } from '@skydive/contracts'
import { createRecordTable } from '@skydive/flow-table/records'
import { hex } from '../../packet/test/bytes-writer.ts'
import { fieldsOf, writeIpfix, writeRecord, writeSet, writeTemplate } from '../../packet/test/netflow-writer.ts'
import { NetflowCollector } from './index.ts'

const NOW_MS = 1_700_000_000_000

/** A collector and the table that it feeds; datagrams come from 192.0.2.<last>. */
function collecting(limits = {}) {
  const collector = new NetflowCollector(limits)
  const table = createRecordTable()
  const send = (datagram: Uint8Array, last = 1) => {
    const memory = new Uint8Array(datagram.length + 32)
    memory.set([192, 0, 2, last], 4)
    memory.set(datagram, 32)
    collector.consume(new DataView(memory.buffer), 32, datagram.length, 4, 4, NOW_MS, (record) => table.consume(record, NOW_MS))
  }
  const flows = (): readonly Flow[] => [...table.snapshot()].flat()
  return { collector, send, flows }
}

const ipfix = (fields: string, ...rows: readonly (readonly (number | Uint8Array)[])[]) => {
  const list = fieldsOf(fields)
  const records = rows.map((row) => writeRecord(list, row))
  const data = Uint8Array.from(records.flatMap((record) => [...record]))
  return writeIpfix({ exportSeconds: NOW_MS / 1000, sequence: 0, domainId: 7 }, [
    writeSet(2, writeTemplate(256, list)),
    writeSet(256, data),
  ])
}
const counters = ({ Metric: metric }: Flow) => [metric!.ABPackets, metric!.ABBytes, metric!.BAPackets, metric!.BABytes]

const half = (value: number) => value.toString(16).padStart(4, '0')
const word = (value: number) => value.toString(16).padStart(8, '0')
/** A message of IPFIX of a domain, of sets in hexadecimal. */
const message = (domain: string, sets: string) => `000a ${half(16 + hex(sets).length)} 6553f100 00000000 ${domain} ${sets}`
/** One that defines records of a counter of packets. */
const template = (domain: string, id: string) => message(domain, `0002 000c ${id} 0001 0002 0004`)
/** One with a record of a template that nobody defined. */
const DATA = message('00000007', '0100 0008 00000001')

describe('records of exporters', () => {
  test('both directions of NetFlow 5 are one flow, counts multiplied by the sampling rate', () => {
    const { send, flows } = collecting()
    const one =
      '0a000001 0a000002 00000000 0003 0004 0000000a 000003e8 00015f90 000182b8 d431 0050 00 1b 06 00 00000000 1810 0000'
    const back =
      '0a000002 0a000001 00000000 0004 0003 00000008 00000320 00015f90 000182b8 0050 d431 00 1b 06 00 00000000 1810 0000'
    send(hex(`0005 0002 000186a0 6553f100 00000000 00000000 0000 4064 ${one} ${back}`))
    expect(flows()).toEqual([
      expect.objectContaining({
        Application: 'TCP',
        Network: { Protocol: 'IPV4', A: '10.0.0.1', B: '10.0.0.2', ID: 0 },
        Transport: { Protocol: 'TCP', A: 54321, B: 80, ID: 0 },
        Metric: {
          ABPackets: 1000,
          ABBytes: 100_000,
          BAPackets: 800,
          BABytes: 80_000,
          Start: NOW_MS - 10_000,
          Last: NOW_MS - 1000,
        },
        FinishType: 2,
      }),
    ])
  })

  test.each([
    [
      'in the place of the port',
      '8:4 12:4 4:1 2:4 1:4 11:2',
      [1, 2, 1, 3, 30, 0x0303],
      { Type: 'DESTINATION_UNREACHABLE', Code: 3 },
    ],
    ['as one number', '8:4 12:4 4:1 2:4 1:4 32:2', [1, 2, 1, 3, 30, 0x0800], { Type: 'ECHO' }],
    ['as two', '8:4 12:4 4:1 2:4 1:4 176:1 177:1', [1, 2, 1, 3, 30, 11, 1], { Type: 'TIME_EXCEEDED', Code: 1 }],
    [
      'of version 6',
      '27:16 28:16 4:1 2:4 1:4 139:2',
      [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2), 58, 3, 30, 0x8000],
      { Type: 'ECHO' },
    ],
  ] as const)('type and code of ICMP %s', (_, fields, row, icmp) => {
    const { send, flows } = collecting()
    send(ipfix(fields, row))
    expect(flows().map((flow) => flow.ICMP)).toEqual([icmp])
  })

  test('a biflow, MAC addresses and a VLAN', () => {
    const { send, flows } = collecting()
    send(
      ipfix(
        '8:4 12:4 4:1 7:2 11:2 2:4 1:4 2:4:29305 1:4:29305 56:6 80:6 58:2',
        [1, 2, 17, 9, 53, 3, 300, 2, 200, 0x020000000001, 0x020000000002, 5],
      ),
    )
    const [flow] = flows()
    expect([counters(flow!), flow?.Link]).toEqual([
      [3, 300, 2, 200],
      { Protocol: 'ETHERNET', A: '02:00:00:00:00:01', B: '02:00:00:00:00:02', ID: 5 },
    ])
  })

  test('totals replace what came before', () => {
    const { send, flows } = collecting()
    const fields = '8:4 12:4 4:1 7:2 11:2 86:4 85:4'
    send(ipfix(fields, [1, 2, 17, 9, 53, 3, 300], [1, 2, 17, 9, 53, 5, 500]))
    expect(flows().map(counters)).toEqual([[5, 500, 0, 0]])
  })

  test('of two exporters are two flows, and each exporter is told of', () => {
    const { collector, send, flows } = collecting()
    const datagram = ipfix('8:4 12:4 4:1 2:4 1:4', [1, 2, 47, 3, 300])
    send(datagram, 1)
    send(datagram, 2)
    send(hex('0001'), 3)
    expect(flows()).toHaveLength(2)
    expect(collector.metadata()).toEqual({
      Datagrams: 3,
      Records: 2,
      Templates: 2,
      Lost: 0,
      Exporters: {
        '192.0.2.1': { ID: 1, Datagrams: 1, Records: 1, Lost: 0, SamplingRate: 1 },
        '192.0.2.2': { ID: 2, Datagrams: 1, Records: 1, Lost: 0, SamplingRate: 1 },
      },
      Unused: { ForeignVersions: 1 },
    })
  })

  test('that no flow is made of are counted by their cause', () => {
    const { collector, send, flows } = collecting()
    send(ipfix('4:1 2:4 1:4', [6, 3, 300]))
    // The same packets where they come in at one interface and where they go out at another.
    send(ipfix('8:4 12:4 4:1 2:4 1:4 10:4 14:4 61:1', [1, 2, 47, 3, 300, 7, 8, 0], [1, 2, 47, 3, 300, 7, 8, 1]))
    expect(flows().map(({ Exporter: exporter, ...flow }) => [exporter, counters(flow)])).toEqual([
      [{ Address: '192.0.2.1', Input: 7, Output: 8 }, [3, 300, 0, 0]],
    ])
    expect(collector.metadata()['Unused']).toEqual({ RecordsWithoutAddresses: 1, RepeatedRecords: 1 })
  })

  test.each<readonly [string, object, readonly string[], object]>([
    ['datagrams of no known version', {}, ['0008 0001'], { ForeignVersions: 1 }],
    ['a set that leads out of its message', {}, ['000a 0014 00000000 00000000 00000007 0100 0008'], { MalformedSets: 1 }],
    [
      'a template of a reserved number',
      {},
      ['000a 001c 00000000 00000000 00000007 0002 000c 00ff 0001 0008 0004'],
      { RefusedTemplates: 1 },
    ],
    [
      'templates beyond their number',
      { maxTemplates: 1 },
      [template('00000007', '0100'), template('00000007', '0101'), template('00000007', '0102')],
      { EvictedTemplates: 2 },
    ],
    [
      'domains beyond their number',
      { maxDomains: 1 },
      [template('00000007', '0100'), template('00000008', '0100')],
      { EvictedDomains: 1 },
    ],
    [
      'records without a template, of which those beyond the room are given up',
      { maxHeldSets: 2 },
      [DATA, DATA, DATA, DATA, DATA],
      { UnknownTemplateSets: 5, DroppedSets: 3 },
    ],
  ])('%s: counted by that cause and no other', (_, limits, datagrams, unused) => {
    const { collector, send, flows } = collecting(limits)
    for (const datagram of datagrams) send(hex(datagram))
    expect([flows(), collector.metadata()['Unused']]).toEqual([[], unused])
  })

  test('samplers beyond the room of a domain, and datagrams that were cut before they came here', () => {
    const { collector, send } = collecting()
    // An options template: scope is the sampler, then its interval; 257 samplers in one set.
    const options = '0003 0012 0100 0002 0001 012e 0004 0131 0004'
    send(hex(message('00000007', options)))
    const rows = Array.from({ length: 257 }, (_, id) => `${word(id)} 00000064`).join(' ')
    send(hex(message('00000007', `0100 ${half(4 + 257 * 8)} ${rows}`)))
    expect(collector.metadata(3)['Unused']).toEqual({ RefusedSamplers: 1, TruncatedDatagrams: 3 })
  })

  test('a flood of exporters shows the last ones', () => {
    const { collector, send } = collecting({ maxExporters: 100 })
    const datagram = ipfix('8:4 12:4 4:1 2:4 1:4', [1, 2, 47, 3, 300])
    for (let last = 0; last < 200; last++) send(datagram, last)
    const { Exporters: exporters, Unused: unused } = collector.metadata()
    expect([Object.keys(exporters as object).length, unused]).toEqual([64, { EvictedExporters: 100 }])
  })
})
