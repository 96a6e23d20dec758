/**
 * Packets of an interface through a TPACKET_V3 ring, in any network namespace, filtered in the kernel.
 *
 * @packageDocumentation
 */

export type { AfPacketOptions } from './afpacket-source.ts'
export { captureSource, createAfPacketModule } from './afpacket-source.ts'
