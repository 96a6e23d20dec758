/**
 * Queries built with types: a query's text is `String(query)`, its answer has the type that its steps say. Pure: runs in a browser.
 *
 * @packageDocumentation
 */

export { ask } from './builder/ask.ts'
export { g } from './builder/builder.ts'
export {
  between,
  type Condition,
  gt,
  gte,
  inside,
  ipv4Range,
  ipv6Range,
  lt,
  lte,
  ne,
  nee,
  outside,
  regex,
  within,
  without,
} from './builder/conditions.ts'
export type { EdgeFields, FieldOf, FieldsOf, FlowFields, KeyOf, NodeFields, Scalar, ValueOf } from './builder/fields.ts'
export type {
  EdgesQuery,
  FlowsQuery,
  GraphQueryBuilder,
  GroupsQuery,
  MetricsQuery,
  NodesQuery,
  PathsQuery,
  Query,
  RawPacketsQuery,
  ReachOptions,
  ResultOf,
  SocketsQuery,
  ValuesQuery,
  Wanted,
  Where,
} from './builder/queries.ts'
