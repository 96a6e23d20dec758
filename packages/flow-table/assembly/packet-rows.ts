// Packets to rows: Ethernet with at most one tag over IPv4 or IPv6 over TCP or UDP, in a straight line; all else is the table's.

import {
  BATCH_ROWS,
  FLAG_HAS_LINK,
  FLAG_PLAIN,
  FLAG_SAME_ENDS,
  FLAG_SWAPPED,
  FLAG_TCP_EVENT,
  FLAG_TTL_SHIFT,
  KEY_ADDRESS_FIRST,
  KEY_ADDRESS_SECOND,
  KEY_KIND,
  KEY_MAC_FIRST,
  KEY_MAC_LOWS,
  KEY_MAC_SECOND,
  KEY_PARENT,
  KEY_TRANSPORT,
  KIND_IPV4,
  KIND_IPV6,
  KIND_LINK,
  KIND_TCP,
  KIND_UDP,
  MAX_RECORD_BYTES,
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
  TYPE_DOT1Q,
  TYPE_IPV4_PLAIN,
  TYPE_IPV6,
} from '../src/layout'
import {
  AT_BLOCK_END,
  AT_END,
  AT_FACTORS,
  AT_FILTERED,
  AT_LEFT,
  AT_MODE,
  AT_NANOSECONDS_PER_UNIT,
  AT_PACKETS,
  AT_PAIRS,
  AT_POSITION,
  AT_ROWS,
  AT_TUNNEL_BITS,
  AT_TUNNEL_PORTS,
  AT_TUNNEL_SPAN,
  DISSECTED_DATAGRAM,
  LOOP_ETHERNET,
  LOOP_FILTER,
  LOOP_LINK_KEY,
  LOOP_LITTLE_ENDIAN,
  LOOP_RING,
  PAIR_BYTES,
} from '../src/loop-layout'
import { ROW_BYTES, setWord, word } from './memory'
import { dissect, filter, pair } from './table'

/** Odd numbers with bits all over, as products mix best with. */
const MIX_FIRST: i64 = ((<i64>0x9e3779b9) << 32) | 0x7f4a7c15
const MIX_SECOND: i64 = ((<i64>0xc2b2ae3d) << 32) | 0x27d4eb4f
const TCP_EVENTS = 0x07
const NO_TAG = -1
const VLAN_BYTES = 4
/** A tag and everything up to the ports of IPv4 are within so many bytes; the same with IPv6. */
const PLAIN_BYTES = 46
const IPV6_BYTES = 40
const PORTS_BYTES = 8
const TCP_BYTES = 20
const RING_NEXT = 0
const RING_SECONDS = 4
const RING_NANOSECONDS = 8
const RING_CAPTURED = 12
const RING_WIRE = 16
const RING_STATUS = 20
const RING_MAC_OFFSET = 24
const RING_TAG = 32
const RING_HEADER_BYTES = 48
const RING_HAS_TAG = 0x10
const PCAP_HEADER_BYTES = 16

function be32(at: i32): i32 {
  return bswap<i32>(load<i32>(at))
}

function be16(at: i32): i32 {
  return <i32>bswap<u16>(load<u16>(at))
}

function factor(index: i32): i32 {
  return load<i32>(AT_FACTORS + (index << 2))
}

/** Whether one of two ports, in the halves of a word, is that of a tunnel. */
function isTunnel(ports: i32): bool {
  return isTunnelPort(ports & 0xffff) || isTunnelPort(<i32>(<u32>ports >>> 16))
}

function isTunnelPort(port: i32): bool {
  return ((<i32>load<u8>(AT_TUNNEL_BITS + (port >> 3)) >> (port & 7)) & 1) !== 0
}

/** A sum of products (all independent of one another, so they run at once), then the finalizer of MurmurHash3. */
function finish(sum: i32): i32 {
  let hash: u32 = (sum ^ <i32>(<u32>sum >>> 16)) * <u32>0x85ebca6b
  hash = (hash ^ (hash >>> 13)) * <u32>0xc2b2ae35
  return hash ^ (hash >>> 16)
}

/**
 * Fills rows with the next packets in the window; answers how many, 0 when none is whole. Lengths that lead out of the block end it.
 *
 * Nothing depends on a packet's direction but arithmetic, because a branch that goes either way costs more than both ways.
 */
export function fill(): i32 {
  const mode = load<i32>(AT_MODE)
  const isRing = (mode & LOOP_RING) !== 0
  const isLittleEndian = (mode & LOOP_LITTLE_ENDIAN) !== 0
  const isEthernet = (mode & LOOP_ETHERNET) !== 0
  const hasFilter = (mode & LOOP_FILTER) !== 0
  const link: i32 = (mode & LOOP_LINK_KEY) !== 0 ? -1 : 0
  const end = load<i32>(AT_END)
  const blockEnd = load<i32>(AT_BLOCK_END)
  const nanosecondsPerUnit = load<i32>(AT_NANOSECONDS_PER_UNIT)
  const lowest = load<i32>(AT_TUNNEL_PORTS)
  const span = load<u32>(AT_TUNNEL_SPAN)
  const f0 = factor(0)
  const f1 = factor(1)
  const f2 = factor(2)
  const f3 = factor(3)
  const f4 = factor(4)
  const f5 = factor(5)
  const f6 = factor(6)
  let position = load<i32>(AT_POSITION)
  let left = load<i32>(AT_LEFT)
  let count = 0
  let packets = 0
  let refused = 0

  while (count < BATCH_ROWS) {
    // Where the packet is, when it came, how long it was.
    const header = position
    let offset = header + PCAP_HEADER_BYTES
    let capturedBytes = 0
    let countedBytes = 0
    let strippedTag = NO_TAG
    let seconds = 0
    let nanoseconds = 0
    if (isRing) {
      if (left === 0 || header + RING_HEADER_BYTES > end) break
      offset = header + <i32>load<u16>(header + RING_MAC_OFFSET)
      capturedBytes = load<i32>(header + RING_CAPTURED)
      if (<u32>capturedBytes > <u32>(blockEnd - offset) || offset > blockEnd) {
        left = 0
        break
      }
      if (offset + capturedBytes > end) break
      seconds = load<i32>(header + RING_SECONDS)
      nanoseconds = load<i32>(header + RING_NANOSECONDS)
      countedBytes = load<i32>(header + RING_WIRE)
      if ((load<i32>(header + RING_STATUS) & RING_HAS_TAG) !== 0) {
        strippedTag = <i32>load<u16>(header + RING_TAG)
        countedBytes += VLAN_BYTES
      }
      const step = load<i32>(header + RING_NEXT)
      left = step <= 0 || step > blockEnd - header ? 0 : left - 1
      position = header + step
    } else {
      if (offset > end) break
      capturedBytes = load<i32>(header + 8)
      seconds = load<i32>(header)
      nanoseconds = load<i32>(header + 4)
      countedBytes = load<i32>(header + 12)
      if (!isLittleEndian) {
        capturedBytes = bswap<i32>(capturedBytes)
        seconds = bswap<i32>(seconds)
        nanoseconds = bswap<i32>(nanoseconds)
        countedBytes = bswap<i32>(countedBytes)
      }
      if (<u32>capturedBytes > <u32>MAX_RECORD_BYTES || capturedBytes > end - offset) break
      nanoseconds *= nanosecondsPerUnit
      if (countedBytes === 0) countedBytes = capturedBytes
      position = offset + capturedBytes
    }
    packets++
    if (hasFilter && filter(offset, capturedBytes, countedBytes) === 0) {
      refused++
      continue
    }
    const row = AT_ROWS + count * ROW_BYTES
    setWord(row, ROW_SECONDS, seconds)
    setWord(row, ROW_NANOSECONDS, nanoseconds)
    setWord(row, ROW_OFFSET, offset)
    setWord(row, ROW_CAPTURED_BYTES, capturedBytes)
    setWord(row, ROW_COUNTED_BYTES, countedBytes)
    setWord(row, ROW_STRIPPED_TAG, strippedTag)
    setWord(row, KEY_PARENT, 0)
    count++

    if (isEthernet && capturedBytes >= PLAIN_BYTES) {
      const packetEnd = offset + capturedBytes
      let ip = offset + 14
      let type = be32(offset + 12)
      if (<u32>type >>> 16 === TYPE_DOT1Q) {
        type = be32(offset + 16)
        ip = offset + 18
      }
      if (<u32>type >>> 8 === TYPE_IPV4_PLAIN) {
        // Flags and fragment offset, time to live, protocol.
        const fields = be32(ip + 6)
        const protocol = fields & 0xff
        // What there is beyond the header: of the datagram, and of the capture.
        const available = min(ip + be16(ip + 2), packetEnd) - ip - 20
        const isTcp = protocol === PROTOCOL_TCP && available >= TCP_BYTES
        const ports = be32(ip + 20)
        if (
          (fields & 0x3fff0000) === 0 &&
          (isTcp ||
            (protocol === PROTOCOL_UDP &&
              available >= PORTS_BYTES &&
              // Hardly ever is one of the ports among those of tunnels, which lie close together.
              ((<u32>((ports & 0xffff) - lowest) > span && <u32>(<i32>(<u32>ports >>> 16) - lowest) > span) || !isTunnel(ports))))
        ) {
          const source = be32(ip + 12)
          const destination = be32(ip + 16)
          // Both MAC addresses, six bytes each, in three words.
          const macs0 = be32(offset) & link
          const macs1 = be32(offset + 4) & link
          const macs2 = be32(offset + 8) & link
          const sourceMac = (macs1 << 16) | <i32>(<u32>macs2 >>> 16)
          const sourceMacLow = macs2 & 0xffff
          const destinationMacLow = <i32>(<u32>macs1 >>> 16)
          // The numbers that tell the ends apart: the halves of the MAC addresses, or else the IP addresses, or else the ports.
          const isHighEqual = macs0 === sourceMac
          const isEqual = isHighEqual && destinationMacLow === sourceMacLow
          const ofDestination = isEqual ? destination : isHighEqual ? destinationMacLow : macs0
          const ofSource = isEqual ? source : isHighEqual ? sourceMacLow : sourceMac
          const isSame = ofDestination === ofSource
          // All ones when the order of the key is the other way round.
          const isSwapped = isSame ? <u32>ports >>> 16 > <u32>(ports & 0xffff) : <u32>ofDestination < <u32>ofSource
          const swap: i32 = -(<i32>isSwapped)
          const macDifference = (sourceMac ^ macs0) & swap
          const lowDifference = (sourceMacLow ^ destinationMacLow) & swap
          const addressDifference = (source ^ destination) & swap
          const k0 = sourceMac ^ macDifference
          const k1 = ((sourceMacLow ^ lowDifference) << 16) | (destinationMacLow ^ lowDifference)
          const k2 = macs0 ^ macDifference
          const k3 = source ^ addressDifference
          const k4 = destination ^ addressDifference
          const k5 = ports ^ ((ports ^ rotl<i32>(ports, 16)) & swap)
          const k6 = KIND_IPV4 | (link & KIND_LINK) | (isTcp ? KIND_TCP : KIND_UDP)
          const tcpFlags = isTcp ? <i32>load<u8>(ip + 33) : 0
          const event = (tcpFlags & TCP_EVENTS) !== 0 ? FLAG_TCP_EVENT : 0
          setWord(row, KEY_MAC_FIRST, k0)
          setWord(row, KEY_MAC_LOWS, k1)
          setWord(row, KEY_MAC_SECOND, k2)
          setWord(row, KEY_ADDRESS_FIRST, k3)
          setWord(row, KEY_ADDRESS_SECOND, k4)
          setWord(row, KEY_TRANSPORT, k5)
          setWord(row, KEY_KIND, k6)
          setWord(row, ROW_HASH, finish(k0 * f0 + k1 * f1 + k2 * f2 + k3 * f3 + k4 * f4 + k5 * f5 + k6 * f6))
          setWord(
            row,
            ROW_FLAGS,
            (swap & FLAG_SWAPPED) |
              (isSame ? FLAG_SAME_ENDS : 0) |
              FLAG_PLAIN |
              FLAG_HAS_LINK |
              event |
              tcpFlags |
              (((fields >> 8) & 0xff) << FLAG_TTL_SHIFT),
          )
          continue
        }
      } else if (<u32>type >>> 16 === TYPE_IPV6 && ipv6(row, offset, ip, packetEnd, link)) continue
    }
    const dissected = dissect((row - AT_ROWS) >> 2)
    count += (dissected & (DISSECTED_DATAGRAM - 1)) - 1
    if ((dissected & DISSECTED_DATAGRAM) !== 0) break
  }
  store<i32>(AT_POSITION, position)
  store<i32>(AT_LEFT, left)
  store<i32>(AT_PACKETS, load<i32>(AT_PACKETS) + packets)
  store<i32>(AT_FILTERED, load<i32>(AT_FILTERED) + refused)
  return count
}

/** Ethernet, IPv6 without extension headers, TCP or UDP; `false` when it is something else. */
function ipv6(row: i32, ether: i32, ip: i32, end: i32, link: i32): bool {
  if (end < ip + IPV6_BYTES + PORTS_BYTES) return false
  const payloadBytes = be16(ip + 4)
  const capturedBytes = end - ip - IPV6_BYTES
  const available = payloadBytes === 0 ? capturedBytes : min(capturedBytes, payloadBytes)
  const protocol = <i32>load<u8>(ip + 6)
  const isTcp = protocol === PROTOCOL_TCP && available >= TCP_BYTES
  if (!isTcp && (protocol !== PROTOCOL_UDP || available < PORTS_BYTES)) return false
  const ports = be32(ip + IPV6_BYTES)
  if (!isTcp && isTunnel(ports)) return false
  const tcpFlags = isTcp ? <i32>load<u8>(ip + IPV6_BYTES + 13) : 0
  let flags = FLAG_PLAIN | FLAG_HAS_LINK | tcpFlags | ((<i32>load<u8>(ip + 7)) << FLAG_TTL_SHIFT)
  if ((tcpFlags & TCP_EVENTS) !== 0) flags |= FLAG_TCP_EVENT

  const destinationHigh = be32(ether) & link
  const destinationLow = be16(ether + 4) & link
  const sourceHigh = be32(ether + 6) & link
  const sourceLow = be16(ether + 10) & link
  let order = compare(sourceHigh, destinationHigh)
  if (order === 0) order = sourceLow - destinationLow
  const isLinkSwapped = order > 0
  setWord(row, KEY_MAC_FIRST, isLinkSwapped ? destinationHigh : sourceHigh)
  setWord(row, KEY_MAC_LOWS, isLinkSwapped ? (destinationLow << 16) | sourceLow : (sourceLow << 16) | destinationLow)
  setWord(row, KEY_MAC_SECOND, isLinkSwapped ? sourceHigh : destinationHigh)
  for (let i = 0; i < 16 && order === 0; i += 4) order = compare(be32(ip + 8 + i), be32(ip + 24 + i))
  if (order === 0) {
    flags |= FLAG_SAME_ENDS
    order = <i32>(<u32>ports >>> 16) - (ports & 0xffff)
  }
  const isSwapped = order > 0
  if (isSwapped) flags |= FLAG_SWAPPED
  setWord(row, KEY_ADDRESS_FIRST, isSwapped ? numberOf(ip + 24, ip + 8) : numberOf(ip + 8, ip + 24))
  setWord(row, KEY_ADDRESS_SECOND, 0)
  setWord(row, KEY_TRANSPORT, isSwapped ? rotl<i32>(ports, 16) : ports)
  setWord(row, KEY_KIND, KIND_IPV6 | (isTcp ? KIND_TCP : KIND_UDP) | (link & KIND_LINK))
  setWord(row, ROW_FLAGS, flags)
  let sum = 0
  for (let i = 0; i < 8; i++) sum += word(row, i) * factor(i)
  setWord(row, ROW_HASH, finish(sum))
  return true
}

/** As unsigned numbers: -1, 0 or 1. */
function compare(a: i32, b: i32): i32 {
  return <i32>(<u32>a > <u32>b) - <i32>(<u32>a < <u32>b)
}

/** The number of a pair of IPv6 addresses: the table knows all of them, those met lately are known here. */
function numberOf(first: i32, second: i32): i32 {
  const a = load<i64>(first)
  const b = load<i64>(first, 8)
  const c = load<i64>(second)
  const d = load<i64>(second, 8)
  const mixed: u64 = ((a ^ rotl<i64>(c, 21)) * MIX_FIRST) ^ ((b ^ rotl<i64>(d, 37)) * MIX_SECOND)
  const slot = AT_PAIRS + <i32>((mixed * MIX_FIRST) >>> 52) * PAIR_BYTES
  const known = load<i32>(slot, 32)
  if (
    known !== 0 &&
    load<i64>(slot) === a &&
    load<i64>(slot, 8) === b &&
    load<i64>(slot, 16) === c &&
    load<i64>(slot, 24) === d
  ) {
    return known
  }
  const number = pair(first, second)
  store<i64>(slot, a)
  store<i64>(slot, b, 8)
  store<i64>(slot, c, 16)
  store<i64>(slot, d, 24)
  store<i32>(slot, number, 32)
  return number
}
