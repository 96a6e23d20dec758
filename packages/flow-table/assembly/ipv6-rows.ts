// Packets of IPv6 to rows.

import {
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
  KIND_IPV6,
  KIND_LINK,
  KIND_TCP,
  KIND_UDP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  ROW_FLAGS,
  ROW_HASH,
} from '../src/layout'
import { AT_MODE, AT_PAIRS, LOOP_LINK_KEY, PAIR_BYTES } from '../src/loop-layout'
import { be16, be32, hashOf, setWord, TCP_BYTES, TCP_EVENTS, tunnelBit } from './memory'
import { TYPE_DOT1Q, TYPE_IPV6 } from './plain-rows'
import { pair } from './table'

/** Odd numbers with bits all over, as products mix best with. */
const MIX_FIRST: i64 = ((<i64>0x9e3779b9) << 32) | 0x7f4a7c15
const MIX_SECOND: i64 = ((<i64>0xc2b2ae3d) << 32) | 0x27d4eb4f
const LINK_BYTES = 14
const VLAN_BYTES = 4
const IPV6_BYTES = 40
const UDP_BYTES = 8

/** Ethernet with at most one tag, IPv6 without extension headers, TCP or UDP; `false` when it is something else. */
export function ipv6Row(row: i32, ether: i32, capturedBytes: i32): bool {
  if (capturedBytes < LINK_BYTES + IPV6_BYTES + UDP_BYTES) return false
  const link: i32 = (load<i32>(AT_MODE) & LOOP_LINK_KEY) !== 0 ? -1 : 0
  const end = ether + capturedBytes
  const isTagged = (load<i32>(ether, 12) & 0xffff) === TYPE_DOT1Q
  const ip = ether + LINK_BYTES + (isTagged ? VLAN_BYTES : 0)
  if ((load<i32>(ip - 2) & 0xffff) !== TYPE_IPV6) return false
  if (end < ip + IPV6_BYTES + UDP_BYTES) return false
  const payloadBytes = be16(ip + 4)
  const captured = end - ip - IPV6_BYTES
  const available = payloadBytes === 0 ? captured : min(captured, payloadBytes)
  const protocol = <i32>load<u8>(ip + 6)
  const isTcp = protocol === PROTOCOL_TCP && available >= TCP_BYTES
  if (!isTcp && (protocol !== PROTOCOL_UDP || available < UDP_BYTES)) return false
  const ports = be32(ip + IPV6_BYTES)
  if (!isTcp && tunnelBit(ports) !== 0) return false
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
  setWord(row, KEY_PARENT, 0)
  setWord(row, KEY_KIND, KIND_IPV6 | (isTcp ? KIND_TCP : KIND_UDP) | (link & KIND_LINK))
  setWord(row, ROW_FLAGS, flags)
  setWord(row, ROW_HASH, hashOf(row))
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
