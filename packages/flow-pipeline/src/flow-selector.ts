import { type EnhancedFlow, type FlowQuery, type FlowReader, type GraphSource, InvalidArgumentError } from '@skydive/contracts'
import { enhancedFlowField, prepareFilter } from '@skydive/filter'
import { createGremlin } from '@skydive/gremlin-dsl'

/**
 * What a query such as `G.Flows().Has('Application', 'DNS')` says of one flow, for flows that pass by.
 *
 * @throws GremlinError; ERR_INVALID_ARGUMENT for a query that is about more than single flows: nodes, times, order, limits.
 */
export async function flowSelector(gremlin: string): Promise<(flow: EnhancedFlow) => boolean> {
  const refuse = (): never => {
    throw new InvalidArgumentError(
      `the filter ${JSON.stringify(gremlin)} can't be asked of a flow that passes by: write G.Flows() and steps Has, HasNot, HasKey`,
      { filter: gremlin },
    )
  }
  const asked: FlowQuery[] = []
  const flows: FlowReader = {
    async search(query, slice) {
      if (slice) refuse()
      asked.push(query)
      return { flows: [], missing: [] }
    },
    metrics: refuse,
    rawPackets: refuse,
  }
  const nowhere: GraphSource = { open: refuse, coverage: refuse }
  const { result } = await createGremlin({ graph: nowhere, flows }).query(gremlin)
  const [query] = asked
  if (result.kind !== 'flows' || query === undefined || asked.length > 1) return refuse()
  const { Sort, Dedup, PaginationRange, nodeTids, Filter } = query
  if (Sort || Dedup || PaginationRange || nodeTids) return refuse()
  return prepareFilter(Filter ?? {}, enhancedFlowField)
}
