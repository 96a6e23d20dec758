/**
 * The published suite for sources of graphs: memory, stores, anything that implements `GraphSource`.
 *
 * @packageDocumentation
 */

export type {
  GraphSourceCase,
  GraphSuiteOptions,
  SuiteAnswer,
  SuiteEngine,
  SuiteEngineOptions,
  SuiteResult,
  WrittenGraph,
} from './graph/graph-case.ts'
export { describeGraphSource, writeSampleGraph } from './graph/graph-suite.ts'
export { SAMPLE_FLOWS } from './graph/sample-data.ts'
