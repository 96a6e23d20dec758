import type {
  EnhancedFlow,
  Filter,
  Flow,
  FlowAnswer,
  FlowQuery,
  FlowReader,
  Logger,
  ReadOptions,
  TimeSlice,
} from '@skydive/contracts'
import { SILENT_LOGGER } from '@skydive/contracts'
import { arrangeFlows } from '@skydive/filter'
import { decodeFlowSet, decodeTableReply, encodeTableQuery } from '@skydive/protocol/flow'

/** What live flows are asked of. */
export interface AgentFlowsOptions {
  /** Host ids of the agents that are connected. */
  hosts(): readonly string[]
  /** Sends a protobuf `TableQuery` to an agent; answers its `TableReply`. Rejects when the agent does not answer in time. */
  queryFlowTable(hostId: string, query: Uint8Array, options?: ReadOptions): Promise<Uint8Array>
  enhance(flow: Flow): EnhancedFlow
  readonly logger?: Logger
}

/**
 * The flows that are live now, from the tables of all agents at once (spec flows 2.9). An agent that does not answer is named in `missing`;
 * the others' flows are the answer. Filter, sort and range are done by the agents, and once more over all of them.
 */
export function createAgentFlows(options: AgentFlowsOptions): FlowReader {
  const logger = options.logger ?? SILENT_LOGGER

  const ask = async (query: FlowQuery, readOptions?: ReadOptions): Promise<{ flows: EnhancedFlow[]; missing: string[] }> => {
    const hosts = options.hosts().filter((host) => query.hosts === undefined || query.hosts.includes(host))
    const request = encodeTableQuery({ Type: 'SearchQuery', Query: forAgents(query) })
    const flows: EnhancedFlow[] = []
    const missing: string[] = []
    if (query.nodeTids?.length === 0) return { flows, missing }
    await Promise.all(
      hosts.map(async (host) => {
        try {
          const reply = decodeTableReply(await options.queryFlowTable(host, request, readOptions))
          for (const set of reply.FlowSetBytes) for (const flow of decodeFlowSet(set).Flows) flows.push(options.enhance(flow))
        } catch (error) {
          if (readOptions?.signal?.aborted) throw error
          logger.warn({ host, reason: (error as Error).message }, 'agent did not answer a query of its flows')
          missing.push(`agent.${host}`)
        }
      }),
    )
    return { flows, missing: missing.sort() }
  }

  return {
    async search(query, _slice, readOptions): Promise<FlowAnswer> {
      const { flows, missing } = await ask(query, readOptions)
      return { flows: arrangeFlows(flows, query), missing }
    },
    async metrics(query, _slice: TimeSlice | undefined, readOptions) {
      const { flows } = await ask(query, readOptions)
      return new Map(
        arrangeFlows(flows, query).flatMap(({ flow }) => {
          const metric = flow.LastUpdateMetric ?? flow.Metric
          return metric === undefined ? [] : [[flow.UUID, [metric]] as const]
        }),
      )
    },
    async rawPackets(query, _slice, readOptions) {
      const { flows } = await ask(query, readOptions)
      return new Map(
        arrangeFlows(flows, query).flatMap(({ flow }) =>
          flow.LastRawPackets === undefined || flow.LastRawPackets.length === 0
            ? []
            : [[flow.UUID, flow.LastRawPackets] as const],
        ),
      )
    },
  }
}

/** The query as an agent gets it: the nodes become part of the filter, and a range begins at 0, because the slice is cut over all agents. */
function forAgents({ nodeTids, hosts: _hosts, PaginationRange: range, Dedup: _dedup, DedupBy: _dedupBy, ...search }: FlowQuery) {
  const terms: Filter[] = []
  if (nodeTids)
    terms.push({ BoolFilter: { Op: 0, Filters: nodeTids.map((Value) => ({ TermStringFilter: { Key: 'NodeTID', Value } })) } })
  if (search.Filter) terms.push(search.Filter)
  const filter =
    terms.length === 0 ? undefined : terms.length === 1 ? terms[0] : { BoolFilter: { Op: 1 as const, Filters: terms } }
  // A dedup over all agents needs every candidate: then no agent may cut its answer.
  const cut = range && _dedup !== true ? { PaginationRange: { From: 0, To: range.To } } : {}
  return { ...search, ...(filter && { Filter: filter }), ...cut }
}
