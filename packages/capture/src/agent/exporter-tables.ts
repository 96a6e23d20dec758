import type { EnhancedFlow, Flow, FlowQuery, PacketBlockSink, PacketFormat, RawPacket } from '@skydive/contracts'
import { enhancedFlowField, type Predicate, prepareFilter, searchFlows } from '@skydive/filter'
import {
  type BlockConsumer,
  createFlowTable,
  type FlowTable,
  type FlowTableOptions,
  type FlowTableStats,
} from '@skydive/flow-table'

/** Exporters with a table of their own; what further ones sampled is counted together, as of nobody. */
const MAX_TABLES = 16
/** The first exporter, which mostly is the only one, has all the room; each further one a sixteenth of it: all together twice. */
const FURTHER_SHIFT = 4

/** The table of one exporter. */
interface ExporterTable {
  readonly table: FlowTable
  readonly consume: BlockConsumer
  /** Makes a flow of the table one of the capture. */
  readonly tell: (flow: Flow) => Flow
}

const NO_STATS = { flows: 0, packets: 0, ignoredPackets: 0, filteredPackets: 0, evictedFlows: 0 }

/**
 * Flow tables of a source whose packets others sampled: one for each of them, because a packet that two switches saw is one packet of each. Flows
 * carry their exporter, and the interfaces that their first sample passed. Their tracking ids are the same at all of them, their UUIDs are not.
 */
export class ExporterTables {
  readonly #options: FlowTableOptions
  readonly #format: PacketFormat
  readonly #onEvicted: (flows: readonly Flow[]) => void
  readonly #tables = new Map<string, ExporterTable>()
  /** The exporter whose flows have the UUIDs that flows of a capture of the node itself have. */
  #first: string | undefined
  #last: ExporterTable | undefined
  #lastExporter: string | undefined
  /** What tables counted that are gone. */
  #gone = NO_STATS

  constructor(options: FlowTableOptions, format: PacketFormat, onEvicted: (flows: readonly Flow[]) => void) {
    this.#options = options
    this.#format = format
    this.#onEvicted = onEvicted
    // The first samples meet compiled code: it is the same for all tables.
    createFlowTable(options).warmUp()
  }

  /** Takes the blocks of the source. */
  readonly consume: PacketBlockSink = (buffer, offset, byteLength, samplingRate, _linkType, exporter = '') => {
    if (!this.#last || exporter !== this.#lastExporter) {
      this.#last = this.#tableOf(exporter)
      this.#lastExporter = exporter
    }
    this.#last.consume(buffer, offset, byteLength, samplingRate)
  };

  *update(nowMs: number): Generator<readonly Flow[]> {
    for (const { table, tell } of this.#all()) for (const flows of table.update(nowMs)) yield flows.map(tell)
  }

  /** Tables that are empty afterwards make room for those of other exporters. */
  *expire(nowMs: number): Generator<readonly Flow[]> {
    for (const { table, tell } of this.#all()) for (const flows of table.expire(nowMs)) yield flows.map(tell)
    for (const [exporter, { table }] of [...this.#tables]) {
      if (table.size > 0) continue
      this.#gone = sum(this.#gone, table.stats())
      this.#tables.delete(exporter)
      if (this.#first === exporter) this.#first = undefined
      this.#last = undefined
    }
  }

  *drain(): Generator<readonly Flow[]> {
    for (const { table, tell } of this.#all()) for (const flows of table.drain()) yield flows.map(tell)
  }

  /** As {@link FlowTable.search}, over all of them. */
  async search(query: FlowQuery): Promise<readonly Flow[]> {
    const matches: Predicate<EnhancedFlow> = query.Filter ? await prepareFilter(query.Filter, enhancedFlowField) : () => true
    const all = this.#all().flatMap(({ table, tell }) =>
      [...table.snapshot()].flat().map((flow) => ({ flow: tell(flow), places: {} })),
    )
    return searchFlows(all, query, matches).map(({ flow }) => flow)
  }

  rawPackets(): ReadonlyMap<string, readonly RawPacket[]> {
    return new Map(this.#all().flatMap(({ table }) => [...table.rawPackets()]))
  }

  stats(): FlowTableStats {
    return this.#all().reduce((all, { table }) => sum(all, table.stats()), this.#gone)
  }

  #all(): readonly ExporterTable[] {
    return [...this.#tables.values()]
  }

  #tableOf(exporter: string): ExporterTable {
    const known = this.#tables.get(exporter)
    if (known) return known
    if (exporter !== '' && this.#tables.size >= MAX_TABLES) return this.#tableOf('')
    const made = this.#make(exporter)
    this.#tables.set(exporter, made)
    return made
  }

  #make(exporter: string): ExporterTable {
    const { nodeTid = '', maxFlows } = this.#options
    this.#first ??= exporter
    const isFirst = this.#first === exporter
    const tell = (flow: Flow): Flow => ({ ...flow, NodeTID: nodeTid })
    const table = createFlowTable({
      ...this.#options,
      // The node is part of a flow's UUID.
      nodeTid: isFirst ? nodeTid : `${nodeTid}@${exporter}`,
      exporterAddress: exporter,
      ...(!isFirst && maxFlows !== undefined && { maxFlows: Math.max(1, maxFlows >> FURTHER_SHIFT) }),
      onEvicted: (flows) => this.#onEvicted(flows.map(tell)),
    })
    return { table, consume: table.consumer(this.#format), tell }
  }
}

function sum(a: typeof NO_STATS, b: FlowTableStats): typeof NO_STATS {
  return {
    flows: a.flows + b.flows,
    packets: a.packets + b.packets,
    ignoredPackets: a.ignoredPackets + b.ignoredPackets,
    filteredPackets: a.filteredPackets + b.filteredPackets,
    evictedFlows: a.evictedFlows + b.evictedFlows,
  }
}
