/**
 * Captures on demand: the agent's half runs them in a thread, the analyzer's half says on which nodes. Also flows of capture files.
 *
 * @packageDocumentation
 */

export type { CaptureAgent, CaptureAgentOptions, CaptureFlowOptions, CaptureSourceChoice } from './agent/capture-agent.ts'
export { createCaptureAgent } from './agent/capture-agent.ts'
export { captureTypesOf } from './agent/capture-types.ts'
export type {
  CaptureCoordinator,
  CaptureCoordinatorOptions,
  CaptureRefusal,
  CaptureTransport,
} from './analyzer/capture-coordinator.ts'
export { createCaptureCoordinator } from './analyzer/capture-coordinator.ts'
export type { FlowTableSource, LiveFlowReaderOptions } from './analyzer/live-flow-reader.ts'
export { createLiveFlowReader } from './analyzer/live-flow-reader.ts'
export type { BpfCompile, FlowFileOptions, FlowFileSummary, FlowFormat, FlowFormatter } from './flow-file/index.ts'
export { createFlowFormatter, flowsOfFile } from './flow-file/index.ts'
