import { type SortingState, useTable } from '@tanstack/react-table'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useMemo, useRef, useState } from 'react'
import type { FlowRow } from './api.ts'
import { COLUMNS, features, searchText } from './flow-columns.tsx'
import { usePage, usePageState } from './page-context.ts'
import { firstLine } from './text.ts'
import { MOST_FLOWS, sightingsQuery, useFlows } from './use-flows.ts'

const ROW_HEIGHT = 26

/** Flows, newest first: sort by a column, filter by text, click to see between which nodes one runs. */
export function FlowTable(): React.JSX.Element {
  const { api, store } = usePage()
  const details = usePageState((state) => state.details)
  const atMs = usePageState((state) => state.atMs)
  const [onlySelected, setOnlySelected] = useState(false)
  const [text, setText] = useState('')
  const [sorting, setSorting] = useState<SortingState>([{ id: 'last', desc: true }])
  const [followed, setFollowed] = useState<string | undefined>(undefined)
  const tid = onlySelected ? (details?.metadata['TID'] as string | undefined) : undefined
  const { flows, error } = useFlows(tid, atMs)

  const shown = useMemo(() => {
    const wanted = text.trim().toLowerCase()
    return wanted === '' ? [...flows] : flows.filter((flow) => searchText(flow).includes(wanted))
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

  const hasMarks = usePageState((state) => state.highlighted.size > 0)
  useEffect(() => {
    if (!hasMarks) setFollowed(undefined)
  }, [hasMarks])

  const follow = (flow: FlowRow): void => {
    const isFollowed = followed === flow.UUID
    setFollowed(isFollowed ? undefined : flow.UUID)
    if (isFollowed) {
      store.send({ kind: 'highlight', ids: [], reveal: false })
      return
    }
    const { a, b } = flow.Place ?? {}
    const show = (sightings: readonly FlowRow[]): void => {
      const seenAt = sightings.map(({ NodeTID, Place }) => Place?.capture?.tid ?? NodeTID)
      store.send({ kind: 'follow', tids: [a?.tid, ...seenAt, b?.tid].filter((id) => id !== undefined) })
    }
    // Where else it was captured, whatever the table shows; without an answer, where this row was.
    const sightings = flow.TrackingID === undefined ? Promise.resolve([]) : api.flows(sightingsQuery(flow.TrackingID, atMs))
    sightings.then(
      (found) => show([flow, ...found]),
      () => show([flow]),
    )
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
          <span className="error" role="alert" title={error}>
            {firstLine(error)}
          </span>
        )}
      </div>
      <div className="table-scroll" ref={scroller}>
        <table aria-label="Flows" aria-rowcount={rows.length + 1}>
          <colgroup>
            {table.getFlatHeaders().map(({ id }) => (
              <col key={id} className={`column-${id}`} />
            ))}
          </colgroup>
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
                  aria-rowindex={index + 2}
                  className={row.id === followed ? 'followed' : ''}
                  style={{ height: ROW_HEIGHT }}
                >
                  {row.getAllCells().map((cell, cellIndex) => (
                    <td key={cell.id} className={`column-${cell.column.id}`}>
                      {cellIndex === 0 ? (
                        <button
                          type="button"
                          className="plain link"
                          title="Show where it runs"
                          aria-pressed={row.id === followed}
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
        {rows.length === 0 && <p className="faint empty">{emptyWords(flows.length, atMs)}</p>}
      </div>
    </section>
  )
}

/** Why there is nothing to see. */
function emptyWords(found: number, atMs: number | undefined): string {
  if (found > 0) return 'No flow has this text in its addresses, names or protocols.'
  if (atMs !== undefined) return 'No flow was seen in the five minutes before the time shown.'
  return 'No flow. Select an interface and start a capture to see its traffic here.'
}

function ariaSort(sorted: false | 'asc' | 'desc'): 'none' | 'ascending' | 'descending' {
  if (sorted === 'asc') return 'ascending'
  return sorted === 'desc' ? 'descending' : 'none'
}

function sortMark(sorted: false | 'asc' | 'desc'): string {
  if (sorted === 'asc') return ' ▲'
  return sorted === 'desc' ? ' ▼' : ''
}
