// Rows to records.

import {
  FLAG_IGNORED,
  FLAG_SAME_ENDS,
  FLAG_SWAPPED,
  KEY_KIND,
  KEY_TRANSPORT,
  KIND_FIRST_SWAPPED,
  KIND_IPV4,
  KIND_IPV6,
  KIND_KEY_MASK,
  KIND_TCP,
  KIND_TRANSPORT_MASK,
  RECORD_AB_BYTES_WIDE,
  RECORD_AB_PACKETS,
  RECORD_LAST_SECONDS,
  ROW_COUNTED_BYTES,
  ROW_FLAGS,
  ROW_HASH,
  ROW_SECONDS,
} from '../src/layout'
import {
  AT_ENTRIES,
  AT_IGNORED,
  AT_INDEX,
  AT_MASK,
  AT_MODE,
  AT_RECORDS_BEGIN,
  AT_ROOM,
  AT_ROWS,
  AT_TOUCHED,
  AT_WEIGHT,
  LOOP_FOLLOW,
} from '../src/loop-layout'
import { followEvent, SPECIAL } from './flow-events'
import { BUCKET_IDS, BUCKET_SHIFT, freeLanes, lanesWith, RECORD_SHIFT_BYTES, ROW_BYTES, word } from './memory'
import { makePlain } from './plain-flows'
import { create, follow, lookCloser, wrap } from './table'

const TRANSPORT_SCTP = 6

/**
 * Notes what the index has for each row in the bucket where the search for its flow begins, nearly always the flow, and loads the records that
 * the rows will need. All loads of a pass are independent of one another: the memory answers many at once.
 */
export function touch(count: i32): void {
  const mask = load<i32>(AT_MASK)
  const records = load<i32>(AT_RECORDS_BEGIN)
  for (let i = 0; i < count; i++) {
    const hash = word(AT_ROWS + i * ROW_BYTES, ROW_HASH)
    const bucket = AT_INDEX + ((hash & mask) << BUCKET_SHIFT)
    const found = lanesWith(bucket, hash)
    // Of none it is a load beside the bucket: harmless, and no branch.
    const entry = load<i32>(bucket + (ctz(found) << 2), BUCKET_IDS)
    store<i32>(AT_ENTRIES + (i << 2), found === 0 ? 0 : entry)
  }
  let sum = 0
  // That of the flow before the first is the end of the index: harmless, and no branch.
  for (let i = 0; i < count; i++) sum ^= load<i32>(records + ((load<i32>(AT_ENTRIES + (i << 2)) - 1) << RECORD_SHIFT_BYTES))
  store<i32>(AT_TOUCHED, sum)
}

/** Whether a record has the key of a row. */
function isOf(record: i32, row: i32, keyMask: v128): bool {
  const first = v128.xor(v128.load(record), v128.load(row))
  const second = v128.xor(v128.and(v128.load(record, 16), keyMask), v128.load(row, 16))
  return !v128.any_true(v128.or(first, second))
}

/** Counts the rows in their records. */
export function apply(count: i32): void {
  const isFollowed = (load<i32>(AT_MODE) & LOOP_FOLLOW) !== 0
  const weight = load<u32>(AT_WEIGHT)
  const wideWeight = <f64>weight
  const mask = load<i32>(AT_MASK)
  const records = load<i32>(AT_RECORDS_BEGIN)
  const keyMask = i32x4(-1, -1, KIND_KEY_MASK, -1)
  for (let i = 0; i < count; i++) {
    const row = AT_ROWS + i * ROW_BYTES
    const flags = word(row, ROW_FLAGS)
    if ((flags & FLAG_IGNORED) !== 0) {
      store<i32>(AT_IGNORED, load<i32>(AT_IGNORED) + 1)
      continue
    }
    // What it is may have changed since: a new flow, or one that is gone. Its key tells.
    const entry = load<i32>(AT_ENTRIES + (i << 2))
    let record = records + ((entry - 1) << RECORD_SHIFT_BYTES)
    if (entry === 0 || !isOf(record, row, keyMask)) record = search(row, records, mask, keyMask)
    if (record === 0) {
      record = makePlain(row)
      if (record === 0) record = records + (create((row - AT_ROWS) >> 2, flags) << RECORD_SHIFT_BYTES)
      store<i32>(AT_ROOM, load<i32>(AT_ROOM) - 1)
    }
    // Both words have "swapped into key order" in their sign: 0 for a packet from A to B, 1 for one from B to A.
    const direction = <i32>(<u32>(word(record, KEY_KIND) ^ flags) >>> 31)
    const side = (flags & FLAG_SAME_ENDS) === 0 ? direction : sideOfEqualEnds(row, record, flags)
    const packetsAt = record + ((RECORD_AB_PACKETS + side) << 2)
    const before = load<u32>(packetsAt)
    store<u32>(packetsAt, before + weight)
    if (before + weight < before) wrap((record - records) >> RECORD_SHIFT_BYTES, side)
    const bytesAt = record + ((RECORD_AB_BYTES_WIDE + side) << 3)
    store<f64>(bytesAt, load<f64>(bytesAt) + <f64>word(row, ROW_COUNTED_BYTES) * wideWeight)
    // Seconds and nanoseconds at once.
    store<i64>(record + (RECORD_LAST_SECONDS << 2), load<i64>(row + (ROW_SECONDS << 2)))
    if ((flags & SPECIAL) !== 0 && !followEvent((record - records) >> RECORD_SHIFT_BYTES, row, flags))
      lookCloser((record - records) >> RECORD_SHIFT_BYTES, (row - AT_ROWS) >> 2, flags, direction)
    if (isFollowed) follow((record - records) >> RECORD_SHIFT_BYTES, (row - AT_ROWS) >> 2, direction)
  }
}

/** The record of a row's flow; 0 when there is none. */
function search(row: i32, records: i32, mask: i32, keyMask: v128): i32 {
  // A call may have changed it: what a tunnel carries is told its flow by the row before.
  const hash = word(row, ROW_HASH)
  let number = hash & mask
  let bucket: i32
  // Only what found its bucket full went on to the next.
  do {
    bucket = AT_INDEX + (number << BUCKET_SHIFT)
    for (let found = lanesWith(bucket, hash); found !== 0; found &= found - 1) {
      const entry = load<i32>(bucket + (ctz(found) << 2), BUCKET_IDS)
      const record = records + ((entry - 1) << RECORD_SHIFT_BYTES)
      if (entry !== 0 && isOf(record, row, keyMask)) return record
    }
    number = (number + 1) & mask
  } while (freeLanes(bucket) === 0)
  return 0
}

/** Spec flows 1.10 for packets whose addresses do not tell the ends apart: 0 from A to B, 1 from B to A. */
function sideOfEqualEnds(row: i32, record: i32, flags: i32): i32 {
  const kind = word(row, KEY_KIND)
  if ((kind & (KIND_IPV4 | KIND_IPV6)) === 0) return 1
  const transport = kind & KIND_TRANSPORT_MASK
  if (transport < KIND_TCP || transport > TRANSPORT_SCTP) return 0
  const ports = word(row, KEY_TRANSPORT)
  const high = <i32>(<u32>ports >>> 16)
  const low = ports & 0xffff
  const sourcePort = (flags & FLAG_SWAPPED) !== 0 ? low : high
  const portOfA = (word(record, KEY_KIND) & KIND_FIRST_SWAPPED) !== 0 ? low : high
  return portOfA > sourcePort ? 0 : 1
}
