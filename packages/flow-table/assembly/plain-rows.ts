// The common packets to rows, in a straight line: Ethernet with at most one tag, IPv4 without options, TCP, UDP or echoes.

import {
  BATCH_ROWS,
  FLAG_ECHO_REPLY,
  FLAG_ECHO_REQUEST,
  FLAG_HAS_LINK,
  FLAG_PLAIN,
  FLAG_SAME_ENDS,
  FLAG_TCP_EVENT,
  FLAG_TTL_SHIFT,
  KEY_KIND,
  KEY_TRANSPORT,
  KIND_ICMP,
  KIND_IPV4,
  KIND_LINK,
  KIND_TCP,
  KIND_UDP,
  MAX_RECORD_BYTES,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  ROW_COUNTED_BYTES,
  ROW_FLAGS,
  ROW_HASH,
  ROW_OFFSET,
  ROW_SECONDS,
  ROW_STRIPPED_TAG,
} from '../src/layout'
import {
  AT_END,
  AT_FACTORS,
  AT_MODE,
  AT_NANOSECONDS_PER_UNIT,
  AT_ORDERS,
  AT_PACKETS,
  AT_POSITION,
  AT_ROWS,
  LOOP_LINK_KEY,
  ORDERS_SHIFT,
} from '../src/loop-layout'
import { be16, be32, finish, NO_TAG, PCAP_HEADER_BYTES, ROW_BYTES, setWord, TCP_BYTES, TCP_EVENTS, tunnelBit } from './memory'

// As they come when they are read as little endian: the EtherTypes, of IPv4 also version 4 and five words of header; the fragment offset and its flag.
export const TYPE_DOT1Q = 0x0081
export const TYPE_IPV6 = 0xdd86
const TYPE_IPV4_PLAIN = 0x450008
export const FRAGMENT_FIELDS = 0xff3f
/** A tag and everything up to the ports of IPv4 and two words beyond are within so many bytes. */
export const PLAIN_BYTES = 46
const ETHERNET_BYTES = 14
const VLAN_BYTES = 4
const IPV4_BYTES = 20
/** Also those of an echo. */
const UDP_BYTES = 8
const ECHO_REQUEST = 8
const ECHO_REPLY = 0
/** The number of echoes in `ICMP_TYPES` of `@skydive/contracts`. */
const ECHO_CLASS = 2

/**
 * Fills rows from number `count` on with the next records of a little-endian pcap file, as long as they are whole and of the common kind; answers
 * their number then.
 */
export function fillPlain(count: i32): i32 {
  const linkMask: i32 = (load<i32>(AT_MODE) & LOOP_LINK_KEY) !== 0 ? -1 : 0
  const end = load<i32>(AT_END)
  const units = i32x4.replace_lane(i32x4.splat(1), 1, load<i32>(AT_NANOSECONDS_PER_UNIT))
  const begin = count
  let position = load<i32>(AT_POSITION)
  while (count < BATCH_ROWS) {
    const row = AT_ROWS + count * ROW_BYTES
    const offset = position + PCAP_HEADER_BYTES
    // What lies behind the end is no length, but it is more than what is left: that is less than nothing.
    const capturedBytes = load<i32>(position, 8)
    if (<u32>(capturedBytes - PLAIN_BYTES) > <u32>(MAX_RECORD_BYTES - PLAIN_BYTES) || capturedBytes > end - offset) break
    const ip = plainIpv4(offset)
    if (ip === 0 || !fillKey(row, offset, ip, capturedBytes, linkMask)) break
    setWord(row, ROW_OFFSET, offset)
    setWord(row, ROW_STRIPPED_TAG, NO_TAG)
    // Seconds, their parts, captured and whole length, in the order of the row.
    v128.store(row + (ROW_SECONDS << 2), i32x4.mul(v128.load(position), units))
    if (load<i32>(position, 12) === 0) setWord(row, ROW_COUNTED_BYTES, capturedBytes)
    position = offset + capturedBytes
    count++
  }
  store<i32>(AT_POSITION, position)
  store<i32>(AT_PACKETS, load<i32>(AT_PACKETS) + count - begin)
  return count
}

/** Fills key, hash and flags of a row that tells already where its packet lies; `false` when that is not of the common kind. */
export function fillTold(row: i32, offset: i32, capturedBytes: i32): bool {
  if (capturedBytes < PLAIN_BYTES) return false
  const ip = plainIpv4(offset)
  const linkMask: i32 = (load<i32>(AT_MODE) & LOOP_LINK_KEY) !== 0 ? -1 : 0
  return ip !== 0 && fillKey(row, offset, ip, capturedBytes, linkMask)
}

/** Where the header begins of IPv4 without options in Ethernet with at most one tag; 0 when it is not that. */
export function plainIpv4(offset: i32): i32 {
  let ip = offset + ETHERNET_BYTES
  let type = load<i32>(offset, 12)
  if ((type & 0xffff) === TYPE_DOT1Q) {
    type = load<i32>(offset, 16)
    ip = offset + ETHERNET_BYTES + VLAN_BYTES
  }
  return (type & 0xffffff) === TYPE_IPV4_PLAIN ? ip : 0
}

/**
 * Fills key, hash and flags of a row. Answers whether the packet is of the common kind: it finds out at the end, after all that is left to be
 * asked, because a branch for each question costs more than an answer in vain. And nothing depends on a packet's direction but arithmetic,
 * because a branch that goes either way costs more than both ways.
 */
export function fillKey(row: i32, offset: i32, ip: i32, capturedBytes: i32, linkMask: i32): bool {
  // Flags and fragment offset, time to live, protocol.
  const fields = load<i32>(ip, 6)
  const protocol = <i32>(<u32>fields >>> 24)
  const isTcp = <i32>(protocol === PROTOCOL_TCP)
  const isUdp = <i32>(protocol === PROTOCOL_UDP)
  const isOther = (isTcp | isUdp) ^ 1
  // What there is: of the datagram, and of the capture.
  const neededBytes = IPV4_BYTES + UDP_BYTES + isTcp * (TCP_BYTES - UDP_BYTES)
  let isElse = (fields & FRAGMENT_FIELDS) | <i32>(min(be16(ip + 2), offset + capturedBytes - ip) < neededBytes)
  const macs = v128.and(v128.load(offset), i32x4.splat(linkMask))
  const addresses = v128.load(ip, 8)
  // What tells the ends apart: the MAC addresses, as numbers of 48 bits, or else the IP addresses, or else the ports.
  const macNumbers = i8x16.swizzle(macs, i8x16(5, 4, 3, 2, 1, 0, -1, -1, 11, 10, 9, 8, 7, 6, -1, -1))
  const destinationMac = i64x2.extract_lane(macNumbers, 0)
  const sourceMac = i64x2.extract_lane(macNumbers, 1)
  let swap: i32 = <i32>(destinationMac < sourceMac)
  let same = 0
  if (destinationMac === sourceMac) {
    const source = be32(ip + 12)
    const destination = be32(ip + 16)
    swap = <i32>(<u32>destination < <u32>source)
    if (destination === source) {
      swap = <i32>(isOther === 0 && be16(ip + 20) > be16(ip + 22))
      same = FLAG_SAME_ENDS
    }
  }
  const order = swap << ORDERS_SHIFT
  const first = v128.or(
    i8x16.swizzle(macs, v128.load(order, AT_ORDERS)),
    i8x16.swizzle(addresses, v128.load(order, AT_ORDERS + 16)),
  )
  const kind = (linkMask & KIND_LINK) | (KIND_IPV4 + KIND_ICMP - isTcp * (KIND_ICMP - KIND_TCP) - isUdp * (KIND_ICMP - KIND_UDP))
  let second = i32x4.replace_lane(i8x16.swizzle(addresses, v128.load(order, AT_ORDERS + 32)), <u8>(KEY_KIND - 4), kind)
  const ports = i32x4.extract_lane(second, <u8>(KEY_TRANSPORT - 4))
  isElse |= isUdp & tunnelBit(ports)
  // Behind the capture of a datagram of UDP lies something else: no matter.
  const tcpFlags = <i32>load<u8>(ip, 33) & -isTcp
  let told = FLAG_PLAIN | (<i32>((tcpFlags & TCP_EVENTS) !== 0) * FLAG_TCP_EVENT) | tcpFlags
  if (isOther !== 0) {
    const type = <i32>load<u8>(ip, 20)
    isElse |= <i32>(protocol !== PROTOCOL_ICMP) | <i32>(type !== ECHO_REQUEST && type !== ECHO_REPLY)
    // Class, code and identifier. The first of such a flow is dissected.
    const message = (ECHO_CLASS << 24) | ((<i32>load<u8>(ip, 21)) << 16) | be16(ip + 24)
    second = i32x4.replace_lane(second, <u8>(KEY_TRANSPORT - 4), message)
    told = type === ECHO_REQUEST ? FLAG_ECHO_REQUEST : FLAG_ECHO_REPLY
  }
  v128.store(row, first)
  v128.store(row, second, 16)
  const products = i32x4.add(i32x4.mul(first, v128.load(AT_FACTORS)), i32x4.mul(second, v128.load(AT_FACTORS, 16)))
  const halves = i32x4.add(products, v128.shuffle<i32>(products, products, 2, 3, 0, 1))
  setWord(row, ROW_HASH, finish(i32x4.extract_lane(halves, 0) + i32x4.extract_lane(halves, 1)))
  setWord(row, ROW_FLAGS, (swap << 31) | same | told | FLAG_HAS_LINK | ((fields >> 8) & (0xff << FLAG_TTL_SHIFT)))
  return isElse === 0
}
