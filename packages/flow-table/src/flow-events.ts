import { TCP_FLAG } from '@skydive/packet'
import { timeMs } from './block-packets.ts'
import type { FlowColumns } from './flow-columns.ts'
import {
  COLD_FINISH,
  COLD_REQUEST_NANOSECONDS,
  COLD_REQUEST_PENDING,
  COLD_REQUEST_SECONDS,
  COLD_SHIFT,
  FINISH_FIN,
  FINISH_RST,
  FLAG_ECHO_REPLY,
  FLAG_ECHO_REQUEST,
  FLAG_SAME_ENDS,
  FLAG_TCP_EVENT,
  FLAG_TTL_SHIFT,
  ROW_NANOSECONDS,
  ROW_SECONDS,
  TCP_FIN_START,
  TCP_RST_START,
  TCP_SHIFT,
  TCP_SYN_START,
  TCP_SYN_TTL,
} from './layout.ts'

const NANOSECONDS_PER_SECOND = 1_000_000_000

/**
 * What some packets tell besides that they came: requests and replies, and the flags of TCP. The packet loop does the same for all that is
 * in its memory (`assembly/flow-events.ts`): this is for packets in tunnels and with flag times.
 */
export class FlowEvents {
  readonly #columns: FlowColumns
  readonly #hasTcpMetric: boolean

  constructor(columns: FlowColumns, hasTcpMetric: boolean) {
    this.#columns = columns
    this.#hasTcpMetric = hasTcpMetric
  }

  /** RTT (spec flows 1.11), flag times (1.12) and the end of a connection. */
  follow(id: number, rows: Int32Array, at: number, flags: number, isSameOrder: boolean): void {
    if ((flags & FLAG_ECHO_REQUEST) !== 0) this.#request(id, rows, at)
    else if ((flags & FLAG_ECHO_REPLY) !== 0) this.#reply(id, rows, at)
    if ((flags & FLAG_TCP_EVENT) === 0) return
    const isSyn = (flags & TCP_FLAG.SYN) !== 0
    const isReset = (flags & TCP_FLAG.RST) !== 0
    const { cold } = this.#columns
    if (isSyn && cold[(id << COLD_SHIFT) + COLD_REQUEST_PENDING] === 0) this.#request(id, rows, at)
    else if (isReset || (isSyn && (flags & TCP_FLAG.ACK) !== 0)) this.#reply(id, rows, at)

    const finishAt = (id << COLD_SHIFT) + COLD_FINISH
    if (cold[finishAt] === 0) {
      if ((flags & TCP_FLAG.FIN) !== 0) cold[finishAt] = FINISH_FIN
      else if (isReset) cold[finishAt] = FINISH_RST
    }
    if (!this.#hasTcpMetric) return
    // Between equal addresses only a SYN is told apart by its ports; the rest counts as coming from A, as in spec flows 1.12.
    const isFromA = isSameOrder || ((flags & FLAG_SAME_ENDS) !== 0 && !isSyn)
    this.#followFlagTimes(id, rows, at, flags, isFromA ? 0 : 1)
  }

  #request(id: number, rows: Int32Array, at: number): void {
    const { cold } = this.#columns
    const base = id << COLD_SHIFT
    if (cold[base + COLD_REQUEST_PENDING] !== 0) return
    cold[base + COLD_REQUEST_PENDING] = 1
    cold[base + COLD_REQUEST_SECONDS] = rows[at + ROW_SECONDS]!
    cold[base + COLD_REQUEST_NANOSECONDS] = rows[at + ROW_NANOSECONDS]!
  }

  #reply(id: number, rows: Int32Array, at: number): void {
    const { cold, rtts } = this.#columns
    const base = id << COLD_SHIFT
    if (cold[base + COLD_REQUEST_PENDING] === 0) return
    cold[base + COLD_REQUEST_PENDING] = 0
    rtts[id] =
      (rows[at + ROW_SECONDS]! - cold[base + COLD_REQUEST_SECONDS]!) * NANOSECONDS_PER_SECOND +
      (rows[at + ROW_NANOSECONDS]! - cold[base + COLD_REQUEST_NANOSECONDS]!)
  }

  /** `side` is 0 for segments from end A, 1 for those from end B. SYN comes before FIN before RST. */
  #followFlagTimes(id: number, rows: Int32Array, at: number, flags: number, side: number): void {
    const { tcp } = this.#columns
    const base = id << TCP_SHIFT
    const now = timeMs(rows, at)
    if ((flags & TCP_FLAG.SYN) !== 0) {
      if (tcp[base + TCP_SYN_START + side] !== 0) return
      tcp[base + TCP_SYN_START + side] = now
      tcp[base + TCP_SYN_TTL + side] = (flags >>> FLAG_TTL_SHIFT) & 0xff
    } else if ((flags & TCP_FLAG.FIN) !== 0) tcp[base + TCP_FIN_START + side] = now
    else tcp[base + TCP_RST_START + side] = now
  }
}
