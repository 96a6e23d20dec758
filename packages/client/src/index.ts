/**
 * The client side of Skydive's REST and WebSocket interfaces. Runs in a browser; what needs Node is in `@skydive/client/node`.
 *
 * @packageDocumentation
 */

export type {
  CaptureAnswer,
  CaptureInit,
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
