/**
 * Datagrams of sFlow version 5 to packet headers and counters. Pure: no input or output of its own, runs in a browser.
 *
 * @packageDocumentation
 */

export type { SFlowCounterField, SFlowCounterValues } from './counters.ts'
export { readSFlowCounters, SFLOW_COUNTER, SFLOW_COUNTER_FIELDS } from './counters.ts'
export type { SFlowCounts, SFlowVisitor } from './decoder.ts'
export { SFLOW_HEADER_PROTOCOL, SFlowDecoder } from './decoder.ts'
