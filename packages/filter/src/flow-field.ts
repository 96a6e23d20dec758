import type { EnhancedFlow, Flow, FlowPlace, MetadataObject, MetadataValue } from '@skydive/contracts'
import type { FieldReader, FieldResolver } from './element-field.ts'
import { compilePath } from './path.ts'

/** Other names of a flow's records (spec graph 4.8). */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['ETHERNET', 'Link'],
  ['IPV4', 'Network'],
  ['IPV6', 'Network'],
  ['UDP', 'Transport'],
  ['TCP', 'Transport'],
  ['SCTP', 'Transport'],
])

/** Zero values that the JSON form leaves out; they exist wherever their record does. */
const ZEROS: ReadonlyMap<string, MetadataValue> = new Map<string, MetadataValue>([
  ['LayersPath', ''],
  ['Application', ''],
  ['TrackingID', ''],
  ['L3TrackingID', ''],
  ['NodeTID', ''],
  ['CaptureID', ''],
  ['FinishType', 0],
  ['Link.A', ''],
  ['Link.B', ''],
  ['Network.A', ''],
  ['Network.B', ''],
  ['ICMP.Code', 0],
  ['ICMP.ID', 0],
  ['Metric.RTT', 0],
  ['LastUpdateMetric.RTT', 0],
  ['TCPMetric.ABSynTTL', 0],
  ['TCPMetric.BASynTTL', 0],
])

const SIDES = new Set(['Link', 'Network', 'Transport'])

/** The fields that every flow may have, as `Keys()` tells them. */
export const FLOW_FIELDS: readonly string[] = [
  'UUID',
  'LayersPath',
  'Application',
  ...['Link', 'Network', 'Transport'].flatMap((layer) => [`${layer}.Protocol`, `${layer}.A`, `${layer}.B`, `${layer}.ID`]),
  'ICMP.Type',
  'ICMP.Code',
  'ICMP.ID',
  ...['LastUpdateMetric', 'Metric'].flatMap((record) =>
    ['ABPackets', 'ABBytes', 'BAPackets', 'BABytes', 'Start', 'Last', 'RTT'].map((field) => `${record}.${field}`),
  ),
  ...['ABSynStart', 'BASynStart', 'ABSynTTL', 'BASynTTL', 'ABFinStart', 'BAFinStart', 'ABRstStart', 'BARstStart'].map(
    (field) => `TCPMetric.${field}`,
  ),
  'IPMetric.Fragments',
  'IPMetric.FragmentErrors',
  'Start',
  'Last',
  'TrackingID',
  'L3TrackingID',
  'ParentUUID',
  'NodeTID',
  'CaptureID',
  'RawPacketsCaptured',
  'FinishType',
]

/** The whole name of a flow field: `TCP.A` is `Transport.A`. */
export function canonicalFlowField(name: string): string {
  const dot = name.indexOf('.')
  if (dot < 0) return name
  const record = ALIASES.get(name.slice(0, dot))
  return record === undefined ? name : record + name.slice(dot)
}

/** Whether `name` means both ends of a layer: `Network` is `Network.A` or `Network.B`. */
export function isFlowSide(name: string): boolean {
  return SIDES.has(name)
}

/**
 * The fields of flows by dotted path, with the aliases of spec graph 4.8. Zero values that JSON leaves out read as zero when their record
 * is there. `Link`, `Network` and `Transport` alone give both ends as a list.
 */
export const flowField: FieldResolver<Flow> = (name) => {
  const canonical = canonicalFlowField(name)
  if (isFlowSide(canonical)) {
    const a = flowField(`${canonical}.A`)
    const b = flowField(`${canonical}.B`)
    return (flow) => {
      const ends = [a(flow), b(flow)].filter((end) => end !== undefined)
      return ends.length === 0 ? undefined : ends
    }
  }
  const read = compilePath(canonical) as (flow: unknown) => MetadataValue | undefined
  const zero = ZEROS.get(canonical)
  if (zero === undefined) return read
  const dot = canonical.indexOf('.')
  if (dot < 0) return (flow) => read(flow) ?? zero
  const record = canonical.slice(0, dot) as keyof Flow
  return (flow) => read(flow) ?? (flow[record] === undefined ? undefined : zero)
}

const PLACES: ReadonlyMap<string, 'capture' | 'a' | 'b'> = new Map([
  ['Capture', 'capture'],
  ['A', 'a'],
  ['B', 'b'],
])
const PLACE_FIELDS: ReadonlyMap<string, keyof FlowPlace> = new Map([
  ['TID', 'tid'],
  ['Name', 'name'],
  ['Type', 'type'],
  ['Host', 'host'],
])

/** {@link flowField} for enhanced flows, with `Place.{Capture,A,B}.{TID,Name,Type,Host}` besides. */
export const enhancedFlowField: FieldResolver<EnhancedFlow> = (name) => {
  const [head, side, field] = name.split('.')
  if (head === 'Place' && side !== undefined) {
    const place = PLACES.get(side)
    const member = field === undefined ? undefined : PLACE_FIELDS.get(field)
    if (place === undefined || member === undefined) return () => undefined
    return ({ places }) => places[place]?.[member]
  }
  const read: FieldReader<Flow> = flowField(name)
  return ({ flow }) => read(flow)
}

/** A flow seen as a tree, for those who list its paths. */
export function flowTree(flow: Flow): MetadataObject {
  const { LastRawPackets: _packets, ...rest } = flow
  return rest as unknown as MetadataObject
}
