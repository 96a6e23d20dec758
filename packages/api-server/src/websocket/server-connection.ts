import type { Duplex } from 'node:stream'
import type { Handshake, OutgoingMessage, PeerConnection } from '@skydive/protocol'
import type { WebSocket } from 'ws'
import { frameBinary, frameText } from './frame.ts'

/** Bytes in the socket's own buffer above which frames wait in ours, where they are counted and bounded. */
const SOCKET_BUFFER_BYTES = 256 * 1024

/** A close frame carries 125 bytes, two of them the code. */
const MAX_REASON_BYTES = 123

/** Try again later (RFC 6455 registry): what a peer that is too slow is told. */
export const CLOSE_TOO_SLOW = 1013

/** Bounds and counters of the connections of one server. */
export interface ConnectionBounds {
  readonly queuedMessages: number
  readonly queuedBytes: number
  /** Called when a connection is closed because it could not keep up; `messages` were waiting. */
  onTooSlow(messages: number): void
  onSent(messages: number): void
}

/** Where the peer is and when it came. */
export interface ConnectionInfo {
  readonly address: string
  readonly port: number
  readonly connectedAtMs: number
}

/**
 * One accepted WebSocket. Frames go to the socket as they are, past the library, which keeps frames whole because both write each in
 * one call; what the socket does not take waits in a bounded queue, and a peer whose queue is full is closed with 1013.
 */
export class ServerConnection implements PeerConnection {
  readonly handshake: Handshake
  readonly info: ConnectionInfo
  readonly #webSocket: WebSocket
  readonly #socket: Duplex
  readonly #bounds: ConnectionBounds
  #queue: Uint8Array[] = []
  #queuedMessages = 0
  #queuedBytes = 0
  #drained: (() => void)[] = []
  #open = true
  #endedByUs = false
  /** When the peer was last heard of; the hub closes those that fell silent. */
  lastSeenMs: number

  constructor(webSocket: WebSocket, socket: Duplex, handshake: Handshake, info: ConnectionInfo, bounds: ConnectionBounds) {
    this.handshake = handshake
    this.info = info
    this.lastSeenMs = info.connectedAtMs
    this.#webSocket = webSocket
    this.#socket = socket
    this.#bounds = bounds
    socket.on('drain', () => this.#flush())
    webSocket.once('close', () => this.#release())
  }

  /** Whether this side ended the connection; the peer said no goodbye then. */
  get endedByUs(): boolean {
    return this.#endedByUs
  }

  get isOpen(): boolean {
    return this.#open
  }

  get status() {
    const { address, port, connectedAtMs } = this.info
    return {
      // As the original: what the other end is, here and below.
      ServiceType: this.handshake.clientType,
      ClientProtocol: this.handshake.framing,
      Addr: address,
      Port: port,
      IsConnected: this.#open,
      ConnectTime: new Date(connectedAtMs).toISOString(),
      RemoteHost: this.handshake.hostId,
      RemoteServiceType: this.handshake.clientType,
    }
  }

  /** Whether the peer asked for messages of this namespace. */
  wants(namespace: string): boolean {
    const { namespaces } = this.handshake
    return namespaces.length === 0 || namespaces.includes('*') || namespaces.includes(namespace)
  }

  send(message: OutgoingMessage): boolean {
    return this.write(this.handshake.framing === 'json' ? frameText(message.text()) : frameBinary(message.binary()), 1)
  }

  /** Writes whole frames holding `messages` messages. `false` when the connection is gone. */
  write(frames: Uint8Array, messages: number): boolean {
    if (!this.#open) return false
    this.#bounds.onSent(messages)
    if (this.#queue.length === 0 && this.#socket.writableLength < SOCKET_BUFFER_BYTES) {
      this.#socket.write(frames)
      return true
    }
    this.#queue.push(frames)
    this.#queuedMessages += messages
    this.#queuedBytes += frames.length
    if (this.#queuedMessages <= this.#bounds.queuedMessages && this.#queuedBytes <= this.#bounds.queuedBytes) return true
    this.#bounds.onTooSlow(this.#queuedMessages)
    this.close(CLOSE_TOO_SLOW, 'too slow: reconnect and resume')
    return false
  }

  /** Resolves when nothing waits any more, or the connection is gone. */
  whenDrained(): Promise<void> {
    if (!this.#open || (this.#queue.length === 0 && this.#socket.writableLength < SOCKET_BUFFER_BYTES)) return Promise.resolve()
    return new Promise((resolve) => this.#drained.push(resolve))
  }

  ping(): void {
    if (this.#open) this.#webSocket.ping()
  }

  close(code: number, reason: string): void {
    if (!this.#open) return
    this.#endedByUs = true
    this.#release()
    this.#webSocket.close(code, cutReason(reason))
  }

  /** Drops the connection without a goodbye: the peer is silent. */
  terminate(): void {
    this.#endedByUs = true
    this.#release()
    this.#webSocket.terminate()
  }

  #flush(): void {
    this.#socket.cork()
    while (this.#queue.length > 0 && this.#socket.writableLength < SOCKET_BUFFER_BYTES) {
      this.#socket.write(this.#queue.shift()!)
    }
    this.#socket.uncork()
    if (this.#queue.length > 0) return
    this.#queuedMessages = 0
    this.#queuedBytes = 0
    for (const resolve of this.#drained.splice(0)) resolve()
  }

  #release(): void {
    this.#open = false
    this.#queue = []
    for (const resolve of this.#drained.splice(0)) resolve()
  }
}

/** As much of a reason as a close frame has room for. */
export function cutReason(text: string): string {
  let cut = text.slice(0, MAX_REASON_BYTES)
  while (Buffer.byteLength(cut) > MAX_REASON_BYTES) cut = cut.slice(0, -1)
  return cut
}
