// Flows of the common kind, made without asking the table: untagged Ethernet, IPv4 or IPv6, TCP or UDP that is no application of its own.

import {
  COLD_DESTINATION_MAC_HIGH,
  COLD_MAC_LOWS,
  COLD_PATH,
  COLD_SERIAL,
  COLD_SOURCE_MAC_HIGH,
  FLAG_PLAIN,
  FLAG_SWAPPED,
  KEY_KIND,
  KEY_TRANSPORT,
  KIND_HAS_LINK,
  KIND_IPV6,
  KIND_KEY_MASK,
  KIND_LIVE,
  KIND_TCP,
  KIND_TRANSPORT_MASK,
  ROW_FLAGS,
  ROW_HASH,
  ROW_NANOSECONDS,
  ROW_OFFSET,
  ROW_SECONDS,
  ROW_STRIPPED_TAG,
} from '../src/layout'
import {
  AT_APPLICATION_BITS,
  AT_COLD_BEGIN,
  AT_FACTORS,
  AT_INDEX,
  AT_LIMIT,
  AT_MASK,
  AT_PLAIN_LEFT,
  AT_PLAIN_PATHS,
  AT_RECORDS_BEGIN,
  AT_SERIAL,
  AT_STARTS_BEGIN,
  PLAIN_IPV6,
  PLAIN_TCP,
} from '../src/loop-layout'
import {
  BUCKET_IDS,
  BUCKET_SHIFT,
  be16,
  be32,
  COLD_SHIFT_BYTES,
  finish,
  freeLanes,
  NO_TAG,
  portBit,
  RECORD_SHIFT_BYTES,
  setWord,
  word,
} from './memory'
import { TYPE_DOT1Q } from './plain-rows'

const START_SHIFT = 3
const MS_PER_SECOND: f64 = 1000
const NANOSECONDS_PER_MS: f64 = 1_000_000

/** Makes the flow of a row; answers its record, or 0 when it is the table's to make. */
export function makePlain(row: i32): i32 {
  const left = load<i32>(AT_PLAIN_LEFT)
  const flags = word(row, ROW_FLAGS)
  const link = word(row, ROW_OFFSET)
  if (left <= 0 || (flags & FLAG_PLAIN) === 0 || word(row, ROW_STRIPPED_TAG) !== NO_TAG) return 0
  if ((load<i32>(link, 12) & 0xffff) === TYPE_DOT1Q) return 0
  const kind = word(row, KEY_KIND)
  const isTcp = (kind & KIND_TRANSPORT_MASK) === KIND_TCP
  if (!isTcp && portBit(AT_APPLICATION_BITS, word(row, KEY_TRANSPORT)) !== 0) return 0
  const which = (isTcp ? PLAIN_TCP : 0) | ((kind & KIND_IPV6) !== 0 ? PLAIN_IPV6 : 0)
  const path = load<i32>(AT_PLAIN_PATHS + (which << 2))
  if (path === 0) return 0

  const id = load<i32>(AT_LIMIT)
  const serial = load<i32>(AT_SERIAL) + 1
  store<i32>(AT_LIMIT, id + 1)
  store<i32>(AT_SERIAL, serial)
  store<i32>(AT_PLAIN_LEFT, left - 1)
  // All that is not written was never used, and is zero.
  const record = load<i32>(AT_RECORDS_BEGIN) + (id << RECORD_SHIFT_BYTES)
  v128.store(record, v128.load(row))
  v128.store(record, v128.load(row, 16), 16)
  setWord(record, KEY_KIND, kind | KIND_LIVE | KIND_HAS_LINK | (flags & FLAG_SWAPPED))
  enter(word(row, ROW_HASH), id)
  const cold = load<i32>(AT_COLD_BEGIN) + (id << COLD_SHIFT_BYTES)
  setWord(cold, COLD_PATH, path - 1)
  setWord(cold, COLD_DESTINATION_MAC_HIGH, be32(link))
  setWord(cold, COLD_SOURCE_MAC_HIGH, be32(link + 6))
  setWord(cold, COLD_MAC_LOWS, (be16(link + 10) << 16) | be16(link + 4))
  setWord(cold, COLD_SERIAL, serial)
  const startMs =
    <f64>(<u32>word(row, ROW_SECONDS)) * MS_PER_SECOND + floor<f64>(<f64>word(row, ROW_NANOSECONDS) / NANOSECONDS_PER_MS)
  store<f64>(load<i32>(AT_STARTS_BEGIN) + (id << START_SHIFT), startMs)
  return record
}

/** Puts all flows into the index, which is empty. */
export function enterAll(): void {
  const limit = load<i32>(AT_LIMIT)
  const keyMask = i32x4(-1, -1, KIND_KEY_MASK, -1)
  const factorsFirst = v128.load(AT_FACTORS)
  const factorsSecond = v128.load(AT_FACTORS, 16)
  let record = load<i32>(AT_RECORDS_BEGIN)
  for (let id = 0; id < limit; id++) {
    if ((word(record, KEY_KIND) & KIND_LIVE) !== 0) {
      const first = i32x4.mul(v128.load(record), factorsFirst)
      const products = i32x4.add(first, i32x4.mul(v128.and(v128.load(record, 16), keyMask), factorsSecond))
      const halves = i32x4.add(products, v128.shuffle<i32>(products, products, 2, 3, 0, 1))
      enter(finish(i32x4.extract_lane(halves, 0) + i32x4.extract_lane(halves, 1)), id)
    }
    record += 1 << RECORD_SHIFT_BYTES
  }
}

/** Puts a flow into the first bucket, from its own on, that has a free entry. */
function enter(hash: i32, id: i32): void {
  const mask = load<i32>(AT_MASK)
  let number = hash & mask
  let bucket = AT_INDEX + (number << BUCKET_SHIFT)
  let free = freeLanes(bucket)
  while (free === 0) {
    number = (number + 1) & mask
    bucket = AT_INDEX + (number << BUCKET_SHIFT)
    free = freeLanes(bucket)
  }
  const entry = bucket + (ctz(free) << 2)
  store<i32>(entry, hash)
  store<i32>(entry, id + 1, BUCKET_IDS)
}
