/**
 * HTTP and WebSocket of the analyzer and the agent over what is injected: the graph, a query function, a key-value store, flows.
 *
 * @packageDocumentation
 */

export type { Authenticator, Identity } from './auth/authenticator.ts'
export type { BasicAuthOptions } from './auth/basic.ts'
export { createBasicAuth } from './auth/basic.ts'
export type {
  ApiServerLimits,
  ApiServerOptions,
  CaptureRefusal,
  ElementSelector,
  ExplainAnswer,
  ExplainFunction,
  FlowFeed,
  GraphListDelta,
  GraphQueries,
  GraphWatch,
  GraphWatchDelta,
  PcapImport,
  QueryAnswer,
  QueryFunction,
  QueryFunctionOptions,
  ResourceOptions,
} from './options.ts'
export { DEFAULT_LIMITS } from './options.ts'
export type { ApiServer } from './server.ts'
export { checkListen, createApiServer } from './server.ts'
