import {
  type Clock,
  type GraphEvent,
  type GraphEvents,
  type GraphNode,
  type KeyValueStore,
  type Logger,
  type Metrics,
  type Service,
  SILENT_LOGGER,
  SkydiveError,
} from '@skydive/contracts'
import { type Capture, captureSchema, type OnDemandCommand, toWireCapture } from '@skydive/protocol'
import { captureTypesOf } from '../agent/capture-types.ts'
import { capturesOf } from '../agent/node-target.ts'
import { SYSTEM_CLOCK } from '../agent/system-clock.ts'

/** How commands reach the agents; `AgentEndpoint` of `@skydive/sync` is one. Status 200 is done. */
export interface CaptureTransport {
  startCapture(hostId: string, command: OnDemandCommand): Promise<CaptureReply>
  stopCapture(hostId: string, command: OnDemandCommand): Promise<CaptureReply>
}

interface CaptureReply {
  readonly status: number
  /** Of one that failed, where the agent says it. */
  readonly reason?: string
}

/** A node on which a capture could not be started. It is tried again, later and later, at most a minute apart. */
export interface CaptureRefusal {
  readonly nodeId: string
  readonly host: string
  /** In the words of the agent, or why it was not reached. */
  readonly reason: string
}

/** The analyzer's half of captures. */
export interface CaptureCoordinator extends Service {
  /** The nodes on which a capture could not be started when that was last tried. */
  refusals(captureId: string): readonly CaptureRefusal[]
}

/** What the analyzer's half of captures is made of. */
export interface CaptureCoordinatorOptions {
  /** Where captures are kept, under `/capture/<uuid>`. */
  readonly captures: KeyValueStore
  /** Evaluates Gremlin on the live graph; nodes only, those of lists and paths too. */
  matchNodes(gremlin: string): Promise<readonly GraphNode[]>
  readonly events: GraphEvents
  readonly transport: CaptureTransport
  /** Called when an agent connects, so that it gets its captures; answers how to stop listening. */
  onAgentConnected?(listener: (hostId: string) => void): () => void
  /** Told when a capture started on a node: subscribers want to know. */
  onNodeUpdated?(capture: Capture): void
  /** How long changes of the graph are gathered before the captures are matched again. @default 100 */
  readonly gatherMs?: number
  readonly clock?: Clock
  readonly logger?: Logger
  readonly metrics?: Metrics
}

const PREFIX = '/capture/'
const DEFAULT_GATHER_MS = 100
/** A node on which a capture could not be started, or broke, is tried again after this, doubling up to the maximum. */
const FIRST_RETRY_MS = 1000
const MAX_RETRY_MS = 60_000
/** What is kept of an agent's words. */
const MAX_REASON_LETTERS = 1000
/** Deleted captures that are remembered, to stop them on agents that come back. */
const MAX_REMEMBERED = 10_000
/** Counters and what captures themselves write: no expression of a capture should hang on them, and they change all the time. */
const COUNTERS = /^(Metric|LastUpdateMetric|Captures|Statistics|SFlow|NetFlow)(\.|$)/

interface Task {
  readonly hostId: string
  state: 'starting' | 'started' | 'failed'
  /** In a row: one that ran for a while was none. */
  failures: number
  startedAtMs: number
  retryAtMs: number
  /** Why it could not be started when that was last tried; empty when it could. */
  reason: string
}

/** Makes the analyzer's half: it starts what is created on every node that matches, now and later, and stops what is deleted. */
export function createCaptureCoordinator(options: CaptureCoordinatorOptions): CaptureCoordinator {
  return new Coordinator(options)
}

class Coordinator implements CaptureCoordinator {
  readonly #options: CaptureCoordinatorOptions
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #captures = new Map<string, Capture>()
  /** By capture, then by node. */
  readonly #tasks = new Map<string, Map<string, Task>>()
  readonly #deleted = new Set<string>()
  readonly #stops: (() => void)[] = []
  #timer: unknown
  #dueAtMs = Number.POSITIVE_INFINITY
  #matching: Promise<void> | undefined
  #isRunning = false

  constructor(options: CaptureCoordinatorOptions) {
    this.#options = options
    this.#clock = options.clock ?? SYSTEM_CLOCK
    this.#logger = options.logger ?? SILENT_LOGGER
  }

  async start(): Promise<void> {
    if (this.#isRunning) return
    this.#isRunning = true
    const { captures, events, onAgentConnected } = this.#options
    this.#stops.push(
      captures.watch(PREFIX, ({ type, entry }) => {
        if (type === 'set') this.#learn(entry.value)
        else void this.#forget(entry.key.slice(PREFIX.length))
      }),
      events.subscribe(({ events: changes }) => {
        for (const event of changes) {
          if (event.kind === 'node-deleted') this.#forgetNode(event.node.id)
          else if (event.kind === 'node-updated') this.#lookForBroken(event.node)
        }
        if (changes.some(matters)) this.#matchSoon(this.#options.gatherMs ?? DEFAULT_GATHER_MS)
      }),
    )
    if (onAgentConnected) this.#stops.push(onAgentConnected.call(this.#options, (hostId) => this.#retryHost(hostId)))
    for (const { value } of await captures.list(PREFIX)) this.#learn(value)
  }

  async stop(): Promise<void> {
    this.#isRunning = false
    for (const stop of this.#stops.splice(0)) stop()
    this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
    await this.#matching
  }

  refusals(captureId: string): readonly CaptureRefusal[] {
    return [...(this.#tasks.get(captureId) ?? [])].flatMap(([nodeId, { hostId, reason }]) =>
      reason === '' ? [] : [{ nodeId, host: hostId, reason }],
    )
  }

  #learn(value: string): void {
    const parsed = captureSchema.safeParse(JSON.parse(value))
    if (!parsed.success) return
    this.#captures.set(parsed.data.UUID, parsed.data)
    this.#deleted.delete(parsed.data.UUID)
    this.#matchSoon(0)
  }

  /** Stops a deleted capture wherever it runs: where we started it, and where the graph shows it. */
  async #forget(id: string): Promise<void> {
    const capture = this.#captures.get(id)
    this.#captures.delete(id)
    this.#deleted.add(id)
    if (this.#deleted.size > MAX_REMEMBERED) this.#deleted.delete(this.#deleted.values().next().value!)
    const nodes = new Map([...(this.#tasks.get(id) ?? [])].map(([nodeId, { hostId }]) => [nodeId, hostId]))
    this.#tasks.delete(id)
    for (const node of await this.#match(`G.V().Has('Captures.ID', ${JSON.stringify(id)})`)) nodes.set(node.id, node.host)
    await Promise.all([...nodes].map(([nodeId, hostId]) => this.#command('stopCapture', [hostId, nodeId], id, capture)))
  }

  /** What its agent shows as broken, such as by a thread that ended, is started again. */
  #lookForBroken(node: GraphNode): void {
    for (const { ID: id, State: state } of capturesOf(node)) {
      if (state !== 'error' || typeof id !== 'string') continue
      const task = this.#tasks.get(id)?.get(node.id)
      if (task?.state !== 'started') continue
      if (this.#clock.now() - task.startedAtMs > MAX_RETRY_MS) task.failures = 0
      this.#retryLater(task)
    }
  }

  #forgetNode(nodeId: string): void {
    for (const tasks of this.#tasks.values()) tasks.delete(nodeId)
  }

  /** An agent that comes has forgotten nothing, or everything: what its graph shows decides. */
  #retryHost(hostId: string): void {
    for (const tasks of this.#tasks.values()) {
      for (const [nodeId, task] of tasks) if (task.hostId === hostId) tasks.delete(nodeId)
    }
    this.#matchSoon(this.#options.gatherMs ?? DEFAULT_GATHER_MS)
  }

  #matchSoon(delayMs: number): void {
    if (!this.#isRunning) return
    const dueAtMs = this.#clock.now() + delayMs
    if (this.#timer !== undefined && this.#dueAtMs <= dueAtMs) return
    this.#clock.clearTimeout(this.#timer)
    this.#dueAtMs = dueAtMs
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined
      // One evaluation at a time: what changed meanwhile is seen by the next.
      this.#matching = (this.#matching ?? Promise.resolve()).then(() => this.#matchAll())
    }, delayMs)
  }

  async #matchAll(): Promise<void> {
    for (const capture of [...this.#captures.values()]) {
      const nodes = await this.#match(capture.GremlinQuery)
      if (!this.#isRunning || this.#captures.get(capture.UUID) !== capture) continue
      for (const node of nodes) this.#consider(capture, node)
    }
    if (this.#deleted.size > 0) await this.#stopDeleted()
  }

  /** Agents that were away when a capture was deleted still run it. */
  async #stopDeleted(): Promise<void> {
    for (const node of await this.#match("G.V().HasKey('Captures')")) {
      for (const { ID: id } of capturesOf(node)) {
        if (typeof id === 'string' && this.#deleted.has(id)) void this.#command('stopCapture', [node.host, node.id], id)
      }
    }
  }

  #consider(capture: Capture, node: GraphNode): void {
    if (node.host === '' || captureTypesOf(node.metadata['Type']).length === 0) return
    const tasks = this.#tasks.get(capture.UUID) ?? new Map<string, Task>()
    this.#tasks.set(capture.UUID, tasks)
    const task = tasks.get(node.id)
    if (capturesOf(node).some(({ ID: id, State: state }) => id === capture.UUID && state === 'active')) {
      // Its agent was only late to say so.
      if (task) task.reason = ''
      return
    }
    if (task && task.state !== 'failed') return
    const waitMs = (task?.retryAtMs ?? 0) - this.#clock.now()
    if (waitMs > 0) this.#matchSoon(waitMs)
    else void this.#startOn(capture, node, tasks, task)
  }

  async #startOn(capture: Capture, node: GraphNode, tasks: Map<string, Task>, before: Task | undefined): Promise<void> {
    const { failures = 0, reason = '' } = before ?? {}
    const task: Task = { hostId: node.host, state: 'starting', failures, startedAtMs: 0, retryAtMs: 0, reason }
    tasks.set(node.id, task)
    task.reason = await this.#command('startCapture', [node.host, node.id], capture.UUID, capture, reason)
    if (task.reason === '') {
      task.state = 'started'
      task.startedAtMs = this.#clock.now()
      this.#options.onNodeUpdated?.(capture)
      return
    }
    this.#retryLater(task)
  }

  #retryLater(task: Task): void {
    task.state = 'failed'
    task.failures++
    const delayMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (task.failures - 1))
    task.retryAtMs = this.#clock.now() + delayMs
    this.#matchSoon(delayMs)
  }

  /** Answers why it failed; nothing when it did not. A failure that is known already is not logged again. */
  async #command(
    name: 'startCapture' | 'stopCapture',
    [hostId, nodeId]: readonly [string, string],
    id: string,
    capture?: Capture,
    knownFailure?: string,
  ): Promise<string> {
    const resource = { ...(capture && toWireCapture(capture)), UUID: id }
    let failure: string
    let text = `agent refused ${name}`
    try {
      const { status, reason = '' } = await this.#options.transport[name](hostId, { NodeID: nodeId, Resource: resource })
      if (status === 200) return ''
      failure = reason.slice(0, MAX_REASON_LETTERS) || `the agent answered ${status}; its log says more`
    } catch (error) {
      failure = (error as Error).message || 'no answer'
      text = `${name} did not reach the agent`
    }
    if (failure !== knownFailure) this.#logger.warn({ capture: id, node: nodeId, host: hostId, reason: failure }, text)
    this.#options.metrics
      ?.counter('skydive_capture_commands_failed_total', 'Capture commands that failed')
      .add(1, { command: name })
    return failure
  }

  async #match(gremlin: string): Promise<readonly GraphNode[]> {
    try {
      return await this.#options.matchNodes(gremlin)
    } catch (error) {
      const code = SkydiveError.isInstance(error) ? error.code : undefined
      this.#logger.warn({ gremlin, code, reason: (error as Error).message }, 'capture can not be matched')
      return []
    }
  }
}

/** Whether a change may make a node match that did not before. */
function matters(event: GraphEvent): boolean {
  switch (event.kind) {
    case 'node-added':
    case 'edge-added':
    case 'edge-updated':
    case 'edge-deleted':
      return true
    case 'node-updated':
      return event.ops.some((op) => op.op === 'replace' || !COUNTERS.test(op.key))
    case 'node-deleted':
      return false
  }
}
