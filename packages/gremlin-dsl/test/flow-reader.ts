import type { EnhancedFlow, Flow, FlowQuery, FlowReader, RawPacket } from '@skydive/contracts'
import { enhancedFlowField, prepareFilter, searchFlows } from '@skydive/filter'

/** A reader over flows at hand, as an agent's table answers. It notes what it was asked. */
export function flowReader(flows: readonly Flow[], queries: FlowQuery[] = []): FlowReader {
  const search = async (query: FlowQuery): Promise<readonly EnhancedFlow[]> => {
    queries.push(query)
    const enhanced = flows.map((item) => ({ flow: item, places: {} }))
    return searchFlows(enhanced, query, await prepareFilter(query.Filter ?? {}, enhancedFlowField))
  }
  return {
    search: async (query) => ({ flows: await search(query), missing: [] }),
    metrics: async (query) => new Map((await search(query)).map(({ flow }) => [flow.UUID, [flow.LastUpdateMetric!]])),
    rawPackets: async (query) => {
      const found = (await search(query)).flatMap(({ flow }): (readonly [string, readonly RawPacket[]])[] =>
        flow.LastRawPackets ? [[flow.UUID, flow.LastRawPackets]] : [],
      )
      return new Map(found)
    },
  }
}
