import type { CaptureSource, Clock, Flow, PacketBlockSink, PacketFormat, PacketSource } from '@skydive/contracts'
import { type BlockConsumer, createFlowTable, type DirectionSink, type FlowTable } from '@skydive/flow-table'
import { createRecordTable } from '@skydive/flow-table/records'
import { ExporterTables } from './exporter-tables.ts'
import type { CaptureStart } from './messages.ts'
import type { FrameMirror } from './target/frame-mirror.ts'

/** What tables of packets and of records have in common. */
export type CaptureTable = Pick<FlowTable, 'update' | 'expire' | 'drain' | 'search' | 'rawPackets' | 'stats'>

/** Where flows of a table go. */
export interface FlowOutput {
  /** Takes flows as records of one direction; then the calls below come without flows, whenever so many were told. */
  readonly directions?: DirectionSink
  /** Answers when the next ones may come; `undefined`: at once. */
  send(flows: readonly Flow[]): Promise<void> | undefined
  /** Flows that had to go for newer ones. */
  sendEvicted(flows: readonly Flow[]): void
  /** Called when all flows of an update or an expiry are out. */
  flush(): void
}

/** A source with what it feeds: a flow table, or a mirror, which has no flows. */
export interface CaptureFeed {
  readonly source: CaptureSource
  readonly table?: CaptureTable
  /** Descriptors that can be read when there is something to poll. */
  readonly readyFds: readonly number[]
  /** Feeds what is ready. */
  poll(): void
}

/** Feeds a flow table of the capture's own. */
export function tableFeed(start: CaptureStart, source: CaptureSource, clock: Clock, output: FlowOutput): CaptureFeed {
  const onEvicted = (flows: readonly Flow[]) => output.sendEvicted(flows)
  const telling = { onEvicted, ...(output.directions && { directions: output.directions }) }
  if (source.kind === 'packets' && source.tellsExporters) {
    const tables = new ExporterTables({ ...start.table, ...telling }, source.format, onEvicted)
    return { source, table: tables, readyFds: [source.readyFd], poll: () => source.poll(tables.consume) }
  }
  if (source.kind === 'packets') {
    const table = createFlowTable({ ...start.table, ...telling })
    table.warmUp()
    const consume = consumerOf(table, source.format)
    return { source, table, readyFds: [source.readyFd], poll: () => source.poll(consume) }
  }
  const { nodeTid, captureId, maxFlows } = start.table
  const table = createRecordTable({ nodeTid, captureId, maxFlows, ...telling })
  const poll = () => {
    const nowMs = clock.now()
    source.poll((record) => table.consume(record, nowMs))
  }
  return { source, table, readyFds: source.readyFds, poll }
}

/** Feeds a mirror. */
export function mirrorFeed(source: PacketSource, mirror: FrameMirror): CaptureFeed {
  const consume: PacketBlockSink = (buffer, offset, byteLength, _samplingRate, linkType) =>
    mirror.consume(buffer, offset, byteLength, linkType)
  const poll = () => {
    source.poll(consume)
    mirror.flush()
  }
  return { source, readyFds: [source.readyFd], poll }
}

/** Feeds a table, also with blocks of other link types than the one of the format. */
function consumerOf(table: FlowTable, format: PacketFormat): PacketBlockSink {
  const usual = table.consumer(format)
  const others = new Map<number, BlockConsumer>()
  return (buffer, offset, byteLength, samplingRate, linkType = format.linkType) => {
    let consume: BlockConsumer | undefined = linkType === format.linkType ? usual : others.get(linkType)
    if (!consume) {
      consume = table.consumer({ ...format, linkType })
      others.set(linkType, consume)
    }
    consume(buffer, offset, byteLength, samplingRate)
  }
}
