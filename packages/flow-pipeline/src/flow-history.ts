import type { Clock, EnhancedFlow, Filter, FlowAnswer, FlowQuery, FlowReader, TimeSlice } from '@skydive/contracts'
import { UnavailableError } from '@skydive/contracts'
import { arrangeFlows, enhancedFlowField, prepareFilter, someLeaf } from '@skydive/filter'
import type { CoverageLedger } from './coverage-ledger.ts'

/** The two halves. */
export interface FlowHistoryOptions {
  readonly live: FlowReader
  /** Absent: a question about the past is refused with `ERR_UNAVAILABLE`. */
  readonly store: FlowReader | undefined
  /** What was watched and lost; absent: answers do not tell. */
  readonly ledger?: Pick<CoverageLedger, 'summary'>
  readonly clock: Pick<Clock, 'now'>
  /** How long a flow may live unreported in an agent (`flow.update`), ms. */
  readonly updateMs: number
}

/**
 * Flows at any time as one reader. The present is asked of the agents. A slice of the past is asked of the store, and where it reaches into
 * what the agents have not reported yet, of them as well; a flow that both know counts with its later report.
 */
export function createFlowHistory({ live, store, ledger, clock, updateMs }: FlowHistoryOptions): FlowReader {
  const whole = ({ PaginationRange: _range, Sort: _sort, Dedup: _dedup, ...query }: FlowQuery): FlowQuery => query
  const widened = ({ Filter: filter = {}, ...query }: FlowQuery): FlowQuery => {
    const { Op, Filters = [] } = filter.BoolFilter ?? {}
    const lasting = Op === 1 ? Filters.filter((condition) => !someLeaf(condition, isPassing)) : []
    return lasting.length > 0 ? { ...query, Filter: { BoolFilter: { Op: 1, Filters: lasting } } } : query
  }
  const isRecent = (slice: TimeSlice): boolean => slice.lastMs >= clock.now() - 2 * updateMs

  const search = async (
    query: FlowQuery,
    slice: TimeSlice,
    past: FlowReader,
    options?: Parameters<FlowReader['search']>[2],
  ): Promise<FlowAnswer> => {
    if (!isRecent(slice)) return past.search(query, slice, options)
    // Agents are asked also for flows of which only an earlier report, which the store has, meets the condition.
    const isWidened = query.Filter !== undefined && someLeaf(query.Filter, isPassing)
    const [stored, present] = await Promise.all([
      past.search(whole(query), slice, options),
      live.search(isWidened ? widened(whole(query)) : whole(query), undefined, options),
    ])
    const byUuid = new Map<string, EnhancedFlow>(stored.flows.map((item) => [item.flow.UUID, item]))
    for (const item of present.flows) {
      const { UUID, Start, Last } = item.flow
      const known = byUuid.get(UUID)
      if (Start <= slice.lastMs && Last >= slice.startMs && (!known || known.flow.Last <= Last)) byUuid.set(UUID, item)
    }
    const all = [...byUuid.values()]
    const found = isWidened ? all.filter(await prepareFilter(query.Filter ?? {}, enhancedFlowField)) : all
    return { flows: arrangeFlows(found, query), missing: [...stored.missing, ...present.missing] }
  }

  const pastOf = (slice: TimeSlice | undefined): FlowReader | undefined => {
    if (!slice) return undefined
    if (!store) throw new UnavailableError('No storage backend has been configured', { retryable: false })
    return store
  }

  return {
    async search(query, slice, options) {
      const past = pastOf(slice)
      return past && slice ? search(query, slice, past, options) : live.search(query, slice, options)
    },
    async metrics(query, slice, options) {
      return (pastOf(slice) ?? live).metrics(query, slice, options)
    },
    async rawPackets(query, slice, options) {
      return (pastOf(slice) ?? live).rawPackets(query, slice, options)
    },
    ...(ledger && {
      coverage(slice: TimeSlice | undefined) {
        // What agents hold now began at the latest an update ago.
        const nowMs = clock.now()
        return ledger.summary(slice ?? { startMs: nowMs - updateMs, lastMs: nowMs })
      },
    }),
  }
}

/** What every report of a flow says alike. */
const LASTING =
  /^(UUID|Start|LayersPath|Application|TrackingID|L3TrackingID|ParentUUID|NodeTID|CaptureID|(Link|Network|Transport|ICMP|Exporter)\..*)$/

/** A condition that one report of a flow may meet and the next one not. */
function isPassing(leaf: Filter): boolean {
  return Object.values(leaf).some((condition: { readonly Key?: string } | undefined) => !LASTING.test(condition?.Key ?? ''))
}
