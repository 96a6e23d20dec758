import type { Message, OutgoingMessage } from './envelope.ts'
import type { Handshake } from './handshake.ts'

/** How a connection fares (spec platform 1.6), with the wire's names. */
export interface ConnectionStatus {
  readonly ServiceType: string
  readonly ClientProtocol: string
  readonly Addr: string
  readonly Port: number
  readonly IsConnected: boolean
  /** RFC 3339. */
  readonly ConnectTime: string
  readonly RemoteHost: string
  readonly RemoteServiceType: string
}

/**
 * One live WebSocket as the endpoints see it. Sending never blocks and never throws: what a peer cannot take in time is bounded, and
 * then the connection is closed with 1013, so that the peer comes back and resumes.
 */
export interface PeerConnection {
  readonly handshake: Handshake
  readonly status: ConnectionStatus
  /** Sends in the framing of the peer. `false` when the connection is gone or just went because it is too slow. */
  send(message: OutgoingMessage): boolean
  /** Closes with a WebSocket code; the reason is cut to what a close frame can carry. */
  close(code: number, reason: string): void
}

/** What an endpoint does with one connection. Nothing of it may throw: errors close the connection with 1011. */
export interface ConnectionHandler {
  onMessage?(message: Message): void
  /** Frames that are not in the envelope (`/ws/agent/flow` of the original); only asked for where {@link WebSocketEndpoint.raw}. */
  onFrame?(frame: Uint8Array): void
  /** `clean` is true when the peer said goodbye (close code 1000 or 1001). Called once. */
  onClose?(clean: boolean): void
}

/** A WebSocket path of a server, brought by whoever speaks its protocol and served by `@skydive/api-server`. */
export interface WebSocketEndpoint {
  /** Such as `/ws/agent/topology`. */
  readonly path: string
  /** Which credentials are asked for: users' (`api`) or the daemons' own (`cluster`). */
  readonly auth: 'api' | 'cluster'
  /** The member of `/api/status` that lists the connections: `Agents`, `Publishers`, `Subscribers`. */
  readonly statusKey: string
  /** Binary frames are handed over as they are. */
  readonly raw?: boolean
  /** Further headers of the answer to the handshake, such as the cursor to resume from. */
  responseHeaders?(handshake: Handshake): Readonly<Record<string, string>>
  /** Takes a connection that is open. May close it at once. */
  accept(connection: PeerConnection): ConnectionHandler
}
