import type { ExportedFlow } from '@skydive/packet/netflow'

/**
 * Takes what a table tells as records of one direction, numbers alone: what exporters of NetFlow and IPFIX send. Both methods may be called
 * while packets or records are consumed, and must not throw.
 */
export interface DirectionSink {
  /**
   * What one direction of a flow had since the record before: its packets, their bytes from the IP header on, the times of the first and the
   * last. The record is filled anew for the next one.
   */
  add(record: ExportedFlow): void
  /** A flow of which such records can't tell: it has no IP. */
  skip(): void
}
