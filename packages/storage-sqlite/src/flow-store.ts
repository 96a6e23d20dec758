import {
  type Clock,
  type EnhancedFlow,
  type FlowAnswer,
  type FlowMetric,
  type FlowQuery,
  type FlowStore,
  InvalidArgumentError,
  type Logger,
  type RawPacket,
  type StoreStatus,
  type TimeSlice,
} from '@skydive/contracts'
import type { StoreThread } from './store-thread.ts'
import { WriteQueue } from './write-queue.ts'

/** Reports held while the medium refuses. */
const QUEUE_CAPACITY = 200_000

/** The flows in the store's files. */
export class SqliteFlowStore implements FlowStore {
  readonly #thread: StoreThread
  readonly #queue: WriteQueue<EnhancedFlow>
  #bytes = 0

  constructor({ thread, clock, logger }: { readonly thread: StoreThread; readonly clock: Clock; readonly logger: Logger }) {
    this.#thread = thread
    this.#queue = new WriteQueue({
      name: 'flows',
      capacity: QUEUE_CAPACITY,
      clock,
      logger,
      write: async (flows) => {
        await thread.ask('appendFlows', { flows, nowMs: clock.now() })
        this.#bytes = (await thread.ask('status', undefined)).bytes
      },
    })
  }

  append(flows: readonly EnhancedFlow[]): void {
    this.#queue.push(flows)
  }

  async search(query: FlowQuery, slice: TimeSlice | undefined): Promise<FlowAnswer> {
    const request = { query, slice: await this.#readable(slice) }
    return { flows: await this.#thread.ask('searchFlows', request), missing: [] }
  }

  async metrics(query: FlowQuery, slice: TimeSlice | undefined): Promise<ReadonlyMap<string, readonly FlowMetric[]>> {
    return new Map(await this.#thread.ask('flowMetrics', { query, slice: await this.#readable(slice) }))
  }

  async rawPackets(query: FlowQuery, slice: TimeSlice | undefined): Promise<ReadonlyMap<string, readonly RawPacket[]>> {
    return new Map(await this.#thread.ask('rawPackets', { query, slice: await this.#readable(slice) }))
  }

  async #readable(slice: TimeSlice | undefined): Promise<TimeSlice> {
    if (!slice) throw new InvalidArgumentError('the flow store keeps the past: ask the agents for live flows, or give a slice')
    await this.flush()
    return slice
  }

  async flush(): Promise<void> {
    await this.#queue.flush().catch(() => undefined)
  }

  status(): StoreStatus {
    return { ...this.#queue.status(), bytes: this.#bytes }
  }

  close(): Promise<void> {
    return this.#queue.close()
  }
}
