/**
 * Captures on demand: the agent's half runs them in a thread, the analyzer's half says on which nodes. Also flows of capture files.
 *
 * @packageDocumentation
 */

export type { CaptureAgent, CaptureAgentOptions, CaptureFlowOptions } from './agent/capture-agent.ts'
export { createCaptureAgent } from './agent/capture-agent.ts'
export { INTERFACE_TYPES } from './agent/node-target.ts'
export type { CaptureCoordinatorOptions, CaptureTransport } from './analyzer/capture-coordinator.ts'
export { createCaptureCoordinator } from './analyzer/capture-coordinator.ts'
export type { FlowTableSource, LiveFlowReaderOptions } from './analyzer/live-flow-reader.ts'
export { createLiveFlowReader } from './analyzer/live-flow-reader.ts'
export type { BpfCompile, FlowFileOptions, FlowFileSummary } from './flow-file/flow-file.ts'
export { flowsOfFile } from './flow-file/flow-file.ts'
export type { FlowFormat, FlowFormatter } from './flow-file/flow-format.ts'
export { createFlowFormatter } from './flow-file/flow-format.ts'
