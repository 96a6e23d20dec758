import type { EnhancedFlow, Flow, MetadataObject, MetadataValue } from '@skydive/contracts'
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
  ['VRRP', 'VRRPv2'],
])

/** Members of extra layers by the name of the original's program (spec flows 1.4), where the JSON form spells them otherwise. */
const LAYER_MEMBERS: ReadonlyMap<string, string> = new Map([
  ['DNS.OpCode', 'DNS.op_code'],
  ['DNS.ResponseCode', 'DNS.response_code'],
  ['DNS.Z', 'DNS.z'],
  ['DHCPv4.HardwareLen', 'DHCPv4.hardware_len'],
  ['DHCPv4.HardwareOpts', 'DHCPv4.hardware_opts'],
  ['DHCPv4.Xid', 'DHCPv4.xid'],
  ['DHCPv4.Secs', 'DHCPv4.secs'],
  ['DHCPv4.Flags', 'DHCPv4.flags'],
  ['DHCPv4.ServerName', 'DHCPv4.server_name'],
  ['DHCPv4.File', 'DHCPv4.file'],
  ['VRRPv2.Version', 'VRRPv2.version'],
  ['VRRPv2.Priority', 'VRRPv2.priority'],
  ['VRRPv2.AdverInt', 'VRRPv2.adver_int'],
  ['VRRPv2.Checksum', 'VRRPv2.checksum'],
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
  ...['ID', 'z', 'QDCount', 'ANCount', 'NSCount', 'ARCount'].map((name) => [`DNS.${name}`, 0] as const),
  ...['QR', 'AA', 'TC', 'RD', 'RA'].map((name) => [`DNS.${name}`, false] as const),
  ...['hardware_len', 'hardware_opts', 'xid', 'secs', 'flags'].map((name) => [`DHCPv4.${name}`, 0] as const),
  ...['server_name', 'file'].map((name) => [`DHCPv4.${name}`, ''] as const),
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

/** The whole name of a flow field: `TCP.A` is `Transport.A`, `DNS.OpCode` is `DNS.op_code`. */
export function canonicalFlowField(name: string): string {
  const dot = name.indexOf('.')
  if (dot < 0) return name
  const record = ALIASES.get(name.slice(0, dot))
  const canonical = record === undefined ? name : record + name.slice(dot)
  return LAYER_MEMBERS.get(canonical) ?? canonical
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

/**
 * {@link flowField} for enhanced flows, with `Place.{Capture,A,B}.{TID,Name,Type,Host}` besides, and of what collectors were told
 * `Place.Exporter.{Address,InputIndex,OutputIndex}` and `Place.Exporter.{Node,Input,Output}.{TID,Name,Type,Host}`.
 */
export const enhancedFlowField: FieldResolver<EnhancedFlow> = (name) => {
  const [head, ...path] = name.split('.')
  if (head !== 'Place') {
    const read: FieldReader<Flow> = flowField(name)
    return ({ flow }) => read(flow)
  }
  // Members of places are called as here, but begin with a small letter.
  const members = path.map((part) => (part === 'TID' ? 'tid' : part.charAt(0).toLowerCase() + part.slice(1)))
  return ({ places }) => {
    const value = members.reduce<unknown>((at, member) => (at as Record<string, unknown> | undefined)?.[member], places)
    return typeof value === 'string' || typeof value === 'number' ? value : undefined
  }
}

/** A flow seen as a tree, for those who list its paths. */
export function flowTree(flow: Flow): MetadataObject {
  const { LastRawPackets: _packets, ...rest } = flow
  return rest as unknown as MetadataObject
}
