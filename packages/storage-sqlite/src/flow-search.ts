import type { EnhancedFlow, FlowQuery, TimeSlice } from '@skydive/contracts'
import { enhancedFlowField, prepareFilter, searchFlows } from '@skydive/filter'
import type { FlowPartition } from './flow-partition.ts'
import { sqlCondition } from './flow-sql.ts'

/**
 * The answer of several files to one search. SQL narrows by time, node and indexed terms; the search itself decides on what is left.
 * A flow that was reported into several files counts with its latest report.
 */
export async function searchPartitions(
  partitions: readonly FlowPartition[],
  query: FlowQuery,
  slice: TimeSlice,
): Promise<readonly EnhancedFlow[]> {
  const condition = sqlCondition(query.Filter)
  const byUuid = new Map<string, EnhancedFlow>()
  for (const partition of partitions) {
    for (const found of partition.candidates(slice, query.nodeTids, condition)) {
      const known = byUuid.get(found.flow.UUID)
      if (!known || known.flow.Last <= found.flow.Last) byUuid.set(found.flow.UUID, found)
    }
  }
  return searchFlows([...byUuid.values()], query, await prepareFilter(query.Filter ?? {}, enhancedFlowField))
}
