import {
  type GraphBatch,
  type GraphEvents,
  type GraphSource,
  type GraphView,
  type Logger,
  SkydiveError,
  toWireEdge,
  toWireNode,
} from '@skydive/contracts'
import {
  type ConnectionHandler,
  decodeGraphMessage,
  formatCursor,
  GRAPH_NAMESPACE,
  type GraphMessage,
  type Message,
  type MessageInit,
  OutgoingMessage,
  parseCursor,
} from '@skydive/protocol'
import { countParts, graphParts } from '../graph-json.ts'
import type { GraphQueries, QueryFunction } from '../options.ts'
import { FilteredSubscriptions } from './filtered-subscriptions.ts'
import { GraphBroadcast } from './graph-broadcast.ts'
import type { ServerEndpoint } from './hub.ts'
import type { ServerConnection } from './server-connection.ts'

/** Elements of one part of a snapshot for clients that know parts: about a megabyte. */
const PART_ELEMENTS = 1000

/** What the subscriber endpoint is made of. */
export interface SubscriberOptions {
  readonly graph: GraphEvents & GraphSource
  readonly query: QueryFunction
  readonly queries: GraphQueries | undefined
  readonly logger: Logger
  /** `Subscribers` on an analyzer, `Clients` on an agent. */
  readonly statusKey: string
}

/** The endpoint `/ws/subscriber`, and a way to tell all of its clients something that is not of the graph. */
export interface SubscriberEndpoint extends ServerEndpoint {
  /** Sends to every client that asked for the namespace. */
  broadcast(message: MessageInit): void
  start(): void
  stop(): void
}

/** Makes the endpoint (spec platform 2.4, "Subscriber behaviour"; resume as in the design). */
export function createSubscriberEndpoint(options: SubscriberOptions): SubscriberEndpoint {
  const { graph } = options
  const broadcast = new GraphBroadcast(graph)
  const filtered = new FilteredSubscriptions(options)
  const connections = new Set<ServerConnection>()
  let unsubscribe: (() => void) | undefined

  const publish = (batch: GraphBatch) => {
    broadcast.publish(batch)
    filtered.publish(batch)
  }

  return {
    path: '/ws/subscriber',
    auth: 'api',
    statusKey: options.statusKey,

    start() {
      unsubscribe ??= graph.subscribe(publish)
    },

    stop() {
      unsubscribe?.()
      unsubscribe = undefined
    },

    broadcast(init) {
      const message = new OutgoingMessage(init)
      for (const connection of connections) if (connection.wants(init.namespace)) connection.send(message)
    },

    responseHeaders(handshake) {
      if (handshake.cursor === undefined) return {}
      return { 'X-Skydive-Cursor': missedBatches(graph, handshake.cursor) === undefined ? 'sync' : 'resume' }
    },

    accept(connection) {
      connections.add(connection)
      const session = new SubscriberSession(connection, graph, options.query, broadcast, filtered)
      session.begin()
      return {
        onMessage: (message) => session.onMessage(message),
        onClose() {
          connections.delete(connection)
          session.end()
        },
      } satisfies ConnectionHandler
    },
  }
}

/** What happened after a cursor; `undefined` when a whole snapshot is needed. */
function missedBatches(graph: GraphEvents, cursor: string): readonly GraphBatch[] | undefined {
  const parsed = parseCursor(cursor)
  return parsed && graph.since(parsed)
}

/** One client: which filter it has, and one request after the other. */
class SubscriberSession {
  readonly #connection: ServerConnection
  readonly #graph: GraphEvents & GraphSource
  readonly #query: QueryFunction
  readonly #broadcast: GraphBroadcast
  readonly #filtered: FilteredSubscriptions
  #filter = ''
  #work: Promise<void> = Promise.resolve()

  constructor(
    connection: ServerConnection,
    graph: GraphEvents & GraphSource,
    query: QueryFunction,
    broadcast: GraphBroadcast,
    filtered: FilteredSubscriptions,
  ) {
    this.#connection = connection
    this.#graph = graph
    this.#query = query
    this.#broadcast = broadcast
    this.#filtered = filtered
  }

  begin(): void {
    const { gremlinFilter, cursor } = this.#connection.handshake
    if (gremlinFilter !== '') {
      this.#enqueue(() => this.#joinFilterOfHandshake(gremlinFilter))
    } else if (cursor === undefined) {
      // Clients of the original hear events from the start, whether they asked for a snapshot or not.
      this.#join()
    } else {
      this.#resume(cursor)
    }
  }

  end(): void {
    this.#leave()
  }

  onMessage(message: Message): void {
    if (message.namespace !== GRAPH_NAMESPACE || message.type !== 'SyncRequest') return
    let request: GraphMessage
    try {
      request = decodeGraphMessage(message, { nowMs: 0, origin: '' })
    } catch (error) {
      // The original ignores it; an answer helps whoever wrote the client.
      this.#reply(message.uuid, 400, (error as Error).message)
      return
    }
    if (request.kind === 'sync-request') this.#enqueue(() => this.#sync(message.uuid, request.timeMs, request.filter))
  }

  /** Requests are answered in order: a second one waits until the first one's snapshot is out. */
  #enqueue(job: () => Promise<void>): void {
    this.#work = this.#work.then(job).catch((error: unknown) => {
      this.#connection.close(1011, SkydiveError.isInstance(error) ? error.message : 'internal error')
    })
  }

  #resume(cursor: string): void {
    const missed = missedBatches(this.#graph, cursor)
    this.#connection.send(
      new OutgoingMessage({
        namespace: GRAPH_NAMESPACE,
        type: 'Resume',
        body: { Mode: missed ? 'resume' : 'sync' },
        cursor: formatCursor(this.#graph.cursor),
      }),
    )
    if (missed === undefined) return
    this.#broadcast.replay(this.#connection, missed)
    this.#join()
  }

  async #joinFilterOfHandshake(filter: string): Promise<void> {
    try {
      await this.#filtered.join(this.#connection, filter)
      this.#filter = filter
    } catch (error) {
      this.#connection.close(1000, (error as Error).message)
    }
  }

  async #sync(uuid: string, timeMs: number, filter: string | undefined): Promise<void> {
    const wanted = filter ?? this.#filter
    if (timeMs !== 0) return this.#syncPast(uuid, timeMs, wanted)
    this.#leave()
    if (wanted === '') {
      this.#filter = ''
      return this.#syncWhole(uuid)
    }
    try {
      await this.#filtered.join(this.#connection, wanted, (graph) => this.#replyGraph(uuid, graph))
      this.#filter = wanted
    } catch {
      this.#reply(uuid, 400, `Invalid Gremlin filter '${wanted}' for client ${this.#connection.handshake.hostId}`)
      // The old subscription goes on: a mistyped filter must not silence the client.
      if (this.#filter === '') this.#join()
      else await this.#filtered.join(this.#connection, this.#filter)
    }
  }

  /** A pinned version goes out in parts as the socket takes them; then what happened meanwhile; then the connection is live. */
  async #syncWhole(uuid: string): Promise<void> {
    const connection = this.#connection
    let missed: readonly GraphBatch[] | undefined
    do {
      const view = await this.#graph.open()
      const cursor = { epoch: this.#graph.cursor.epoch, version: view.version }
      await this.#sendSnapshot(uuid, view, formatCursor(cursor))
      if (!connection.isOpen) return
      missed = this.#graph.since(cursor)
    } while (missed === undefined)
    this.#broadcast.replay(connection, missed)
    this.#join()
  }

  async #sendSnapshot(uuid: string, view: GraphView, cursor: string): Promise<void> {
    const knowsParts = this.#connection.handshake.cursor !== undefined
    const elements = knowsParts ? PART_ELEMENTS : Number.POSITIVE_INFINITY
    const parts = knowsParts ? countParts(view, elements) : 1
    let index = 0
    for (const part of graphParts(view, elements)) {
      const numbers = parts > 1 ? `,"Part":${index},"Parts":${parts}` : ''
      index++
      const json = `{"Nodes":[${part.nodes}],"Edges":[${part.edges}]${numbers}}`
      this.#connection.send(
        new OutgoingMessage({
          namespace: GRAPH_NAMESPACE,
          type: 'SyncReply',
          uuid,
          json,
          ...(knowsParts && index === parts && { cursor }),
        }),
      )
      await this.#connection.whenDrained()
      if (!this.#connection.isOpen) return
    }
  }

  async #syncPast(uuid: string, timeMs: number, filter: string): Promise<void> {
    try {
      if (filter === '') {
        const view = await this.#graph.open({ startMs: timeMs, lastMs: timeMs })
        const { nodes, edges } = graphParts(view, Number.POSITIVE_INFINITY).next().value!
        this.#connection.send(
          new OutgoingMessage({
            namespace: GRAPH_NAMESPACE,
            type: 'SyncReply',
            uuid,
            json: `{"Nodes":[${nodes}],"Edges":[${edges}]}`,
          }),
        )
        return
      }
      const answer = await this.#query(filter.replace(/^\s*[Gg]\b/, `G.At(${timeMs})`), {})
      if (answer.graph === undefined)
        throw new SkydiveError('the filter gives no graph', { code: 'ERR_INVALID_ARGUMENT', fault: 'caller' })
      this.#replyGraph(uuid, answer.graph)
    } catch (error) {
      if (!SkydiveError.isInstance(error)) throw error
      this.#reply(uuid, 400, error.message)
    }
  }

  #replyGraph(
    uuid: string,
    graph: { readonly nodes: Parameters<typeof wireNodes>[0]; readonly edges: Parameters<typeof wireEdges>[0] },
  ): void {
    const cursor = this.#connection.handshake.cursor === undefined ? {} : { cursor: formatCursor(this.#graph.cursor) }
    this.#connection.send(
      new OutgoingMessage({
        namespace: GRAPH_NAMESPACE,
        type: 'SyncReply',
        uuid,
        body: { Nodes: wireNodes(graph.nodes), Edges: wireEdges(graph.edges) },
        ...cursor,
      }),
    )
  }

  #reply(uuid: string, status: number, body: unknown): void {
    this.#connection.send(new OutgoingMessage({ namespace: GRAPH_NAMESPACE, type: 'SyncReply', uuid, status, body }))
  }

  #join(): void {
    if (this.#connection.isOpen && this.#connection.wants(GRAPH_NAMESPACE)) this.#broadcast.join(this.#connection)
  }

  #leave(): void {
    this.#broadcast.leave(this.#connection)
    this.#filtered.leave(this.#connection)
  }
}

const wireNodes = (nodes: Iterable<Parameters<typeof toWireNode>[0]>) => Array.from(nodes, toWireNode)
const wireEdges = (edges: Iterable<Parameters<typeof toWireEdge>[0]>) => Array.from(edges, toWireEdge)
