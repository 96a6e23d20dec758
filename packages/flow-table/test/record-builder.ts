// Records as exporters tell them, and what tests read of the flows that are made of them.
import type { Flow, FlowRecord } from '@skydive/contracts'
import type { RecordTable } from '../src/records/index.ts'

export const NOW_MS = 1_700_000_000_000
/** 10.0.0.1 */
export const A = 0x0a000001
/** 10.0.0.2 */
export const B = 0x0a000002

/** What differs from the record of the builders. Addresses are words: one for IPv4, four for IPv6. */
export type Over = Partial<Omit<FlowRecord, 'addresses'>> & {
  readonly source?: readonly number[]
  readonly destination?: readonly number[]
}

/** A record of 10 packets and 1000 bytes from 10.0.0.1 port 1024 to 10.0.0.2 port 80. */
export function record({ source = [A], destination = [B], ...over }: Over = {}): FlowRecord {
  const addresses = new Int32Array(8)
  addresses.set(source)
  addresses.set(destination, 4)
  return {
    observer: 0,
    exporterAddress: '',
    inputIndex: 0,
    outputIndex: 0,
    isEgress: false,
    ipVersion: source.length === 4 ? 6 : 4,
    addresses,
    protocol: 6,
    sourcePort: 1024,
    destinationPort: 80,
    icmpType: 0,
    icmpCode: 0,
    packets: 10,
    bytes: 1000,
    reversePackets: 0,
    reverseBytes: 0,
    isTotal: false,
    startMs: NOW_MS - 5000,
    lastMs: NOW_MS - 1000,
    tcpFlags: 0,
    sourceMac: 0,
    destinationMac: 0,
    vlanId: 0,
    ...over,
  }
}

/** One of 7 packets and 700 bytes the other way. */
export const back = (over: Over = {}) =>
  record({ source: [B], destination: [A], sourcePort: 80, destinationPort: 1024, packets: 7, bytes: 700, ...over })
export const all = (batches: Iterable<readonly Flow[]>): readonly Flow[] => [...batches].flat()
export const consume = (table: RecordTable, records: readonly FlowRecord[], nowMs = NOW_MS) => {
  for (const one of records) table.consume(one, nowMs)
}
export const counters = ({ Metric: metric }: Flow) => [metric!.ABPackets, metric!.ABBytes, metric!.BAPackets, metric!.BABytes]
