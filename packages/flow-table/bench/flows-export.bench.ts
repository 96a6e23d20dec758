import { FlowStreamWriter } from '@skydive/protocol/flow'
import { type Figure, median } from '../../../bench/figures.ts'
import { createFlowTable, type FlowTable } from '../src/index.ts'
import { packetBlocks } from './generate-pcap.ts'

const FLOWS = 100_000
/** Enough that nearly every flow has a packet. */
const PACKETS = 1_000_000
const ROUNDS = 7

/** Flows a second of wall time that leave a table as protobuf in batches: from the columns, beside making objects and writing those. */
export const bench = {
  name: 'flows-export',
  run(): Figure[] {
    const table = filledTable()
    const writer = new FlowStreamWriter()
    const rates: { columns: number[]; objects: number[] } = { columns: [], objects: [] }
    for (let round = 0; round < ROUNDS; round++) {
      rates.columns.push(flowsPerSecond(table, () => [...table.snapshotAsProtobuf()]))
      rates.objects.push(flowsPerSecond(table, () => Array.from(table.snapshot(), (batch) => writer.encode(batch))))
    }
    const [value, peerValue] = [median(rates.columns), median(rates.objects)]
    const name = 'export of 100k flows as protobuf batches'
    return [{ name, value, unit: 'flows/s', peer: 'objects, then protobuf', peerValue, ratio: value / peerValue }]
  },
}

function filledTable(): FlowTable {
  const table = createFlowTable()
  const consume = table.consumer({ layout: { format: 'pcap', littleEndian: true, nanoseconds: false }, linkType: 1 })
  for (const block of packetBlocks(FLOWS, PACKETS)) consume(block, 0, block.length)
  return table
}

function flowsPerSecond(table: FlowTable, write: () => readonly Uint8Array[]): number {
  const start = performance.now()
  const bytes = write().reduce((sum, { length }) => sum + length, 0)
  const seconds = (performance.now() - start) / 1000
  if (bytes < table.size * 100) throw new Error(`${bytes} bytes are too few for ${table.size} flows: some were not written`)
  return table.size / seconds
}
