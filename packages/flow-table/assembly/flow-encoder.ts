// Flows to protobuf, in AssemblyScript: a subset of TypeScript with the number types of WebAssembly. It is a program of its own, which
// `assemble.mjs` compiles into src/encoder-program.ts. It has no imports at run time and touches only its own memory of a fixed size.

import {
  AT_COLD,
  AT_HAS_TCP_METRIC,
  AT_KEY,
  AT_LENGTH,
  AT_ORIGIN,
  AT_ORIGIN_BYTES,
  AT_OUTPUT,
  AT_PAIRS,
  AT_RECORDS,
  AT_REFERENCES,
  AT_TCP,
  AT_TID_BYTES,
  AT_UUID_INPUT,
  AT_WIDE,
  FIXED_BYTES,
  OUTPUT_BYTES,
  PAIR_SHIFT,
  REFERENCE_SHIFT,
} from '../src/encoder-layout'
import {
  COLD_ADDRESS_A,
  COLD_DESTINATION_MAC_HIGH,
  COLD_FINISH,
  COLD_MAC_LOWS,
  COLD_PORTS,
  COLD_RAW_PACKETS,
  COLD_SHIFT,
  COLD_SHOWN,
  COLD_SOURCE_MAC_HIGH,
  COLD_TUNNEL_ID,
  KEY_ADDRESS_FIRST,
  KEY_ADDRESS_SECOND,
  KEY_KIND,
  KEY_MAC_FIRST,
  KEY_MAC_LOWS,
  KEY_MAC_SECOND,
  KEY_TRANSPORT,
  KIND_HAS_LINK,
  KIND_IPV4,
  KIND_IPV6,
  KIND_LINK,
  KIND_LIVE,
  KIND_PORT_SHIFT,
  KIND_TCP,
  KIND_TRANSPORT_MASK,
  KIND_UDP,
  KIND_VNI,
  RECORD_AB_BYTES_WIDE,
  RECORD_AB_PACKETS,
  RECORD_BA_BYTES_WIDE,
  RECORD_BA_PACKETS,
  RECORD_LAST_NANOSECONDS,
  RECORD_LAST_SECONDS,
  RECORD_SHIFT,
  SHOWN_ADDRESSES,
  SHOWN_PORTS,
  SHOWN_TCP,
  TCP_SHIFT,
  WIDE_PARENT_HIGH,
  WIDE_PARENT_LOW,
  WIDE_RTT_NS,
  WIDE_SHIFT,
  WIDE_START_MS,
  WIDE_UPDATE,
  WIDE_UPDATE_LAST_MS,
  WIDE_UPDATE_RTT_NS,
  WIDE_UPDATE_START_MS,
  WIDE_VLAN_ID,
} from '../src/layout'
import { putBytes, putHex, putHexDigits, putIpv4, putIpv6, putMac, putMessageTag, putNumber, putTag } from './wire'
import { xxh64 } from './xxh64'

const KIND_ICMP = 7

// Fields of `Flow` and of its inner messages (spec flows 1.1 and 1.2), and the numbers of protocols.
const FLOW_UUID = 1
const FLOW_PARENT_UUID = 6
const FLOW_START = 10
const FLOW_LAST = 11
const FLOW_LINK = 20
const FLOW_NETWORK = 21
const FLOW_TRANSPORT = 22
const FLOW_ICMP = 23
const FLOW_LAST_UPDATE_METRIC = 31
const FLOW_METRIC = 32
const FLOW_RAW_PACKETS_CAPTURED = 37
const FLOW_TCP_METRIC = 38
const FLOW_TRACKING_ID = 50
const FLOW_L3_TRACKING_ID = 51
const FLOW_FINISH_TYPE = 60
const LAYER_PROTOCOL = 1
const LAYER_A = 3
const LAYER_B = 4
const LAYER_ID = 5
const PROTOCOL_IPV4 = 1
const PROTOCOL_TCP = 2
const PROTOCOL_UDP = 3
const PROTOCOL_SCTP = 4
const PROTOCOL_IPV6 = 5

// End point types of spec flows 1.8 that are no transport.
const END_POINT_IPV4 = 1
const END_POINT_IPV6 = 2
const END_POINT_MAC = 3

/** Flags and times of TCP: as many as stand in their columns, in the order of the fields. */
const TCP_MEMBERS = 8

/**
 * Appends the live flows of the first `count` rows to the output, each with its length before it. Answers how many rows it went through:
 * fewer when the output is full.
 */
export function encode(count: i32): i32 {
  let at = AT_OUTPUT + load<i32>(AT_LENGTH)
  let row = 0
  for (; row < count; row++) {
    if ((word(AT_RECORDS, row, RECORD_SHIFT, KEY_KIND) & KIND_LIVE) === 0) continue
    const texts = word(AT_REFERENCES, row, REFERENCE_SHIFT, 1) + word(AT_REFERENCES, row, REFERENCE_SHIFT, 3)
    if (at + FIXED_BYTES + texts + load<i32>(AT_ORIGIN_BYTES) > AT_OUTPUT + OUTPUT_BYTES) break
    at = putFlow(at, row)
  }
  store<i32>(AT_LENGTH, at - AT_OUTPUT)
  return row
}

/** A member of a row in one of the 32-bit tables. */
function word(table: i32, row: i32, shift: i32, member: i32): i32 {
  return load<i32>(table + (((row << shift) + member) << 2))
}

/** The same in one of the 64-bit tables. */
function wide(table: i32, row: i32, shift: i32, member: i32): f64 {
  return load<f64>(table + (((row << shift) + member) << 3))
}

function record(row: i32, member: i32): i32 {
  return word(AT_RECORDS, row, RECORD_SHIFT, member)
}

function putFlow(at: i32, row: i32): i32 {
  const kind = record(row, KEY_KIND)
  const transport = kind & KIND_TRANSPORT_MASK
  const startMs = wide(AT_WIDE, row, WIDE_SHIFT, WIDE_START_MS)
  const lastMs =
    <f64>(<u32>record(row, RECORD_LAST_SECONDS)) * 1000 + Math.floor(<f64>record(row, RECORD_LAST_NANOSECONDS) / 1_000_000)

  let keyBytes = putTransportKey(putNetworkKey(AT_KEY, row, kind), row, kind) - AT_KEY
  const l3TrackingId = xxh64(AT_KEY, keyBytes, 0)
  let trackingId = l3TrackingId
  if ((kind & KIND_LINK) !== 0) {
    keyBytes = putLinkKey(AT_KEY + keyBytes, row) - AT_KEY
    trackingId = xxh64(AT_KEY, keyBytes, 0)
  }
  const parent =
    ((<u64>wide(AT_WIDE, row, WIDE_SHIFT, WIDE_PARENT_HIGH)) << 32) | <u64>wide(AT_WIDE, row, WIDE_SHIFT, WIDE_PARENT_LOW)
  let tableKey = trackingId
  if (parent !== 0) tableKey = xxh64(AT_KEY, putHexDigits(AT_KEY + keyBytes, parent) - AT_KEY, 0)
  store<u64>(AT_UUID_INPUT, bswap<u64>(<u64>startMs))
  const uuid = xxh64(AT_UUID_INPUT, 8 + load<i32>(AT_TID_BYTES), tableKey)

  // Two bytes for the length, which is right for all but very short flows and very long texts.
  const start = at + 2
  let end = putHex(putTag(start, FLOW_UUID), uuid)
  end = putText(end, row, 0)
  end = putText(end, row, 2)
  if (parent !== 0) end = putHex(putTag(end, FLOW_PARENT_UUID), parent)
  end = putNumber(end, FLOW_START, startMs)
  end = putNumber(end, FLOW_LAST, lastMs)
  if ((kind & KIND_HAS_LINK) !== 0) end = putLink(end, row)
  if ((kind & (KIND_IPV4 | KIND_IPV6)) !== 0) end = putNetwork(end, row, kind)
  if (transport !== 0) end = putTransport(end, row, kind, transport)
  if (wide(AT_WIDE, row, WIDE_SHIFT, WIDE_UPDATE_LAST_MS) !== 0) end = putUpdate(end, row)
  end = putMetric(end, row, startMs, lastMs)
  end = putBytes(end, AT_ORIGIN, load<i32>(AT_ORIGIN_BYTES))
  end = putNumber(end, FLOW_RAW_PACKETS_CAPTURED, <f64>word(AT_COLD, row, COLD_SHIFT, COLD_RAW_PACKETS))
  if (transport === KIND_TCP && load<i32>(AT_HAS_TCP_METRIC) !== 0) end = putTcpMetric(end, row)
  end = putHex(putTag(end, FLOW_TRACKING_ID), trackingId)
  end = putHex(putTag(end, FLOW_L3_TRACKING_ID), l3TrackingId)
  end = putNumber(end, FLOW_FINISH_TYPE, <f64>word(AT_COLD, row, COLD_SHIFT, COLD_FINISH))
  return frame(at, start, end)
}

/** Puts the length before a flow, which is moved when the length has not the two bytes that were left for it. */
function frame(at: i32, start: i32, end: i32): i32 {
  const size = end - start
  const head = size < 0x80 ? 1 : size < 0x4000 ? 2 : 3
  if (head !== 2) memory.copy(at + head, start, size)
  for (let i = 0, rest = size; i < head; i++, rest >>= 7) store<u8>(at + i, i < head - 1 ? (rest & 0x7f) | 0x80 : rest)
  return at + head + size
}

/** A field that stands ready among the texts; `member` tells which of the row's. */
function putText(at: i32, row: i32, member: i32): i32 {
  return putBytes(at, word(AT_REFERENCES, row, REFERENCE_SHIFT, member), word(AT_REFERENCES, row, REFERENCE_SHIFT, member + 1))
}

// The key of spec flows 1.8, whose hashes are the identifiers. Both ends stand in the order that the hash wants.

function putNetworkKey(at: i32, row: i32, kind: i32): i32 {
  if ((kind & KIND_IPV4) !== 0) {
    store<u32>(at, bswap<u32>(record(row, KEY_ADDRESS_FIRST)))
    store<u32>(at + 4, bswap<u32>(record(row, KEY_ADDRESS_SECOND)))
    return putEndPoint(at + 8, END_POINT_IPV4)
  }
  if ((kind & KIND_IPV6) === 0) return at
  for (let i = 0; i < 8; i++) store<u32>(at + (i << 2), bswap<u32>(word(AT_PAIRS, row, PAIR_SHIFT, i)))
  return putEndPoint(at + 32, END_POINT_IPV6)
}

function putTransportKey(at: i32, row: i32, kind: i32): i32 {
  const transport = kind & KIND_TRANSPORT_MASK
  if (transport === 0) return at
  store<u32>(at, bswap<u32>(record(row, KEY_TRANSPORT)))
  if (transport === KIND_VNI) {
    store<u16>(at + 4, bswap<u16>(<u16>(kind >>> KIND_PORT_SHIFT)))
    return putEndPoint(at + 6, 0)
  }
  return putEndPoint(at + 4, transport === KIND_ICMP ? 0 : transport)
}

function putLinkKey(at: i32, row: i32): i32 {
  const lows = record(row, KEY_MAC_LOWS)
  store<u32>(at, bswap<u32>(record(row, KEY_MAC_FIRST)))
  store<u16>(at + 4, bswap<u16>(<u16>(lows >>> 16)))
  store<u32>(at + 6, bswap<u32>(record(row, KEY_MAC_SECOND)))
  store<u16>(at + 10, bswap<u16>(<u16>lows))
  return putEndPoint(at + 12, END_POINT_MAC)
}

function putEndPoint(at: i32, type: i32): i32 {
  store<u64>(at, bswap<u64>(type))
  return at + 8
}

// Inner messages. All are shorter than 128 bytes, so that their length is one byte, which is written when they end.

function end(start: i32, at: i32): i32 {
  store<u8>(start - 1, at - start)
  return at
}

function putLink(at: i32, row: i32): i32 {
  const start = putMessageTag(at, FLOW_LINK)
  const lows = word(AT_COLD, row, COLD_SHIFT, COLD_MAC_LOWS)
  at = putMac(putTag(start, LAYER_A), word(AT_COLD, row, COLD_SHIFT, COLD_SOURCE_MAC_HIGH), lows >>> 16)
  at = putMac(putTag(at, LAYER_B), word(AT_COLD, row, COLD_SHIFT, COLD_DESTINATION_MAC_HIGH), lows & 0xffff)
  return end(start, putNumber(at, LAYER_ID, wide(AT_WIDE, row, WIDE_SHIFT, WIDE_VLAN_ID)))
}

function putNetwork(at: i32, row: i32, kind: i32): i32 {
  const isShown = (word(AT_COLD, row, COLD_SHIFT, COLD_SHOWN) & SHOWN_ADDRESSES) !== 0
  const isV4 = isShown || (kind & KIND_IPV4) !== 0
  const start = putMessageTag(at, FLOW_NETWORK)
  // The sign says that end A is the second of the key.
  const sideOfA = kind >>> 31
  at = putNumber(start, LAYER_PROTOCOL, isV4 ? PROTOCOL_IPV4 : PROTOCOL_IPV6)
  at = putTag(at, LAYER_A)
  at = isShown ? putIpv4(at, word(AT_COLD, row, COLD_SHIFT, COLD_ADDRESS_A)) : putAddress(at, row, isV4, sideOfA)
  at = putTag(at, LAYER_B)
  at = isShown ? putIpv4(at, word(AT_COLD, row, COLD_SHIFT, COLD_ADDRESS_A + 1)) : putAddress(at, row, isV4, sideOfA ^ 1)
  return end(start, putNumber(at, LAYER_ID, <f64>(<u32>word(AT_COLD, row, COLD_SHIFT, COLD_TUNNEL_ID))))
}

function putAddress(at: i32, row: i32, isV4: bool, side: i32): i32 {
  return isV4
    ? putIpv4(at, record(row, KEY_ADDRESS_FIRST + side))
    : putIpv6(at, AT_PAIRS + (((row << PAIR_SHIFT) + (side << 2)) << 2))
}

function putTransport(at: i32, row: i32, kind: i32, transport: i32): i32 {
  const value = record(row, KEY_TRANSPORT)
  if (transport === KIND_ICMP) {
    const start = putMessageTag(at, FLOW_ICMP)
    at = putNumber(start, 1, <f64>(value >>> 24))
    return end(start, putNumber(putNumber(at, 2, <f64>((value >>> 16) & 0xff)), 3, <f64>(value & 0xffff)))
  }
  const shown = word(AT_COLD, row, COLD_SHIFT, COLD_SHOWN)
  // Ports in the order of the ends, not of the key.
  const ports = (shown & SHOWN_PORTS) !== 0 ? word(AT_COLD, row, COLD_SHIFT, COLD_PORTS) : kind < 0 ? rotl<i32>(value, 16) : value
  const isTcp = transport === KIND_TCP || (shown & SHOWN_TCP) !== 0
  const isUdp = transport === KIND_UDP || transport === KIND_VNI
  const start = putMessageTag(at, FLOW_TRANSPORT)
  at = putNumber(start, 1, isTcp ? PROTOCOL_TCP : isUdp ? PROTOCOL_UDP : PROTOCOL_SCTP)
  return end(start, putNumber(putNumber(at, 2, <f64>(ports >>> 16)), 3, <f64>(ports & 0xffff)))
}

function putUpdate(at: i32, row: i32): i32 {
  const start = putMessageTag(at, FLOW_LAST_UPDATE_METRIC)
  at = putNumber(start, 2, wide(AT_WIDE, row, WIDE_SHIFT, WIDE_UPDATE))
  at = putNumber(at, 3, wide(AT_WIDE, row, WIDE_SHIFT, WIDE_UPDATE + 2))
  at = putNumber(at, 4, wide(AT_WIDE, row, WIDE_SHIFT, WIDE_UPDATE + 1))
  at = putNumber(at, 5, wide(AT_WIDE, row, WIDE_SHIFT, WIDE_UPDATE + 3))
  at = putNumber(at, 6, wide(AT_WIDE, row, WIDE_SHIFT, WIDE_UPDATE_START_MS))
  at = putNumber(at, 7, wide(AT_WIDE, row, WIDE_SHIFT, WIDE_UPDATE_LAST_MS))
  return end(start, putNumber(at, 8, wide(AT_WIDE, row, WIDE_SHIFT, WIDE_UPDATE_RTT_NS)))
}

function putMetric(at: i32, row: i32, startMs: f64, lastMs: f64): i32 {
  const start = putMessageTag(at, FLOW_METRIC)
  at = putNumber(start, 2, <f64>(<u32>record(row, RECORD_AB_PACKETS)))
  at = putNumber(at, 3, wide(AT_RECORDS, row, RECORD_SHIFT - 1, RECORD_AB_BYTES_WIDE))
  at = putNumber(at, 4, <f64>(<u32>record(row, RECORD_BA_PACKETS)))
  at = putNumber(at, 5, wide(AT_RECORDS, row, RECORD_SHIFT - 1, RECORD_BA_BYTES_WIDE))
  at = putNumber(putNumber(at, 6, startMs), 7, lastMs)
  return end(start, putNumber(at, 8, wide(AT_WIDE, row, WIDE_SHIFT, WIDE_RTT_NS)))
}

/** What reassembly would count is 0 and left out. */
function putTcpMetric(at: i32, row: i32): i32 {
  const start = putMessageTag(at, FLOW_TCP_METRIC)
  at = start
  for (let i = 0; i < TCP_MEMBERS; i++) at = putNumber(at, i + 1, wide(AT_TCP, row, TCP_SHIFT, i))
  return end(start, at)
}
