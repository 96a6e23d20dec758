import { DecodeError, type Flow } from '@skydive/contracts'
import { readFlow, writeFlow } from './flow-protobuf.ts'
import { WireReader } from './wire-reader.ts'
import { WireWriter } from './wire-writer.ts'

/** Counters of one capture since the message before (spec flows 2.11). */
export interface FlowStats {
  readonly CaptureID: string
  readonly FlowCount: number
  readonly FlowDropped: number
  readonly KernelFlowDropped: number
  readonly PacketsDropped: number
  readonly PacketsReceived: number
}

/** Names a batch, so that one that is sent twice counts once. `Sequence` grows by 1 from batch to batch of one run of one origin. */
export interface FlowBatchId {
  /** `<host>:<run>`, such as `alpha:5f0c`. */
  readonly Origin: string
  readonly Sequence: number
}

/** What travels from agent to analyzer (spec flows 1.2 `Message`). Peers that do not number their batches leave `Batch` out. */
export interface FlowMessage {
  readonly Flows: readonly Flow[]
  readonly Stats?: FlowStats
  readonly Batch?: FlowBatchId
}

/** An answer to a search; `Start` is the smallest start and `End` the greatest `Last`, 0 without flows. */
export interface FlowSet {
  readonly Flows: readonly Flow[]
  readonly Start: number
  readonly End: number
}

const STATS_MEMBERS = ['FlowCount', 'FlowDropped', 'KernelFlowDropped', 'PacketsDropped', 'PacketsReceived'] as const

/** The protobuf `Message`. About a µs a flow. */
export function encodeFlowMessage(message: FlowMessage): Uint8Array<ArrayBuffer> {
  const writer = new WireWriter()
  writeFlows(writer, message.Flows)
  if (message.Stats) {
    const start = writer.begin(2)
    writer.string(1, message.Stats.CaptureID)
    for (const [index, member] of STATS_MEMBERS.entries()) writer.integer(index + 2, message.Stats[member])
    writer.end(start)
  }
  if (message.Batch) {
    const start = writer.begin(100)
    writer.string(1, message.Batch.Origin)
    writer.integer(2, message.Batch.Sequence)
    writer.end(start)
  }
  return writer.take()
}

/** @throws ERR_DECODE for bytes that are no such message. Unknown fields are skipped. */
export function decodeFlowMessage(bytes: Uint8Array): FlowMessage {
  const reader = new WireReader(bytes)
  const flows: Flow[] = []
  let stats: FlowStats | undefined
  let batch: FlowBatchId | undefined
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) flows.push(readFlow(reader))
    else if (field === 2) stats = readStats(reader)
    else if (field === 100) batch = readBatchId(reader)
    else reader.skip()
  }
  return { Flows: flows, ...(stats && { Stats: stats }), ...(batch && { Batch: batch }) }
}

/** The protobuf `FlowSet`, with the times computed from the flows. */
export function encodeFlowSet(flows: readonly Flow[]): Uint8Array<ArrayBuffer> {
  const writer = new WireWriter()
  writeFlows(writer, flows)
  writer.integer(2, flows.length === 0 ? 0 : flows.reduce((start, flow) => Math.min(start, flow.Start), Number.MAX_SAFE_INTEGER))
  writer.integer(
    3,
    flows.reduce((end, flow) => Math.max(end, flow.Last), 0),
  )
  return writer.take()
}

/** @throws ERR_DECODE. */
export function decodeFlowSet(bytes: Uint8Array): FlowSet {
  const reader = new WireReader(bytes)
  const flows: Flow[] = []
  let start = 0
  let end = 0
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) flows.push(readFlow(reader))
    else if (field === 2) start = reader.integer()
    else if (field === 3) end = reader.integer()
    else reader.skip()
  }
  return { Flows: flows, Start: start, End: end }
}

/** Writes flows as a stream: each a protobuf `Flow` with its length before it (varint). Reuse one for a whole file. */
export class FlowStreamWriter {
  readonly #writer = new WireWriter()

  /** The bytes of these flows. */
  encode(flows: readonly Flow[]): Uint8Array<ArrayBuffer> {
    for (const flow of flows) this.#writer.delimited(() => writeFlow(this.#writer, flow))
    return this.#writer.take()
  }
}

/** Reads back what {@link FlowStreamWriter} wrote. @throws ERR_DECODE. */
export function decodeFlowStream(bytes: Uint8Array): readonly Flow[] {
  // A length and a message is what field 1 of a set is without its tag: give each the tag.
  const flows: Flow[] = []
  let at = 0
  while (at < bytes.length) {
    let length = 0
    let shift = 0
    let head = at
    for (; head < bytes.length; head++, shift += 7) {
      if (shift > 63) throw new DecodeError('varint is too long', head)
      length += (bytes[head]! & 0x7f) * 2 ** shift
      if (bytes[head]! < 0x80) break
    }
    const end = head + 1 + length
    const framed = new Uint8Array(1 + Math.min(end, bytes.length) - at)
    framed[0] = (1 << 3) | 2
    framed.set(bytes.subarray(at, end), 1)
    flows.push(...decodeFlowSet(framed).Flows)
    at = end
  }
  return flows
}

function writeFlows(writer: WireWriter, flows: readonly Flow[]): void {
  for (const flow of flows) {
    const start = writer.begin(1)
    writeFlow(writer, flow)
    writer.end(start)
  }
}

function readStats(reader: WireReader): FlowStats {
  const stats = { CaptureID: '', FlowCount: 0, FlowDropped: 0, KernelFlowDropped: 0, PacketsDropped: 0, PacketsReceived: 0 }
  reader.message((field) => {
    const member = STATS_MEMBERS[field - 2]
    if (field === 1) stats.CaptureID = reader.string()
    else if (member) stats[member] = reader.integer()
    else reader.skip()
  })
  return stats
}

function readBatchId(reader: WireReader): FlowBatchId {
  const batch = { Origin: '', Sequence: 0 }
  reader.message((field) => {
    if (field === 1) batch.Origin = reader.string()
    else if (field === 2) batch.Sequence = reader.integer()
    else reader.skip()
  })
  return batch
}
