/**
 * Agent to analyzer: graph origins, cursors and resume, commands, flow queries and flow batches. The endpoints are served by
 * `@skydive/api-server`.
 *
 * @packageDocumentation
 */

export type { AgentEndpoint, AgentEndpointOptions, AgentEvent, AgentRequestOptions, CommandReply } from './agent-endpoint.ts'
export { createAgentEndpoint } from './agent-endpoint.ts'
export type { AgentCommands, AgentLink, AgentLinkOptions, AnalyzerStatus } from './agent-link.ts'
export { createAgentLink } from './agent-link.ts'
export type { FlowEndpointOptions, ReceivedFlowBatch } from './flow-endpoint.ts'
export { createFlowEndpoint } from './flow-endpoint.ts'
export type { FlowLink, FlowLinkOptions, FlowLinkStatus } from './flow-link.ts'
export { createFlowLink } from './flow-link.ts'
export type { FlowUdpReceiverOptions } from './flow-udp-receiver.ts'
export { createFlowUdpReceiver } from './flow-udp-receiver.ts'
export type { FlowUdpSenderOptions } from './flow-udp-sender.ts'
export { createFlowUdpSender } from './flow-udp-sender.ts'
export type { PublisherEndpointOptions } from './publisher-endpoint.ts'
export { createPublisherEndpoint } from './publisher-endpoint.ts'
