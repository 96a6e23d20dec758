// Packets to rows: those of the common kind in a straight line, all else is the table's.

import {
  BATCH_ROWS,
  KEY_PARENT,
  MAX_RECORD_BYTES,
  ROW_CAPTURED_BYTES,
  ROW_COUNTED_BYTES,
  ROW_NANOSECONDS,
  ROW_OFFSET,
  ROW_SECONDS,
  ROW_STRIPPED_TAG,
} from '../src/layout'
import {
  AT_BLOCK_END,
  AT_END,
  AT_FILTERED,
  AT_LEFT,
  AT_MODE,
  AT_NANOSECONDS_PER_UNIT,
  AT_PACKETS,
  AT_POSITION,
  AT_ROWS,
  DISSECTED_DATAGRAM,
  LOOP_ETHERNET,
  LOOP_FILTER,
  LOOP_LITTLE_ENDIAN,
  LOOP_RING,
} from '../src/loop-layout'
import { ipv6Row } from './ipv6-rows'
import { NO_TAG, PCAP_HEADER_BYTES, ROW_BYTES, setWord } from './memory'
import { fillPlain, fillTold } from './plain-rows'
import {
  fillRing,
  RING_CAPTURED,
  RING_HAS_TAG,
  RING_HEADER_BYTES,
  RING_MAC_OFFSET,
  RING_NANOSECONDS,
  RING_NEXT,
  RING_SECONDS,
  RING_STATUS,
  RING_TAG,
  RING_WIRE,
} from './ring-rows'
import { dissect, filter } from './table'
import { tunnelRows } from './tunnel-rows'

const VLAN_BYTES = 4
/** The bits of the mode that say which packets can be plain from their header on, and what they are then. */
const KIND_OF_MODE = LOOP_RING | LOOP_LITTLE_ENDIAN | LOOP_ETHERNET | LOOP_FILTER
const PLAIN_RECORDS = LOOP_LITTLE_ENDIAN | LOOP_ETHERNET
const PLAIN_RING = LOOP_RING | LOOP_ETHERNET
/** Of what `fillAny` answers: the rows are to be counted before another packet comes. */
const BATCH_ENDS = 0x10000

/** Fills rows with the next packets in the window; answers how many, 0 when none is whole. */
export function fill(): i32 {
  const kind = load<i32>(AT_MODE) & KIND_OF_MODE
  const isRing = kind === PLAIN_RING
  if (!isRing && kind !== PLAIN_RECORDS) return fillAny(0, BATCH_ROWS) & ~BATCH_ENDS
  let count = isRing ? fillRing(0) : fillPlain(0)
  while (count < BATCH_ROWS) {
    // One that is not that plain, or not whole.
    const next = fillAny(count, count + 1)
    if (next === count || (next & BATCH_ENDS) !== 0) return next & ~BATCH_ENDS
    count = isRing ? fillRing(next) : fillPlain(next)
  }
  return count
}

/**
 * Fills rows from number `count` on, and up to number `limit`, with the next packets of whatever kind; answers their number then, and {@link BATCH_ENDS}.
 * Lengths that lead out of the block end it.
 */
function fillAny(count: i32, limit: i32): i32 {
  const mode = load<i32>(AT_MODE)
  const isRing = (mode & LOOP_RING) !== 0
  const isLittleEndian = (mode & LOOP_LITTLE_ENDIAN) !== 0
  const isEthernet = (mode & LOOP_ETHERNET) !== 0
  const hasFilter = (mode & LOOP_FILTER) !== 0
  const end = load<i32>(AT_END)
  const blockEnd = load<i32>(AT_BLOCK_END)
  const nanosecondsPerUnit = load<i32>(AT_NANOSECONDS_PER_UNIT)
  let position = load<i32>(AT_POSITION)
  let left = load<i32>(AT_LEFT)
  let packets = 0
  let refused = 0
  let ends = 0

  while (count < limit) {
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

    count++
    if (isEthernet) {
      if (fillTold(row, offset, capturedBytes) || ipv6Row(row, offset, capturedBytes)) continue
      const carried = tunnelRows(row, offset, capturedBytes)
      count += carried
      if (carried !== 0) continue
    }
    setWord(row, KEY_PARENT, 0)
    const dissected = dissect((row - AT_ROWS) >> 2)
    count += (dissected & (DISSECTED_DATAGRAM - 1)) - 1
    if ((dissected & DISSECTED_DATAGRAM) !== 0) {
      ends = BATCH_ENDS
      break
    }
  }
  store<i32>(AT_POSITION, position)
  store<i32>(AT_LEFT, left)
  store<i32>(AT_PACKETS, load<i32>(AT_PACKETS) + packets)
  store<i32>(AT_FILTERED, load<i32>(AT_FILTERED) + refused)
  return count | ends
}
