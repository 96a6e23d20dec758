/**
 * Collector of sFlow version 5: packets that switches sampled, as a source of a capture, and the counters of their interfaces.
 *
 * @packageDocumentation
 */

export { SAMPLE_FORMAT, SFlowCollector } from './sflow-collector.ts'
export type { SFlowOptions } from './sflow-source.ts'
export { captureSource, createSFlowModule } from './sflow-source.ts'
