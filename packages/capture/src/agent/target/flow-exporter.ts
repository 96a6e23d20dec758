import type { Clock } from '@skydive/contracts'
import { type DirectionSink, Xxh64 } from '@skydive/flow-table'
import type { DatagramSender } from '@skydive/kernel'
import { type ExportedFlow, IpfixEncoder, Netflow5Encoder } from '@skydive/packet/netflow'
import type { FlowOutput } from '../capture-feed.ts'
import { RetryingSender } from './retrying-sender.ts'
import type { TargetFigures, TargetOutput } from './target-figures.ts'

/** Datagrams fit into a frame of Ethernet, with the headers of a tunnel or two. */
export const MAX_EXPORT_BYTES = 1400
/** So many of NetFlow 5 fit: a datagram costs as much as twenty records of it. */
const NETFLOW5_RECORDS = 28

/** What flow records are written in. */
export type ExportFormat = 'netflowv5' | 'ipfix'

/** NetFlow 5 tells times as distances from when the exporter began: routers tell of packets before the capture did. */
const BEGAN_BEFORE_MS = 3_600_000

interface Encoder {
  add(record: ExportedFlow): number
  flush(): void
}

/** Flows of a capture to a collector: what an update or the end of a flow tells, as records of each direction. */
export class FlowExporter implements TargetOutput, FlowOutput {
  /** Takes the records; full datagrams wait for {@link FlowExporter.send}. */
  readonly directions: DirectionSink
  readonly #out: RetryingSender
  readonly #encoder: Encoder
  #skipped = 0

  /** `identity` tells this capture on this node from others: the observation domain is made of it. */
  constructor(format: ExportFormat, identity: string, sender: DatagramSender, clock: Clock) {
    this.#out = new RetryingSender(sender, clock)
    const options = { now: () => clock.now(), send: (bytes: Uint8Array, records: number) => this.#out.put(bytes, records) }
    const encoder: Encoder =
      format === 'ipfix'
        ? new IpfixEncoder({ domainId: domainOf(identity), maxMessageBytes: MAX_EXPORT_BYTES, ...options })
        : new Netflow5Encoder({ startedMs: clock.now() - BEGAN_BEFORE_MS, maxRecords: NETFLOW5_RECORDS, ...options })
    this.#encoder = encoder
    this.directions = {
      add: (record) => {
        if (encoder.add(record) === 0) this.#skipped++
      },
      skip: () => {
        this.#skipped++
      },
    }
  }

  /** Sends the datagrams that are full. Wait for the promise before more records are told. */
  send(): Promise<void> | undefined {
    this.#out.flush()
    return this.#out.pause()
  }

  /** The same while packets are consumed, which nothing may hold up. */
  sendEvicted(): void {
    this.#out.flush()
  }

  /** Sends the last datagram, which may not be full. */
  flush(): void {
    this.#encoder.flush()
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
}

/** 32 bits of a hash; collectors tell streams of one host apart by it. */
function domainOf(identity: string): number {
  const bytes = new TextEncoder().encode(identity)
  const hash = new Xxh64()
  hash.hash(new DataView(bytes.buffer), bytes.length)
  return hash.low >>> 0
}
