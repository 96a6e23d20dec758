import { createColumnHelper, createSortedRowModel, rowSortingFeature, sortFn_basic, tableFeatures } from '@tanstack/react-table'
import type { FlowRow } from './api.ts'
import { clockTime, formatBytes } from './text.ts'

const packets = ({ Metric }: FlowRow): number => (Metric ? Metric.ABPackets + Metric.BAPackets : 0)
const bytes = ({ Metric }: FlowRow): number => (Metric ? Metric.ABBytes + Metric.BABytes : 0)

/** An end of a flow: the name of its node when that is known, and its address with the port. */
export function flowEnd(flow: FlowRow, side: 'A' | 'B'): { readonly name: string; readonly address: string } {
  const place = side === 'A' ? flow.Place?.a : flow.Place?.b
  const address = flow.Network?.[side] ?? flow.Link?.[side] ?? ''
  const port = flow.Transport ? `:${flow.Transport[side]}` : ''
  return { name: place?.name ?? '', address: `${address}${port}` }
}

const endText = (flow: FlowRow, side: 'A' | 'B'): string => {
  const { name, address } = flowEnd(flow, side)
  return `${name} ${address}`.trim()
}

/** Where a flow was seen: the name of the interface, else its TID. */
const seenOn = (flow: FlowRow): string => flow.Place?.capture?.name ?? flow.NodeTID ?? ''

/** Everything of a flow that the text filter looks at, in lower case. */
export function searchText(flow: FlowRow): string {
  return [flow.Application, flow.LayersPath, endText(flow, 'A'), endText(flow, 'B'), seenOn(flow), flow.TrackingID]
    .join(' ')
    .toLowerCase()
}

function End({ flow, side }: { readonly flow: FlowRow; readonly side: 'A' | 'B' }): React.JSX.Element {
  const { name, address } = flowEnd(flow, side)
  return (
    <span title={`${name} ${address}`}>
      {name !== '' && <b>{name} </b>}
      <span className={name === '' ? '' : 'faint'}>{address}</span>
    </span>
  )
}

/** What the table can do: sort. */
export const features = tableFeatures({
  rowSortingFeature,
  sortedRowModel: createSortedRowModel(),
  sortFns: { basic: sortFn_basic },
})
const column = createColumnHelper<typeof features, FlowRow>()

export const COLUMNS = column.columns([
  column.accessor((flow) => flow.Application ?? '', { id: 'application', header: 'Protocol', sortFn: 'basic' }),
  column.accessor((flow) => endText(flow, 'A'), {
    id: 'a',
    header: 'From',
    sortFn: 'basic',
    cell: ({ row }) => <End flow={row.original} side="A" />,
  }),
  column.accessor((flow) => endText(flow, 'B'), {
    id: 'b',
    header: 'To',
    sortFn: 'basic',
    cell: ({ row }) => <End flow={row.original} side="B" />,
  }),
  column.accessor(packets, {
    id: 'packets',
    header: 'Packets',
    sortFn: 'basic',
    cell: ({ getValue }) => getValue().toLocaleString(),
  }),
  column.accessor(bytes, {
    id: 'bytes',
    header: 'Bytes',
    sortFn: 'basic',
    cell: ({ getValue }) => <span title={`${getValue().toLocaleString()} bytes`}>{formatBytes(getValue())}</span>,
  }),
  column.accessor(seenOn, { id: 'capture', header: 'Seen on', sortFn: 'basic' }),
  column.accessor((flow) => flow.Last, {
    id: 'last',
    header: 'Last packet',
    sortFn: 'basic',
    cell: ({ getValue }) => clockTime(getValue()),
  }),
])
