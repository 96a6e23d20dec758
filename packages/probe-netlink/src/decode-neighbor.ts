import { readMac } from './decode-link.ts'
import { readIp } from './ip-text.ts'
import { type Bytes, needBytes, readAttributes } from './wire.ts'

/** One RTM_NEWNEIGH or RTM_DELNEIGH message: an entry of the IPv4, IPv6 or forwarding table. */
export interface Neighbor {
  /** AF_INET, AF_INET6 or AF_BRIDGE. */
  readonly family: number
  readonly index: number
  /** NUD_* bits. */
  readonly state: number
  /** NTF_* bits. */
  readonly flags: number
  /** Empty: not resolved. */
  readonly mac: string
  /** Empty for an entry of a forwarding table, unless it leads into a tunnel. */
  readonly ip: string
  readonly vlan: number
  readonly vni: number
}

const FIXED_BYTES = 12
const NDA_DST = 1
const NDA_LLADDR = 2
const NDA_VLAN = 5
const NDA_VNI = 7

/** Decodes the body of a neighbour message (linux/neighbour.h). @throws ERR_DECODE. */
export function decodeNeighbor(bytes: Bytes, start: number, end: number): Neighbor {
  const { view } = bytes
  needBytes(start, end, FIXED_BYTES, 'neighbour message')
  let mac = ''
  let ip = ''
  let vlan = 0
  let vni = 0
  readAttributes(bytes, start + FIXED_BYTES, end, (type, at, length) => {
    if (type === NDA_DST) ip = readIp(bytes, at, length)
    else if (type === NDA_LLADDR) mac = readMac(bytes, at, length)
    else if (type === NDA_VLAN && length >= 2) vlan = view.getUint16(at, true)
    else if (type === NDA_VNI && length >= 4) vni = view.getUint32(at, true)
  })
  return {
    family: view.getUint8(start),
    index: view.getInt32(start + 4, true),
    state: view.getUint16(start + 8, true),
    flags: view.getUint8(start + 10),
    mac,
    ip,
    vlan,
    vni,
  }
}
