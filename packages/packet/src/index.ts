/**
 * Bytes to layers: dissection of packets, reading of pcap and pcapng files, a classic-BPF interpreter and the constants of the RFCs.
 * Pure: no input or output of its own, runs in a browser.
 *
 * @packageDocumentation
 */

export { parseIpv4, parseIpv6, parseMac } from './address-parse.ts'
export { ipv4Text, ipv6Text, macText } from './address-text.ts'
export type { BpfInstruction, PacketFilter } from './bpf.ts'
export { BPF, createPacketFilter, decodeBpfProgram, encodeBpfProgram } from './bpf.ts'
export type { CaptureFileReader, CaptureFileSink } from './capture-file.ts'
export { createCaptureFileReader } from './capture-file.ts'
export { ETHERTYPE, IP_PROTOCOL, LINK_TYPE, TCP_FLAG, TUNNEL_PORT } from './constants.ts'
export { decodeDhcpv4 } from './dhcpv4.ts'
export { Dissector } from './dissector.ts'
export { decodeDns } from './dns.ts'
export type { ErspanSession, MirroredFrame } from './erspan.ts'
export { ERSPAN_OVERHEAD_BYTES, writeErspan } from './erspan.ts'
export { ICMP_ECHO, icmpv4Class, icmpv6Class } from './icmp.ts'
export type { IpDefragmenterStats } from './ip-defragmenter.ts'
export { IpDefragmenter } from './ip-defragmenter.ts'
export type { LayerName } from './layers.ts'
export { EMPTY_PATH, LAYER, LAYER_NAMES, LayerPaths } from './layers.ts'
export type { Peer } from './own-traffic.ts'
export { ownTrafficProgram } from './own-traffic.ts'
export type { DissectorOptions } from './packet-walk.ts'
export { ABSENT, PacketWalk, TRANSPORT } from './packet-walk.ts'
export type { PcapFormat } from './pcap-file.ts'
export { checkNextRecord, cutFile, PCAP_HEADER_BYTES, readPcapFormat } from './pcap-file.ts'
export type { PcapRecordVisitor } from './pcap-record.ts'
export { MAX_CAPTURED_BYTES, PCAP_RECORD_BYTES, walkPcapRecords } from './pcap-record.ts'
export type { PcapPacket } from './pcap-writer.ts'
export { encodePcap } from './pcap-writer.ts'
export type { SpreadOptions } from './spread.ts'
export { spreadProgram } from './spread.ts'
export { APPLICATION_PORTS, applicationOfPort, TunnelPorts } from './udp-ports.ts'
export { decodeVrrpv2 } from './vrrp.ts'
