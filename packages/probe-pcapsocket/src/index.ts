/**
 * Packets that others send as a pcap stream over TCP, such as `tcpdump -w - | nc 127.0.0.1 8100`.
 *
 * @packageDocumentation
 */

export type { PcapSocketOptions } from './pcapsocket-source.ts'
export { captureSource, createPcapSocketModule } from './pcapsocket-source.ts'
