/**
 * What the client offers in Node only: a WebSocket for {@link subscribeTopology} where Node has none, publishing with headers, and lines that
 * are secured with authorities and certificates of one's own.
 *
 * @packageDocumentation
 */

export { WebSocket } from 'ws'
export type { PublishOptions } from './publisher.ts'
export { publishGraph } from './publisher.ts'
export { createSecureFetch } from './secure-fetch.ts'
