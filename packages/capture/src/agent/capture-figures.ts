import type { FlowTableStats } from '@skydive/flow-table'
import type { CaptureFigures } from './messages.ts'

/** Figures of a capture that runs in two threads; what its source tells of itself the first says. */
export function sumFigures(first: CaptureFigures, second: CaptureFigures): CaptureFigures {
  const { table, source } = first
  return {
    ...first,
    source: {
      packetsReceived: source.packetsReceived + second.source.packetsReceived,
      packetsDropped: source.packetsDropped + second.source.packetsDropped,
      packetsIfDropped: source.packetsIfDropped + second.source.packetsIfDropped,
    },
    ...(table && second.table && { table: sumTables(table, second.table) }),
  }
}

function sumTables(first: FlowTableStats, second: FlowTableStats): FlowTableStats {
  return {
    flows: first.flows + second.flows,
    packets: first.packets + second.packets,
    ignoredPackets: first.ignoredPackets + second.ignoredPackets,
    filteredPackets: first.filteredPackets + second.filteredPackets,
    evictedFlows: first.evictedFlows + second.evictedFlows,
    ...(first.fragments && second.fragments && { fragments: sumMembers(first.fragments, second.fragments) }),
    ...(first.streams && second.streams && { streams: sumMembers(first.streams, second.streams) }),
  }
}

/** Adds the members of two objects of counters. */
function sumMembers<T extends { readonly [K in keyof T]: number }>(first: T, second: T): T {
  const sums = Object.entries<number>(first).map(([name, value]) => [name, value + second[name as keyof T]] as const)
  return Object.fromEntries(sums) as unknown as T
}
