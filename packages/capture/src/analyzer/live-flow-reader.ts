import {
  CancelledError,
  type EnhancedFlow,
  type Filter,
  type Flow,
  type FlowAnswer,
  type FlowMetric,
  type FlowQuery,
  type FlowReader,
  type RawPacket,
  type ReadOptions,
  type SearchQuery,
  type TimeSlice,
  UnavailableError,
} from '@skydive/contracts'
import { arrangeFlows, enhancedFlowField, prepareFilter, someLeaf, widenFilter } from '@skydive/filter'
import { decodeFlowSet, decodeTableReply, encodeTableQuery } from '@skydive/protocol/flow'

/** One holder of flow tables: this process, or an agent over its line. */
export interface FlowTableSource {
  /** As it is named when it does not answer: `agent.alpha`. */
  readonly name: string
  readonly hostId: string
  /** Protobuf `TableQuery` in, `TableReply` out. */
  query(query: Uint8Array, options: ReadOptions): Promise<Uint8Array>
}

/** What a live reader is made of. */
export interface LiveFlowReaderOptions {
  /** Who holds tables now; asked at every query. */
  sources(): readonly FlowTableSource[]
  /** Gives a flow its places. Without it they stay empty. */
  enhance?(flow: Flow): EnhancedFlow
}

/**
 * Reads flows from the tables where they are counted (spec flows 2.9). All holders are asked at once; those that fail are named in the
 * answer instead of leaving a gap that nobody sees.
 */
export function createLiveFlowReader(options: LiveFlowReaderOptions): FlowReader {
  const search = async (query: FlowQuery, slice: TimeSlice | undefined, read: ReadOptions = {}): Promise<FlowAnswer> => {
    if (slice !== undefined) {
      throw new UnavailableError('No storage backend has been configured', { retryable: false, fields: { slice } })
    }
    if (query.nodeTids?.length === 0) return { flows: [], missing: [] }
    const hosts = query.hosts && new Set(query.hosts)
    const asked = options.sources().filter(({ hostId }) => !hosts || hosts.has(hostId))
    const isWidened = query.Filter !== undefined && someLeaf(query.Filter, isOurs)
    const bytes = encodeTableQuery({ Type: 'SearchQuery', Query: tableQuery(isWidened ? widened(query) : query) })
    const answers = await Promise.allSettled(asked.map((source) => ask(source, bytes, read)))
    if (read.signal?.aborted) throw new CancelledError()

    const flows: EnhancedFlow[] = []
    const missing: string[] = []
    answers.forEach((answer, index) => {
      if (answer.status === 'rejected') missing.push(asked[index]!.name)
      else for (const flow of answer.value) flows.push(options.enhance?.(flow) ?? { flow, places: {} })
    })
    const found = isWidened ? flows.filter(await prepareFilter(query.Filter ?? {}, enhancedFlowField)) : flows
    return { flows: arrangeFlows(found, query), missing }
  }

  /** What was found, for answers that can't name those that did not answer themselves. */
  const found: typeof search = async (query, slice, read) => {
    const answer = await search(query, slice, read)
    for (const source of answer.missing) read?.onMissing?.(source)
    return answer
  }

  return {
    search,
    async metrics(query, slice, read) {
      const { flows } = await found(query, slice, read)
      return new Map<string, readonly FlowMetric[]>(
        flows.map(({ flow }) => [flow.UUID, [flow.LastUpdateMetric ?? flow.Metric ?? ZERO]]),
      )
    },
    async rawPackets(query, slice, read) {
      const { flows } = await found(query, slice, read)
      return new Map<string, readonly RawPacket[]>(
        flows.flatMap(({ flow }) => (flow.LastRawPackets ? [[flow.UUID, flow.LastRawPackets] as const] : [])),
      )
    },
  }
}

const ZERO: FlowMetric = { ABPackets: 0, ABBytes: 0, BAPackets: 0, BABytes: 0, Start: 0, Last: 0 }

async function ask(source: FlowTableSource, query: Uint8Array, read: ReadOptions): Promise<readonly Flow[]> {
  const { FlowSetBytes } = decodeTableReply(await source.query(query, read))
  return FlowSetBytes.flatMap((bytes) => decodeFlowSet(bytes).Flows)
}

/** A condition that agents of the original don't know: they take it for one that every flow passes, as they do with an empty one. */
function isOurs(leaf: Filter): boolean {
  return leaf.IPV6RangeFilter !== undefined || isOfPlaces(leaf) || Object.keys(leaf).length === 0
}

/** A condition on where a flow runs, which agents can't tell: it would find nothing there. */
function isOfPlaces(leaf: Filter): boolean {
  return Object.values(leaf).some((condition: { readonly Key?: string } | undefined) => condition?.Key?.startsWith('Place.'))
}

/** The filter with empty conditions in the place of those on places. */
function withoutPlaces(filter: Filter): Filter {
  const { BoolFilter: combined } = filter
  if (!combined) return isOfPlaces(filter) ? {} : filter
  return { BoolFilter: { ...combined, Filters: (combined.Filters ?? []).map(withoutPlaces) } }
}

/** What every agent answers without losing a flow; doubles and pages are cut after filtering again. */
function widened({ Filter: filter = {}, PaginationRange: _, Dedup: __, DedupBy: ___, ...rest }: FlowQuery): FlowQuery {
  const asked = widenFilter(withoutPlaces(filter), isOurs)
  return { ...rest, ...(asked && { Filter: asked }) }
}

/** What a table is asked: the nodes become a filter, and a page from the middle is cut after everything is together. */
function tableQuery({ nodeTids, hosts: _, ...query }: FlowQuery): SearchQuery {
  const { Filter: filter, PaginationRange: range } = query
  const nodes: Filter | undefined = nodeTids && {
    BoolFilter: { Op: 0, Filters: nodeTids.map((tid) => ({ TermStringFilter: { Key: 'NodeTID', Value: tid } })) },
  }
  const both = nodes && filter ? { BoolFilter: { Op: 1 as const, Filters: [nodes, filter] } } : (nodes ?? filter)
  // Whatever stands on the page is among as many of its own table: what stands before it there stands before it in the whole.
  const { PaginationRange: __, Filter: ___, ...rest } = query
  return { ...rest, ...(both && { Filter: both }), ...(range && { PaginationRange: { From: 0, To: range.To } }) }
}
