// The common packets of a ring's block (TPACKET_V3) to rows.

import { BATCH_ROWS, ROW_OFFSET, ROW_SECONDS, ROW_STRIPPED_TAG } from '../src/layout'
import { AT_BLOCK_END, AT_END, AT_LEFT, AT_MODE, AT_PACKETS, AT_POSITION, AT_ROWS, LOOP_LINK_KEY } from '../src/loop-layout'
import { NO_TAG, ROW_BYTES, setWord } from './memory'
import { fillKey, PLAIN_BYTES, plainIpv4 } from './plain-rows'

// Where things lie in the header of a packet.
export const RING_NEXT = 0
export const RING_SECONDS = 4
export const RING_NANOSECONDS = 8
export const RING_CAPTURED = 12
export const RING_WIRE = 16
export const RING_STATUS = 20
export const RING_MAC_OFFSET = 24
export const RING_TAG = 32
export const RING_HEADER_BYTES = 48
export const RING_HAS_TAG = 0x10

/**
 * Fills rows from number `count` on with the next packets of a block, as long as they are whole, of the common kind and without a tag that the
 * kernel took off; answers their number then.
 */
export function fillRing(count: i32): i32 {
  const linkMask: i32 = (load<i32>(AT_MODE) & LOOP_LINK_KEY) !== 0 ? -1 : 0
  const end = load<i32>(AT_END)
  const blockEnd = load<i32>(AT_BLOCK_END)
  const begin = count
  let left = load<i32>(AT_LEFT)
  let header = load<i32>(AT_POSITION)
  while (count < BATCH_ROWS && left !== 0 && header + RING_HEADER_BYTES <= end) {
    const row = AT_ROWS + count * ROW_BYTES
    const offset = header + <i32>load<u16>(header, RING_MAC_OFFSET)
    const capturedBytes = load<i32>(header, RING_CAPTURED)
    if (capturedBytes < PLAIN_BYTES || capturedBytes > end - offset || (load<i32>(header, RING_STATUS) & RING_HAS_TAG) !== 0)
      break
    const ip = plainIpv4(offset)
    if (ip === 0 || !fillKey(row, offset, ip, capturedBytes, linkMask)) break
    setWord(row, ROW_OFFSET, offset)
    setWord(row, ROW_STRIPPED_TAG, NO_TAG)
    // Seconds, nanoseconds, captured and whole length, in the order of the row.
    v128.store(row + (ROW_SECONDS << 2), v128.load(header, RING_SECONDS))
    const step = load<i32>(header, RING_NEXT)
    left = step <= 0 || step > blockEnd - header ? 0 : left - 1
    header += step
    count++
  }
  store<i32>(AT_POSITION, header)
  store<i32>(AT_LEFT, left)
  store<i32>(AT_PACKETS, load<i32>(AT_PACKETS) + count - begin)
  return count
}
