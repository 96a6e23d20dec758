// Rows to records.

import {
  FLAG_CARRIES,
  FLAG_ECHO_REPLY,
  FLAG_ECHO_REQUEST,
  FLAG_IGNORED,
  FLAG_REASSEMBLED,
  FLAG_SAME_ENDS,
  FLAG_SWAPPED,
  FLAG_TCP_EVENT,
  KEY_KIND,
  KEY_PARENT,
  KEY_TRANSPORT,
  KIND_FIRST_SWAPPED,
  KIND_IPV4,
  KIND_IPV6,
  KIND_KEY_MASK,
  KIND_TCP,
  KIND_TRANSPORT_MASK,
  RECORD_AB_BYTES_WIDE,
  RECORD_AB_PACKETS,
  RECORD_LAST_NANOSECONDS,
  RECORD_LAST_SECONDS,
  ROW_COUNTED_BYTES,
  ROW_FLAGS,
  ROW_HASH,
  ROW_NANOSECONDS,
  ROW_SECONDS,
} from '../src/layout'
import {
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
import { ROW_BYTES, setWord, word } from './memory'
import { create, follow, lookCloser, wrap } from './table'

const RECORD_SHIFT_BYTES = 6
const SLOT_SHIFT = 3
const SPECIAL = FLAG_TCP_EVENT | FLAG_ECHO_REQUEST | FLAG_ECHO_REPLY | FLAG_CARRIES | FLAG_REASSEMBLED
const TRANSPORT_SCTP = 6

/** Loads what the rows will need, all independent of one another: the memory answers many at once. */
export function touch(count: i32): void {
  const mask = load<i32>(AT_MASK)
  const records = load<i32>(AT_RECORDS_BEGIN)
  let sum = 0
  for (let i = 0; i < count; i++) sum ^= load<i32>(AT_INDEX + ((word(AT_ROWS + i * ROW_BYTES, ROW_HASH) & mask) << SLOT_SHIFT), 4)
  for (let i = 0; i < count; i++) {
    const entry = load<i32>(AT_INDEX + ((word(AT_ROWS + i * ROW_BYTES, ROW_HASH) & mask) << SLOT_SHIFT), 4)
    // That of the flow before the first is the end of the index: harmless, and no branch.
    sum ^= load<i32>(records + ((entry - 1) << RECORD_SHIFT_BYTES))
  }
  store<i32>(AT_TOUCHED, sum)
}

/** Whether a record has the key of a row. */
function isOf(record: i32, row: i32): bool {
  return (
    load<i64>(record) === load<i64>(row) &&
    load<i64>(record, 8) === load<i64>(row, 8) &&
    load<i64>(record, 16) === load<i64>(row, 16) &&
    (word(record, KEY_KIND) & KIND_KEY_MASK) === word(row, KEY_KIND) &&
    word(record, KEY_PARENT) === word(row, KEY_PARENT)
  )
}

/** Counts the rows in their records. */
export function apply(count: i32): void {
  const isFollowed = (load<i32>(AT_MODE) & LOOP_FOLLOW) !== 0
  const weight = load<u32>(AT_WEIGHT)
  const mask = load<i32>(AT_MASK)
  const records = load<i32>(AT_RECORDS_BEGIN)
  for (let i = 0; i < count; i++) {
    const row = AT_ROWS + i * ROW_BYTES
    const flags = word(row, ROW_FLAGS)
    if ((flags & FLAG_IGNORED) !== 0) {
      store<i32>(AT_IGNORED, load<i32>(AT_IGNORED) + 1)
      continue
    }
    // A call may change it: what a tunnel carries is told its flow by the row before.
    const hash = word(row, ROW_HASH)
    let slot = hash & mask
    let record = 0
    for (;;) {
      const at = AT_INDEX + (slot << SLOT_SHIFT)
      const entry = load<i32>(at, 4)
      if (entry === 0) break
      if (load<i32>(at) === hash) {
        const found = records + ((entry - 1) << RECORD_SHIFT_BYTES)
        if (isOf(found, row)) {
          record = found
          break
        }
      }
      slot = (slot + 1) & mask
    }
    if (record === 0) {
      record = records + (create((row - AT_ROWS) >> 2, flags) << RECORD_SHIFT_BYTES)
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
    store<f64>(bytesAt, load<f64>(bytesAt) + <f64>word(row, ROW_COUNTED_BYTES) * <f64>weight)
    setWord(record, RECORD_LAST_SECONDS, word(row, ROW_SECONDS))
    setWord(record, RECORD_LAST_NANOSECONDS, word(row, ROW_NANOSECONDS))
    if ((flags & SPECIAL) !== 0) lookCloser((record - records) >> RECORD_SHIFT_BYTES, (row - AT_ROWS) >> 2, flags, direction)
    if (isFollowed) follow((record - records) >> RECORD_SHIFT_BYTES, (row - AT_ROWS) >> 2, direction)
  }
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
