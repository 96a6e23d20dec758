import { BytesWriter } from './bytes-writer.ts'

/** A record of a sample: its format and its bytes. */
export interface WrittenRecord {
  readonly format: number
  readonly data: Uint8Array
}

/** A flow sample as a switch would send it. */
export interface WrittenFlowSample {
  readonly kind: 'flow'
  readonly isExpanded: boolean
  readonly sequence: number
  readonly sourceType: number
  readonly sourceIndex: number
  readonly samplingRate: number
  readonly samplePool: number
  readonly drops: number
  readonly input: number
  readonly output: number
  readonly records: readonly WrittenRecord[]
}

/** A counter sample. */
export interface WrittenCounterSample {
  readonly kind: 'counter'
  readonly isExpanded: boolean
  readonly sequence: number
  readonly sourceType: number
  readonly sourceIndex: number
  readonly records: readonly WrittenRecord[]
}

/** A datagram of sFlow version 5. */
export interface WrittenDatagram {
  readonly agent: Uint8Array
  readonly subAgentId: number
  readonly sequence: number
  readonly uptimeMs: number
  readonly samples: readonly (WrittenFlowSample | WrittenCounterSample)[]
}

/** The record of a raw packet header. */
export function rawHeader(protocol: number, frameBytes: number, strippedBytes: number, header: Uint8Array): WrittenRecord {
  const data = new BytesWriter().u32(protocol, frameBytes, strippedBytes, header.length).bytes(header).pad().take()
  return { format: 1, data }
}

/** The bytes of a datagram. */
export function writeSFlow(datagram: WrittenDatagram): Uint8Array {
  const writer = new BytesWriter()
  writer.u32(5, datagram.agent.length === 4 ? 1 : datagram.agent.length === 16 ? 2 : 0).bytes(datagram.agent)
  writer.u32(datagram.subAgentId, datagram.sequence, datagram.uptimeMs, datagram.samples.length)
  for (const sample of datagram.samples) {
    const body = new BytesWriter().u32(sample.sequence)
    if (sample.isExpanded) body.u32(sample.sourceType, sample.sourceIndex)
    else body.u32(((sample.sourceType << 24) | sample.sourceIndex) >>> 0)
    if (sample.kind === 'flow') {
      body.u32(sample.samplingRate, sample.samplePool, sample.drops)
      if (sample.isExpanded) body.u32(0, sample.input, 0, sample.output)
      else body.u32(sample.input, sample.output)
    }
    body.u32(sample.records.length)
    for (const { format, data } of sample.records) body.u32(format, data.length).bytes(data)
    const format = (sample.kind === 'flow' ? 1 : 2) + (sample.isExpanded ? 2 : 0)
    writer.u32(format, body.length).bytes(body.take())
  }
  return writer.take()
}
