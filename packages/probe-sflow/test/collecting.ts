import type { Flow } from '@skydive/contracts'
import { createFlowTable } from '@skydive/flow-table'
import { createPacketFilter } from '@skydive/packet'
import { rawHeader, type WrittenFlowSample, type WrittenRecord, writeSFlow } from '../../packet/test/sflow-writer.ts'
import { SAMPLE_FORMAT, SFlowCollector } from '../src/index.ts'

/** When datagrams come, ms since the epoch. */
export const NOW_MS = 1_700_000_000_123
/** The address of the agent that sends unless another is said. */
export const AGENT = Uint8Array.of(10, 0, 0, 9)

/** An ICMP echo from 10.0.0.<from> to 10.0.0.<to>. */
export function frame(from: number, to: number): Uint8Array {
  const bytes = new Uint8Array(60)
  bytes.set([2, 0, 0, 0, 0, to, 2, 0, 0, 0, 0, from, 8, 0, 0x45, 0, 0, 84, 0, 0, 0, 0, 64, 1, 0, 0, 10, 0, 0, from, 10, 0, 0, to])
  bytes.set([from < to ? 8 : 0, 0, 0, 0, 0, 7, 0, 1], 34)
  return bytes
}

/** A flow sample of one packet in one, that came by interface 3 and left by 4, but for what `over` says. */
export const sample = (records: readonly WrittenRecord[], over: Partial<WrittenFlowSample> = {}): WrittenFlowSample => ({
  kind: 'flow',
  isExpanded: false,
  sequence: 1,
  sourceType: 0,
  sourceIndex: 3,
  samplingRate: 1,
  samplePool: 1,
  drops: 0,
  input: 3,
  output: 4,
  records,
  ...over,
})

/** The record of a sampled {@link frame}, of 102 bytes on the wire less 4 of its checksum. */
export const raw = (from: number, to: number, wireBytes = 102, strippedBytes = 4) =>
  rawHeader(1, wireBytes, strippedBytes, frame(from, to))

/** A collector and the table that it feeds; `send` hands over one datagram and answers its packets. */
export function collecting(filter?: Parameters<typeof createPacketFilter>[0], snapLength = 256) {
  const collector = new SFlowCollector(filter && createPacketFilter(filter), snapLength)
  const table = createFlowTable({ rawPacketLimit: 10, exporterAddress: 'switch' })
  const consume = table.consumer(SAMPLE_FORMAT)
  let sequence = 0
  const send = (samples: readonly (WrittenFlowSample | object)[], agent = AGENT) => {
    const written = { agent, subAgentId: 0, sequence: sequence++, uptimeMs: 1, samples: samples as readonly WrittenFlowSample[] }
    const bytes = writeSFlow(written)
    // Somewhere in a greater memory, as a receiver has it.
    const memory = new Uint8Array(bytes.length + 100)
    memory.set(bytes, 64)
    return collector.consume(new DataView(memory.buffer), 64, bytes.length, NOW_MS, consume)
  }
  const flows = (): readonly Flow[] => [...table.snapshot()].flat()
  return { collector, send, flows, table }
}
