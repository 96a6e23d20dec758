/**
 * Packets of any interface that libpcap opens, in any network namespace, and of capture files.
 *
 * @packageDocumentation
 */

export type { PcapOptions } from './pcap-source.ts'
export { captureSource, createPcapModule } from './pcap-source.ts'
