// The common packets to rows, in a straight line: Ethernet with at most one tag, IPv4 without options, TCP, UDP or echoes.

import {
  BATCH_ROWS,
  FLAG_ECHO_REPLY,
  FLAG_ECHO_REQUEST,
  FLAG_HAS_LINK,
  FLAG_PLAIN,
  FLAG_SAME_ENDS,
  FLAG_SWAPPED,
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
  ROW_CAPTURED_BYTES,
  ROW_COUNTED_BYTES,
  ROW_FLAGS,
  ROW_HASH,
  ROW_NANOSECONDS,
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
  AT_TUNNEL_PORTS,
  AT_TUNNEL_SPAN,
  LOOP_LINK_KEY,
  ORDERS_BYTES,
} from '../src/loop-layout'
import {
  be16,
  be32,
  finish,
  isTunnel,
  NO_TAG,
  PCAP_HEADER_BYTES,
  ROW_BYTES,
  setWord,
  TCP_BYTES,
  TCP_EVENTS,
  word,
} from './memory'

// As they come when they are read as little endian: the EtherTypes, of IPv4 also version 4 and five words of header; the fragment offset and its flag.
export const TYPE_DOT1Q = 0x0081
export const TYPE_IPV6 = 0xdd86
const TYPE_IPV4_PLAIN = 0x450008
const FRAGMENT_FIELDS = 0xff3f
/** A tag and everything up to the ports of IPv4 and two words beyond are within so many bytes. */
const PLAIN_BYTES = 46
const IPV4_BYTES = 20
/** Also those of an echo. */
const UDP_BYTES = 8
const ECHO_REQUEST = 8
const ECHO_REPLY = 0
/** The number of echoes in `ICMP_TYPES` of `@skydive/contracts`. */
const ECHO_CLASS = 2

/**
 * Fills rows from number `count` on with the next records of a little-endian pcap file, as long as they are whole and of the common kind; answers
 * their number then. With `isTold` it is one row, which tells already where its packet lies: key, hash and flags are left to be filled.
 *
 * Nothing depends on a packet's direction but arithmetic, because a branch that goes either way costs more than both ways.
 * And it calls nothing: whatever is alive over a call would be kept in memory instead of registers.
 */
export function fillPlain(count: i32, isTold: bool): i32 {
  const linkMask: i32 = (load<i32>(AT_MODE) & LOOP_LINK_KEY) !== 0 ? -1 : 0
  const end = load<i32>(AT_END)
  const nanosecondsPerUnit = load<i32>(AT_NANOSECONDS_PER_UNIT)
  const link = i32x4.splat(linkMask)
  const lowest = load<i32>(AT_TUNNEL_PORTS)
  const span = load<u32>(AT_TUNNEL_SPAN)
  const factorsFirst = v128.load(AT_FACTORS)
  const factorsSecond = v128.load(AT_FACTORS, 16)
  const macNumbersOrder = v128.load(AT_ORDERS, 2 * ORDERS_BYTES)
  const begin = count
  let position = load<i32>(AT_POSITION)
  while (count < BATCH_ROWS) {
    const row = AT_ROWS + count * ROW_BYTES
    const offset = isTold ? word(row, ROW_OFFSET) : position + PCAP_HEADER_BYTES
    const capturedBytes = isTold ? word(row, ROW_CAPTURED_BYTES) : load<i32>(position, 8)
    const available = isTold ? capturedBytes : end - offset
    if (available < PLAIN_BYTES || capturedBytes < PLAIN_BYTES || capturedBytes > min(available, MAX_RECORD_BYTES)) break
    let ip = offset + 14
    let type = load<i32>(offset, 12)
    if ((type & 0xffff) === TYPE_DOT1Q) {
      type = load<i32>(offset, 16)
      ip = offset + 18
    }
    if ((type & 0xffffff) !== TYPE_IPV4_PLAIN) break
    // Flags and fragment offset, time to live, protocol.
    const fields = load<i32>(ip, 6)
    const protocol = <i32>(<u32>fields >>> 24)
    const isTcp = protocol === PROTOCOL_TCP
    const isUdp = protocol === PROTOCOL_UDP
    if ((fields & FRAGMENT_FIELDS) !== 0 || (!isTcp && !isUdp && !isEcho(protocol, ip))) break
    // What there is: of the datagram, and of the capture.
    const neededBytes = isTcp ? IPV4_BYTES + TCP_BYTES : IPV4_BYTES + UDP_BYTES
    if (be16(ip + 2) < neededBytes || offset + capturedBytes - ip < neededBytes) break
    const macs = v128.and(v128.load(offset), link)
    const addresses = v128.load(ip, 8)
    // What tells the ends apart: the MAC addresses, as numbers of 48 bits, or else the IP addresses, or else the ports.
    const macNumbers = i8x16.swizzle(macs, macNumbersOrder)
    const destinationMac = i64x2.extract_lane(macNumbers, 0)
    const sourceMac = i64x2.extract_lane(macNumbers, 1)
    let swap: i32 = <i32>(destinationMac < sourceMac)
    let same = 0
    if (destinationMac === sourceMac) {
      const source = be32(ip + 12)
      const destination = be32(ip + 16)
      swap = <i32>(<u32>destination < <u32>source)
      if (destination === source) {
        swap = <i32>((isTcp || isUdp) && be16(ip + 20) > be16(ip + 22))
        same = FLAG_SAME_ENDS
      }
    }
    const order = swap * ORDERS_BYTES
    const first = v128.or(
      i8x16.swizzle(macs, v128.load(order, AT_ORDERS)),
      i8x16.swizzle(addresses, v128.load(order, AT_ORDERS + 16)),
    )
    const kind = (linkMask & KIND_LINK) | KIND_IPV4 | (isTcp ? KIND_TCP : isUdp ? KIND_UDP : KIND_ICMP)
    let second = i32x4.replace_lane(i8x16.swizzle(addresses, v128.load(order, AT_ORDERS + 32)), <u8>(KEY_KIND - 4), kind)
    const ports = i32x4.extract_lane(second, <u8>(KEY_TRANSPORT - 4))
    // Hardly ever is one of the ports among those of tunnels, which lie close together.
    const isFar = <u32>((ports & 0xffff) - lowest) > span && <u32>(<i32>(<u32>ports >>> 16) - lowest) > span
    if (isUdp && !isFar && isTunnel(ports)) break
    let told = FLAG_PLAIN
    if (isTcp) {
      const tcpFlags = <i32>load<u8>(ip, 33)
      told |= ((tcpFlags & TCP_EVENTS) !== 0 ? FLAG_TCP_EVENT : 0) | tcpFlags
    } else if (!isUdp) {
      // Class, code and identifier. The first of such a flow is dissected.
      const message = (ECHO_CLASS << 24) | ((<i32>load<u8>(ip, 21)) << 16) | be16(ip + 24)
      second = i32x4.replace_lane(second, <u8>(KEY_TRANSPORT - 4), message)
      told = load<u8>(ip, 20) === ECHO_REQUEST ? FLAG_ECHO_REQUEST : FLAG_ECHO_REPLY
    }
    v128.store(row, first)
    v128.store(row, second, 16)
    const products = i32x4.add(i32x4.mul(first, factorsFirst), i32x4.mul(second, factorsSecond))
    const halves = i32x4.add(products, v128.shuffle<i32>(products, products, 2, 3, 0, 1))
    setWord(row, ROW_HASH, finish(i32x4.extract_lane(halves, 0) + i32x4.extract_lane(halves, 1)))
    setWord(row, ROW_FLAGS, (-swap & FLAG_SWAPPED) | same | told | FLAG_HAS_LINK | ((fields >> 8) & (0xff << FLAG_TTL_SHIFT)))
    count++
    if (isTold) return count
    const countedBytes = load<i32>(position, 12)
    setWord(row, ROW_SECONDS, load<i32>(position))
    setWord(row, ROW_NANOSECONDS, load<i32>(position, 4) * nanosecondsPerUnit)
    setWord(row, ROW_OFFSET, offset)
    setWord(row, ROW_CAPTURED_BYTES, capturedBytes)
    setWord(row, ROW_COUNTED_BYTES, countedBytes === 0 ? capturedBytes : countedBytes)
    setWord(row, ROW_STRIPPED_TAG, NO_TAG)
    position = offset + capturedBytes
  }
  if (isTold) return count
  store<i32>(AT_POSITION, position)
  store<i32>(AT_PACKETS, load<i32>(AT_PACKETS) + count - begin)
  return count
}

/** Whether an ICMP message asks for an echo or gives one. */
function isEcho(protocol: i32, ip: i32): bool {
  const type = <i32>load<u8>(ip, 20)
  return protocol === PROTOCOL_ICMP && (type === ECHO_REQUEST || type === ECHO_REPLY)
}
