/**
 * Network namespaces as they come and go: named ones, those of containers and, when asked, those of processes.
 *
 * @packageDocumentation
 */

export type { NetnsOptions } from './options.ts'
export type { NetnsComponents, NetnsProbe } from './probe.ts'
export { netnsProbe } from './probe.ts'
