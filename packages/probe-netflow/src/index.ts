/**
 * Collector of NetFlow 5, NetFlow 9 and IPFIX: flow records of any exporter, as a source of a capture.
 *
 * @packageDocumentation
 */

export { NetflowCollector } from './netflow-collector.ts'
export type { NetflowOptions } from './netflow-source.ts'
export { captureSource, createNetflowModule } from './netflow-source.ts'
