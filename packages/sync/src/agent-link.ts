import {
  type Clock,
  type GraphEvents,
  type GraphSource,
  type Logger,
  type Metrics,
  type Service,
  SILENT_LOGGER,
  SkydiveError,
  type TlsClientSettings,
} from '@skydive/contracts'
import {
  CAPTURE_NAMESPACE,
  type ConnectionStatus,
  cookieHeader,
  decodeOnDemandCommand,
  FLOW_NAMESPACE,
  formatCursor,
  GRAPH_NAMESPACE,
  HEADER,
  type Message,
  type MessageInit,
  type OnDemandCommand,
  OutgoingMessage,
  parseCursor,
} from '@skydive/protocol'
import { FailedAttempts } from './failed-attempts.ts'
import { GraphForwarder } from './graph-forwarder.ts'
import { LinkSocket, linkUrl } from './link-socket.ts'
import { systemClock } from './system-clock.ts'

/** What analyzers may ask of an agent. Rejections become replies: `ERR_NOT_FOUND` 404, faults of the caller 400, others 500. */
export interface AgentCommands {
  startCapture(command: OnDemandCommand): Promise<void>
  stopCapture(command: OnDemandCommand): Promise<void>
  /** Protobuf `TableQuery` in, `TableReply` out. */
  queryFlowTable(query: Uint8Array): Promise<Uint8Array>
}

/** What an agent's link to its analyzers is made of. */
export interface AgentLinkOptions {
  readonly hostId: string
  /** All analyzers; the agent connects to each and sends its graph to one. */
  readonly analyzers: readonly { readonly host: string; readonly port: number }[]
  readonly graph: GraphEvents & GraphSource
  readonly commands: AgentCommands
  /** `agent.auth.cluster`. */
  readonly credentials?: { readonly username: string; readonly password: string }
  /** `http.cookie`: for a proxy before the analyzers. */
  readonly cookies?: Readonly<Record<string, string>>
  /** Absent: the lines are plain. */
  readonly tls?: TlsClientSettings
  readonly clock?: Clock
  readonly logger?: Logger
  readonly metrics?: Metrics
}

/** How the link to one analyzer fares, with the wire's names. */
export type AnalyzerStatus = ConnectionStatus & { readonly IsMaster: boolean }

/** An agent's side of `/ws/agent/topology`. */
export interface AgentLink extends Service {
  /** By host id of the analyzer; for `Analyzers` of `/api/status`. */
  status(): Record<string, AnalyzerStatus>
  /** Called when another analyzer, or none, becomes the one that gets the graph. */
  onMaster(listener: (analyzer: { readonly host: string; readonly port: number } | undefined) => void): () => void
}

/** Makes the link; {@link AgentLink.start} resolves at once and connects in the background, because an absent analyzer is normal. */
export function createAgentLink(options: AgentLinkOptions): AgentLink {
  return new Link(options)
}

interface Analyzer {
  readonly address: { readonly host: string; readonly port: number }
  readonly socket: LinkSocket
  hostId: string
  service: string
  connectedAtMs: number
  /** What the analyzer answered to our cursor; `undefined` from an original. */
  resume: string | undefined
}

class Link implements AgentLink {
  readonly #options: AgentLinkOptions
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #forwarder: GraphForwarder
  readonly #analyzers: readonly Analyzer[]
  readonly #masterListeners = new Set<(analyzer: Analyzer['address'] | undefined) => void>()
  /** Commands that failed: a capture that is refused is commanded again and again. */
  readonly #failed = new FailedAttempts()
  #master: Analyzer | undefined

  constructor(options: AgentLinkOptions) {
    this.#options = options
    this.#logger = options.logger ?? SILENT_LOGGER
    this.#clock = options.clock ?? systemClock
    this.#forwarder = new GraphForwarder({
      graph: options.graph,
      logger: this.#logger,
      ...(options.metrics && { metrics: options.metrics }),
    })
    this.#analyzers = options.analyzers.map((address) => this.#createAnalyzer(address))
  }

  async start(): Promise<void> {
    for (const { socket } of this.#analyzers) socket.start()
  }

  async stop(): Promise<void> {
    this.#forwarder.end()
    this.#master = undefined
    await Promise.all(this.#analyzers.map(({ socket }) => socket.stop()))
  }

  status(): Record<string, AnalyzerStatus> {
    const connected = this.#analyzers.filter(({ socket }) => socket.isOpen)
    return Object.fromEntries(
      connected.map((analyzer) => [
        analyzer.hostId,
        {
          ServiceType: 'agent',
          ClientProtocol: 'protobuf',
          Addr: analyzer.socket.remote.address,
          Port: analyzer.socket.remote.port,
          IsConnected: true,
          ConnectTime: new Date(analyzer.connectedAtMs).toISOString(),
          RemoteHost: analyzer.hostId,
          RemoteServiceType: analyzer.service,
          IsMaster: analyzer === this.#master,
        },
      ]),
    )
  }

  onMaster(listener: (analyzer: Analyzer['address'] | undefined) => void): () => void {
    this.#masterListeners.add(listener)
    return () => this.#masterListeners.delete(listener)
  }

  #createAnalyzer(address: Analyzer['address']): Analyzer {
    const { hostId, graph, tls } = this.#options
    const analyzer: Analyzer = {
      address,
      hostId: '',
      service: '',
      connectedAtMs: 0,
      resume: undefined,
      socket: new LinkSocket({
        url: linkUrl(address, '/ws/agent/topology', tls),
        ...(tls && { tls }),
        framing: 'protobuf',
        clock: this.#clock,
        logger: this.#logger,
        headers: () => ({
          [HEADER.hostId]: hostId,
          [HEADER.clientType]: 'agent',
          [HEADER.protocol]: 'protobuf',
          [HEADER.persistencePolicy]: 'DeleteOnDisconnect',
          [HEADER.cursor]: formatCursor(graph.cursor),
          ...authorization(this.#options.credentials),
          ...cookieHeader(this.#options.cookies),
        }),
        onOpen: (headers) => {
          analyzer.hostId = String(headers[HEADER.hostId.toLowerCase()])
          analyzer.service = String(headers[HEADER.serviceType.toLowerCase()])
          analyzer.connectedAtMs = this.#clock.now()
          const answer = headers[HEADER.cursor.toLowerCase()]
          analyzer.resume = typeof answer === 'string' ? answer : undefined
          this.#logger.info({ analyzer: analyzer.hostId, resume: analyzer.resume ?? 'unknown' }, 'analyzer connected')
          if (this.#master === undefined) this.#promote(analyzer)
        },
        onMessage: (message) => void this.#onMessage(analyzer, message),
        onClose: () => {
          if (this.#master === analyzer) this.#promote(this.#analyzers.find(({ socket }) => socket.isOpen))
        },
      }),
    }
    return analyzer
  }

  /** Sends the graph to `analyzer` from now on: from where it says it is, or from a snapshot. */
  #promote(analyzer: Analyzer | undefined): void {
    this.#master = analyzer
    for (const listener of this.#masterListeners) listener(analyzer?.address)
    if (analyzer === undefined) {
      this.#forwarder.end()
      return
    }
    const { resume } = analyzer
    const cursor = resume?.startsWith('resume ') ? parseCursor(resume.slice('resume '.length)) : undefined
    // What was offered at the handshake is stale once the line has been used: a later promotion starts from a snapshot.
    analyzer.resume = resume === undefined ? undefined : 'sync'
    this.#forwarder.begin(analyzer.socket, cursor, resume !== undefined)
  }

  async #onMessage(analyzer: Analyzer, message: Message): Promise<void> {
    if (message.namespace === GRAPH_NAMESPACE) {
      if (message.type === 'SyncRequest' && analyzer === this.#master) this.#forwarder.resend()
      return
    }
    const answer = await this.#answer(message)
    if (answer) analyzer.socket.send(new OutgoingMessage({ namespace: message.namespace, uuid: message.uuid, ...answer }))
  }

  async #answer(message: Message): Promise<Omit<MessageInit, 'namespace' | 'uuid'> | undefined> {
    const { commands } = this.#options
    if (message.namespace === FLOW_NAMESPACE && message.type === 'TableQuery' && message.bytes) {
      try {
        return { type: 'TableResult', bytes: await commands.queryFlowTable(message.bytes) }
      } catch (error) {
        this.#logger.warn({ reason: (error as Error).message }, 'flow query failed')
        return { type: 'TableResult', status: statusOf(error), body: (error as Error).message }
      }
    }
    if (message.namespace !== CAPTURE_NAMESPACE) return undefined
    let command: OnDemandCommand
    try {
      command = decodeOnDemandCommand(message)
    } catch (error) {
      // As with the original, what cannot be read gets no reply.
      this.#logger.warn({ reason: (error as Error).message }, 'command ignored')
      return undefined
    }
    const run = message.type === 'Start' ? commands.startCapture : message.type === 'Stop' ? commands.stopCapture : undefined
    if (run === undefined) return { type: `${message.type}Reply`, status: 400, body: command }
    try {
      await run.call(commands, command)
      return { type: `${message.type}Reply`, body: command }
    } catch (error) {
      const reason = (error as Error).message
      const attempts = this.#failed.note(reason, this.#clock.now())
      if (attempts !== undefined) {
        this.#logger.warn({ command: message.type, node: command.NodeID, reason, attempts }, 'command failed')
      }
      return { type: `${message.type}Reply`, status: statusOf(error), body: { ...command, Reason: reason } }
    }
  }
}

function statusOf(error: unknown): number {
  if (SkydiveError.isInstance(error, 'ERR_NOT_FOUND')) return 404
  return SkydiveError.isInstance(error) && error.fault === 'caller' ? 400 : 500
}

/** The header of daemons towards each other. */
export function authorization(credentials: AgentLinkOptions['credentials']): Record<string, string> {
  if (credentials === undefined) return {}
  const token = Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')
  return { Authorization: `Basic ${token}` }
}
