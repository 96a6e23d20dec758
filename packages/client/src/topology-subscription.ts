import type { GraphEdge, GraphNode, ReplicaChange } from '@skydive/contracts'
import { SkydiveError } from '@skydive/contracts'
import { decodeGraphMessage, decodeTextMessage, GRAPH_NAMESPACE, type Message, OutgoingMessage } from '@skydive/protocol'

/** First and longest pause between attempts to connect, ms. */
const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 10_000

/** As much of the WHATWG WebSocket as is used; the browser's, Node's and that of `ws` fit. */
export interface WebSocketLike {
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
  send(text: string): void
  close(code?: number, reason?: string): void
}

/** How a subscription fares. `live`: what was handed over is the present. `waiting`: the line broke; it tries again at that time. */
export type SubscriptionState =
  | { readonly state: 'connecting' | 'syncing' | 'live' | 'stopped' }
  | { readonly state: 'waiting'; readonly reason: string; readonly nextAttemptAtMs: number }

/** One part of a whole graph; the last one is `part === parts - 1`. Nodes come before the edges between them. */
export interface SnapshotPart {
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
  readonly part: number
  readonly parts: number
}

/** What is followed, and who is told. */
export interface TopologySubscriptionOptions {
  /** The server: `http://127.0.0.1:8082`. */
  readonly url: string
  /** Follow only what this Gremlin expression gives; it must give a graph. */
  readonly filter?: string
  /** base64 of `user:password`; a page needs none, its cookie is sent. */
  readonly token?: string
  /** Names this client; must be its own. @default random */
  readonly hostId?: string
  /** A whole graph replaces what was handed over before. */
  onSnapshot(part: SnapshotPart): void
  /** One transaction of the server's graph, in order. */
  onChanges(changes: readonly ReplicaChange[]): void
  onState?(state: SubscriptionState): void
  /** @default globalThis.WebSocket */
  readonly WebSocket?: new (
    url: string,
  ) => WebSocketLike
}

/** A running subscription. */
export interface TopologySubscription {
  /** Asks for the whole graph again. */
  resync(): void
  stop(): void
}

/**
 * Follows the topology of a server: a snapshot, then every transaction. After a broken line it connects again by itself and resumes
 * where it was; only when the server no longer remembers that far, another snapshot comes. Runs in a browser and in a worker.
 */
export function subscribeTopology(options: TopologySubscriptionOptions): TopologySubscription {
  return new Subscription(options)
}

class Subscription implements TopologySubscription {
  readonly #options: TopologySubscriptionOptions
  readonly #hostId: string
  #socket: WebSocketLike | undefined
  #cursor: string | undefined
  #pending: ReplicaChange[] = []
  #pauseMs = FIRST_PAUSE_MS
  #timer: ReturnType<typeof setTimeout> | undefined
  #stopped = false
  #isSyncing = false

  constructor(options: TopologySubscriptionOptions) {
    this.#options = options
    this.#hostId = options.hostId ?? `page-${crypto.randomUUID()}`
    this.#connect()
  }

  resync(): void {
    this.#cursor = undefined
    this.#requestSnapshot()
  }

  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#socket?.close(1000)
    this.#tell({ state: 'stopped' })
  }

  #connect(): void {
    this.#tell({ state: 'connecting' })
    const { filter, token } = this.#options
    const url = new URL('/ws/subscriber', this.#options.url)
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
    const parameters: Record<string, string> = {
      'x-host-id': this.#hostId,
      'x-client-type': 'webui',
      'x-update-policy': 'partial',
      'x-websocket-namespace': GRAPH_NAMESPACE,
      // A filtered view has no log of its own to resume from.
      'x-skydive-cursor': filter ? 'new' : (this.#cursor ?? 'new'),
      ...(filter && { 'x-gremlin-filter': filter }),
      ...(token && { 'x-auth-token': token }),
    }
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)

    const Constructor = this.#options.WebSocket ?? (globalThis.WebSocket as unknown as new (url: string) => WebSocketLike)
    const socket = new Constructor(url.href)
    this.#socket = socket
    this.#pending = []
    let reason = 'the server cannot be reached'
    socket.onopen = () => {
      this.#pauseMs = FIRST_PAUSE_MS
      reason = 'the line broke'
      if (filter) this.#requestSnapshot()
    }
    socket.onmessage = (event: { readonly data?: unknown }) => {
      if (socket === this.#socket && typeof event.data === 'string') this.#receive(event.data)
    }
    socket.onerror = () => {}
    socket.onclose = (event: { readonly reason?: string }) => {
      if (socket === this.#socket) this.#retry(event.reason || reason)
    }
  }

  #retry(reason: string): void {
    this.#socket = undefined
    if (this.#stopped) return
    const pauseMs = this.#pauseMs
    this.#pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
    this.#tell({ state: 'waiting', reason, nextAttemptAtMs: Date.now() + pauseMs })
    this.#timer = setTimeout(() => this.#connect(), pauseMs)
  }

  #receive(text: string): void {
    try {
      this.#handle(decodeTextMessage(text))
    } catch (error) {
      if (!SkydiveError.isInstance(error)) throw error
      // What cannot be read leaves a hole: begin anew rather than show something wrong.
      this.#cursor = undefined
      this.#socket?.close(1002, 'malformed message')
    }
  }

  #handle(message: Message): void {
    if (message.namespace !== GRAPH_NAMESPACE) return
    if (message.status >= 400) {
      this.#tell({ state: 'waiting', reason: String(message.body), nextAttemptAtMs: Number.POSITIVE_INFINITY })
      return
    }
    const decoded = decodeGraphMessage(message, { nowMs: Date.now(), origin: '' })
    switch (decoded.kind) {
      case 'resume':
        if (this.#options.filter) return
        if (decoded.mode === 'sync' || this.#cursor === undefined) this.#requestSnapshot()
        else this.#tell({ state: 'live' })
        return
      case 'sync': {
        this.#pending = []
        const { nodes, edges, part, parts } = decoded
        this.#options.onSnapshot({ nodes, edges, part, parts })
        if (part < parts - 1) return
        this.#isSyncing = false
        this.#cursor = message.cursor
        this.#tell({ state: 'live' })
        return
      }
      case 'change':
        if (this.#isSyncing && !this.#options.filter) return
        this.#pending.push(decoded.change)
        // Events of a filtered view carry no cursor: each stands for itself.
        if (message.cursor === undefined && !this.#options.filter) return
        if (message.cursor !== undefined) this.#cursor = message.cursor
        this.#flush()
        return
      default:
    }
  }

  #flush(): void {
    const changes = this.#pending
    this.#pending = []
    if (changes.length > 0) this.#options.onChanges(changes)
  }

  #requestSnapshot(): void {
    if (this.#socket === undefined) return
    this.#isSyncing = true
    this.#tell({ state: 'syncing' })
    const message = new OutgoingMessage({ namespace: GRAPH_NAMESPACE, type: 'SyncRequest', body: {} })
    this.#socket.send(message.text())
  }

  #tell(state: SubscriptionState): void {
    this.#options.onState?.(state)
  }
}
