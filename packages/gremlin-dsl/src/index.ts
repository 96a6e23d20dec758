/**
 * The Gremlin dialect of Skydive: parser with positions, compiler, and an engine over graphs and flows. Pure: runs in a browser.
 *
 * @packageDocumentation
 */

export { aggregate, splitRecord, sumRecords, type Window } from './aggregate.ts'
export type { GremlinQuery, Param, Step } from './ast.ts'
export { type Budgets, DEFAULT_BUDGETS } from './budget.ts'
export { type Completion, type CompletionList, type CompletionOptions, completeGremlin } from './completion.ts'
export {
  checkGremlin,
  compileGraphQuery,
  createGremlin,
  type GraphQuery,
  type GremlinEngine,
  type GremlinOptions,
  isGraphQuery,
} from './engine.ts'
export { GremlinError, type GremlinErrorCode, type QueryPosition } from './error.ts'
export { MAX_QUERY_LENGTH, parseGremlin } from './parser.ts'
export { type GremlinAnswer, type GremlinResult, resultToJson } from './result.ts'
export type { MetricRecord, PacketFilterCompiler, PacketTest } from './runtime.ts'
export { type Kind, PREDICATES, type PredicateName, STEP_NAMES, type StepName } from './vocabulary.ts'
