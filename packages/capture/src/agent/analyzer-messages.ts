import { type CaptureStats, type Flow, InvalidArgumentError } from '@skydive/contracts'
import { decodeTableQuery, encodeFlowMessage, encodeFlowSet, encodeTableReply } from '@skydive/protocol/flow'
import type { CaptureFeed, CaptureTable, FlowOutput } from './capture-feed.ts'
import type { FromCaptureThread } from './messages.ts'

/** Flows in one message: a frame that a line takes in one go. */
const FLOWS_PER_MESSAGE = 1000

/** Where messages go. */
export type Emit = (message: FromCaptureThread) => void

/** Sends flows to the analyzer, which is never too slow: whoever takes the messages keeps or counts them. */
export function analyzerOutput(emit: Emit): FlowOutput {
  const send = (flows: readonly Flow[]) => {
    for (let from = 0; from < flows.length; from += FLOWS_PER_MESSAGE) {
      const some = flows.slice(from, from + FLOWS_PER_MESSAGE)
      emit({ kind: 'batch', flows: some.length, payload: encodeFlowMessage({ Flows: some }) })
    }
    return undefined
  }
  return { send, sendEvicted: send, flush() {} }
}

/**
 * Sends what a capture counted: differences since the message before, which receivers add up. The message has no member for what interfaces dropped
 * (spec flows 1.2): the analyzer reads that, as its ledger does all that a capture drops, on the node.
 */
export class StatisticsSender {
  readonly #emit: Emit
  readonly #captureId: string
  #source: CaptureStats = { packetsReceived: 0, packetsDropped: 0, packetsIfDropped: 0 }
  #evictedFlows = 0

  constructor(emit: Emit, captureId: string) {
    this.#emit = emit
    this.#captureId = captureId
  }

  send(source: CaptureStats, table: CaptureTable): void {
    const { flows, evictedFlows } = table.stats()
    const payload = encodeFlowMessage({
      Flows: [],
      Stats: {
        CaptureID: this.#captureId,
        FlowCount: flows,
        FlowDropped: evictedFlows - this.#evictedFlows,
        KernelFlowDropped: 0,
        PacketsDropped: source.packetsDropped - this.#source.packetsDropped,
        PacketsReceived: source.packetsReceived - this.#source.packetsReceived,
      },
    })
    this.#source = source
    this.#evictedFlows = evictedFlows
    this.#emit({ kind: 'batch', flows: 0, payload })
  }
}

/**
 * Answers a protobuf `TableQuery` from the tables of some captures by a `TableReply`.
 * @throws ERR_INVALID_ARGUMENT for a query that is none, or of another type.
 */
export async function answerTableQuery(bytes: Uint8Array, feeds: Iterable<CaptureFeed>): Promise<Uint8Array> {
  const { Type: type, Query: query } = decodeTableQuery(bytes)
  if (type !== 'SearchQuery') throw new InvalidArgumentError(`flow table query: type "${type}" is not known`, { type })
  const sets: Uint8Array[] = []
  for (const { table } of feeds) {
    if (!table) continue
    const kept = table.rawPackets()
    const flows = (await table.search(query)).map((flow) => {
      const packets = kept.get(flow.UUID)
      return packets ? { ...flow, LastRawPackets: packets } : flow
    })
    sets.push(encodeFlowSet(flows))
  }
  return encodeTableReply({ Status: 200, FlowSetBytes: sets })
}
