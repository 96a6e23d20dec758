import { readIp, zeroIp } from './ip-text.ts'
import { AF_INET, AF_INET6 } from './rtnetlink.ts'
import { type Bytes, needBytes, readAttributes } from './wire.ts'

/** One way on of a route. `gateway` is empty for a destination that is reached directly. */
export interface Hop {
  readonly index: number
  readonly gateway: string
}

/** One RTM_NEWROUTE or RTM_DELROUTE message. */
export interface Route {
  readonly family: number
  readonly table: number
  /** RTPROT_*: 2 the kernel, 3 at boot, 4 by the administrator, … */
  readonly protocol: number
  /** RTN_*: 1 unicast, 2 local, 3 broadcast, … */
  readonly type: number
  readonly tos: number
  /** Such as `10.0.0.0/24`; the default route is `0.0.0.0/0` or `::/0` as its family wants. */
  readonly prefix: string
  /** Sorts routes of a family by address, then by length of the prefix. */
  readonly sortKey: string
  readonly priority: number
  /** The preferred source address; empty: none. */
  readonly source: string
  readonly hops: readonly Hop[]
  /** Whether the message listed its hops (RTA_MULTIPATH). */
  readonly multipath: boolean
  /** A cached exception (path MTU, redirect), which is no route of a table. */
  readonly cloned: boolean
}

const FIXED_BYTES = 12
const NEXTHOP_BYTES = 8
const DST = 1
const OIF = 4
const GATEWAY = 5
const PRIORITY = 6
const PREFSRC = 7
const MULTIPATH = 9
const TABLE = 15
const VIA = 18
const RTM_F_CLONED = 0x200

/** Decodes the body of a route message (linux/rtnetlink.h). `undefined` for families other than IPv4 and IPv6. @throws ERR_DECODE. */
export function decodeRoute(bytes: Bytes, start: number, end: number): Route | undefined {
  const { view, buffer } = bytes
  needBytes(start, end, FIXED_BYTES, 'route message')
  const family = view.getUint8(start)
  if (family !== AF_INET && family !== AF_INET6) return undefined
  const prefixLength = view.getUint8(start + 1)
  let table = view.getUint8(start + 4)
  let destination = zeroIp(family === AF_INET6)
  let destinationHex = ''
  let index = 0
  let gateway = ''
  let priority = 0
  let source = ''
  let hops: readonly Hop[] | undefined

  readAttributes(bytes, start + FIXED_BYTES, end, (type, at, length) => {
    if (type === DST) {
      destination = readIp(bytes, at, length)
      destinationHex = buffer.toString('hex', at, at + length)
    } else if (type === OIF && length >= 4) index = view.getUint32(at, true)
    else if (type === GATEWAY) gateway = readIp(bytes, at, length)
    else if (type === VIA && length > 2) gateway = readIp(bytes, at + 2, length - 2)
    else if (type === PRIORITY && length >= 4) priority = view.getUint32(at, true)
    else if (type === PREFSRC) source = readIp(bytes, at, length)
    else if (type === TABLE && length >= 4) table = view.getUint32(at, true)
    else if (type === MULTIPATH) hops = decodeHops(bytes, at, at + length)
  })
  return {
    family,
    table,
    protocol: view.getUint8(start + 5),
    type: view.getUint8(start + 7),
    tos: view.getUint8(start + 3),
    prefix: `${destination}/${prefixLength}`,
    sortKey: `${family === AF_INET ? 4 : 6}${destinationHex.padEnd(family === AF_INET ? 8 : 32, '0')}${String(prefixLength).padStart(3, '0')}`,
    priority,
    source,
    hops: hops ?? (index === 0 ? [] : [{ index, gateway }]),
    multipath: hops !== undefined,
    cloned: (view.getUint32(start + 8, true) & RTM_F_CLONED) !== 0,
  }
}

/** A list of `struct rtnexthop`, each followed by its own attributes. */
function decodeHops(bytes: Bytes, start: number, end: number): readonly Hop[] {
  const { view } = bytes
  const hops: Hop[] = []
  for (let at = start; at + NEXTHOP_BYTES <= end; ) {
    const length = view.getUint16(at, true)
    needBytes(at, at + length, NEXTHOP_BYTES, 'next hop')
    needBytes(at, end, length, 'next hop')
    let gateway = ''
    readAttributes(bytes, at + NEXTHOP_BYTES, at + length, (type, valueAt, valueLength) => {
      if (type === GATEWAY) gateway = readIp(bytes, valueAt, valueLength)
      else if (type === VIA && valueLength > 2) gateway = readIp(bytes, valueAt + 2, valueLength - 2)
    })
    hops.push({ index: view.getInt32(at + 4, true), gateway })
    at += (length + 3) & ~3
  }
  return hops
}
