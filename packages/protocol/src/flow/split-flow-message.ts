import { WireReader } from './wire-reader.ts'

const FLOWS = 1
const STATS = 2

/** A `Message` that is part of another. */
export interface FlowMessagePart {
  /** The bytes where they lie in the whole; no copy. */
  readonly payload: Uint8Array
  /** 1, or 0 in the part with the statistics. */
  readonly flows: number
}

/**
 * Takes a protobuf `Message` apart into messages with one flow each, and one with the statistics, as datagrams carry them (spec platform
 * 2.8). The flows are not decoded: some 100 ns each. What names the whole as a batch is left out.
 *
 * @throws ERR_DECODE for bytes that are no such message.
 */
export function splitFlowMessage(bytes: Uint8Array): FlowMessagePart[] {
  const reader = new WireReader(bytes)
  const parts: FlowMessagePart[] = []
  for (let start = 0, field = reader.next(); field !== 0; start = reader.offset, field = reader.next()) {
    reader.skip()
    if (field === FLOWS || field === STATS) {
      parts.push({ payload: bytes.subarray(start, reader.offset), flows: field === FLOWS ? 1 : 0 })
    }
  }
  return parts
}
