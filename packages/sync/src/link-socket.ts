import type { IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import { type Clock, type Logger, SkydiveError, type TlsClientSettings } from '@skydive/contracts'
import { decodeBinaryMessage, decodeTextMessage, HEADER, type Message, type OutgoingMessage } from '@skydive/protocol'
import { WebSocket } from 'ws'
import { FailedAttempts } from './failed-attempts.ts'

/**
 * First and longest pause between attempts to connect, ms. Each is shortened by up to a fifth at random, so that agents spread. The first is
 * short for an analyzer that starts beside its agent.
 */
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 5000

/** A server pings every 2 s: one that was silent for so long, ms, is gone. */
const SILENCE_MS = 12_000

const HANDSHAKE_TIMEOUT_MS = 10_000

/** Bytes that may wait in the socket before a sender should pause. */
const HIGH_WATER_BYTES = 1024 * 1024

const GOODBYE = 1000

/** What a link socket does with its connection. */
export interface LinkSocketOptions {
  /** Such as `ws://10.0.0.1:8082/ws/agent/topology`; {@link linkUrl} makes one. */
  readonly url: string
  /** For an address with `wss:`. */
  readonly tls?: TlsClientSettings
  readonly framing: 'json' | 'protobuf'
  /** Asked for each attempt. */
  headers(): Readonly<Record<string, string>>
  onOpen(response: IncomingHttpHeaders): void
  onMessage(message: Message): void
  onClose(): void
  readonly clock: Clock
  readonly logger: Logger
  readonly maxMessageBytes?: number
}

/** The address of an endpoint of an analyzer; secured when there are settings for that. */
export function linkUrl(
  analyzer: { readonly host: string; readonly port: number },
  path: string,
  tls?: TlsClientSettings,
): string {
  const host = analyzer.host.includes(':') ? `[${analyzer.host}]` : analyzer.host
  return `${tls ? 'wss' : 'ws'}://${host}:${analyzer.port}${path}`
}

/**
 * A WebSocket that connects again by itself, with pauses that double, until it is stopped. Attempts that fail are told once for each reason, then
 * once in five minutes.
 */
export class LinkSocket {
  readonly #options: LinkSocketOptions
  readonly #failed = new FailedAttempts()
  #socket: WebSocket | undefined
  /** What the WebSocket writes to. */
  #stream: Socket | undefined
  #open = false
  #running = false
  #pauseMs = FIRST_PAUSE_MS
  #timer: unknown
  #watchdog: unknown
  #lastSeenMs = 0
  #drainWaiters: (() => void)[] = []

  constructor(options: LinkSocketOptions) {
    this.#options = options
  }

  get isOpen(): boolean {
    return this.#open
  }

  /** Address and port of the other end; empty while there is none. */
  get remote(): { readonly address: string; readonly port: number } {
    const { hostname, port, protocol } = new URL(this.#options.url)
    // A URL does not keep the port that is the usual one.
    return { address: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port || (protocol === 'wss:' ? 443 : 80)) }
  }

  start(): void {
    if (this.#running) return
    this.#running = true
    this.#connect()
  }

  /** Says goodbye and does not come back. Resolves when the line is closed. */
  async stop(): Promise<void> {
    this.#running = false
    const { clock } = this.#options
    clock.clearTimeout(this.#timer)
    const socket = this.#socket
    if (socket === undefined) return
    await new Promise<void>((resolve) => {
      const late = clock.setTimeout(() => socket.terminate(), 1000)
      socket.once('close', () => {
        clock.clearTimeout(late)
        resolve()
      })
      if (socket.readyState === WebSocket.OPEN) socket.close(GOODBYE, 'stopping')
      else socket.terminate()
    })
  }

  /** Drops the line; it comes back by itself. */
  reconnect(): void {
    this.#socket?.terminate()
  }

  /** `false` when there is no connection. */
  send(message: OutgoingMessage): boolean {
    return this.sendFrame(this.#options.framing === 'json' ? message.text() : message.binary())
  }

  sendFrame(frame: Uint8Array | string): boolean {
    if (!this.#open || this.#socket === undefined) return false
    this.#socket.send(frame, () => this.#onSent())
    return true
  }

  /** What `body` sends leaves the process in one piece, before this returns. */
  together(body: () => void): void {
    const stream = this.#stream
    stream?.cork()
    try {
      body()
    } finally {
      stream?.uncork()
    }
  }

  /** Whether more should be sent now, or {@link whenDrained} be waited for. */
  get isCongested(): boolean {
    return this.#open && (this.#socket?.bufferedAmount ?? 0) > HIGH_WATER_BYTES
  }

  /** Resolves when what was sent left the process, or the connection is gone. */
  whenDrained(): Promise<void> {
    if (!this.isCongested) return Promise.resolve()
    return new Promise((resolve) => this.#drainWaiters.push(resolve))
  }

  #connect(): void {
    const { url, clock, logger } = this.#options
    const socket = new WebSocket(url, {
      headers: this.#options.headers(),
      perMessageDeflate: false,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      maxPayload: this.#options.maxMessageBytes ?? 64 * 1024 * 1024,
      ...this.#options.tls,
    })
    this.#socket = socket
    let headers: IncomingHttpHeaders = {}
    let reason = 'closed'
    socket.on('upgrade', (response) => {
      headers = response.headers
      this.#stream = response.socket
    })
    socket.on('open', () => {
      if (headers[HEADER.hostId.toLowerCase()] === undefined || headers[HEADER.serviceType.toLowerCase()] === undefined) {
        reason = `${url} is no Skydive server: it names neither host nor service`
        socket.terminate()
        return
      }
      this.#open = true
      this.#failed.clear()
      this.#pauseMs = FIRST_PAUSE_MS
      this.#lastSeenMs = clock.now()
      this.#watch()
      this.#options.onOpen(headers)
    })
    socket.on('ping', () => {
      this.#lastSeenMs = clock.now()
    })
    socket.on('message', (data, isBinary) => {
      this.#lastSeenMs = clock.now()
      this.#receive(data as Buffer, isBinary)
    })
    socket.on('error', (error) => {
      reason = error.message
    })
    socket.on('close', (code, text) => {
      const wasOpen = this.#open
      this.#open = false
      this.#socket = undefined
      this.#stream = undefined
      clock.clearTimeout(this.#watchdog)
      this.#onSent()
      const why = text.toString() || reason
      if (wasOpen) logger.info({ url, code, reason: why }, 'link lost')
      else this.#tellFailure(code, why)
      if (wasOpen) this.#options.onClose()
      if (this.#running) this.#timer = clock.setTimeout(() => this.#connect(), this.#nextPauseMs())
    })
  }

  #tellFailure(code: number, reason: string): void {
    const { url, clock, logger } = this.#options
    const attempts = this.#failed.note(reason, clock.now())
    if (attempts !== undefined) logger.info({ url, code, reason, attempts }, 'link not made')
  }

  #nextPauseMs(): number {
    const pauseMs = this.#pauseMs
    this.#pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
    return pauseMs * (0.8 + 0.2 * Math.random())
  }

  #watch(): void {
    const { clock } = this.#options
    this.#watchdog = clock.setTimeout(() => {
      if (clock.now() - this.#lastSeenMs > SILENCE_MS) this.#socket?.terminate()
      else this.#watch()
    }, SILENCE_MS / 4)
  }

  #receive(data: Buffer, isBinary: boolean): void {
    let message: Message
    try {
      message = isBinary ? decodeBinaryMessage(data) : decodeTextMessage(data.toString('utf8'))
    } catch (error) {
      if (!SkydiveError.isInstance(error)) throw error
      this.#options.logger.warn({ url: this.#options.url, reason: error.message }, 'malformed message ignored')
      return
    }
    this.#options.onMessage(message)
  }

  #onSent(): void {
    if (this.#drainWaiters.length === 0 || this.isCongested) return
    for (const resolve of this.#drainWaiters.splice(0)) resolve()
  }
}
