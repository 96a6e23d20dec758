/**
 * The client side of Skydive's REST and WebSocket interfaces. Runs in a browser; what needs Node is in `@skydive/client/node`.
 *
 * @packageDocumentation
 */

export type { CoverageAnswer, TopologyDiffAnswer as DiffAnswer } from '@skydive/protocol'
export type {
  CaptureAnswer,
  CaptureInit,
  DiffQuery,
  RequestOptions,
  ResourceClient,
  RestClient,
  RestClientOptions,
  UploadBody,
  WireGraph,
} from './rest-client.ts'
export { createRestClient } from './rest-client.ts'
export type {
  SnapshotPart,
  SubscriptionState,
  TopologySubscription,
  TopologySubscriptionOptions,
  WebSocketLike,
} from './topology-subscription.ts'
export { subscribeTopology } from './topology-subscription.ts'
