import { type Figure, median } from '../../../bench/figures.ts'
import { FIELD, NetflowDecoder } from '../src/netflow/index.ts'
import { SFlowDecoder } from '../src/sflow/index.ts'
import { BytesWriter } from '../test/bytes-writer.ts'
import { fieldsOf, writeIpfix, writeNetflow9, writeRecord, writeSet, writeTemplate } from '../test/netflow-writer.ts'
import { rawHeader, type WrittenFlowSample, writeSFlow } from '../test/sflow-writer.ts'

// What it costs to read datagrams: without flows, which the benches of the collectors add.

const ROUNDS = 7
const RECORDS_A_ROUND = 2_000_000
const SAMPLES = 7
const RECORDS = 28
const NOW_MS = 1_700_000_000_000

/** Millions a second of what one call of `decode` reads `each` of. */
function rate(each: number, decode: (turn: number) => void): number {
  const rates: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    // CPU time, because other programs may have the core for a while.
    const before = process.cpuUsage()
    for (let turn = 0; turn < RECORDS_A_ROUND / each; turn++) decode(turn)
    const { user, system } = process.cpuUsage(before)
    rates.push(RECORDS_A_ROUND / (user + system))
  }
  return median(rates)
}

function sflow(): Figure {
  const sample: WrittenFlowSample = {
    kind: 'flow',
    isExpanded: false,
    sequence: 1,
    sourceType: 0,
    sourceIndex: 3,
    samplingRate: 512,
    samplePool: 1,
    drops: 0,
    input: 3,
    output: 4,
    records: [{ format: 1001, data: new Uint8Array(16) }, rawHeader(1, 1518, 4, new Uint8Array(128))],
  }
  const agent = Uint8Array.of(10, 0, 0, 1)
  const bytes = writeSFlow({ agent, subAgentId: 0, sequence: 1, uptimeMs: 1, samples: Array(SAMPLES).fill(sample) })
  const view = new DataView(bytes.buffer)
  let sum = 0
  const decoder = new SFlowDecoder({
    packetHeader: (_, { frameBytes, samplingRate }) => {
      sum += frameBytes * samplingRate
    },
    counters: () => {},
  })
  const value = rate(SAMPLES, () => decoder.decode(view, 0, bytes.length))
  if (sum === 0) throw new Error('no sample was read')
  return { name: 'sFlow samples with headers of 128 bytes', value, unit: 'M/s' }
}

function netflow(name: string, datagrams: readonly Uint8Array[]): Figure {
  let bytes = 0
  const decoder = new NetflowDecoder({
    record: ({ values }) => {
      bytes += values[FIELD.BYTES]!
    },
  })
  const views = datagrams.map((datagram) => new DataView(datagram.buffer))
  const value = rate(RECORDS, (turn) => {
    const view = views[turn === 0 ? 0 : 1]!
    decoder.decode(view, 0, view.byteLength, '10.0.0.1', NOW_MS)
  })
  if (bytes === 0) throw new Error('no record was read')
  return { name, value, unit: 'M/s' }
}

/** The fields of a router's usual template: a template, then datagrams of records. */
function templated(version: 9 | 10): readonly Uint8Array[] {
  const fields = fieldsOf(
    version === 9
      ? '8:4 12:4 15:4 10:4 14:4 2:4 1:4 22:4 21:4 7:2 11:2 6:1 4:1 5:1 16:2 17:2 9:1 13:1'
      : '8:4 12:4 15:4 10:4 14:4 2:8 1:8 152:8 153:8 7:2 11:2 6:1 4:1 5:1 16:4 17:4 9:1 13:1',
  )
  const values = [1, 2, 0, 3, 4, 10, 1000, NOW_MS - 2000, NOW_MS, 1024, 80, 0x1b, 6, 0, 1, 2, 24, 24]
  if (version === 9) values.splice(7, 2, 1000, 2000)
  const records = new BytesWriter()
  for (let i = 0; i < RECORDS; i++) records.bytes(writeRecord(fields, values))
  const data = writeSet(256, records.take())
  const define = writeSet(version === 9 ? 0 : 2, writeTemplate(256, fields))
  return [[define, data], [data]].map((sets) =>
    version === 9
      ? writeNetflow9({ count: RECORDS, uptimeMs: 5000, exportSeconds: NOW_MS / 1000, sequence: 1, sourceId: 1 }, sets)
      : writeIpfix({ exportSeconds: NOW_MS / 1000, sequence: 1, domainId: 1 }, sets),
  )
}

function version5(): readonly Uint8Array[] {
  const writer = new BytesWriter()
    .u16(5, RECORDS)
    .u32(5000, NOW_MS / 1000, 0, 1)
    .u16(0, 0)
  for (let i = 0; i < RECORDS; i++) {
    writer.u32(1, 2, 0).u16(3, 4).u32(10, 1000, 1000, 2000).u16(1024, 80).u8(0, 0x1b, 6, 0).u16(1, 2).u8(24, 24).u16(0)
  }
  const bytes = writer.take()
  return [bytes, bytes]
}

export const bench = {
  name: 'datagrams',
  run: async (): Promise<Figure[]> => [
    sflow(),
    netflow('NetFlow 5 records', version5()),
    netflow('NetFlow 9 records of 18 fields', templated(9)),
    netflow('IPFIX records of 18 fields', templated(10)),
  ],
}
