import {
  type Clock,
  type GraphReplica,
  type Logger,
  type Metrics,
  NotFoundError,
  SILENT_LOGGER,
  SkydiveError,
  type Unsubscribe,
} from '@skydive/contracts'
import {
  CAPTURE_NAMESPACE,
  type ConnectionHandler,
  decodeOnDemandReply,
  FLOW_NAMESPACE,
  formatCursor,
  GRAPH_NAMESPACE,
  type Handshake,
  HEADER,
  type Message,
  type MessageInit,
  type OnDemandCommand,
  OutgoingMessage,
  type PeerConnection,
  parseCursor,
  type WebSocketEndpoint,
} from '@skydive/protocol'
import { OriginReceiver } from './origin-receiver.ts'
import { PendingRequests } from './pending-requests.ts'
import { systemClock } from './system-clock.ts'

/** What the analyzer's side of its agents is made of. */
export interface AgentEndpointOptions {
  /** The copy of an agent's graph, such as that of `agent.alpha`. */
  replica(origin: string): GraphReplica
  /** How long a copy stays when the line broke without a goodbye, ms. @default 15000 */
  readonly graceMs?: number
  readonly clock?: Clock
  readonly logger?: Logger
  readonly metrics?: Metrics
}

/** Options of everything that is asked of an agent. */
export interface AgentRequestOptions {
  /** @default 10000 */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** What an agent answered to a command; 200 is done, 404 unknown node or task, 500 failed. */
export interface CommandReply {
  readonly status: number
  readonly command: OnDemandCommand
  /** Why it failed, in the agent's words; agents of the original do not say. */
  readonly reason?: string
}

/** An agent came or went. */
export interface AgentEvent {
  readonly kind: 'connected' | 'disconnected'
  readonly hostId: string
}

/** `/ws/agent/topology`: the graphs of the agents, and everything that is asked of them. */
export interface AgentEndpoint extends WebSocketEndpoint {
  /** Host ids of the agents that are connected. */
  hosts(): readonly string[]
  onAgent(listener: (event: AgentEvent) => void): Unsubscribe
  /** The copy of an origin, such as `agent.alpha`, has become equal to a whole snapshot of it: what it lacks has ended. */
  onSnapshot(listener: (origin: string) => void): Unsubscribe
  /** What an agent tells unasked, such as `StartReply` of a command whose asker is gone. */
  onMessage(listener: (hostId: string, message: Message) => void): Unsubscribe
  /** @throws ERR_NOT_FOUND when the agent is not connected; ERR_UNAVAILABLE, ERR_CANCELLED. */
  request(hostId: string, message: MessageInit, options?: AgentRequestOptions): Promise<Message>
  /** Starts a capture on a node of an agent (spec platform 2.5). Errors as {@link AgentEndpoint.request}. */
  startCapture(hostId: string, command: OnDemandCommand, options?: AgentRequestOptions): Promise<CommandReply>
  stopCapture(hostId: string, command: OnDemandCommand, options?: AgentRequestOptions): Promise<CommandReply>
  /** Asks an agent's flow tables: protobuf `TableQuery` in, `TableReply` out (spec platform 2.7). Errors as {@link AgentEndpoint.request}. */
  queryFlowTable(hostId: string, query: Uint8Array, options?: AgentRequestOptions): Promise<Uint8Array>
  /** The server stops: copies stay as they are when the lines go. */
  stop(): void
}

interface Agent {
  readonly hostId: string
  readonly receiver: OriginReceiver
  connection: PeerConnection | undefined
  requests: PendingRequests
  graceTimer: unknown
}

/** Makes the endpoint. */
export function createAgentEndpoint(options: AgentEndpointOptions): AgentEndpoint {
  return new Agents(options)
}

class Agents implements AgentEndpoint {
  readonly path = '/ws/agent/topology'
  readonly auth = 'cluster'
  readonly statusKey = 'Agents'
  readonly #options: AgentEndpointOptions
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #graceMs: number
  /** By origin. An agent that went stays until its grace is over. */
  readonly #agents = new Map<string, Agent>()
  readonly #agentListeners = new Set<(event: AgentEvent) => void>()
  readonly #snapshotListeners = new Set<(origin: string) => void>()
  readonly #messageListeners = new Set<(hostId: string, message: Message) => void>()
  #stopping = false

  constructor(options: AgentEndpointOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#logger = options.logger ?? SILENT_LOGGER
    this.#graceMs = options.graceMs ?? 15_000
  }

  responseHeaders(handshake: Handshake): Record<string, string> {
    const offered = parseCursor(handshake.cursor ?? '')
    if (offered === undefined) return {}
    const held = this.#agents.get(originOf(handshake))?.receiver.cursor
    const resumes = held?.epoch === offered.epoch
    return { [HEADER.cursor]: resumes ? `resume ${formatCursor(held)}` : 'sync' }
  }

  accept(connection: PeerConnection): ConnectionHandler {
    const { handshake } = connection
    const origin = originOf(handshake)
    const agent = this.#agents.get(origin) ?? this.#create(origin, handshake.hostId)
    agent.connection = connection
    agent.requests = new PendingRequests(this.#clock)
    this.#clock.clearTimeout(agent.graceTimer)
    agent.receiver.interrupt()
    this.#count()
    this.#logger.info({ host: handshake.hostId, origin }, 'agent connected')
    this.#tell({ kind: 'connected', hostId: handshake.hostId })
    const knowsCursors = handshake.cursor !== undefined
    return {
      onMessage: (message) => {
        if (agent.connection !== connection) return
        if (message.namespace === GRAPH_NAMESPACE) agent.receiver.receive(message, knowsCursors)
        else if (!agent.requests.settle(message)) for (const listener of this.#messageListeners) listener(agent.hostId, message)
      },
      onClose: (clean) => {
        if (agent.connection === connection) this.#left(origin, agent, clean)
      },
    }
  }

  hosts(): readonly string[] {
    return [...this.#agents.values()].filter(({ connection }) => connection !== undefined).map(({ hostId }) => hostId)
  }

  onAgent(listener: (event: AgentEvent) => void): Unsubscribe {
    this.#agentListeners.add(listener)
    return () => this.#agentListeners.delete(listener)
  }

  onSnapshot(listener: (origin: string) => void): Unsubscribe {
    this.#snapshotListeners.add(listener)
    return () => this.#snapshotListeners.delete(listener)
  }

  onMessage(listener: (hostId: string, message: Message) => void): Unsubscribe {
    this.#messageListeners.add(listener)
    return () => this.#messageListeners.delete(listener)
  }

  async request(hostId: string, message: MessageInit, options: AgentRequestOptions = {}): Promise<Message> {
    const agent = [...this.#agents.values()].find(
      (candidate) => candidate.hostId === hostId && candidate.connection !== undefined,
    )
    if (agent === undefined) throw new NotFoundError(`no agent of host ${JSON.stringify(hostId)} is connected`, { hostId })
    const { connection } = agent
    return agent.requests.request((outgoing) => connection?.send(outgoing) ?? false, message, {
      peer: `agent.${hostId}`,
      ...options,
    })
  }

  startCapture(hostId: string, command: OnDemandCommand, options?: AgentRequestOptions): Promise<CommandReply> {
    return this.#command(hostId, 'Start', command, options)
  }

  stopCapture(hostId: string, command: OnDemandCommand, options?: AgentRequestOptions): Promise<CommandReply> {
    return this.#command(hostId, 'Stop', command, options)
  }

  async queryFlowTable(hostId: string, query: Uint8Array, options?: AgentRequestOptions): Promise<Uint8Array> {
    const reply = await this.request(hostId, { namespace: FLOW_NAMESPACE, type: 'TableQuery', bytes: query }, options)
    if (reply.bytes !== undefined) return reply.bytes
    throw new SkydiveError(`agent.${hostId} answered a flow query without protobuf`, { code: 'ERR_PROTOCOL', fault: 'peer' })
  }

  stop(): void {
    this.#stopping = true
    for (const agent of this.#agents.values()) this.#clock.clearTimeout(agent.graceTimer)
  }

  async #command(hostId: string, type: string, command: OnDemandCommand, options?: AgentRequestOptions): Promise<CommandReply> {
    const reply = await this.request(hostId, { namespace: CAPTURE_NAMESPACE, type, body: command }, options)
    const { Reason: reason, ...done } = decodeOnDemandReply(reply)
    return { status: reply.status, command: done, ...(reason !== undefined && { reason }) }
  }

  #create(origin: string, hostId: string): Agent {
    const agent: Agent = {
      hostId,
      connection: undefined,
      requests: new PendingRequests(this.#clock),
      graceTimer: undefined,
      receiver: new OriginReceiver({
        replica: this.#options.replica(origin),
        clock: this.#clock,
        logger: this.#logger,
        checkSchema: false,
        onDiverged: () => {
          this.#logger.warn({ origin }, 'the copy of an agent diverged: asking for a snapshot')
          agent.connection?.send(new OutgoingMessage({ namespace: GRAPH_NAMESPACE, type: 'SyncRequest', body: {} }))
        },
        onSnapshot: () => {
          for (const listener of this.#snapshotListeners) listener(origin)
        },
      }),
    }
    this.#agents.set(origin, agent)
    return agent
  }

  /** After a goodbye the graph of the agent goes at once; after a broken line it may come back and resume. */
  #left(origin: string, agent: Agent, clean: boolean): void {
    agent.connection = undefined
    agent.requests.fail(`agent.${agent.hostId}`)
    agent.receiver.interrupt()
    this.#count()
    this.#logger.info({ host: agent.hostId, origin, clean }, 'agent disconnected')
    this.#tell({ kind: 'disconnected', hostId: agent.hostId })
    if (this.#stopping) return
    if (clean) this.#forget(origin, agent)
    else agent.graceTimer = this.#clock.setTimeout(() => this.#forget(origin, agent), this.#graceMs)
  }

  #forget(origin: string, agent: Agent): void {
    this.#agents.delete(origin)
    const nodes = agent.receiver.clear()
    this.#logger.info({ origin, nodes }, 'graph of an agent removed')
  }

  #tell(event: AgentEvent): void {
    for (const listener of this.#agentListeners) listener(event)
  }

  #count(): void {
    this.#options.metrics?.gauge('skydive_agents', 'Agents that are connected').set(this.hosts().length)
  }
}

/** Who writes: `<client type>.<host id>` (spec platform 2.4). */
function originOf(handshake: Handshake): string {
  return `${handshake.clientType}.${handshake.hostId}`
}
