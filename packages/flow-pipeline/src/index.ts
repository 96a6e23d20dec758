/**
 * The analyzer's way of a flow: batches in, no doubles, meeting the topology, out to stores and subscribers; and flows of any time as one
 * reader over agents and store.
 *
 * @packageDocumentation
 */

export type { CoverageArchiveOptions } from './coverage-archive.ts'
export { createCoverageArchive } from './coverage-archive.ts'
export type { CoverageLedgerOptions } from './coverage-ledger.ts'
export { CoverageLedger } from './coverage-ledger.ts'
export type { FlowHistoryOptions } from './flow-history.ts'
export { createFlowHistory } from './flow-history.ts'
export type { FlowBatch, FlowPipeline, FlowPipelineOptions, FlowPipelineStatus } from './flow-pipeline.ts'
export { createFlowPipeline } from './flow-pipeline.ts'
export { flowSelector } from './flow-selector.ts'
export type { LedgerListener, SpanRecord } from './ledger-records.ts'
export type { LossRecord } from './loss-book.ts'
export type { PcapImport, PcapImportOptions } from './pcap-import.ts'
export { createPcapImport } from './pcap-import.ts'
export { PlaceIndex } from './place-index.ts'
