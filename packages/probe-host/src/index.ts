/**
 * The host itself: its node with hardware and configured metadata, stable node ids and topology identifiers.
 *
 * @packageDocumentation
 */

export type { ConfigFile } from './config-files.ts'
export type { HostNode, HostNodeOptions } from './host-node.ts'
export { putHostNode } from './host-node.ts'
export type { NodeIdsOptions, PersistentNodeIds } from './node-ids.ts'
export { openNodeIds } from './node-ids.ts'
export type { HardwareOptions } from './probe.ts'
export { hardwareProbe } from './probe.ts'
export { keepTids } from './tid-keeper.ts'
