import { ExportedFlow, FLOW_END } from '@skydive/packet/netflow'
import type { DirectionSink } from './direction-sink.ts'

const TIMEOUT = 1

/**
 * Hands a flow to a sink as a record of each direction that had packets. Fill in {@link DirectionTeller.record} as of what end A sent, all but
 * the counters, the times and what {@link DirectionTeller.tell} is given, then call that. A flow costs no memory.
 */
export class DirectionTeller {
  readonly record = new ExportedFlow()
  readonly #sink: DirectionSink

  constructor(sink: DirectionSink) {
    this.#sink = sink
  }

  /** A flow that can't be told. */
  skip(): void {
    this.#sink.skip()
  }

  /** When the flow began and had its last packet, and when it was told of before. */
  setTimes(startMs: number, lastMs: number, reportedMs: number): void {
    // What came since the last report lies between it and the last packet.
    this.record.startMs = Math.min(lastMs, Math.max(startMs, reportedMs))
    this.record.lastMs = lastMs
  }

  /**
   * Adds the records. The four counters begin at `at`: packets from A, packets from B, bytes of either, which may be fractions of what was
   * sampled. `linkBytes` of each packet come before IP. Types of ICMP and flags of TCP are those of A, then of B.
   */
  tell(
    counters: Float64Array,
    at: number,
    linkBytes: number,
    icmpTypes: readonly [number, number] = NEITHER,
    flagsA = 0,
    flagsB = 0,
  ): void {
    const { record } = this
    if (counters[at]! > 0) {
      record.icmpType = icmpTypes[0]
      record.tcpFlags = flagsA
      this.#add(counters[at]!, counters[at + 2]!, linkBytes)
    }
    if (counters[at + 1]! > 0) {
      this.#turn()
      record.icmpType = icmpTypes[1]
      record.tcpFlags = flagsB
      this.#add(counters[at + 1]!, counters[at + 3]!, linkBytes)
    }
  }

  #add(packets: number, bytes: number, linkBytes: number): void {
    const { record } = this
    record.packets = Math.round(packets)
    record.bytes = Math.max(0, Math.round(bytes) - record.packets * linkBytes)
    this.#sink.add(record)
  }

  /** Makes of the record one of what end B sent. */
  #turn(): void {
    const { record } = this
    const { addresses, sourcePort, sourceMac } = record
    for (let word = record.ipVersion === 4 ? 0 : 3; word >= 0; word--) {
      const source = addresses[word]!
      addresses[word] = addresses[4 + word]!
      addresses[4 + word] = source
    }
    record.sourcePort = record.destinationPort
    record.destinationPort = sourcePort
    record.sourceMac = record.destinationMac
    record.destinationMac = sourceMac
  }
}

const NEITHER: readonly [number, number] = [0, 0]

/** Why a flow is told of, by its finish type; 0 for one that goes on. */
export function endReasonOf(finish: number): number {
  if (finish === 0) return FLOW_END.ACTIVE
  return finish === TIMEOUT ? FLOW_END.IDLE : FLOW_END.END_SEEN
}
