import { rawHeader, type WrittenFlowSample, writeSFlow } from '../../packet/test/sflow-writer.ts'

/** Samples of a datagram: as many as fit an Ethernet frame of the usual length. */
export const SAMPLES = 6
/** Of the sampled headers. */
const HEADER_BYTES = 128

function frame(flow: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES)
  bytes.set([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 5, 220, 0, 0, 0, 0, 64, 6, 0, 0])
  bytes.set([10, (flow >> 16) & 255, (flow >> 8) & 255, flow & 255, 10, 255, 0, 1, 4, 0, 0, 80], 26)
  bytes[46] = 0x50
  return bytes
}

function sample(flow: number): WrittenFlowSample {
  const source = { kind: 'flow', isExpanded: false, sequence: 1, sourceType: 0, sourceIndex: 3 } as const
  const switchData = { format: 1001, data: new Uint8Array(16) }
  const records = [switchData, rawHeader(1, 1518, 4, frame(flow))]
  return { ...source, samplingRate: 512, samplePool: 1, drops: 0, input: 3, output: 4, records }
}

/** What a switch sends of `flows` flows, a sample of each: six samples with headers of 128 bytes in each datagram. */
export function switchDatagrams(flows: number): readonly Uint8Array[] {
  const agent = Uint8Array.of(10, 0, 0, 1)
  return Array.from({ length: Math.ceil(flows / SAMPLES) }, (_, i) =>
    writeSFlow({
      ...{ agent, subAgentId: 0, sequence: i, uptimeMs: 1 },
      samples: Array.from({ length: SAMPLES }, (_unused, j) => sample(i * SAMPLES + j)),
    }),
  )
}
