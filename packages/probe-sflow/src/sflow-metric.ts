import type { MetadataObject } from '@skydive/contracts'
import { SFLOW_COUNTER, type SFlowCounterValues } from '@skydive/packet/sflow'

/** Members of `SFlow` metadata by the names of the sFlow specification (spec flows 3.7). */
const MEMBERS: ReadonlyMap<number, Readonly<Record<string, string>>> = new Map([
  [
    SFLOW_COUNTER.GENERIC_INTERFACE,
    Object.fromEntries(
      ['In', 'Out']
        .flatMap((way) =>
          ['Octets', 'UcastPkts', 'MulticastPkts', 'BroadcastPkts', 'Discards', 'Errors'].map((what) => `${way}${what}`),
        )
        .concat('InUnknownProtos')
        .map((name) => [`if${name}`, `If${name}`]),
    ),
  ],
  [
    SFLOW_COUNTER.ETHERNET_INTERFACE,
    Object.fromEntries(
      (
        'AlignmentErrors FCSErrors SingleCollisionFrames MultipleCollisionFrames SQETestErrors DeferredTransmissions ' +
        'LateCollisions ExcessiveCollisions InternalMacReceiveErrors InternalMacTransmitErrors CarrierSenseErrors ' +
        'FrameTooLongs SymbolErrors'
      )
        .split(' ')
        .map((name) => [`dot3Stats${name}`, `Eth${name}`]),
    ),
  ],
  [
    SFLOW_COUNTER.VLAN,
    {
      octets: 'VlanOctets',
      ucastPkts: 'VlanUcastPkts',
      multicastPkts: 'VlanMulticastPkts',
      broadcastPkts: 'VlanBroadcastPkts',
      discards: 'VlanDiscards',
    },
  ],
  [
    SFLOW_COUNTER.OVS_DATAPATH,
    {
      n_hit: 'OvsDpNHit',
      n_missed: 'OvsDpNMissed',
      n_lost: 'OvsDpNLost',
      n_mask_hit: 'OvsDpNMaskHit',
      n_flows: 'OvsDpNFlows',
      n_masks: 'OvsDpNMasks',
    },
  ],
  [
    SFLOW_COUNTER.APPLICATION_RESOURCES,
    {
      fd_open: 'OvsAppFdOpen',
      fd_max: 'OvsAppFdMax',
      conn_open: 'OvsAppConnOpen',
      conn_max: 'OvsAppConnMax',
      mem_used: 'OvsAppMemUsed',
      mem_max: 'OvsAppMemMax',
    },
  ],
])
/** Members that are added up over samples instead of replaced. */
const ADDED = new Set(
  'OvsDpNHit OvsDpNMissed OvsDpNLost OvsDpNMaskHit OvsDpNFlows OvsDpNMasks OvsAppFdOpen OvsAppConnOpen OvsAppMemUsed'.split(' '),
)
/** What agents send for a counter that they do not keep. */
const NO_VALUE = new Set([0, 0xffffffff, Number(0xffffffffffffffffn)])
/** Data sources whose counters are kept; a switch of a thousand ports has some four thousand. */
const MAX_SOURCES = 8192

/** Counters of one data source of one agent. */
interface Source {
  /** The key of `IfMetrics`. */
  readonly name: string
  readonly values: Map<string, number>
}

/** Gathers counter samples into the metadata `SFlow` of a node (spec flows 3.7). */
export class SFlowMetric {
  readonly #sources = new Map<string, Source>()
  #firstAgent: string | undefined
  #previous: Readonly<Record<string, number>> = {}
  #lastMs = 0
  #changedMs = 0
  #isChanged = false
  #shown: MetadataObject | undefined
  /** Counters of sources beyond those that are kept. */
  refused = 0

  /**
   * Takes the counters of one record. `agent` is the address of who counted, `index` the data source. The first agent's interfaces are
   * named by their index, those of others by `<index>@<agent>`.
   */
  count(agent: string, index: number, format: number, counters: SFlowCounterValues, nowMs: number): void {
    const members = MEMBERS.get(format)
    if (!members) return
    this.#firstAgent ??= agent
    const number = counters['ifIndex'] ?? index
    const key = `${number}@${agent}`
    let source = this.#sources.get(key)
    if (!source) {
      if (this.#sources.size >= MAX_SOURCES) {
        this.refused++
        return
      }
      source = { name: agent === this.#firstAgent ? String(number) : key, values: new Map() }
      this.#sources.set(key, source)
    }
    for (const [name, value] of Object.entries(counters)) {
      const member = members[name]
      if (member === undefined || NO_VALUE.has(value)) continue
      source.values.set(member, ADDED.has(member) ? (source.values.get(member) ?? 0) + value : value)
    }
    this.#changedMs = nowMs
    this.#isChanged = true
  }

  /** The metadata as it is now; `undefined` before the first counters. The same object as long as nothing came. */
  metadata(): MetadataObject | undefined {
    if (!this.#isChanged) return this.#shown
    this.#isChanged = false
    const total: Record<string, number> = {}
    const interfaces: Record<string, MetadataObject> = {}
    for (const { name, values } of this.#sources.values()) {
      const shown: Record<string, number> = {}
      for (const [member, value] of values) {
        if (member.startsWith('If')) shown[member] = value
        total[member] = (total[member] ?? 0) + value
      }
      if (Object.keys(shown).length > 0) interfaces[name] = shown
    }
    const difference: Record<string, number> = {}
    for (const [member, value] of Object.entries(total)) {
      const grown = value - (this.#previous[member] ?? 0)
      if (grown !== 0) difference[member] = grown
    }
    const lastUpdate =
      this.#lastMs !== 0 && Object.keys(difference).length > 0
        ? { ...difference, Start: this.#lastMs, Last: this.#changedMs }
        : this.#shown?.['LastUpdateMetric']
    this.#previous = total
    this.#lastMs = this.#changedMs
    this.#shown = {
      IfMetrics: interfaces,
      Metric: { ...total, Last: this.#lastMs },
      ...(lastUpdate !== undefined && { LastUpdateMetric: lastUpdate }),
    }
    return this.#shown
  }
}
