import type { EnhancedFlow, Flow, FlowLoss, FlowStore, Logger, Metrics, Unsubscribe } from '@skydive/contracts'
import { SILENT_LOGGER, UnavailableError } from '@skydive/contracts'
import { decodeFlowMessage, type FlowStats } from '@skydive/protocol/flow'
import type { PlaceIndex } from './place-index.ts'
import { SeenBatches } from './seen-batches.ts'

/** Agents tell their statistics with each update of their flows (`flow.update`, by default every minute): what they count happened since then. */
const STATS_SPAN_MS = 60_000

/** Malformed batches are told once in so many ms: anybody may send datagrams. The counter has them all. */
const TELL_MALFORMED_EVERY_MS = 1000

/** A batch as it came from an agent. `id` names it among those of the agent; without it nothing is known of doubles. */
export interface FlowBatch {
  readonly hostId: string
  readonly id?: string
  /** A protobuf `Message` (spec flows 1.2). */
  readonly payload: Uint8Array
}

/** What the pipeline is made of. */
export interface FlowPipelineOptions {
  readonly places: PlaceIndex
  /** Absent: flows are told to subscribers only. */
  readonly store?: Pick<FlowStore, 'append' | 'flush' | 'status'>
  /** Told of flows that a full flow table gave up and of those that the store did not take. */
  onLoss?(loss: FlowLoss): void
  /** @default Date */
  readonly clock?: { now(): number }
  readonly logger?: Logger
  readonly metrics?: Metrics
}

/** What went through. */
export interface FlowPipelineStatus {
  readonly batches: number
  readonly flows: number
  /** Flows of capture files. */
  readonly importedFlows: number
  /** Batches that came twice, because their acknowledgement was lost. */
  readonly repeatedBatches: number
  /** Batches that were no protobuf `Message`. */
  readonly malformedBatches: number
}

/** The analyzer's way of a flow. */
export interface FlowPipeline {
  /**
   * Takes a batch: each flow meets the topology, then goes to the store and to the subscribers. Never blocks; a store that is full counts what it
   * drops. Batches that came before are taken once. Never throws: what can't be decoded is counted and logged, and would not become better
   * by being sent again.
   */
  take(batch: FlowBatch): void
  /**
   * Stores flows that come from elsewhere, such as a capture file. Their ends are not looked up, because it is unknown where they were seen, and
   * subscribers, who follow what happens now, are not told. Resolves when the store has written them, or keeps trying to; rejects with ERR_UNAVAILABLE
   * when it had no room for some.
   */
  importFlows(flows: readonly Flow[]): Promise<void>
  subscribe(listener: (flows: readonly EnhancedFlow[]) => void): Unsubscribe
  subscribeStats(listener: (stats: FlowStats) => void): Unsubscribe
  /** A flow with its places, for flows that come another way (answers of agents). */
  enhance(flow: Flow): EnhancedFlow
  status(): FlowPipelineStatus
}

/** Makes the pipeline. No thread, no timer: it works when a batch comes. */
export function createFlowPipeline({
  places,
  store,
  onLoss,
  clock = Date,
  logger = SILENT_LOGGER,
  metrics,
}: FlowPipelineOptions): FlowPipeline {
  let toldMalformedMs = Number.NEGATIVE_INFINITY
  const listeners = new Set<(flows: readonly EnhancedFlow[]) => void>()
  const statsListeners = new Set<(stats: FlowStats) => void>()
  const seen = new SeenBatches()
  const counts = { batches: 0, flows: 0, importedFlows: 0, repeatedBatches: 0, malformedBatches: 0 }
  const flowsTotal = metrics?.counter('skydive_flows_received_total', 'Flows received from agents')
  const repeatedTotal = metrics?.counter('skydive_flow_batches_repeated_total', 'Batches of flows that came twice')
  const malformedTotal = metrics?.counter('skydive_flow_batches_malformed_total', 'Batches of flows that could not be decoded')

  /** Of a listener that fails the others, the store and the agent hear nothing. */
  const tell = <T>(all: ReadonlySet<(value: T) => void>, value: T): void => {
    for (const listener of all) {
      try {
        listener(value)
      } catch (error) {
        logger.error({ reason: (error as Error).message }, 'a subscriber to flows failed')
      }
    }
  }
  /** A store never refuses a call: what it could not take shows in its count. */
  let storeDropped = store?.status().dropped ?? 0
  let storeAskedMs = clock.now()
  const noteStoreLoss = (hostId: string): void => {
    if (!store || !onLoss) return
    const nowMs = clock.now()
    const { dropped } = store.status()
    if (dropped > storeDropped) {
      onLoss({ cause: 'store', host: hostId, fromMs: storeAskedMs, toMs: nowMs, packets: 0, flows: dropped - storeDropped })
      storeDropped = dropped
    }
    storeAskedMs = nowMs
  }
  const noteTableLoss = (hostId: string, { CaptureID: captureId, FlowDropped: flows }: FlowStats): void => {
    const toMs = clock.now()
    if (flows > 0) {
      onLoss?.({ cause: 'table', host: hostId, captureId, fromMs: toMs - STATS_SPAN_MS, toMs, packets: 0, flows })
    }
  }
  const enhance = (flow: Flow): EnhancedFlow => places.enhance(flow)

  return {
    take(batch) {
      if (batch.id !== undefined && seen.note(batch.hostId, batch.id)) {
        counts.repeatedBatches += 1
        repeatedTotal?.add(1)
        return
      }
      let message: ReturnType<typeof decodeFlowMessage>
      try {
        message = decodeFlowMessage(batch.payload)
      } catch (error) {
        counts.malformedBatches += 1
        malformedTotal?.add(1)
        if (clock.now() - toldMalformedMs >= TELL_MALFORMED_EVERY_MS) {
          toldMalformedMs = clock.now()
          logger.warn({ host: batch.hostId, reason: (error as Error).message }, 'batch of flows is malformed')
        }
        return
      }
      counts.batches += 1
      if (message.Stats) {
        noteTableLoss(batch.hostId, message.Stats)
        tell(statsListeners, message.Stats)
      }
      if (message.Flows.length === 0) return
      counts.flows += message.Flows.length
      flowsTotal?.add(message.Flows.length)
      const flows = message.Flows.map(enhance)
      store?.append(flows)
      noteStoreLoss(batch.hostId)
      tell(listeners, flows)
    },
    async importFlows(flows) {
      counts.importedFlows += flows.length
      if (!store) return
      const { dropped } = store.status()
      store.append(flows.map((flow) => ({ flow, places: {} })))
      const { dropped: droppedNow, reason = 'it is full' } = store.status()
      // They are no loss of the agent whose flows come next.
      storeDropped += droppedNow - dropped
      if (droppedNow > dropped) {
        throw new UnavailableError(
          `the store did not take ${droppedNow - dropped} of ${flows.length} flows: ${reason}; try again when it does`,
          { retryable: true, fields: { dropped: droppedNow - dropped } },
        )
      }
      await store.flush()
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
    subscribeStats(listener) {
      statsListeners.add(listener)
      return () => {
        statsListeners.delete(listener)
      }
    },
    enhance,
    status: () => ({ ...counts }),
  }
}
