import type { Clock, Flow } from '@skydive/contracts'
import { Xxh64 } from '@skydive/flow-table'
import type { DatagramSender } from '@skydive/kernel'
import { type ExportedFlow, FLOW_END, IpfixEncoder, Netflow5Encoder } from '@skydive/packet/netflow'
import { ExportedDirections } from './exported-directions.ts'
import { RetryingSender } from './retrying-sender.ts'
import type { TargetFigures, TargetOutput } from './target-figures.ts'

/** Datagrams fit into a frame of Ethernet, with the headers of a tunnel or two. */
export const MAX_EXPORT_BYTES = 1400

/** What flow records are written in. */
export type ExportFormat = 'netflowv5' | 'ipfix'

interface Encoder {
  add(flow: ExportedFlow, nowMs: number): number
  flush(nowMs: number): void
}

/** Flows of a capture to a collector: what an update or the end of a flow tells, as records of each direction. */
export class FlowExporter implements TargetOutput {
  readonly #clock: Clock
  readonly #out: RetryingSender
  readonly #encoder: Encoder
  readonly #directions = new ExportedDirections()
  #skipped = 0

  /** `identity` tells this capture on this node from others: the observation domain is made of it. */
  constructor(format: ExportFormat, identity: string, sender: DatagramSender, clock: Clock) {
    this.#clock = clock
    this.#out = new RetryingSender(sender, clock)
    const send = (bytes: Uint8Array, records: number) => this.#out.put(bytes, records)
    this.#encoder =
      format === 'ipfix'
        ? new IpfixEncoder({ domainId: domainOf(identity), maxMessageBytes: MAX_EXPORT_BYTES, send })
        : new Netflow5Encoder({ startedMs: clock.now(), send })
  }

  /** Adds what the flows had since their last report. Datagrams that are full go out. Wait for the promise before the next ones. */
  send(flows: readonly Flow[]): Promise<void> | undefined {
    const nowMs = this.#clock.now()
    for (const flow of flows) this.#add(flow, nowMs)
    this.#out.flush()
    return this.#out.pause()
  }

  /** Adds what flows that had to go for newer ones had since their last report. */
  sendEvicted(flows: readonly Flow[]): void {
    const nowMs = this.#clock.now()
    for (const flow of flows) this.#add(flow, nowMs, FLOW_END.RESOURCES)
    this.#out.flush()
  }

  /** Sends the last datagram, which may not be full. */
  flush(): void {
    this.#encoder.flush(this.#clock.now())
    this.#out.flush()
  }

  stats(): TargetFigures {
    const { sent, dropped, refusal } = this.#out.sender.stats()
    return { sent, dropped, skipped: this.#skipped, ...(refusal !== undefined && { refusal }) }
  }

  async close(): Promise<void> {
    this.flush()
    await this.#out.close()
  }

  #add(flow: Flow, nowMs: number, endReason?: number): void {
    const isCarried = this.#directions.visit(
      flow,
      (record) => {
        if (this.#encoder.add(record, nowMs) === 0) this.#skipped++
      },
      endReason,
    )
    if (!isCarried) this.#skipped++
  }
}

/** 32 bits of a hash; collectors tell streams of one host apart by it. */
function domainOf(identity: string): number {
  const bytes = new TextEncoder().encode(identity)
  const hash = new Xxh64()
  hash.hash(new DataView(bytes.buffer), bytes.length)
  return hash.low >>> 0
}
