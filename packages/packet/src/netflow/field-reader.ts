import { FIELD, type NetflowRecord } from './record.ts'
import {
  DESTINATION_IPV4,
  DESTINATION_IPV6,
  DURATION_US,
  END_DELTA_US,
  END_NTP,
  END_SECONDS,
  FIRST_SPECIAL,
  FLOAT_PROBABILITY,
  SOURCE_IPV4,
  SOURCE_IPV6,
  START_DELTA_US,
  START_NTP,
  START_SECONDS,
} from './template-actions.ts'

const TWO_TO_32 = 0x100000000

/**
 * Does to a record what the action of a field of `bytes` at `at` says. `exportMs` is what relative times go back from.
 */
export function readField(
  view: DataView,
  action: number,
  at: number,
  bytes: number,
  exportMs: number,
  record: NetflowRecord,
): void {
  const { values } = record
  if (action < FIRST_SPECIAL) {
    values[action] = unsigned(view, at, bytes)
    return
  }
  const { addresses } = record
  switch (action) {
    case SOURCE_IPV4:
    case DESTINATION_IPV4: {
      // A template may have fields for both versions, those of the other one zero.
      const address = view.getInt32(at)
      if (record.ipVersion === 6 && address === 0) break
      addresses[action === SOURCE_IPV4 ? 0 : 4] = address
      record.ipVersion = 4
      break
    }
    case SOURCE_IPV6:
    case DESTINATION_IPV6: {
      const isZero = (view.getInt32(at) | view.getInt32(at + 4) | view.getInt32(at + 8) | view.getInt32(at + 12)) === 0
      if (record.ipVersion === 4 && isZero) break
      const word = action === SOURCE_IPV6 ? 0 : 4
      for (let i = 0; i < 4; i++) addresses[word + i] = view.getInt32(at + i * 4)
      record.ipVersion = 6
      break
    }
    case START_SECONDS:
      values[FIELD.START_MS] = unsigned(view, at, bytes) * 1000
      break
    case END_SECONDS:
      values[FIELD.END_MS] = unsigned(view, at, bytes) * 1000
      break
    case START_NTP:
      values[FIELD.START_MS] = ntpMs(view, at)
      break
    case END_NTP:
      values[FIELD.END_MS] = ntpMs(view, at)
      break
    case START_DELTA_US:
      values[FIELD.START_MS] = exportMs - Math.round(unsigned(view, at, bytes) / 1000)
      break
    case END_DELTA_US:
      values[FIELD.END_MS] = exportMs - Math.round(unsigned(view, at, bytes) / 1000)
      break
    case DURATION_US:
      values[FIELD.DURATION_MS] = Math.round(unsigned(view, at, bytes) / 1000)
      break
    case FLOAT_PROBABILITY:
      values[FIELD.SAMPLING_PROBABILITY] = view.getFloat64(at)
      break
  }
}

function unsigned(view: DataView, at: number, bytes: number): number {
  if (bytes === 1) return view.getUint8(at)
  if (bytes === 4) return view.getUint32(at)
  if (bytes === 8) return view.getUint32(at) * TWO_TO_32 + view.getUint32(at + 4)
  let value = 0
  for (let i = 0; i < bytes; i++) value = value * 256 + view.getUint8(at + i)
  return value
}

/** Seconds between 1900, where NTP counts from, and 1970. */
const NTP_EPOCH_SECONDS = 2_208_988_800

/** A time stamp of 64 bits as NTP writes it (RFC 7011, chapters 6.1.9 and 6.1.10), in ms since the epoch. */
function ntpMs(view: DataView, at: number): number {
  const seconds = view.getUint32(at) - NTP_EPOCH_SECONDS
  return Math.floor(seconds * 1000 + (view.getUint32(at + 4) / TWO_TO_32) * 1000)
}
