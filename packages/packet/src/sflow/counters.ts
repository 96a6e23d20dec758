/** Where a counter lies in its record: bytes after its start, and how long it is. */
export interface SFlowCounterField {
  readonly name: string
  readonly offset: number
  readonly bytes: 4 | 8
}

/** Counters by name: `{ ifIndex: 5, ifInOctets: 1200, … }`. 64-bit values beyond 2⁵³ lose their low bits. */
export type SFlowCounterValues = Readonly<Record<string, number>>

/**
 * Formats of counter records that have names here: `enterprise << 12 | format`. The first five are of the sFlow version 5 specification
 * (chapter 5, "counter_data"), the processor's and those of Open vSwitch of the structures published at sflow.org.
 */
export const SFLOW_COUNTER = {
  GENERIC_INTERFACE: 1,
  ETHERNET_INTERFACE: 2,
  VLAN: 5,
  PROCESSOR: 1001,
  APPLICATION_RESOURCES: 2203,
  OVS_DATAPATH: 2207,
} as const

/** The fields of {@link SFLOW_COUNTER}, named as in the specification. */
export const SFLOW_COUNTER_FIELDS: ReadonlyMap<number, readonly SFlowCounterField[]> = new Map([
  [
    SFLOW_COUNTER.GENERIC_INTERFACE,
    layOut(
      'ifIndex ifType ifSpeed:8 ifDirection ifStatus ifInOctets:8 ifInUcastPkts ifInMulticastPkts ifInBroadcastPkts ifInDiscards ' +
        'ifInErrors ifInUnknownProtos ifOutOctets:8 ifOutUcastPkts ifOutMulticastPkts ifOutBroadcastPkts ifOutDiscards ifOutErrors ' +
        'ifPromiscuousMode',
    ),
  ],
  [
    SFLOW_COUNTER.ETHERNET_INTERFACE,
    layOut(
      'dot3StatsAlignmentErrors dot3StatsFCSErrors dot3StatsSingleCollisionFrames dot3StatsMultipleCollisionFrames ' +
        'dot3StatsSQETestErrors dot3StatsDeferredTransmissions dot3StatsLateCollisions dot3StatsExcessiveCollisions ' +
        'dot3StatsInternalMacTransmitErrors dot3StatsCarrierSenseErrors dot3StatsFrameTooLongs ' +
        'dot3StatsInternalMacReceiveErrors dot3StatsSymbolErrors',
    ),
  ],
  [SFLOW_COUNTER.VLAN, layOut('vlan_id octets:8 ucastPkts multicastPkts broadcastPkts discards')],
  [SFLOW_COUNTER.PROCESSOR, layOut('5s_cpu 1m_cpu 5m_cpu total_memory:8 free_memory:8')],
  [SFLOW_COUNTER.APPLICATION_RESOURCES, layOut('user_time system_time mem_used:8 mem_max:8 fd_open fd_max conn_open conn_max')],
  [SFLOW_COUNTER.OVS_DATAPATH, layOut('n_hit n_missed n_lost n_mask_hit n_flows n_masks')],
])

/**
 * Reads a counter record that {@link SFlowVisitor.counters} hands over; `undefined` for a format without a name here or a record that is
 * too short for it. Allocates: an interface sends counters every few seconds.
 */
export function readSFlowCounters(
  view: DataView,
  format: number,
  offset: number,
  byteLength: number,
): SFlowCounterValues | undefined {
  const fields = SFLOW_COUNTER_FIELDS.get(format)
  const last = fields?.at(-1)
  if (!fields || !last || byteLength < last.offset + last.bytes) return undefined
  const values: Record<string, number> = {}
  for (const { name, offset: at, bytes } of fields) {
    values[name] = bytes === 4 ? view.getUint32(offset + at) : Number(view.getBigUint64(offset + at))
  }
  return values
}

function layOut(text: string): readonly SFlowCounterField[] {
  let offset = 0
  return text.split(' ').map((word) => {
    const [name = '', length] = word.split(':')
    const bytes = length === '8' ? 8 : 4
    const field: SFlowCounterField = { name, offset, bytes }
    offset += bytes
    return field
  })
}
