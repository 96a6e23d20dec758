import type { Flow } from '@skydive/contracts'
import { encodeFlowJson, FlowStreamWriter } from '@skydive/protocol/flow'

/** `table` for people, `json` one object a line, `csv` with a head line, `binary` protobuf flows, each with its length before it. */
export type FlowFormat = 'table' | 'json' | 'csv' | 'binary'

/** Turns flows into what is printed. */
export interface FlowFormatter {
  head(): string
  flows(flows: readonly Flow[]): string | Uint8Array
  tail(): string
}

type Cell = string | number | undefined

const CSV_COLUMNS: readonly (readonly [string, (flow: Flow) => Cell])[] = [
  ['Start', (flow) => flow.Start],
  ['Last', (flow) => flow.Last],
  ['Application', (flow) => flow.Application],
  ['LayersPath', (flow) => flow.LayersPath],
  ['Link.A', (flow) => flow.Link?.A],
  ['Link.B', (flow) => flow.Link?.B],
  ['Link.ID', (flow) => flow.Link?.ID],
  ['Network.A', (flow) => flow.Network?.A],
  ['Network.B', (flow) => flow.Network?.B],
  ['Transport.Protocol', (flow) => flow.Transport?.Protocol],
  ['Transport.A', (flow) => flow.Transport?.A],
  ['Transport.B', (flow) => flow.Transport?.B],
  ['ICMP.Type', (flow) => flow.ICMP?.Type],
  ['ICMP.Code', (flow) => flow.ICMP && (flow.ICMP.Code ?? 0)],
  ['ICMP.ID', (flow) => flow.ICMP && (flow.ICMP.ID ?? 0)],
  ['Metric.ABPackets', (flow) => flow.Metric?.ABPackets],
  ['Metric.ABBytes', (flow) => flow.Metric?.ABBytes],
  ['Metric.BAPackets', (flow) => flow.Metric?.BAPackets],
  ['Metric.BABytes', (flow) => flow.Metric?.BABytes],
  ['Metric.RTT', (flow) => flow.Metric?.RTT],
  ['FinishType', (flow) => flow.FinishType ?? 0],
  ['UUID', (flow) => flow.UUID],
  ['TrackingID', (flow) => flow.TrackingID],
  ['L3TrackingID', (flow) => flow.L3TrackingID],
  ['ParentUUID', (flow) => flow.ParentUUID],
]

const TABLE_COLUMNS: readonly (readonly [string, number, (flow: Flow) => string])[] = [
  ['START', 23, (flow) => new Date(flow.Start).toISOString().replace('T', ' ').slice(0, 23)],
  ['LASTED', 9, (flow) => `${((flow.Last - flow.Start) / 1000).toFixed(3)}s`],
  ['APPLICATION', 11, (flow) => flow.Application ?? ''],
  ['A', 39, (flow) => end(flow, 'A')],
  ['B', 39, (flow) => end(flow, 'B')],
  ['A->B', 22, (flow) => `${flow.Metric?.ABPackets ?? 0} / ${byteText(flow.Metric?.ABBytes ?? 0)}`],
  ['B->A', 22, (flow) => `${flow.Metric?.BAPackets ?? 0} / ${byteText(flow.Metric?.BABytes ?? 0)}`],
  ['RTT', 9, (flow) => (flow.Metric?.RTT ? `${(flow.Metric.RTT / 1e6).toFixed(3)}ms` : '-')],
]

/** Makes a formatter; it is for one output. */
export function createFlowFormatter(format: FlowFormat): FlowFormatter {
  const none = () => ''
  switch (format) {
    case 'json':
      return { head: none, flows: (flows) => flows.map((flow) => `${encodeFlowJson(flow)}\n`).join(''), tail: none }
    case 'csv':
      return {
        head: () => `${CSV_COLUMNS.map(([name]) => name).join(',')}\n`,
        flows: (flows) => flows.map((flow) => `${CSV_COLUMNS.map(([, read]) => csvCell(read(flow))).join(',')}\n`).join(''),
        tail: none,
      }
    case 'binary': {
      const writer = new FlowStreamWriter()
      return { head: none, flows: (flows) => writer.encode(flows), tail: none }
    }
    case 'table':
      return {
        head: () => tableLine(TABLE_COLUMNS.map(([name]) => name)),
        flows: (flows) => flows.map((flow) => tableLine(TABLE_COLUMNS.map(([, , read]) => read(flow)))).join(''),
        tail: none,
      }
  }
}

function tableLine(cells: readonly string[]): string {
  return `${cells
    .map((cell, index) => cell.padEnd(TABLE_COLUMNS[index]![1]))
    .join(' ')
    .trimEnd()}\n`
}

function csvCell(value: Cell): string {
  if (value === undefined) return ''
  const text = String(value)
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** `10.0.0.1:80`, `[fd00::1]:80`, an address without a port, or a MAC address. */
function end(flow: Flow, side: 'A' | 'B'): string {
  const address = flow.Network?.[side]
  if (address === undefined) return flow.Link?.[side] ?? ''
  const port = flow.Transport?.[side]
  if (port === undefined) return address
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

function byteText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}
