import {
  createColumnHelper,
  createSortedRowModel,
  rowSortingFeature,
  type SortingState,
  sortFn_basic,
  tableFeatures,
  useTable,
} from '@tanstack/react-table'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useMemo, useRef, useState } from 'react'
import type { FlowRow } from './api.ts'
import { usePage, usePageState } from './page-context.ts'

const REFRESH_MS = 2_000
const ROW_HEIGHT = 26
const MOST_FLOWS = 2_000

const packets = ({ Metric }: FlowRow): number => (Metric ? Metric.ABPackets + Metric.BAPackets : 0)
const bytes = ({ Metric }: FlowRow): number => (Metric ? Metric.ABBytes + Metric.BABytes : 0)

/** An end of a flow: the name of its node, else its address, with the port. */
function end(flow: FlowRow, side: 'A' | 'B'): string {
  const place = side === 'A' ? flow.Place?.a : flow.Place?.b
  const address = flow.Network?.[side] ?? flow.Link?.[side] ?? ''
  const port = flow.Transport ? `:${flow.Transport[side]}` : ''
  return place ? `${place.name} (${address}${port})` : `${address}${port}`
}

const features = tableFeatures({ rowSortingFeature, sortedRowModel: createSortedRowModel(), sortFns: { basic: sortFn_basic } })
const column = createColumnHelper<typeof features, FlowRow>()
const COLUMNS = column.columns([
  column.accessor((flow) => flow.Application ?? '', { id: 'application', header: 'Application', sortFn: 'basic' }),
  column.accessor((flow) => end(flow, 'A'), { id: 'a', header: 'From', sortFn: 'basic' }),
  column.accessor((flow) => end(flow, 'B'), { id: 'b', header: 'To', sortFn: 'basic' }),
  column.accessor(packets, { id: 'packets', header: 'Packets', sortFn: 'basic' }),
  column.accessor(bytes, { id: 'bytes', header: 'Bytes', sortFn: 'basic' }),
  column.accessor((flow) => flow.Place?.capture?.name ?? flow.NodeTID ?? '', {
    id: 'capture',
    header: 'Seen on',
    sortFn: 'basic',
  }),
  column.accessor((flow) => flow.Last, {
    id: 'last',
    header: 'Last packet',
    sortFn: 'basic',
    cell: ({ getValue }) => new Date(getValue()).toLocaleTimeString(),
  }),
])

/** The query behind the table: all flows, or those seen on the selected element; now, or at the time shown. */
function flowQuery(tid: string | undefined, atMs: number | undefined): string {
  const context = atMs === undefined ? 'G' : `G.At(${Math.round(atMs)}, 300)`
  const source = tid === undefined ? `${context}.Flows()` : `${context}.V().Has('TID', '${tid}').Flows()`
  return `${source}.Sort(DESC, 'Last').Limit(${MOST_FLOWS})`
}

/** Flows, newest first: sort by a column, filter by text, click to see between which nodes one runs. */
export function FlowTable(): React.JSX.Element {
  const { api, store } = usePage()
  const details = usePageState((state) => state.details)
  const atMs = usePageState((state) => state.atMs)
  const [onlySelected, setOnlySelected] = useState(false)
  const [text, setText] = useState('')
  const [flows, setFlows] = useState<readonly FlowRow[]>([])
  const [error, setError] = useState('')
  const [sorting, setSorting] = useState<SortingState>([{ id: 'last', desc: true }])
  const [followed, setFollowed] = useState<string | undefined>(undefined)
  const tid = onlySelected ? (details?.metadata['TID'] as string | undefined) : undefined

  useEffect(() => {
    let stopped = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const refresh = async (): Promise<void> => {
      try {
        const found = await api.flows(flowQuery(tid, atMs))
        if (stopped) return
        setFlows(found)
        setError('')
      } catch (reason) {
        if (!stopped) setError((reason as Error).message)
      }
      // The past does not change: only the present is asked for again.
      if (!stopped && atMs === undefined) timer = setTimeout(refresh, REFRESH_MS)
    }
    void refresh()
    return () => {
      stopped = true
      clearTimeout(timer)
    }
  }, [api, tid, atMs])

  const shown = useMemo(() => {
    const wanted = text.trim().toLowerCase()
    if (wanted === '') return [...flows]
    return flows.filter((flow) =>
      `${flow.Application} ${flow.LayersPath} ${end(flow, 'A')} ${end(flow, 'B')} ${flow.TrackingID}`
        .toLowerCase()
        .includes(wanted),
    )
  }, [flows, text])

  const table = useTable({
    features,
    data: shown,
    columns: COLUMNS,
    state: { sorting },
    onSortingChange: setSorting,
    getRowId: ({ UUID }) => UUID,
  })
  const scroller = useRef<HTMLDivElement>(null)
  const rows = table.getRowModel().rows
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 12,
  })
  const visible = virtual.getVirtualItems()
  const above = visible[0]?.start ?? 0
  const below = virtual.getTotalSize() - (visible.at(-1)?.end ?? 0)

  const follow = (flow: FlowRow): void => {
    setFollowed(flow.UUID)
    const tids = [flow.Place?.capture?.tid ?? flow.NodeTID, flow.Place?.a?.tid, flow.Place?.b?.tid]
    store.send({ kind: 'highlight', ids: tids.filter((id) => id !== undefined), reveal: true })
  }

  return (
    <section className="flows" aria-label="Flows">
      <div className="bar">
        <input
          value={text}
          onChange={(event) => setText(event.target.value)}
          placeholder="Filter: address, name, application…"
          aria-label="Filter flows"
        />
        <label>
          <input type="checkbox" checked={onlySelected} onChange={(event) => setOnlySelected(event.target.checked)} /> only on the
          selected element
        </label>
        <span className="faint" role="status">
          {shown.length === MOST_FLOWS ? `the newest ${MOST_FLOWS}` : shown.length} flows
        </span>
        {error !== '' && (
          <span className="error" role="alert">
            {error}
          </span>
        )}
      </div>
      <div className="table-scroll" ref={scroller}>
        <table aria-label="Flows" aria-rowcount={rows.length}>
          <thead>
            <tr>
              {table.getFlatHeaders().map((header) => (
                <th key={header.id} className={`column-${header.id}`} aria-sort={ariaSort(header.column.getIsSorted())}>
                  <button type="button" className="plain" onClick={header.column.getToggleSortingHandler()}>
                    <table.FlexRender header={header} />
                    {sortMark(header.column.getIsSorted())}
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            <tr style={{ height: above }} />
            {visible.map(({ index }) => {
              const row = rows[index]!
              return (
                <tr
                  key={row.id}
                  aria-rowindex={index + 1}
                  className={row.id === followed ? 'followed' : ''}
                  style={{ height: ROW_HEIGHT }}
                >
                  {row.getAllCells().map((cell, cellIndex) => (
                    <td key={cell.id}>
                      {cellIndex === 0 ? (
                        <button
                          type="button"
                          className="plain link"
                          title="Show where it runs"
                          onClick={() => follow(row.original)}
                        >
                          <table.FlexRender cell={cell} />
                        </button>
                      ) : (
                        <table.FlexRender cell={cell} />
                      )}
                    </td>
                  ))}
                </tr>
              )
            })}
            <tr style={{ height: below }} />
          </tbody>
        </table>
        {rows.length === 0 && (
          <p className="faint empty">No flow. Select an interface and start a capture to see its traffic here.</p>
        )}
      </div>
    </section>
  )
}

function ariaSort(sorted: false | 'asc' | 'desc'): 'none' | 'ascending' | 'descending' {
  if (sorted === 'asc') return 'ascending'
  return sorted === 'desc' ? 'descending' : 'none'
}

function sortMark(sorted: false | 'asc' | 'desc'): string {
  if (sorted === 'asc') return ' ▲'
  return sorted === 'desc' ? ' ▼' : ''
}
