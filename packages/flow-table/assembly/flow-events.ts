// What some packets tell besides that they came: requests and replies, and the flags of TCP.

import {
  COLD_FINISH,
  COLD_REQUEST_NANOSECONDS,
  COLD_REQUEST_PENDING,
  COLD_REQUEST_SECONDS,
  COLD_SERIAL,
  FINISH_FIN,
  FINISH_RST,
  FLAG_CARRIES,
  FLAG_ECHO_REPLY,
  FLAG_ECHO_REQUEST,
  FLAG_REASSEMBLED,
  FLAG_TCP_EVENT,
  KEY_PARENT,
  ROW_HASH,
  ROW_NANOSECONDS,
  ROW_SECONDS,
} from '../src/layout'
import { AT_COLD_BEGIN, AT_MODE, AT_PARENT, AT_RTTS_BEGIN, LOOP_FLAG_TIMES } from '../src/loop-layout'
import { COLD_SHIFT_BYTES, hashOf, ROW_BYTES, setWord, word } from './memory'

/** The flags that say that a packet tells something. */
export const SPECIAL = FLAG_TCP_EVENT | FLAG_ECHO_REQUEST | FLAG_ECHO_REPLY | FLAG_CARRIES | FLAG_REASSEMBLED
const FIN = 0x01
const SYN = 0x02
const RST = 0x04
const ACK = 0x10
const RTT_SHIFT = 3
const NANOSECONDS_PER_SECOND: f64 = 1_000_000_000

/** What a packet carries, RTT (spec flows 1.11) and the end of a connection, as `src/flow-events.ts` has them; `false` when the packet tells more, which is the table's. */
export function followEvent(id: i32, row: i32, flags: i32): bool {
  if ((flags & FLAG_REASSEMBLED) !== 0) return false
  const cold = load<i32>(AT_COLD_BEGIN) + (id << COLD_SHIFT_BYTES)
  if ((flags & FLAG_CARRIES) !== 0) {
    enclose(id, cold, row + ROW_BYTES)
    return true
  }
  if ((flags & FLAG_TCP_EVENT) !== 0) {
    if ((load<i32>(AT_MODE) & LOOP_FLAG_TIMES) !== 0) return false
    const isSyn = (flags & SYN) !== 0
    const isReset = (flags & RST) !== 0
    if (isSyn && word(cold, COLD_REQUEST_PENDING) === 0) request(cold, row)
    else if (isReset || (isSyn && (flags & ACK) !== 0)) reply(id, cold, row)
    if (word(cold, COLD_FINISH) === 0) setWord(cold, COLD_FINISH, (flags & FIN) !== 0 ? FINISH_FIN : isReset ? FINISH_RST : 0)
  } else if ((flags & FLAG_ECHO_REQUEST) !== 0) request(cold, row)
  else reply(id, cold, row)
  return true
}

/** Tells the next row, which is what this one carries, in which flow it lies. */
function enclose(id: i32, cold: i32, inner: i32): void {
  store<i32>(AT_PARENT, id)
  setWord(inner, KEY_PARENT, word(cold, COLD_SERIAL))
  setWord(inner, ROW_HASH, hashOf(inner))
}

function request(cold: i32, row: i32): void {
  if (word(cold, COLD_REQUEST_PENDING) !== 0) return
  setWord(cold, COLD_REQUEST_PENDING, 1)
  setWord(cold, COLD_REQUEST_SECONDS, word(row, ROW_SECONDS))
  setWord(cold, COLD_REQUEST_NANOSECONDS, word(row, ROW_NANOSECONDS))
}

function reply(id: i32, cold: i32, row: i32): void {
  if (word(cold, COLD_REQUEST_PENDING) === 0) return
  setWord(cold, COLD_REQUEST_PENDING, 0)
  const seconds = <f64>word(row, ROW_SECONDS) - <f64>word(cold, COLD_REQUEST_SECONDS)
  const nanoseconds = <f64>word(row, ROW_NANOSECONDS) - <f64>word(cold, COLD_REQUEST_NANOSECONDS)
  store<f64>(load<i32>(AT_RTTS_BEGIN) + (id << RTT_SHIFT), seconds * NANOSECONDS_PER_SECOND + nanoseconds)
}
