import type { Clock, EnhancedFlow, Flow, Metrics } from '@skydive/contracts'
import { type Handshake, OutgoingMessage } from '@skydive/protocol'
import { encodeFlowMessage } from '@skydive/protocol/flow'
import type { ServerConnection } from './server-connection.ts'

/** A subscriber that gets less than it asked for hears so at most this often, ms. */
const TELL_DROPPED_EVERY_MS = 1000

/** Members that every flow has, as they are where they were not asked for: protobuf leaves them out then. */
const EMPTY_FLOW: Flow = { UUID: '', ParentUUID: '', Start: 0, Last: 0, RawPacketsCaptured: 0 }

/** What an export needs besides its connection. */
export interface FlowExportOptions {
  readonly clock: Clock
  /** Says which flows are meant; absent: all. */
  readonly selects?: (flow: EnhancedFlow) => boolean
  readonly metrics?: Metrics
}

/** Whether a subscriber asked for anything but all flows as they are: then nothing that is made for others will do. */
export function isOwnExport({ gremlinFilter, flowFields, flowsPerSecond, flowFormat }: Handshake): boolean {
  return gremlinFilter !== '' || flowFields.length > 0 || flowsPerSecond !== undefined || flowFormat === 'protobuf'
}

/**
 * Flows for one subscriber, as it asked for them: filtered, no more than so many a second, some fields of each, as JSON or protobuf. What exceeds the
 * rate is dropped, counted, and told in a message of type `dropped`: `{"Flows":12,"Total":40}`.
 */
export class FlowExport {
  readonly #connection: ServerConnection
  readonly #options: FlowExportOptions
  readonly #fields: ReadonlySet<string>
  /** How many flows may go out now: a second's worth at most. */
  #allowance: number
  #filledMs: number
  #untold = 0
  #total = 0
  #timer: unknown

  constructor(connection: ServerConnection, options: FlowExportOptions) {
    this.#connection = connection
    this.#options = options
    this.#fields = new Set(connection.handshake.flowFields)
    this.#allowance = connection.handshake.flowsPerSecond ?? 0
    this.#filledMs = options.clock.now()
  }

  /** Flows that were dropped because there were more than asked for. */
  get dropped(): number {
    return this.#total
  }

  /** Sends what of a batch the subscriber wants. */
  send(namespace: string, flows: readonly EnhancedFlow[]): void {
    const { selects } = this.#options
    const wanted = this.#withinRate(selects ? flows.filter(selects) : flows)
    if (wanted.length > 0) this.#connection.send(this.#message(namespace, wanted))
  }

  close(): void {
    this.#options.clock.clearTimeout(this.#timer)
  }

  #withinRate(flows: readonly EnhancedFlow[]): readonly EnhancedFlow[] {
    const { flowsPerSecond } = this.#connection.handshake
    if (flowsPerSecond === undefined) return flows
    const nowMs = this.#options.clock.now()
    this.#allowance = Math.min(flowsPerSecond, this.#allowance + ((nowMs - this.#filledMs) * flowsPerSecond) / 1000)
    this.#filledMs = nowMs
    const count = Math.min(flows.length, Math.floor(this.#allowance))
    this.#allowance -= count
    if (count < flows.length) this.#drop(flows.length - count)
    return flows.slice(0, count)
  }

  #drop(flows: number): void {
    this.#untold += flows
    this.#total += flows
    this.#options.metrics
      ?.counter(
        'skydive_flow_subscriber_dropped_total',
        'Flows that a subscriber did not get because it asked for fewer a second',
      )
      .add(flows)
    this.#timer ??= this.#options.clock.setTimeout(() => this.#tellDropped(), TELL_DROPPED_EVERY_MS)
  }

  #tellDropped(): void {
    this.#timer = undefined
    this.#connection.send(
      new OutgoingMessage({ namespace: 'flow', type: 'dropped', body: { Flows: this.#untold, Total: this.#total } }),
    )
    this.#untold = 0
  }

  #message(namespace: string, items: readonly EnhancedFlow[]): OutgoingMessage {
    const flows = items.map(({ flow }) => this.#chosen(flow))
    if (this.#connection.handshake.flowFormat === 'protobuf') {
      const whole = flows.map((flow) => ({ ...EMPTY_FLOW, ...flow }))
      return new OutgoingMessage({ namespace, type: 'store', bytes: encodeFlowMessage({ Flows: whole }) })
    }
    return new OutgoingMessage({ namespace, type: 'store', body: flows })
  }

  /** The fields that were asked for; kept packets are never part of a flow here (spec graph 4.10). */
  #chosen({ LastRawPackets: _packets, ...flow }: Flow): Partial<Flow> {
    if (this.#fields.size === 0) return flow
    return Object.fromEntries(Object.entries(flow).filter(([key]) => this.#fields.has(key)))
  }
}
