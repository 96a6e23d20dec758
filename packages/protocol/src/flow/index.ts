/**
 * Codecs of flows: the protobuf messages between agent and analyzer, the queries of live flows, and the Flow JSON.
 *
 * @packageDocumentation
 */

export { formatTimestamp } from './extra-layers.ts'
export { encodeFlowJson, withoutRawPackets } from './flow-json.ts'
export type { FlowBatchId, FlowMessage, FlowSet, FlowStats } from './flow-message.ts'
export {
  decodeFlowMessage,
  decodeFlowSet,
  decodeFlowStream,
  encodeFlowMessage,
  encodeFlowSet,
  FlowStreamWriter,
} from './flow-message.ts'
export { decodeFlowJson, flowSchema } from './flow-schema.ts'
export type { FlowMessagePart } from './split-flow-message.ts'
export { splitFlowMessage } from './split-flow-message.ts'
export type { TableQuery, TableReply } from './table-query.ts'
export { decodeTableQuery, decodeTableReply, encodeTableQuery, encodeTableReply } from './table-query.ts'
