import {
  type CaptureTarget,
  type Clock,
  type GraphEvents,
  type GraphWriter,
  InvalidArgumentError,
  type Logger,
  type MetadataObject,
  type Metrics,
  NotFoundError,
  type Service,
  SILENT_LOGGER,
  UnavailableError,
  type Unsubscribe,
} from '@skydive/contracts'
import { type Capture, captureSchema, type OnDemandCommand } from '@skydive/protocol'
import { encodeTableReply } from '@skydive/protocol/flow'
import { type CaptureThread, openCaptureThread } from './capture-thread.ts'
import type { CaptureFigures, CaptureTableOptions } from './messages.ts'
import { capturesOf, INTERFACE_TYPES, nodeTarget } from './node-target.ts'
import { resolvePeers } from './own-peers.ts'
import { SYSTEM_CLOCK } from './system-clock.ts'

/** How flows are counted and when they are sent: the section `flow` of the configuration, in ms. */
export interface CaptureFlowOptions {
  /** @default 60000 */
  readonly updateMs?: number
  /** @default 600000 */
  readonly expireMs?: number
  /** Flows of one table. @default 500000 */
  readonly maxFlows?: number
  /** @default L2 */
  readonly defaultLayerKeyMode?: 'L2' | 'L3'
  readonly applicationPorts?: CaptureTableOptions['applicationPorts']
  readonly applicationTimeoutsMs?: CaptureTableOptions['applicationTimeoutsMs']
}

/** What the agent's half of captures is made of. */
export interface CaptureAgentOptions {
  /** Writes `Captures` of the nodes; its view finds them. */
  readonly graph: GraphWriter
  /** Tells when a captured node goes. */
  readonly events: GraphEvents
  /** Modules of sources by capture type: `{ afpacket: 'file:///…/afpacket.js' }`. Loaded in the capture thread. */
  readonly sources: Readonly<Record<string, string>>
  /** Takes protobuf `Message`s: flows, and statistics with 0 flows. Must not block. */
  onBatch(payload: Uint8Array, flows: number): void
  /** The other ends of our own connections, by address or name, which are not captured. Asked at every start of a capture. */
  ownPeers?(): CaptureTarget['excludePeers']
  readonly flow?: CaptureFlowOptions
  /** Period in which the counters of `Captures` are refreshed. @default 1000 */
  readonly statsUpdateMs?: number
  /** Script of the capture thread, in a bundle. */
  readonly workerUrl?: URL
  readonly clock?: Clock
  readonly logger?: Logger
  readonly metrics?: Metrics
}

/** The agent's half of captures: does what analyzers command, and answers for live flows. Satisfies the commands of `@skydive/sync`. */
export interface CaptureAgent extends Service {
  /**
   * Starts a capture on a node; the same one twice is once. Resolves when the source is open.
   * @throws ERR_NOT_FOUND (node), ERR_INVALID_ARGUMENT (type, filter, a node that can't be captured), ERR_PERMISSION.
   */
  startCapture(command: OnDemandCommand): Promise<void>
  /** @throws ERR_NOT_FOUND when it does not run on that node. */
  stopCapture(command: OnDemandCommand): Promise<void>
  /** Protobuf `TableQuery` in, `TableReply` out; without captures an empty reply. */
  queryFlowTable(query: Uint8Array): Promise<Uint8Array>
  /** Capture types that this agent has sources for: `FlowProbes` of its status. */
  readonly captureTypes: readonly string[]
}

interface Task {
  readonly taskId: number
  readonly nodeId: string
  readonly capture: Capture
  readonly started: Promise<void>
  figures: CaptureFigures | undefined
}

/** How a capture is to be run on its node. */
interface Plan {
  readonly target: CaptureTarget
  readonly table: CaptureTableOptions
  readonly module: string
}

const DEFAULT_UPDATE_MS = 60_000
const DEFAULT_EXPIRE_MS = 600_000
const DEFAULT_MAX_FLOWS = 500_000
const DEFAULT_STATS_MS = 1000
const DEFAULT_SNAP_LENGTH = 256

/** Makes the agent's half; the thread starts with the first capture. */
export function createCaptureAgent(options: CaptureAgentOptions): CaptureAgent {
  return new Agent(options)
}

class Agent implements CaptureAgent {
  readonly captureTypes: readonly string[]
  readonly #options: CaptureAgentOptions
  readonly #clock: Clock
  readonly #logger: Logger
  /** By `<node>|<capture>`. */
  readonly #tasks = new Map<string, Task>()
  #taskIds = 0
  #thread: CaptureThread | undefined
  #timer: unknown
  #unsubscribe: Unsubscribe | undefined

  constructor(options: CaptureAgentOptions) {
    this.#options = options
    this.#clock = options.clock ?? SYSTEM_CLOCK
    this.#logger = options.logger ?? SILENT_LOGGER
    this.captureTypes = Object.keys(options.sources).sort()
  }

  async start(): Promise<void> {
    this.#unsubscribe ??= this.#options.events.subscribe(({ events }) => {
      for (const event of events) if (event.kind === 'node-deleted') this.#forgetNode(event.node.id)
    })
  }

  async stop(): Promise<void> {
    this.#unsubscribe?.()
    this.#unsubscribe = undefined
    this.#clock.clearTimeout(this.#timer)
    const tasks = [...this.#tasks.values()]
    this.#tasks.clear()
    await this.#thread?.close()
    this.#thread = undefined
    for (const task of tasks) this.#writeCaptures(task, () => undefined)
  }

  async startCapture({ NodeID: nodeId, Resource: resource }: OnDemandCommand): Promise<void> {
    const capture = captureOf(resource)
    const key = `${nodeId}|${capture.UUID}`
    const running = this.#tasks.get(key)
    if (running) return running.started
    const plan = this.#plan(nodeId, capture)

    const taskId = ++this.#taskIds
    const started = this.#open(key, taskId, plan)
    const task: Task = { taskId, nodeId, capture, started, figures: undefined }
    this.#tasks.set(key, task)
    try {
      await started
    } catch (error) {
      if (this.#tasks.get(key) === task) this.#tasks.delete(key)
      this.#logger.warn({ node: nodeId, capture: capture.UUID, reason: (error as Error).message }, 'capture not started')
      throw error
    }
    // The node may have gone meanwhile; its task went with it then.
    if (this.#tasks.get(key) !== task) return
    this.#writeCaptures(task, () => captureState(task, 'active'))
    this.#armFigures()
  }

  async #open(key: string, taskId: number, { target, table, module }: Plan): Promise<void> {
    const excludePeers = await resolvePeers(this.#options.ownPeers?.() ?? [], this.#logger)
    if (this.#tasks.get(key)?.taskId !== taskId) {
      throw new UnavailableError('the capture was stopped before it ran', { retryable: false })
    }
    const { updateMs = DEFAULT_UPDATE_MS, expireMs = DEFAULT_EXPIRE_MS } = this.#options.flow ?? {}
    await this.#openThread().start({ taskId, module, target: { ...target, excludePeers }, table, updateMs, expireMs })
  }

  async stopCapture({ NodeID: nodeId, Resource: resource }: OnDemandCommand): Promise<void> {
    const key = `${nodeId}|${resource.UUID}`
    const task = this.#tasks.get(key)
    if (!task) {
      throw new NotFoundError(`capture ${resource.UUID} does not run on node ${nodeId}`, { capture: resource.UUID, node: nodeId })
    }
    this.#tasks.delete(key)
    await this.#thread?.stop(task.taskId)
    this.#writeCaptures(task, () => undefined)
  }

  async queryFlowTable(query: Uint8Array): Promise<Uint8Array> {
    return this.#thread ? this.#thread.query(query) : encodeTableReply({ Status: 200, FlowSetBytes: [] })
  }

  #plan(nodeId: string, capture: Capture): Plan {
    const { view } = this.#options.graph
    const ordinal = view.nodeOrdinal(nodeId)
    if (ordinal < 0) throw new NotFoundError(`capture ${capture.UUID}: there is no node ${nodeId} here`, { node: nodeId })
    const node = view.node(ordinal)
    const where = nodeTarget(view, node)
    const type = capture.Type || (INTERFACE_TYPES.has(String(node.metadata['Type'])) ? 'afpacket' : '')
    const module = this.#options.sources[type]
    if (module === undefined) {
      throw new InvalidArgumentError(
        `capture ${capture.UUID}: type "${type}" is not available on this agent; it has ${this.captureTypes.join(', ') || 'none'}`,
        { type },
      )
    }
    const { flow = {} } = this.#options
    return {
      module,
      target: {
        interfaceName: where.interfaceName,
        ifindex: where.ifindex,
        ...(where.netns !== undefined && { netns: where.netns }),
        bpfFilter: capture.BPFFilter,
        snapLength: capture.HeaderSize || DEFAULT_SNAP_LENGTH,
        excludePeers: [],
      },
      table: {
        nodeTid: where.nodeTid,
        captureId: capture.UUID,
        layerKeyMode: (capture.LayerKeyMode || flow.defaultLayerKeyMode || 'L2') === 'L3' ? 'L3' : 'L2',
        rawPacketLimit: capture.RawPacketLimit,
        extraTcpMetric: capture.ExtraTCPMetric,
        maxFlows: flow.maxFlows ?? DEFAULT_MAX_FLOWS,
        ...(flow.applicationPorts && { applicationPorts: flow.applicationPorts }),
        ...(flow.applicationTimeoutsMs && { applicationTimeoutsMs: flow.applicationTimeoutsMs }),
      },
    }
  }

  #openThread(): CaptureThread {
    const { metrics } = this.#options
    const sent = metrics?.counter('skydive_capture_flows_total', 'Flows that captures handed over')
    this.#thread ??= openCaptureThread(
      {
        onBatch: (payload, flows) => {
          sent?.add(flows)
          this.#options.onBatch(payload, flows)
        },
        onFailed: (taskId, error) => this.#fail(taskId, error),
        onFigures: (figures) => this.#writeFigures(figures),
        onCrash: (error) => {
          this.#thread = undefined
          for (const task of [...this.#tasks.values()]) this.#fail(task.taskId, error)
        },
      },
      this.#options.workerUrl,
      this.#logger,
    )
    return this.#thread
  }

  #forgetNode(nodeId: string): void {
    for (const [key, task] of this.#tasks) {
      if (task.nodeId !== nodeId) continue
      this.#tasks.delete(key)
      void this.#thread?.stop(task.taskId)
    }
  }

  /** The capture is over and stays visible as failed until it is stopped. */
  #fail(taskId: number, error: Error): void {
    for (const [key, task] of this.#tasks) {
      if (task.taskId !== taskId) continue
      this.#tasks.delete(key)
      this.#logger.warn({ node: task.nodeId, capture: task.capture.UUID, reason: error.message }, 'capture failed')
      this.#writeCaptures(task, () => ({ ...captureState(task, 'error'), Error: error.message }))
    }
  }

  #armFigures(): void {
    if (this.#timer !== undefined) return
    const ask = () => {
      this.#timer = undefined
      if (this.#tasks.size === 0) return
      this.#thread?.askFigures()
      this.#armFigures()
    }
    this.#timer = this.#clock.setTimeout(ask, this.#options.statsUpdateMs ?? DEFAULT_STATS_MS)
  }

  #writeFigures(figures: readonly CaptureFigures[]): void {
    const packets = this.#options.metrics?.gauge('skydive_capture_packets', 'Packets that running captures received')
    const dropped = this.#options.metrics?.gauge(
      'skydive_capture_dropped_packets',
      'Packets that the kernel dropped for want of room',
    )
    const byTask = new Map(figures.map((one) => [one.taskId, one]))
    for (const task of this.#tasks.values()) {
      const now = byTask.get(task.taskId)
      if (!now) continue
      const labels = { capture: task.capture.UUID, node: task.nodeId }
      packets?.set(now.source.packetsReceived, labels)
      dropped?.set(now.source.packetsDropped, labels)
      task.figures = now
      this.#writeCaptures(task, (element) => element && { ...element, ...counters(task) })
    }
  }

  /** Changes this capture's element of the node's list: `change` gets it as it is, and `undefined` from it takes it away. */
  #writeCaptures(task: Task, change: (element: MetadataObject | undefined) => MetadataObject | undefined): void {
    const { graph } = this.#options
    const ordinal = graph.view.nodeOrdinal(task.nodeId)
    if (ordinal < 0) return
    const captures = capturesOf(graph.view.node(ordinal))
    const at = captures.findIndex(({ ID: id }) => id === task.capture.UUID)
    const changed = change(captures[at])
    const rest = captures.filter((_, index) => index !== at)
    const next = changed === undefined ? rest : at < 0 ? [...captures, changed] : captures.with(at, changed)
    graph.transaction((tx) => tx.patchNode(task.nodeId, { Captures: next.length === 0 ? undefined : next }))
  }
}

function captureOf(resource: OnDemandCommand['Resource']): Capture {
  const parsed = captureSchema.safeParse(resource)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new InvalidArgumentError(`capture ${resource.UUID}: ${issue?.path.join('.')}: ${issue?.message}`, {
    capture: resource.UUID,
  })
}

function counters({ figures }: Task): MetadataObject {
  const { packetsReceived = 0, packetsDropped = 0, packetsIfDropped = 0 } = figures?.source ?? {}
  return { PacketsReceived: packetsReceived, PacketsDropped: packetsDropped, PacketsIfDropped: packetsIfDropped }
}

/** An element of `Captures` (spec flows 3.3); empty members are left out. */
function captureState(task: Task, state: 'active' | 'error'): MetadataObject {
  const { UUID, Name, Description, BPFFilter, Type } = task.capture
  return {
    ...counters(task),
    ID: UUID,
    State: state,
    ...(Name !== '' && { Name }),
    ...(Description !== '' && { Description }),
    ...(BPFFilter !== '' && { BPFFilter }),
    ...(Type !== '' && { Type }),
  }
}
