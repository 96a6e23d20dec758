import { createSocket, type Socket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { type Clock, type Logger, type Metrics, SILENT_LOGGER } from '@skydive/contracts'
import { type FlowMessagePart, splitFlowMessage } from '@skydive/protocol/flow'
import type { FlowLink, FlowLinkStatus } from './flow-link.ts'
import { systemClock } from './system-clock.ts'

/** Bytes of datagrams that may wait for an analyzer or for the socket. */
const DEFAULT_BUFFER_BYTES = 64 * 1024 * 1024

/** The largest datagram over IPv4: 65,535 less the headers of IP and UDP. */
const LARGEST_DATAGRAM_BYTES = 65_507

/** Datagrams that are with the kernel at a time; the others wait where they are counted. */
const MOST_IN_FLIGHT = 64

/** Pause before the address of an analyzer is tried again, ms. */
const RETRY_MS = 1000

/** What the sender of datagrams is made of. */
export interface FlowUdpSenderOptions {
  /** @default 64 MiB */
  readonly bufferBytes?: number
  /** A flow that takes more is dropped: it would not leave, or not arrive. @default 65507 */
  readonly maxDatagramBytes?: number
  readonly clock?: Clock
  readonly logger?: Logger
  readonly metrics?: Metrics
}

/**
 * Flows to an analyzer with `flow.protocol: udp` (spec platform 2.8): a datagram for each flow, to the port of the API. Nobody acknowledges
 * them, nobody encrypts them, and what is lost on the way is lost: for networks in which that is wanted, and for analyzers of the original.
 * What was dropped here is counted, as too large, refused by the kernel, or too much for the buffer, of which the oldest go first.
 */
export function createFlowUdpSender(options: FlowUdpSenderOptions = {}): FlowLink {
  return new FlowUdpSender(options)
}

type Analyzer = { readonly host: string; readonly port: number }

class FlowUdpSender implements FlowLink {
  readonly #options: FlowUdpSenderOptions
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #bufferBytes: number
  readonly #maxDatagramBytes: number
  /** In the order in which they came. A set gives up its oldest at no cost. */
  readonly #waiting = new Set<FlowMessagePart>()
  #waitingBytes = 0
  #inFlight = 0
  #droppedFlows = 0
  #isFailing = false
  #running = false
  #analyzer: Analyzer | undefined
  /** Connected: others can't send to it, and a port where nobody listens is told. */
  #socket: Socket | undefined
  #timer: unknown
  /** Number of the last attempt to connect; one that is older has been given up. */
  #attempt = 0

  constructor(options: FlowUdpSenderOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#logger = options.logger ?? SILENT_LOGGER
    this.#bufferBytes = options.bufferBytes ?? DEFAULT_BUFFER_BYTES
    this.#maxDatagramBytes = Math.min(options.maxDatagramBytes ?? LARGEST_DATAGRAM_BYTES, LARGEST_DATAGRAM_BYTES)
  }

  async start(): Promise<void> {
    if (this.#running) return
    this.#running = true
    this.#open()
  }

  async stop(): Promise<void> {
    this.#running = false
    await this.#close()
  }

  setAnalyzer(analyzer: Analyzer | undefined): void {
    void this.#close()
    this.#analyzer = analyzer
    if (this.#running) this.#open()
  }

  send(payload: Uint8Array, flows: number): void {
    let parts: readonly FlowMessagePart[]
    try {
      parts = splitFlowMessage(payload)
    } catch (error) {
      this.#drop(flows, error as Error)
      return
    }
    for (const part of parts) {
      if (part.payload.length > this.#maxDatagramBytes) {
        this.#drop(part.flows, new Error(`a flow of ${part.payload.length} bytes is larger than a datagram`))
        continue
      }
      this.#waiting.add(part)
      this.#waitingBytes += part.payload.length
    }
    for (const oldest of this.#waiting) {
      if (this.#waitingBytes <= this.#bufferBytes) break
      this.#take(oldest)
      this.#drop(oldest.flows, new Error('no analyzer took them in time'))
    }
    this.#pump()
  }

  status(): FlowLinkStatus {
    return { waitingBatches: this.#waiting.size, waitingBytes: this.#waitingBytes, droppedFlows: this.#droppedFlows }
  }

  /** Looks the analyzer up and connects; tried again until it is another one or none. */
  #open(): void {
    const analyzer = this.#analyzer
    if (analyzer === undefined) return
    this.#attempt += 1
    const attempt = this.#attempt
    this.#connect(analyzer, attempt).catch((error: Error) => {
      if (attempt !== this.#attempt) return
      this.#logger.warn({ analyzer: analyzer.host, reason: error.message }, 'no datagrams can be sent to this analyzer')
      this.#timer = this.#clock.setTimeout(() => this.#open(), RETRY_MS)
    })
  }

  async #connect(analyzer: Analyzer, attempt: number): Promise<void> {
    const { address, family } = await lookup(analyzer.host)
    if (attempt !== this.#attempt) return
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4')
    try {
      socket.connect(analyzer.port, address)
      await once(socket, 'connect')
    } catch (error) {
      socket.close()
      throw error
    }
    // What the kernel of the other end sent back, such as that nobody listens there; the callbacks of sending tell the rest.
    socket.on('error', (error) => this.#fail(error))
    if (attempt !== this.#attempt) {
      socket.close()
      return
    }
    this.#socket = socket
    this.#pump()
  }

  async #close(): Promise<void> {
    this.#attempt += 1
    this.#clock.clearTimeout(this.#timer)
    const socket = this.#socket
    this.#socket = undefined
    if (socket) await new Promise<void>((resolve) => socket.close(() => resolve()))
  }

  /** Hands datagrams to the kernel, as many at a time as it gets. */
  #pump(): void {
    const socket = this.#socket
    if (socket === undefined) return
    for (const part of this.#waiting) {
      if (this.#inFlight >= MOST_IN_FLIGHT) return
      this.#take(part)
      this.#inFlight += 1
      socket.send(part.payload, (error) => {
        this.#inFlight -= 1
        if (error) this.#drop(part.flows, error)
        else this.#sent()
        this.#pump()
      })
    }
  }

  #take(part: FlowMessagePart): void {
    this.#waiting.delete(part)
    this.#waitingBytes -= part.payload.length
  }

  #sent(): void {
    this.#isFailing = false
    this.#options.metrics?.counter('skydive_flow_datagrams_sent_total', 'Datagrams with flows sent').add(1)
  }

  #drop(flows: number, reason: Error): void {
    this.#droppedFlows += flows
    this.#options.metrics
      ?.counter('skydive_flow_link_dropped_total', 'Flows dropped because no analyzer took them in time')
      .add(flows)
    this.#fail(reason)
  }

  /** One line a burst: the next when something was sent in between. */
  #fail(reason: Error): void {
    if (!this.#isFailing) this.#logger.warn({ reason: reason.message }, 'flows by UDP are lost')
    this.#isFailing = true
  }
}
