import type { Run, Value } from './runtime.ts'

/** Estimates, bytes: an object with some twenty members takes half a kilobyte, a row number eight bytes. */
export const ROW_BYTES = 8
/** A flow with its layers, metrics and places. */
export const FLOW_BYTES = 1024
/** A node or edge that was read from a store for this query alone. */
export const ELEMENT_BYTES = 512
/** An entry of a set or map. */
export const ENTRY_BYTES = 64
const RECORD_BYTES = 256

function sumOf<T>(lists: Iterable<readonly T[]>, bytes: (item: T) => number): number {
  let sum = 0
  for (const list of lists) {
    sum += ENTRY_BYTES
    for (const item of list) sum += bytes(item)
  }
  return sum
}

/** Roughly how many bytes a value holds that would be free without it. Elements of the live graph are there anyway. O(lists). */
function footprint(value: Value): number {
  switch (value.kind) {
    case 'graph':
      if (!value.view || !(value.free || value.slice)) return 0
      return (value.view.nodeCount + value.view.edgeCount) * (value.free ? ENTRY_BYTES : ELEMENT_BYTES)
    case 'nodes':
    case 'edges':
      return value.rows.length * ROW_BYTES
    case 'paths':
      return sumOf(value.paths, () => ROW_BYTES)
    case 'values':
      return value.values.length * ENTRY_BYTES
    case 'flows':
      return (value.flows?.length ?? 0) * FLOW_BYTES
    case 'groups':
      return sumOf(value.groups.values(), () => FLOW_BYTES)
    case 'elementgroups':
      return sumOf(value.groups.values(), () => ROW_BYTES)
    case 'metrics':
      return sumOf(value.metrics.values(), () => RECORD_BYTES)
    case 'rawpackets':
      return sumOf(value.packets.values(), ({ Data }) => Data.length + ENTRY_BYTES)
    case 'sockets':
      return sumOf(value.sockets.values(), () => ROW_BYTES)
    case 'nexthops':
      return value.nextHops.size * ENTRY_BYTES
    case 'number':
    case 'metric':
      return 0
  }
}

/** What a query holds between two steps: the value, the graph that it reads, and the lists that `As` keeps. O(1) in their number. */
export function heldBytes(value: Value, run: Run): number {
  let bytes = footprint(value)
  if (value !== run.graph) bytes += footprint(run.graph)
  return bytes + run.aliases.size * ENTRY_BYTES + run.aliasedRows * ROW_BYTES
}
