/**
 * Bytes to layers: dissection of packets, reading of pcap and pcapng files, a classic-BPF interpreter and the constants of the RFCs.
 * Pure: no input or output of its own, runs in a browser.
 *
 * @packageDocumentation
 */

export { ipv4Text, ipv6Text, macText } from './address-text.ts'
export type { BpfInstruction, PacketFilter } from './bpf.ts'
export { BPF, createPacketFilter, decodeBpfProgram, encodeBpfProgram } from './bpf.ts'
export type { CaptureFileReader, CaptureFileSink } from './capture-file.ts'
export { createCaptureFileReader } from './capture-file.ts'
export { ETHERTYPE, IP_PROTOCOL, LINK_TYPE, TCP_FLAG } from './constants.ts'
export { ABSENT, Dissector, TRANSPORT } from './dissector.ts'
export { ICMP_CLASSES, ICMP_ECHO } from './icmp.ts'
export type { LayerName } from './layers.ts'
export { EMPTY_PATH, LAYER, LAYER_NAMES, LayerPaths } from './layers.ts'
export type { PcapRecordVisitor } from './pcap-record.ts'
export { MAX_CAPTURED_BYTES, PCAP_RECORD_BYTES, walkPcapRecords } from './pcap-record.ts'
export type { PcapPacket } from './pcap-writer.ts'
export { encodePcap } from './pcap-writer.ts'
