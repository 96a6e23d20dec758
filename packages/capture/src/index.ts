/**
 * Captures on demand, and flows of capture files.
 *
 * @packageDocumentation
 */

export type { BpfCompile, FlowFileOptions, FlowFileSummary } from './flow-file/flow-file.ts'
export { flowsOfFile } from './flow-file/flow-file.ts'
export type { FlowFormat, FlowFormatter } from './flow-file/flow-format.ts'
export { createFlowFormatter } from './flow-file/flow-format.ts'
