/**
 * Messages of Skydive's REST and WebSocket interfaces: schemas and codecs. Pure; runs in a browser. The flow codecs are in
 * `@skydive/protocol/flow`.
 *
 * @packageDocumentation
 */

export type { Capture, CaptureType, CaptureValidators } from './capture.ts'
export {
  CAPTURE_TYPES,
  captureAnswerSchema,
  captureSchema,
  checkCapture,
  isDuplicateCapture,
  isShareableCaptureType,
  toWireCapture,
} from './capture.ts'
export type { CaptureDestination, CaptureTargetType, TargetAddress } from './capture-target.ts'
export { CAPTURE_TARGET_TYPES, captureDestination, parseTargetAddress } from './capture-target.ts'
export type { CoverageAnswer, FlowLossBody } from './coverage.ts'
export { coverageQuerySchema, coverageSchema, flowLossSchema, formatCoverage, toWireCoverage } from './coverage.ts'
export { formatCursor, parseCursor } from './cursor.ts'
export { parseDurationMs } from './duration.ts'
export { checkEdgeSchema, checkNodeSchema } from './element-schema.ts'
export type { ConnectionHandler, ConnectionStatus, PeerConnection, WebSocketEndpoint } from './endpoint.ts'
export type { Framing, Message, MessageInit } from './envelope.ts'
export { decodeBinaryMessage, decodeTextMessage, OutgoingMessage } from './envelope.ts'
export type { GraphBody, GraphMessage, UpdatePolicy } from './graph-message.ts'
export { decodeGraphMessage, encodeGraphEvent, GRAPH_NAMESPACE } from './graph-message.ts'
export type { Handshake, ParameterLookup } from './handshake.ts'
export { cookieHeader, HEADER, parseHandshake } from './handshake.ts'
export { describeJsonError } from './json-error.ts'
export type { OnDemandCommand, OnDemandReply } from './on-demand.ts'
export {
  CAPTURE_NAMESPACE,
  CAPTURE_NOTIFICATION_NAMESPACE,
  decodeOnDemandCommand,
  decodeOnDemandReply,
  FLOW_NAMESPACE,
} from './on-demand.ts'
export type { ErrorAnswer, Identity, JsonPatch } from './rest.ts'
export {
  connectionStatusSchema,
  edgeBodySchema,
  errorAnswerSchema,
  explainQuerySchema,
  identitySchema,
  jsonPatchSchema,
  loginAnswerSchema,
  nodeBodySchema,
  topologyQuerySchema,
  wireEdgeSchema,
  wireGraphSchema,
  wireNodeSchema,
} from './rest.ts'
export type { TopologyDiffAnswer } from './topology-diff.ts'
export { topologyDiffQuerySchema, topologyDiffSchema } from './topology-diff.ts'
export type { WireDefaults } from './wire-element.ts'
export { decodeMetadata, decodeMetadataValue, decodeWireEdge, decodeWireNode } from './wire-element.ts'
