/**
 * Flows of capture files alone, without the parts of a running agent: what a command line loads when it needs nothing else.
 *
 * @packageDocumentation
 */

export type { BpfCompile, FlowFileOptions, FlowFileSummary } from './flow-file.ts'
export { flowsOfFile } from './flow-file.ts'
export type { FlowFormat, FlowFormatter } from './flow-format.ts'
export { createFlowFormatter } from './flow-format.ts'
