/**
 * System calls for the packages that talk to the Linux kernel: sockets inside network namespaces, memory maps, readiness, filters.
 *
 * `openKernel()` is the one factory; each thread opens its own. Protocols (rtnetlink, packet rings, eBPF) are built above it.
 *
 * @packageDocumentation
 */

export type { BpfCompiler, BpfOptions } from './bpf-compiler.ts'
export { loadBpfCompiler } from './bpf-compiler.ts'
export type { Capability } from './capabilities.ts'
export { parseCapabilities, readCapabilities } from './capabilities.ts'
export type { DatagramOptions, DatagramReceiver, DatagramStats, DatagramVisitor } from './datagram-receiver.ts'
export { openDatagramReceiver } from './datagram-receiver.ts'
export type { DatagramSender, DatagramSenderOptions, DatagramSenderStats } from './datagram-sender.ts'
export { openDatagramSender } from './datagram-sender.ts'
export type { DescriptorSet, TimerDescriptor } from './descriptors.ts'
export { Errno, errnoName, SystemCallError, systemError } from './errno.ts'
export type { Kernel, KernelOptions, SocketOptions } from './kernel.ts'
export { openKernel } from './kernel.ts'
export type { Ledger, Released } from './ledger.ts'
export { createLedger } from './ledger.ts'
export type { Word } from './libc.ts'
export type { MapOptions, MappedMemory } from './memory.ts'
export { PCAP_LIBRARIES } from './pcap-calls.ts'
export type { PcapHandle, PcapLibrary, PcapLiveOptions, PcapStats } from './pcap-library.ts'
export { loadPcapLibrary } from './pcap-library.ts'
export type { Readiness, ReadinessOptions } from './readiness.ts'
export type { ReceiveBuffer } from './receive-buffer.ts'
export { AF_INET, AF_INET6, socketAddress } from './socket-address.ts'
