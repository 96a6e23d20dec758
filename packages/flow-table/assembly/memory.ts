// Words of rows and records, and what is read of packets.

import { AT_TUNNEL_BITS } from '../src/loop-layout'

export const ROW_BYTES = 64
/** From numbers of flows to bytes of records, and of slots to bytes of the index. */
export const RECORD_SHIFT_BYTES = 6
export const COLD_SHIFT_BYTES = 6
export const SLOT_SHIFT = 3
export const PCAP_HEADER_BYTES = 16
export const TCP_BYTES = 20
/** SYN, FIN and RST. */
export const TCP_EVENTS = 0x07
/** Of ROW_STRIPPED_TAG. */
export const NO_TAG = -1

export function setWord(row: i32, word: i32, value: i32): void {
  store<i32>(row + (word << 2), value)
}

export function word(at: i32, index: i32): i32 {
  return load<i32>(at + (index << 2))
}

export function be32(at: i32): i32 {
  return bswap<i32>(load<i32>(at))
}

export function be16(at: i32): i32 {
  return <i32>bswap<u16>(load<u16>(at))
}

/** Whether one of two ports, in the halves of a word, is that of a tunnel. */
export function isTunnel(ports: i32): bool {
  return hasPort(AT_TUNNEL_BITS, ports)
}

/** Whether one of two ports is among those whose bits are set. */
export function hasPort(bits: i32, ports: i32): bool {
  return hasBit(bits, ports & 0xffff) || hasBit(bits, <i32>(<u32>ports >>> 16))
}

function hasBit(bits: i32, port: i32): bool {
  return ((<i32>load<u8>(bits + (port >> 3)) >> (port & 7)) & 1) !== 0
}

/** The end of the hash: a sum of products (all independent of one another, so they run at once), then the finalizer of MurmurHash3. */
export function finish(sum: i32): i32 {
  let hash: u32 = (sum ^ <i32>(<u32>sum >>> 16)) * <u32>0x85ebca6b
  hash = (hash ^ (hash >>> 13)) * <u32>0xc2b2ae35
  return hash ^ (hash >>> 16)
}
