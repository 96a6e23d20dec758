import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { type Clock, type Logger, SkydiveError } from '@skydive/contracts'
import type { Handshake, WebSocketEndpoint } from '@skydive/protocol'
import {
  type ConnectionHandler,
  decodeBinaryMessage,
  decodeTextMessage,
  HEADER,
  type Message,
  parseCursor,
  parseHandshake,
} from '@skydive/protocol'
import { type WebSocket, WebSocketServer } from 'ws'
import type { ApiServerLimits } from '../options.ts'
import { type ConnectionBounds, cutReason, ServerConnection } from './server-connection.ts'

/** Normal closure: what the original answers to a handshake that it does not accept. */
const CLOSE_NORMAL = 1000
const CLOSE_GOING_AWAY = 1001
/** For headers that are ours, where no client of the original looks: the peer must not come back with the same. */
const CLOSE_POLICY = 1008
const CLOSE_INTERNAL_ERROR = 1011

/** ms that a peer gets to answer a goodbye. */
const GOODBYE_MS = 1000

/** An endpoint of this package, which may write prepared frames. */
export interface ServerEndpoint extends Omit<WebSocketEndpoint, 'accept'> {
  accept(connection: ServerConnection): ConnectionHandler
}

/** What the hub is made of. */
export interface HubOptions {
  readonly service: string
  readonly hostId: string
  readonly endpoints: readonly ServerEndpoint[]
  readonly limits: ApiServerLimits
  readonly pingDelayMs: number
  readonly pongTimeoutMs: number
  readonly clock: Clock
  readonly logger: Logger
  readonly bounds: ConnectionBounds
  /** Why a request may not be upgraded, as an HTTP status with a text; `undefined` lets it pass. */
  refuse(
    request: IncomingMessage,
    endpoint: ServerEndpoint,
  ): Promise<{ status: number; text: string; headers?: string } | undefined>
}

/** All WebSockets of a server: upgrades, keep-alive (spec platform 2.10), dispatch, and who is connected. */
export class WebSocketHub {
  readonly #options: HubOptions
  readonly #endpoints: ReadonlyMap<string, ServerEndpoint>
  /** Live connections by endpoint path, then host id: a host may be connected once to each (spec platform 2.2). */
  readonly #connections = new Map<string, Map<string, ServerConnection>>()
  readonly #upgrader: WebSocketServer
  readonly #clusterUpgrader: WebSocketServer
  #open = 0
  #timer: unknown

  constructor(options: HubOptions) {
    this.#options = options
    this.#endpoints = new Map(options.endpoints.map((endpoint) => [endpoint.path, endpoint]))
    for (const path of this.#endpoints.keys()) this.#connections.set(path, new Map())
    this.#upgrader = this.#createUpgrader(options.limits.messageBytes)
    this.#clusterUpgrader = this.#createUpgrader(options.limits.clusterMessageBytes)
  }

  /** Listens for upgrades of `server` and begins to ping. */
  start(server: Server): void {
    server.on('upgrade', (request, socket, head) => {
      this.#upgrade(request, socket, head).catch((error: unknown) => {
        this.#options.logger.error({ err: error }, 'upgrade failed')
        socket.destroy()
      })
    })
    this.#schedulePing()
  }

  /** Says goodbye to everybody; who has not answered after a second is dropped. */
  stop(): void {
    this.#options.clock.clearTimeout(this.#timer)
    this.#timer = undefined
    for (const connection of this.#all()) connection.close(CLOSE_GOING_AWAY, 'the server stops')
    this.#options.clock.setTimeout(() => {
      for (const upgrader of [this.#upgrader, this.#clusterUpgrader]) for (const client of upgrader.clients) client.terminate()
    }, GOODBYE_MS)
  }

  /** The connections of each endpoint for `/api/status`: `{ Subscribers: { 'host-a': {…} } }`. */
  status(): Record<string, Record<string, object>> {
    const status: Record<string, Record<string, object>> = {}
    for (const endpoint of this.#endpoints.values()) {
      const members = (status[endpoint.statusKey] ??= {})
      for (const [hostId, connection] of this.#connections.get(endpoint.path)!) members[hostId] = connection.status
    }
    return status
  }

  #createUpgrader(maxPayload: number): WebSocketServer {
    const upgrader = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload })
    upgrader.on('headers', (headers, request) => {
      headers.push(`${HEADER.hostId}: ${this.#options.hostId}`, `${HEADER.serviceType}: ${this.#options.service}`)
      for (const [name, value] of Object.entries(upgradeHeaders.get(request) ?? {})) headers.push(`${name}: ${value}`)
    })
    return upgrader
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy())
    const url = new URL(request.url ?? '/', 'http://localhost')
    const endpoint = this.#endpoints.get(url.pathname)
    if (endpoint === undefined) return refuseUpgrade(socket, { status: 404, text: '404 page not found' })
    if (this.#open >= this.#options.limits.connections) {
      return refuseUpgrade(socket, { status: 503, text: `${this.#open} WebSockets are open, which is the limit` })
    }
    const refusal = await this.#options.refuse(request, endpoint)
    if (refusal) return refuseUpgrade(socket, refusal)

    const remote = request.socket
    const lookup = (name: string) => parameter(request, url, name)
    let handshake: Handshake | undefined
    let fault = ''
    let faultCode = CLOSE_NORMAL
    try {
      handshake = parseHandshake(lookup, `${remote.remoteAddress}:${remote.remotePort}`)
    } catch (error) {
      fault = (error as Error).message
      if (SkydiveError.isInstance(error) && error.fields['header'] !== undefined) faultCode = CLOSE_POLICY
    }
    const members = this.#connections.get(endpoint.path)!
    const live = handshake && members.get(handshake.hostId)
    // The same process came back before its broken line was noticed: the old one gives way.
    if (handshake && live && isSameRun(live.handshake, handshake)) {
      members.delete(handshake.hostId)
      live.terminate()
    } else if (handshake && live) {
      return refuseUpgrade(socket, {
        status: 409,
        text: `a connection of host ${JSON.stringify(handshake.hostId)} is open already`,
      })
    }
    if (handshake) upgradeHeaders.set(request, endpoint.responseHeaders?.(handshake) ?? {})

    const upgrader = endpoint.auth === 'cluster' ? this.#clusterUpgrader : this.#upgrader
    upgrader.handleUpgrade(request, socket, head, (webSocket) => {
      // The original accepts every upgrade and then closes; clients look at the close code.
      if (handshake === undefined) return webSocket.close(faultCode, cutReason(fault))
      this.#accept(endpoint, handshake, webSocket, request, socket)
    })
  }

  #accept(endpoint: ServerEndpoint, handshake: Handshake, webSocket: WebSocket, request: IncomingMessage, socket: Duplex): void {
    const { clock, logger, bounds } = this.#options
    const connection = new ServerConnection(
      webSocket,
      socket,
      handshake,
      {
        address: request.socket.remoteAddress ?? '',
        port: request.socket.remotePort ?? 0,
        connectedAtMs: clock.now(),
      },
      bounds,
    )
    const members = this.#connections.get(endpoint.path)!
    members.set(handshake.hostId, connection)
    this.#open++
    let handler: ConnectionHandler = {}
    const guarded = (body: () => void) => {
      try {
        body()
      } catch (error) {
        logger.error({ err: error, host: handshake.hostId, path: endpoint.path }, 'connection failed')
        connection.close(CLOSE_INTERNAL_ERROR, 'internal error')
      }
    }
    webSocket.on('pong', () => {
      connection.lastSeenMs = clock.now()
    })
    webSocket.on('message', (data, isBinary) => {
      connection.lastSeenMs = clock.now()
      if (!connection.isOpen) return
      guarded(() => {
        if (endpoint.raw === true && !handshake.flowBatches) return handler.onFrame?.(data as Buffer)
        const message = this.#decode(data as Buffer, isBinary, handshake)
        if (message) handler.onMessage?.(message)
      })
    })
    webSocket.on('error', (error) => logger.debug({ err: error, host: handshake.hostId }, 'connection broke'))
    webSocket.once('close', (code) => {
      if (members.get(handshake.hostId) === connection) members.delete(handshake.hostId)
      this.#open--
      guarded(() => handler.onClose?.(!connection.endedByUs && (code === CLOSE_NORMAL || code === CLOSE_GOING_AWAY)))
    })
    connection.ping()
    guarded(() => {
      handler = endpoint.accept(connection)
    })
  }

  /** Malformed messages are told once in the log and ignored; the connection stays (spec platform 2.3). */
  #decode(data: Buffer, isBinary: boolean, handshake: Handshake): Message | undefined {
    try {
      return isBinary ? decodeBinaryMessage(data) : decodeTextMessage(data.toString('utf8'))
    } catch (error) {
      if (!SkydiveError.isInstance(error)) throw error
      this.#options.logger.warn({ host: handshake.hostId, reason: error.message }, 'malformed message ignored')
      return undefined
    }
  }

  #schedulePing(): void {
    const { clock, pingDelayMs, pongTimeoutMs } = this.#options
    this.#timer = clock.setTimeout(() => {
      const deadlineMs = clock.now() - pingDelayMs - pongTimeoutMs
      for (const connection of this.#all()) {
        if (connection.lastSeenMs < deadlineMs) connection.terminate()
        else connection.ping()
      }
      this.#schedulePing()
    }, pingDelayMs)
  }

  *#all(): Generator<ServerConnection> {
    for (const members of this.#connections.values()) yield* members.values()
  }
}

function isSameRun(old: Handshake, young: Handshake): boolean {
  const epoch = parseCursor(young.cursor ?? '')?.epoch
  return epoch !== undefined && parseCursor(old.cursor ?? '')?.epoch === epoch
}

/** Headers that an endpoint adds to the answer of a handshake, on their way to the library's event. */
const upgradeHeaders = new WeakMap<IncomingMessage, Readonly<Record<string, string>>>()

/** A header, or the lower-case query parameter that browsers use instead. */
function parameter(request: IncomingMessage, url: URL, name: string): string | undefined {
  const header = request.headers[name.toLowerCase()]
  if (header !== undefined) return Array.isArray(header) ? header.join(', ') : header
  const values = url.searchParams.getAll(name.toLowerCase())
  return values.length === 0 ? undefined : values.join(', ')
}

const REASONS: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  503: 'Service Unavailable',
}

function refuseUpgrade(socket: Duplex, refusal: { status: number; text: string; headers?: string }): void {
  const body = `${refusal.text}\n`
  socket.end(
    `HTTP/1.1 ${refusal.status} ${REASONS[refusal.status] ?? 'Error'}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n${refusal.headers ?? ''}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}
