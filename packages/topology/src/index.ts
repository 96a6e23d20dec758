/**
 * The vocabulary of the topology: node and relation types, metadata keys with their schemas, and stable identifiers.
 *
 * @packageDocumentation
 */

export { childTid, hostTid, netnsTid, ovsTid } from './tid.ts'
