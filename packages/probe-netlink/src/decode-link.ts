import { type Bytes, needBytes, readAttributes, readText, readU64 } from './wire.ts'

/** Counters of an interface, in the order of `struct rtnl_link_stats64` (linux/if_link.h); packets, bytes, events since it was made. */
export const COUNTER_NAMES = [
  'RxPackets',
  'TxPackets',
  'RxBytes',
  'TxBytes',
  'RxErrors',
  'TxErrors',
  'RxDropped',
  'TxDropped',
  'Multicast',
  'Collisions',
  'RxLengthErrors',
  'RxOverErrors',
  'RxCrcErrors',
  'RxFrameErrors',
  'RxFifoErrors',
  'RxMissedErrors',
  'TxAbortedErrors',
  'TxCarrierErrors',
  'TxFifoErrors',
  'TxHeartbeatErrors',
  'TxWindowErrors',
  'RxCompressed',
  'TxCompressed',
] as const

/** A virtual function of a network card, as the physical function tells it. */
export interface VirtualFunction {
  readonly id: number
  readonly mac: string
  readonly vlan: number
  readonly qos: number
  readonly spoofCheck: boolean
  readonly linkState: number
  readonly txRate: number
}

/** What the kernel says of a member of a bond (`IFLA_BOND_SLAVE_*`). */
export interface BondSlave {
  readonly state: number
  readonly miiStatus: number
  readonly linkFailureCount: number
  readonly permanentMac: string | undefined
  readonly queueId: number
  readonly aggregatorId: number | undefined
  readonly actorState: number | undefined
  readonly partnerState: number | undefined
}

/** One RTM_NEWLINK or RTM_DELLINK message. Indexes and ids are those of the namespace that it speaks of. */
export interface Link {
  readonly family: number
  readonly index: number
  readonly flags: number
  /** ARPHRD_* */
  readonly hardwareType: number
  readonly name: string
  readonly mac: string
  readonly mtu: number
  /** IF_OPER_* */
  readonly operState: number
  /** 0: none. */
  readonly master: number
  /** The lower device, or the peer of a veth; 0: none. Lies in namespace `linkNetnsid` when that is given, in the same otherwise. */
  readonly link: number
  readonly linkNetnsid: number | undefined
  /** Empty: the kernel names none (physical, loopback). */
  readonly kind: string
  /** Values in the order of {@link COUNTER_NAMES}; empty when the message has none. */
  readonly counters: readonly number[]
  readonly vlanId: number | undefined
  readonly bondMode: number | undefined
  readonly bondSlave: BondSlave | undefined
  readonly virtualFunctions: readonly VirtualFunction[]
  /** RTM_DELLINK only: it is no deletion, the interface went to this namespace (an id in the one it left) … */
  readonly newNetnsid: number | undefined
  /** … and has this index there. */
  readonly newIndex: number | undefined
  /** The message is there because offloads were switched on or off, which it does not tell itself. */
  readonly featuresChanged: boolean
}

const FIXED_BYTES = 16
const ADDRESS = 1
const IFNAME = 3
const MTU = 4
const LINK = 5
const MASTER = 10
const OPERSTATE = 16
const LINKINFO = 18
const VFINFO_LIST = 22
const STATS64 = 23
const LINK_NETNSID = 37
const EVENT = 44
const NEW_NETNSID = 45
const NEW_IFINDEX = 49
const EVENT_FEATURES = 2
const INFO_KIND = 1
const INFO_DATA = 2
const INFO_SLAVE_KIND = 4
const INFO_SLAVE_DATA = 5
const VLAN_ID = 1
const BOND_MODE = 1

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Lower-case colon form of an address of any length. Shape: `02:00:00:00:00:b0`. */
export function readMac({ view }: Bytes, at: number, byteLength: number): string {
  let text = ''
  for (let i = 0; i < byteLength; i++) text += (i === 0 ? '' : ':') + HEX[view.getUint8(at + i)]!
  return text
}

/** Decodes the body `[start, end)` of a link message (linux/if_link.h). About 2 µs. @throws ERR_DECODE. */
export function decodeLink(bytes: Bytes, start: number, end: number): Link {
  const { view } = bytes
  needBytes(start, end, FIXED_BYTES, 'link message')
  let name = ''
  let mac = ''
  let mtu = 0
  let operState = 0
  let master = 0
  let link = 0
  let linkNetnsid: number | undefined
  let newNetnsid: number | undefined
  let newIndex: number | undefined
  let featuresChanged = false
  let info: LinkInfo = NO_INFO
  let counters: readonly number[] = []
  let virtualFunctions: readonly VirtualFunction[] = []

  readAttributes(bytes, start + FIXED_BYTES, end, (type, at, length) => {
    switch (type) {
      case ADDRESS:
        mac = readMac(bytes, at, length)
        break
      case IFNAME:
        name = readText(bytes, at, length)
        break
      case MTU:
        if (length >= 4) mtu = view.getUint32(at, true)
        break
      case LINK:
        if (length >= 4) link = view.getUint32(at, true)
        break
      case MASTER:
        if (length >= 4) master = view.getUint32(at, true)
        break
      case OPERSTATE:
        if (length >= 1) operState = view.getUint8(at)
        break
      case LINKINFO:
        info = decodeInfo(bytes, at, at + length)
        break
      case STATS64:
        counters = decodeCounters(bytes, at, length)
        break
      case VFINFO_LIST:
        virtualFunctions = decodeVirtualFunctions(bytes, at, at + length)
        break
      case LINK_NETNSID:
        if (length >= 4) linkNetnsid = view.getInt32(at, true)
        break
      case EVENT:
        featuresChanged = length >= 4 && view.getUint32(at, true) === EVENT_FEATURES
        break
      case NEW_NETNSID:
        if (length >= 4) newNetnsid = view.getInt32(at, true)
        break
      case NEW_IFINDEX:
        if (length >= 4) newIndex = view.getInt32(at, true)
        break
    }
  })
  const { kind, vlanId, bondMode, bondSlave } = info
  return {
    family: view.getUint8(start),
    hardwareType: view.getUint16(start + 2, true),
    index: view.getInt32(start + 4, true),
    flags: view.getUint32(start + 8, true),
    name,
    mac,
    mtu,
    operState,
    master,
    link,
    linkNetnsid,
    kind,
    counters,
    vlanId,
    bondMode,
    bondSlave,
    virtualFunctions,
    newNetnsid,
    newIndex,
    featuresChanged,
  }
}

function decodeCounters(bytes: Bytes, at: number, byteLength: number): readonly number[] {
  const count = Math.min(COUNTER_NAMES.length, byteLength >> 3)
  const values: number[] = []
  for (let i = 0; i < count; i++) values.push(readU64(bytes, at + i * 8))
  return values
}

interface LinkInfo {
  readonly kind: string
  readonly vlanId: number | undefined
  readonly bondMode: number | undefined
  readonly bondSlave: BondSlave | undefined
}

const NO_INFO: LinkInfo = { kind: '', vlanId: undefined, bondMode: undefined, bondSlave: undefined }

function decodeInfo(bytes: Bytes, start: number, end: number): LinkInfo {
  let kind = ''
  let slaveKind = ''
  let data: readonly [number, number] = [0, 0]
  let slaveData: readonly [number, number] = [0, 0]
  readAttributes(bytes, start, end, (type, at, length) => {
    if (type === INFO_KIND) kind = readText(bytes, at, length)
    else if (type === INFO_DATA) data = [at, at + length]
    else if (type === INFO_SLAVE_KIND) slaveKind = readText(bytes, at, length)
    else if (type === INFO_SLAVE_DATA) slaveData = [at, at + length]
  })
  let vlanId: number | undefined
  let bondMode: number | undefined
  if (kind === 'vlan' || kind === 'bond') {
    readAttributes(bytes, data[0], data[1], (type, at, length) => {
      if (kind === 'vlan' && type === VLAN_ID && length >= 2) vlanId = bytes.view.getUint16(at, true)
      if (kind === 'bond' && type === BOND_MODE && length >= 1) bondMode = bytes.view.getUint8(at)
    })
  }
  const bondSlave = slaveKind === 'bond' ? decodeBondSlave(bytes, slaveData[0], slaveData[1]) : undefined
  return { kind, vlanId, bondMode, bondSlave }
}

/** IFLA_BOND_SLAVE_*: 1 state, 2 MII status, 3 failures, 4 permanent address, 5 queue, 6 aggregator, 7 actor, 8 partner. */
function decodeBondSlave(bytes: Bytes, start: number, end: number): BondSlave {
  const { view } = bytes
  const values = new Map<number, number>()
  let permanentMac: string | undefined
  readAttributes(bytes, start, end, (type, at, length) => {
    if (type === 4) permanentMac = readMac(bytes, at, length)
    else values.set(type, length >= 4 ? view.getUint32(at, true) : length >= 2 ? view.getUint16(at, true) : view.getUint8(at))
  })
  return {
    state: values.get(1) ?? 0,
    miiStatus: values.get(2) ?? 0,
    linkFailureCount: values.get(3) ?? 0,
    permanentMac,
    queueId: values.get(5) ?? 0,
    aggregatorId: values.get(6),
    actorState: values.get(7),
    partnerState: values.get(8),
  }
}

/** IFLA_VF_INFO, each of which holds structures that begin with the number of the function. */
function decodeVirtualFunctions(bytes: Bytes, start: number, end: number): readonly VirtualFunction[] {
  const { view } = bytes
  const found: VirtualFunction[] = []
  readAttributes(bytes, start, end, (_, infoAt, infoLength) => {
    const vf = { id: 0, mac: '', vlan: 0, qos: 0, spoofCheck: false, linkState: 0, txRate: 0 }
    readAttributes(bytes, infoAt, infoAt + infoLength, (type, at, length) => {
      if (length < 8) return
      vf.id = view.getUint32(at, true)
      const value = view.getUint32(at + 4, true)
      if (type === 1 && length >= 10) vf.mac = readMac(bytes, at + 4, 6)
      else if (type === 2 && length >= 12) [vf.vlan, vf.qos] = [value, view.getUint32(at + 8, true)]
      else if (type === 3) vf.txRate = value
      else if (type === 4) vf.spoofCheck = value === 1
      else if (type === 5) vf.linkState = value
    })
    found.push(vf)
  })
  return found
}
