import type { Flow } from '@skydive/contracts'
import type { DirectionSink } from '../directions/direction-sink.ts'

/** What a capture asks of its table of records. */
export interface RecordTableOptions {
  /** `TID` of the captured node; goes into every flow and into its UUID. */
  readonly nodeTid?: string
  readonly captureId?: string
  /** Flows held at most; beyond it those told of the longest ago are evicted and reported with TIMEOUT. Default 500,000. */
  readonly maxFlows?: number
  /** Told of flows that were evicted; may be called while records are consumed. It must not throw. */
  readonly onEvicted?: (flows: readonly Flow[]) => void
  /** Is told of flows instead: see the option of that name of `FlowTableOptions`. */
  readonly directions?: DirectionSink
}
