// Words of rows and records, and what is read of packets.

import { AT_FACTORS, AT_TUNNEL_BITS } from '../src/loop-layout'

export const ROW_BYTES = 64
/** From numbers of flows to bytes of records, and of buckets to bytes of the index. */
export const RECORD_SHIFT_BYTES = 6
export const COLD_SHIFT_BYTES = 6
export const BUCKET_SHIFT = 5
/** Where in a bucket the ids are; the hashes come first. */
export const BUCKET_IDS = 16
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

/** A bit for each of the four entries of a bucket that have a hash. One that is free may be among them when the hash is 0. */
export function lanesWith(bucket: i32, hash: i32): i32 {
  return i32x4.bitmask(i32x4.eq(v128.load(bucket), i32x4.splat(hash)))
}

/** A bit for each entry of a bucket that is free. */
export function freeLanes(bucket: i32): i32 {
  return i32x4.bitmask(i32x4.eq(v128.load(bucket, BUCKET_IDS), i32x4.splat(0)))
}

/** 1 when one of two ports, in the halves of a word, is that of a tunnel, 0 else. */
export function tunnelBit(ports: i32): i32 {
  return portBit(AT_TUNNEL_BITS, ports)
}

/** 1 when one of two ports is among those whose bits are set, 0 else. Without a branch: among many flows it would often go the other way. */
export function portBit(bits: i32, ports: i32): i32 {
  const high = <i32>(<u32>ports >>> 16)
  return ((<i32>load<u8>(bits + ((ports & 0xffff) >> 3)) >> (ports & 7)) | (<i32>load<u8>(bits + (high >> 3)) >> (high & 7))) & 1
}

/** The end of the hash: a sum of products (all independent of one another, so they run at once), then the finalizer of MurmurHash3. */
export function finish(sum: i32): i32 {
  let hash: u32 = (sum ^ <i32>(<u32>sum >>> 16)) * <u32>0x85ebca6b
  hash = (hash ^ (hash >>> 13)) * <u32>0xc2b2ae35
  return hash ^ (hash >>> 16)
}

/** The hash of a row's key. */
export function hashOf(row: i32): i32 {
  const first = i32x4.mul(v128.load(row), v128.load(AT_FACTORS))
  const products = i32x4.add(first, i32x4.mul(v128.load(row, 16), v128.load(AT_FACTORS, 16)))
  const halves = i32x4.add(products, v128.shuffle<i32>(products, products, 2, 3, 0, 1))
  return finish(i32x4.extract_lane(halves, 0) + i32x4.extract_lane(halves, 1))
}
