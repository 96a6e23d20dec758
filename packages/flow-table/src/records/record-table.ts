import {
  type EnhancedFlow,
  type Flow,
  type FlowFinishType,
  type FlowQuery,
  type FlowRecord,
  InvalidArgumentError,
  type RawPacket,
} from '@skydive/contracts'
import { enhancedFlowField, type Predicate, prepareFilter, searchFlows } from '@skydive/filter'
import { IP_PROTOCOL, icmpv4Class, icmpv6Class } from '@skydive/packet'
import { FLOW_END } from '@skydive/packet/netflow'
import type { FlowTableStats } from '../flow-table.ts'
import {
  BEFORE_ANEW,
  COUNTERS,
  coldOf,
  DESTINATION_MAC,
  INPUT_INDEX,
  KEY_ADDRESS_FIRST,
  KEY_ADDRESS_SECOND,
  KEY_KIND,
  KEY_OBSERVER,
  KEY_TRANSPORT,
  LAST_MS,
  OUTPUT_INDEX,
  RECEIVED_MS,
  RecordColumns,
  SOURCE_MAC,
  START_MS,
  STATE,
  STATE_EGRESS,
  STATE_FINISHED,
  STATE_FIRST_SWAPPED,
  STATE_INGRESS,
  TCP_FLAGS,
  VLAN_ID,
  wideOf,
  wordOf,
} from './record-columns.ts'
import { RecordDifferences } from './record-differences.ts'
import { RecordDirections } from './record-directions.ts'
import { finishOf, hasPorts, isIcmp, RecordExporter } from './record-export.ts'
import type { RecordTableOptions } from './record-table-options.ts'

const DEFAULT_MAX_FLOWS = 500_000
/** Share of the table (as a shift) that one eviction frees: it costs a pass over all flows. */
const EVICTION_SHIFT = 6
/** Flows that are made at once before records get their turn again. */
const BATCH_FLOWS = 250
/** How long a finished connection stays, for the record of the other direction. */
const FINISHED_STAY_MS = 15_000
const TIMEOUT = 1

/**
 * Flow records in, flows out: the table for sources that count by themselves (spec flows 2.6). The two directions of a conversation, which
 * exporters tell apart, become one flow. A record costs no memory. It has no clock of its own.
 *
 * Flows leave by {@link RecordTable.update} and {@link RecordTable.expire}, which are lazy: iterate to the end.
 */
export class RecordTable {
  readonly #columns = new RecordColumns()
  readonly #differences = new RecordDifferences(this.#columns)
  readonly #exporter: RecordExporter
  readonly #directions: RecordDirections | undefined
  readonly #maxFlows: number
  readonly #onEvicted: (flows: readonly Flow[]) => void
  #records = 0
  #ignored = 0
  #evicted = 0
  #lastExpireMs = 0

  /** Use {@link createRecordTable}. */
  constructor(options: RecordTableOptions) {
    this.#exporter = new RecordExporter(this.#columns, options.nodeTid ?? '', options.captureId ?? '')
    this.#directions = options.directions && new RecordDirections(this.#columns, options.directions)
    this.#maxFlows = options.maxFlows ?? DEFAULT_MAX_FLOWS
    this.#onEvicted = options.onEvicted ?? (() => {})
  }

  /** Flows held now. */
  get size(): number {
    return this.#columns.size
  }

  /**
   * Counts a record in its flow; answers whether it did. `nowMs` is when it came. Never throws. Ignored, and counted so, are records without
   * addresses, and those that tell of packets where they leave an exporter that told of them where they came in, or the other way round.
   */
  consume(record: FlowRecord, nowMs: number): boolean {
    this.#records++
    if (record.ipVersion !== 4 && record.ipVersion !== 6) {
      this.#ignored++
      return false
    }
    const columns = this.#columns
    const isSwapped = this.#key(record)
    let id = columns.find()
    if (id < 0) {
      if (columns.size >= this.#maxFlows) this.#evict()
      id = this.#create(record, isSwapped)
    }
    const { words, wide } = columns
    const stateAt = wordOf(id, STATE)
    // 0 for a record of what went from A to B, 1 for one of the other direction.
    const side = ((words[stateAt]! & STATE_FIRST_SWAPPED) !== 0) === isSwapped ? 0 : 1
    const told = (record.isEgress ? STATE_EGRESS : STATE_INGRESS) << side
    if ((words[stateAt]! & ((STATE_INGRESS | STATE_EGRESS) << side) & ~told) !== 0) {
      this.#ignored++
      return false
    }
    words[stateAt]! |= told
    const at = wideOf(id, 0)
    const own = at + COUNTERS + side
    if (record.isTotal) {
      const before = coldOf(id, BEFORE_ANEW) + side
      replace(wide, own, columns.cold, before, record.packets)
      replace(wide, own + 2, columns.cold, before + 2, record.bytes)
    } else {
      wide[own]! += record.packets
      wide[own + 2]! += record.bytes
    }
    const other = at + COUNTERS + 1 - side
    wide[other]! += record.reversePackets
    wide[other + 2]! += record.reverseBytes
    if (record.startMs < wide[at + START_MS]!) wide[at + START_MS] = record.startMs
    if (record.lastMs > wide[at + LAST_MS]!) wide[at + LAST_MS] = record.lastMs
    wide[at + RECEIVED_MS] = nowMs
    words[stateAt + 1]! |= record.tcpFlags
    return true
  }

  /**
   * The update of spec flows 2.4: flows of which records came since the last one, with the difference in `LastUpdateMetric`. Connections
   * that ended leave 15 s after their last record.
   */
  *update(nowMs: number): Generator<readonly Flow[]> {
    const fromMs = this.#differences.lastUpdateMs
    this.#differences.lastUpdateMs = nowMs
    yield* this.#batches((id, batch) => {
      const isTouched = this.#differences.isTouched(id)
      this.#differences.measure(id, fromMs, nowMs)
      const finish = finishOf(this.#columns.words[wordOf(id, TCP_FLAGS)]!)
      if (isTouched) this.#report(id, batch)
      if (finish !== 0) {
        this.#columns.words[wordOf(id, STATE)]! |= STATE_FINISHED
        if (nowMs - this.#columns.wide[wideOf(id, RECEIVED_MS)]! >= FINISHED_STAY_MS) this.#columns.remove(id)
      }
      return isTouched
    })
  }

  /** The expiry of spec flows 2.5: flows of which no record came since before the previous call of this method leave, with TIMEOUT. */
  *expire(nowMs: number): Generator<readonly Flow[]> {
    const beforeMs = this.#lastExpireMs
    this.#lastExpireMs = nowMs
    yield* this.#removeOlderThan(beforeMs)
    this.#exporter.forgetUnusedNames()
  }

  /** Empties the table: every flow, with TIMEOUT unless it ended. Flows that were reported whole already are left out. */
  drain(): Generator<readonly Flow[]> {
    return this.#removeOlderThan(Number.POSITIVE_INFINITY)
  }

  /** Every flow as it is now, in batches. Lazy; changes nothing. */
  snapshot(): Generator<readonly Flow[]> {
    return this.#batches((id, batch) => batch.push(this.#exporter.flow(id)) > 0)
  }

  /**
   * The flows that a query finds, in its order (filter, sort, dedup, slice).
   * @throws ERR_INVALID_ARGUMENT for a bad pattern or a tree that is too deep.
   */
  async search(query: FlowQuery): Promise<readonly Flow[]> {
    const matches: Predicate<EnhancedFlow> = query.Filter ? await prepareFilter(query.Filter, enhancedFlowField) : () => true
    const all = [...this.snapshot()].flat().map((flow) => ({ flow, places: {} }))
    return searchFlows(all, query, matches).map(({ flow }) => flow)
  }

  /** Records carry no packets: always empty. */
  rawPackets(): ReadonlyMap<string, readonly RawPacket[]> {
    return new Map()
  }

  /** Totals since it was made; records stand where a table of packets counts packets. */
  stats(): FlowTableStats {
    return {
      flows: this.#columns.size,
      packets: this.#records,
      ignoredPackets: this.#ignored,
      filteredPackets: 0,
      evictedFlows: this.#evicted,
    }
  }

  /** Writes the key of a record; answers whether its ends had to change places (spec flows 1.8, step 1). */
  #key({ observer, ipVersion, addresses, protocol, sourcePort, destinationPort, icmpType, icmpCode }: FlowRecord): boolean {
    const { key } = this.#columns
    let order = (addresses[0]! >>> 0) - (addresses[4]! >>> 0)
    for (let word = 1; word < 4 && order === 0; word++) order = (addresses[word]! >>> 0) - (addresses[4 + word]! >>> 0)
    const isPorted = hasPorts(protocol)
    if (order === 0 && isPorted) order = sourcePort - destinationPort
    const isSwapped = order > 0
    const first = isSwapped ? 4 : 0
    key[KEY_OBSERVER] = observer
    for (let word = 0; word < 4; word++) {
      key[KEY_ADDRESS_FIRST + word] = addresses[first + word]!
      key[KEY_ADDRESS_SECOND + word] = addresses[4 - first + word]!
    }
    if (isPorted) {
      const high = isSwapped ? destinationPort : sourcePort
      key[KEY_TRANSPORT] = (high << 16) | ((sourcePort + destinationPort - high) & 0xffff)
    } else if (isIcmp(protocol)) {
      const icmpClass = protocol === IP_PROTOCOL.ICMP ? icmpv4Class(icmpType & 0xff) : icmpv6Class(icmpType & 0xff)
      key[KEY_TRANSPORT] = (icmpClass << 24) | ((icmpCode & 0xff) << 16)
    } else key[KEY_TRANSPORT] = 0
    key[KEY_KIND] = (ipVersion << 8) | (protocol & 0xff)
    return isSwapped
  }

  #create(record: FlowRecord, isSwapped: boolean): number {
    const columns = this.#columns
    const id = columns.insert()
    if (isSwapped) columns.words[wordOf(id, STATE)]! |= STATE_FIRST_SWAPPED
    const { wide, cold } = columns
    wide[wideOf(id, START_MS)] = record.startMs
    cold[coldOf(id, SOURCE_MAC)] = record.sourceMac
    cold[coldOf(id, DESTINATION_MAC)] = record.destinationMac
    cold[coldOf(id, VLAN_ID)] = record.vlanId
    cold[coldOf(id, INPUT_INDEX)] = record.inputIndex
    cold[coldOf(id, OUTPUT_INDEX)] = record.outputIndex
    this.#exporter.name(record.observer, record.exporterAddress)
    return id
  }

  #evict(): void {
    const ids = this.#columns.oldest(Math.max(1, this.#columns.size >> EVICTION_SHIFT))
    for (const id of ids) this.#differences.measureLeaving(id)
    const flows: Flow[] = []
    for (const id of ids) this.#report(id, flows, TIMEOUT, FLOW_END.RESOURCES)
    for (const id of ids) this.#columns.remove(id)
    this.#exporter.forgetUnusedNames()
    this.#evicted += ids.length
    this.#onEvicted(flows)
  }

  *#removeOlderThan(beforeMs: number): Generator<readonly Flow[]> {
    const columns = this.#columns
    yield* this.#batches((id, batch) => {
      if (columns.wide[wideOf(id, RECEIVED_MS)]! >= beforeMs) return false
      const isTouched = this.#differences.isTouched(id)
      this.#differences.measureLeaving(id)
      const wasFinished = (columns.words[wordOf(id, STATE)]! & STATE_FINISHED) !== 0
      const isTold = isTouched || !wasFinished
      if (isTold) this.#report(id, batch, TIMEOUT)
      columns.remove(id)
      return isTold
    })
  }

  /** `visit` adds a flow to the batch, or tells of it elsewhere, and answers whether it did. */
  *#batches(visit: (id: number, batch: Flow[]) => boolean): Generator<readonly Flow[]> {
    const columns = this.#columns
    let batch: Flow[] = []
    let told = 0
    for (let id = 0; id < columns.limit; id++) {
      if (!columns.isLive(id) || !visit(id, batch)) continue
      if (++told < BATCH_FLOWS) continue
      yield batch
      batch = []
      told = 0
    }
    if (told > 0) yield batch
  }

  /** `finish` is how a flow ends that does not tell it itself. */
  #report(id: number, batch: Flow[], finish?: FlowFinishType, endReason?: number): void {
    if (this.#directions) this.#directions.tell(id, finish, endReason)
    else batch.push(this.#exporter.flow(id, finish))
  }
}

/** A total that is smaller than the one before tells of a flow that began anew: what it had counted until then stays, beneath the totals that follow. */
function replace(wide: Float64Array, at: number, cold: Float64Array, beforeAt: number, total: number): void {
  if (total < wide[at]! - cold[beforeAt]!) cold[beforeAt] = wide[at]!
  wide[at] = cold[beforeAt]! + total
}

/**
 * Makes a table of records.
 * @throws ERR_INVALID_ARGUMENT for a limit out of range.
 */
export function createRecordTable(options: RecordTableOptions = {}): RecordTable {
  const { maxFlows = DEFAULT_MAX_FLOWS } = options
  if (!Number.isInteger(maxFlows) || maxFlows < 1) {
    throw new InvalidArgumentError(`maxFlows: ${maxFlows} is out of range; give 1 or more`, { maxFlows })
  }
  return new RecordTable(options)
}
