/**
 * The Gremlin dialect of Skydive: parser with positions, compiler, and an engine over graphs and flows. Pure: runs in a browser.
 *
 * @packageDocumentation
 */

export type { Access } from './access.ts'
export { aggregate, splitRecord, sumRecords, type Window } from './aggregate.ts'
export type { GremlinQuery, Param, Step } from './ast.ts'
export { type BudgetName, type Budgets, DEFAULT_BUDGETS } from './budget.ts'
export {
  checkGremlin,
  compileGraphQuery,
  createGremlin,
  type GraphQuery,
  type GremlinEngine,
  type GremlinOptions,
  isGraphQuery,
  type QueryOptions,
} from './engine.ts'
export { GremlinError, type GremlinErrorCode, type GremlinErrorDetail, type QueryPosition } from './error.ts'
export type { ExplainedStep, Explanation } from './explain.ts'
export type { NextHop } from './next-hop.ts'
export { MAX_QUERY_LENGTH, parseGremlin } from './parser.ts'
export { printGremlin } from './printer.ts'
export { type GremlinAnswer, type GremlinResult, resultToJson } from './result.ts'
export type {
  MetricRecord,
  PacketFilterCompiler,
  PacketTest,
  WorkflowArgument,
  WorkflowGraph,
  WorkflowRunner,
} from './runtime.ts'
export { type Kind, PREDICATES, type PredicateName, STEP_NAMES, type StepName } from './vocabulary.ts'
