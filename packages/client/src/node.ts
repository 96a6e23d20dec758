/**
 * What the client offers in Node only: a WebSocket for {@link subscribeTopology} where Node has none, and publishing with headers.
 *
 * @packageDocumentation
 */

export { WebSocket } from 'ws'
export type { PublishOptions } from './publisher.ts'
export { publishGraph } from './publisher.ts'
