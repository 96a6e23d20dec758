import { type Clock, type Logger, type Metrics, randomId, type Service, SILENT_LOGGER } from '@skydive/contracts'
import { cookieHeader, FLOW_NAMESPACE, HEADER, OutgoingMessage } from '@skydive/protocol'
import { type AgentLinkOptions, authorization } from './agent-link.ts'
import { LinkSocket, linkUrl } from './link-socket.ts'
import { systemClock } from './system-clock.ts'

/** Bytes of batches that may wait for an analyzer or its acknowledgement. */
const DEFAULT_BUFFER_BYTES = 64 * 1024 * 1024

/** What the sending end of flows is made of. */
export interface FlowLinkOptions {
  readonly hostId: string
  readonly credentials?: NonNullable<AgentLinkOptions['credentials']>
  /** As {@link AgentLinkOptions.cookies}. */
  readonly cookies?: NonNullable<AgentLinkOptions['cookies']>
  /** As {@link AgentLinkOptions.tls}. */
  readonly tls?: NonNullable<AgentLinkOptions['tls']>
  /** @default 64 MiB */
  readonly bufferBytes?: number
  readonly clock?: Clock
  readonly logger?: Logger
  readonly metrics?: Metrics
}

/** What waits and what was lost. */
export interface FlowLinkStatus {
  readonly waitingBatches: number
  readonly waitingBytes: number
  /** Flows dropped because the buffer was full; the oldest go first. */
  readonly droppedFlows: number
}

/** An agent's side of `/ws/agent/flow`. */
export interface FlowLink extends Service {
  /** Sends to this analyzer from now on, or keeps what comes until there is one. Feed it from `AgentLink.onMaster`. */
  setAnalyzer(analyzer: { readonly host: string; readonly port: number } | undefined): void
  /** Takes a protobuf `Message` with `flows` flows. Never blocks and never throws. */
  send(payload: Uint8Array, flows: number): void
  status(): FlowLinkStatus
}

/** Reports that were dropped and of which the analyzer has not been told, or has not said that it knows. */
interface Loss {
  readonly id: string
  flows: number
  readonly fromMs: number
  toMs: number
  sent: boolean
}

interface Batch {
  readonly id: string
  readonly payload: Uint8Array
  readonly flows: number
  /** Sent on the present line and not acknowledged yet. */
  sent: boolean
}

/** Makes the link. Every batch is sent at least once to an analyzer that acknowledges; an original gets each once, unacknowledged. */
export function createFlowLink(options: FlowLinkOptions): FlowLink {
  return new FlowSender(options)
}

class FlowSender implements FlowLink {
  readonly #options: FlowLinkOptions
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #bufferBytes: number
  /** In the order in which they came. */
  readonly #batches = new Map<string, Batch>()
  /** At most one that is on its way and one that grows. */
  #losses: Loss[] = []
  #waitingBytes = 0
  #droppedFlows = 0
  #socket: LinkSocket | undefined
  #acknowledges = false
  #running = false

  constructor(options: FlowLinkOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#logger = options.logger ?? SILENT_LOGGER
    this.#bufferBytes = options.bufferBytes ?? DEFAULT_BUFFER_BYTES
  }

  async start(): Promise<void> {
    this.#running = true
    this.#socket?.start()
  }

  async stop(): Promise<void> {
    this.#running = false
    await this.#socket?.stop()
    this.#socket = undefined
  }

  setAnalyzer(analyzer: { readonly host: string; readonly port: number } | undefined): void {
    void this.#socket?.stop()
    this.#socket = undefined
    if (analyzer === undefined) return
    const socket = this.#createSocket(analyzer)
    this.#socket = socket
    if (this.#running) socket.start()
  }

  send(payload: Uint8Array, flows: number): void {
    const batch: Batch = { id: randomId(), payload, flows, sent: false }
    this.#batches.set(batch.id, batch)
    this.#waitingBytes += payload.length
    while (this.#waitingBytes > this.#bufferBytes) this.#dropOldest()
    if (this.#batches.has(batch.id)) this.#pump()
  }

  status(): FlowLinkStatus {
    return { waitingBatches: this.#batches.size, waitingBytes: this.#waitingBytes, droppedFlows: this.#droppedFlows }
  }

  #createSocket(analyzer: { readonly host: string; readonly port: number }): LinkSocket {
    const { tls } = this.#options
    return new LinkSocket({
      url: linkUrl(analyzer, '/ws/agent/flow', tls),
      ...(tls && { tls }),
      framing: 'protobuf',
      clock: this.#clock,
      logger: this.#logger,
      headers: () => ({
        [HEADER.hostId]: this.#options.hostId,
        [HEADER.clientType]: 'agent',
        [HEADER.protocol]: 'protobuf',
        [HEADER.flowBatches]: 'acknowledged',
        ...authorization(this.#options.credentials),
        ...cookieHeader(this.#options.cookies),
      }),
      onOpen: (headers) => {
        this.#acknowledges = headers[HEADER.flowBatches.toLowerCase()] !== undefined
        for (const batch of this.#batches.values()) batch.sent = false
        for (const loss of this.#losses) loss.sent = false
        this.#pump()
      },
      onMessage: (message) => {
        if (message.namespace === FLOW_NAMESPACE && message.type === 'BatchReply') this.#forget(message.uuid)
        this.#pump()
      },
      onClose() {},
    })
  }

  /** Sends what was not sent on this line, as long as the line takes it. */
  #pump(): void {
    const socket = this.#socket
    if (socket === undefined || !socket.isOpen) return
    if (this.#acknowledges) this.#tellLosses(socket)
    for (const batch of this.#batches.values()) {
      if (batch.sent) continue
      if (socket.isCongested) {
        void socket.whenDrained().then(() => this.#pump())
        return
      }
      const isSent = this.#acknowledges
        ? socket.send(new OutgoingMessage({ namespace: FLOW_NAMESPACE, type: 'Batch', uuid: batch.id, bytes: batch.payload }))
        : socket.sendFrame(batch.payload)
      if (!isSent) return
      batch.sent = true
      if (!this.#acknowledges) this.#forget(batch.id)
    }
  }

  /** Before the batches that came after it, so that an answer about their time knows of it. */
  #tellLosses(socket: LinkSocket): void {
    for (const loss of this.#losses) {
      if (loss.sent) continue
      const body = { Flows: loss.flows, From: loss.fromMs, To: loss.toMs }
      loss.sent = socket.send(new OutgoingMessage({ namespace: FLOW_NAMESPACE, type: 'Lost', uuid: loss.id, body }))
    }
  }

  #noteLoss(flows: number): void {
    const nowMs = this.#clock.now()
    const growing = this.#losses.findLast(({ sent }) => !sent)
    if (growing) {
      growing.flows += flows
      growing.toMs = nowMs
    } else this.#losses.push({ id: randomId(), flows, fromMs: nowMs, toMs: nowMs, sent: false })
  }

  #forget(id: string): void {
    this.#losses = this.#losses.filter((loss) => loss.id !== id)
    const batch = this.#batches.get(id)
    if (batch === undefined) return
    this.#batches.delete(id)
    this.#waitingBytes -= batch.payload.length
  }

  #dropOldest(): void {
    const [oldest] = this.#batches.values()
    if (oldest === undefined) return
    this.#forget(oldest.id)
    this.#droppedFlows += oldest.flows
    if (oldest.flows > 0) this.#noteLoss(oldest.flows)
    this.#options.metrics
      ?.counter('skydive_flow_link_dropped_total', 'Flows dropped because no analyzer took them in time')
      .add(oldest.flows)
  }
}
