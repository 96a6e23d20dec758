/**
 * Network interfaces of every namespace, live from the kernel: links, addresses, routes, neighbours and counters.
 *
 * @packageDocumentation
 */

export type { NetlinkOptions } from './options.ts'
export type { NetlinkComponents } from './probe.ts'
export { netlinkProbe } from './probe.ts'
