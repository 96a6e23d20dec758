/**
 * Datagrams of NetFlow 5, NetFlow 9 and IPFIX to flow records, and flow records to NetFlow 5 and IPFIX. Pure: no input or output of its
 * own, runs in a browser.
 *
 * @packageDocumentation
 */

export type { NetflowCounts } from './counts.ts'
export type { NetflowVisitor } from './decoder.ts'
export { NetflowDecoder } from './decoder.ts'
export { INFORMATION_ELEMENT_NUMBERS, INFORMATION_ELEMENTS, REVERSE_ENTERPRISE } from './elements.ts'
export type { DatagramSink, RecordEncoderOptions } from './export-datagram.ts'
export { ExportedFlow, FLOW_END } from './exported-flow.ts'
export type { NetflowLimits } from './exporter-state.ts'
export type { IpfixEncoderOptions } from './ipfix-encoder.ts'
export { IpfixEncoder } from './ipfix-encoder.ts'
export type { Netflow5EncoderOptions } from './netflow5-encoder.ts'
export { Netflow5Encoder } from './netflow5-encoder.ts'
export type { NetflowExporter } from './record.ts'
export { FIELD, FIELD_COUNT, NetflowRecord } from './record.ts'
