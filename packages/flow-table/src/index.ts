/**
 * Packets to flows on typed arrays: keys, tracking ids, metrics, update and expiry. Pure; runs in a browser.
 *
 * @packageDocumentation
 */

export type { DirectionSink } from './directions/direction-sink.ts'
export type { BlockConsumer, FlowTableOptions, FlowTableStats, LayerKeyMode, PortNames } from './flow-table.ts'
export { createFlowTable, FlowTable } from './flow-table.ts'
export type { PacketIntake } from './packet-intake.ts'
export type { TcpStreamStats } from './tcp-streams.ts'
export { TPACKET3 } from './tpacket.ts'
export { hexText, Xxh64 } from './xxh64.ts'
