import { COUNTER_NAMES } from './decode-link.ts'
import { type Bytes, needBytes, readAttributes, readU64 } from './wire.ts'

/** struct if_stats_msg: family, padding, index, mask of what is told. */
const FIXED_BYTES = 12
const INDEX_AT = 4
const STATS_LINK_64 = 1

/** The body of a RTM_GETSTATS request for `rtnl_link_stats64` alone. */
export const COUNTERS_REQUEST: Uint8Array = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 1 << (STATS_LINK_64 - 1), 0, 0, 0)

/**
 * Decodes the body of a RTM_NEWSTATS message (linux/if_link.h) into `values`, which has room for all of {@link COUNTER_NAMES}; what the
 * kernel does not know is 0. Answers the index of the interface. @throws ERR_DECODE.
 */
export function decodeCounters(bytes: Bytes, start: number, end: number, values: Float64Array): number {
  needBytes(start, end, FIXED_BYTES, 'counters message')
  values.fill(0)
  readAttributes(bytes, start + FIXED_BYTES, end, (type, at, length) => {
    if (type !== STATS_LINK_64) return
    const count = Math.min(COUNTER_NAMES.length, length >> 3)
    for (let i = 0; i < count; i++) values[i] = readU64(bytes, at + i * 8)
  })
  return bytes.view.getInt32(start + INDEX_AT, true)
}
