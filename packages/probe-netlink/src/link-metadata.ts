import type { MetadataObject, MetadataValue } from '@skydive/contracts'
import { type BondSlave, COUNTER_NAMES, type Link, type VirtualFunction } from './decode-link.ts'
import { encapsulationName } from './encapsulation.ts'
import type { DeviceInfo } from './ethtool.ts'

// Spec topology 5.3 and 5.6: what of a link message goes into the metadata of its node, and under which key.

/** Keys that {@link linkMetadata} writes; one that is absent from its answer no longer applies. */
export const LINK_KEYS = [
  'Name',
  'Type',
  'EncapType',
  'IfIndex',
  'Driver',
  'MTU',
  'MAC',
  'MasterIndex',
  'ParentIndex',
  'PeerIfIndex',
  'Speed',
  'Vlan',
  'State',
  'LinkFlags',
  'BondMode',
  'BondSlave',
  'BusInfo',
  'LinkNetNsID',
  'LinkNetNsName',
  'Features',
  'Vfs',
] as const

const STATES = ['UNKNOWN', 'NOT-PRESENT', 'DOWN', 'LOWER-LAYER-DOWN', 'TESTING', 'DORMANT', 'UP']
const FLAGS: readonly (readonly [bit: number, name: string])[] = [
  [0x1, 'UP'],
  [0x2, 'BROADCAST'],
  [0x8, 'LOOPBACK'],
  [0x10, 'POINTTOPOINT'],
  [0x1000, 'MULTICAST'],
]
const BOND_MODES = ['balance-rr', 'active-backup', 'balance-xor', 'broadcast', '802.3ad', 'balance-tlb', 'balance-alb']
const BOND_MII = ['UP', 'GOING_DOWN', 'DOWN', 'GOING_BACK']
const ZERO_MAC = /^[0:]*$/

/** The `Type` of the node of a link: the kernel's kind, but for those that have a name of their own here. */
export function linkType(link: Link, driver: string): string {
  if (driver === 'veth') return 'veth'
  if (link.kind === 'tun') return 'tuntap'
  return link.kind || 'device'
}

/** Everything that a link message and ethtool say. `peerNamespaceName` is that of `LinkNetNsID`, empty while it is not known. */
export function linkMetadata(link: Link, device: DeviceInfo, peerNamespaceName: string): MetadataObject {
  const type = linkType(link, device.driver)
  const flags = FLAGS.filter(([bit]) => link.flags & bit).map(([, name]) => name)
  const metadata: Record<string, MetadataValue> = {
    Name: link.name,
    Type: type,
    EncapType: encapsulationName(link.hardwareType),
    IfIndex: link.index,
    Driver: device.driver || (link.kind === 'bridge' ? 'bridge' : ''),
    State: STATES[link.operState] ?? 'UNKNOWN',
    LinkFlags: flags.length === 0 ? null : flags,
  }
  if (link.mtu !== 0) metadata['MTU'] = link.mtu
  if (!ZERO_MAC.test(link.mac)) metadata['MAC'] = link.mac
  if (link.master !== 0) metadata['MasterIndex'] = link.master
  if (link.link !== 0) metadata['ParentIndex'] = link.link
  if (link.link !== 0 && type === 'veth') metadata['PeerIfIndex'] = link.link
  if (device.speedMbps !== undefined) metadata['Speed'] = device.speedMbps
  if (device.busInfo !== undefined) metadata['BusInfo'] = device.busInfo
  if (device.features) metadata['Features'] = device.features
  if (link.vlanId !== undefined) metadata['Vlan'] = link.vlanId
  if (link.linkNetnsid !== undefined) {
    metadata['LinkNetNsID'] = link.linkNetnsid
    metadata['LinkNetNsName'] = peerNamespaceName
  }
  if (link.bondMode !== undefined) metadata['BondMode'] = BOND_MODES[link.bondMode] ?? `unknown${link.bondMode}`
  if (link.bondSlave) metadata['BondSlave'] = bondSlaveMetadata(link.bondSlave)
  if (link.virtualFunctions.length > 0) metadata['Vfs'] = link.virtualFunctions.map(virtualFunctionMetadata)
  return metadata
}

function bondSlaveMetadata(slave: BondSlave): MetadataObject {
  return {
    Type: 'bond',
    State: slave.state === 0 ? 'ACTIVE' : 'BACKUP',
    MiiStatus: BOND_MII[slave.miiStatus] ?? `unknown${slave.miiStatus}`,
    LinkFailureCount: slave.linkFailureCount,
    QueueId: slave.queueId,
    AggregatorId: slave.aggregatorId ?? 0,
    AdActorOperPortState: slave.actorState ?? 0,
    AdPartnerOperPortState: slave.partnerState ?? 0,
    ...(slave.permanentMac !== undefined && { PermMAC: slave.permanentMac }),
  }
}

function virtualFunctionMetadata(vf: VirtualFunction): MetadataObject {
  return omitZero({
    ID: vf.id,
    LinkState: vf.linkState,
    MAC: vf.mac,
    Qos: vf.qos,
    Spoofchk: vf.spoofCheck,
    TxRate: vf.txRate,
    Vlan: vf.vlan,
  })
}

/** Counters by their name, without those that are zero. Shape: `{ RxBytes: 936, RxPackets: 12 }`. */
export function metricMetadata(counters: readonly number[]): Record<string, number> {
  const metric: Record<string, number> = {}
  for (let i = 0; i < counters.length; i++) {
    const value = counters[i]!
    if (value !== 0) metric[COUNTER_NAMES[i]!] = value
  }
  return metric
}

/** How much each counter grew; one that went back (a driver was reset) counts from zero. */
export function counterGrowth(before: readonly number[], after: readonly number[]): readonly number[] {
  return after.map((value, i) => {
    const held = before[i] ?? 0
    return value >= held ? value - held : value
  })
}

/** Leaves out what is 0, false or empty. */
export function omitZero(object: Readonly<Record<string, MetadataValue>>): MetadataObject {
  return Object.fromEntries(
    Object.entries(object).filter(
      ([, value]) => value !== 0 && value !== false && value !== '' && !(Array.isArray(value) && value.length === 0),
    ),
  )
}
