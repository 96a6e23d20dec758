import {
  type CaptureTarget,
  type Clock,
  type GraphEvents,
  type GraphNode,
  type GraphWriter,
  InvalidArgumentError,
  type Logger,
  type Metrics,
  NotFoundError,
  type Service,
  SILENT_LOGGER,
  UnavailableError,
  type Unsubscribe,
} from '@skydive/contracts'
import { type Capture, captureSchema, type OnDemandCommand } from '@skydive/protocol'
import { encodeTableReply } from '@skydive/protocol/flow'
import { CaptureGauges } from './capture-metrics.ts'
import { type CapturePlan, planCapture } from './capture-plan.ts'
import { CapturePool } from './capture-pool.ts'
import { openCaptureThread } from './capture-thread.ts'
import type { CaptureFigures, CaptureTableOptions } from './messages.ts'
import { captureState, type ElementChange, type ShownCapture, withCounters, writeCaptures } from './node-captures.ts'
import { capturesOf } from './node-target.ts'
import { resolvePeers } from './own-peers.ts'
import { SYSTEM_CLOCK } from './system-clock.ts'
import { resolveTarget } from './target/target-address.ts'

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

/** A source and what it is opened with. */
export interface CaptureSourceChoice {
  /** Module that exports `captureSource`; a `file:` URL or a package name. Loaded in the capture thread. */
  readonly module: string
  /** Handed to `open`: plain data. */
  readonly options?: unknown
  /** In their place on a bridge of a switch, which has no address of its own to listen at. Absent: `options`. */
  readonly switchOptions?: unknown
}

/** What the agent's half of captures is made of. */
export interface CaptureAgentOptions {
  /** Writes `Captures` of the nodes; its view finds them. */
  readonly graph: GraphWriter
  /** Tells when a captured node goes. */
  readonly events: GraphEvents
  /** Sources by capture type: `{ afpacket: { module: 'file:///…/afpacket.js' } }`. */
  readonly sources: Readonly<Record<string, CaptureSourceChoice>>
  /** Takes protobuf `Message`s: flows, and statistics with 0 flows. Must not block. */
  onBatch(payload: Uint8Array, flows: number): void
  /** The other ends of our own connections, by address or name, which are not captured. Asked at every start of a capture. */
  ownPeers?(): CaptureTarget['excludePeers']
  readonly flow?: CaptureFlowOptions
  /**
   * Threads that the packets of a capture are spread over, by flow: for interfaces that are too much for one. From 1 to 8; each has a ring and a
   * table with its share of `maxFlows`. Only where the source can do it (`afpacket`), and not for captures with a target. @default 1
   */
  readonly fanoutWorkers?: number
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
   * @throws ERR_NOT_FOUND (node), ERR_INVALID_ARGUMENT (type, filter, target, a node that can't be captured), ERR_PERMISSION,
   * ERR_UNAVAILABLE (the target's name).
   */
  startCapture(command: OnDemandCommand): Promise<void>
  /** @throws ERR_NOT_FOUND when it does not run on that node. */
  stopCapture(command: OnDemandCommand): Promise<void>
  /** Protobuf `TableQuery` in, `TableReply` out; without captures an empty reply. */
  queryFlowTable(query: Uint8Array): Promise<Uint8Array>
  /** Capture types that this agent has sources for: `FlowProbes` of its status. */
  readonly captureTypes: readonly string[]
}

interface Task extends ShownCapture {
  readonly taskId: number
  /** Of the node as it was when the capture was planned: its flows carry it. */
  readonly nodeTid: string
  readonly started: Promise<CaptureFigures>
}

const DEFAULT_UPDATE_MS = 60_000
const DEFAULT_EXPIRE_MS = 600_000
const DEFAULT_STATS_MS = 1000
const MAX_WORKERS = 8

/**
 * Makes the agent's half; the thread starts with the first capture.
 * @throws ERR_INVALID_ARGUMENT for `fanoutWorkers` out of range.
 */
export function createCaptureAgent(options: CaptureAgentOptions): CaptureAgent {
  const { fanoutWorkers = 1 } = options
  if (!Number.isInteger(fanoutWorkers) || fanoutWorkers < 1 || fanoutWorkers > MAX_WORKERS) {
    throw new InvalidArgumentError(`fanoutWorkers: ${fanoutWorkers} is out of range; give 1 to ${MAX_WORKERS}`, { fanoutWorkers })
  }
  return new Agent(options)
}

class Agent implements CaptureAgent {
  readonly captureTypes: readonly string[]
  readonly #options: CaptureAgentOptions
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #gauges: CaptureGauges | undefined
  /** By `<node>|<capture>`. */
  readonly #tasks = new Map<string, Task>()
  #taskIds = 0
  #pool: CapturePool | undefined
  #timer: unknown
  #unsubscribe: Unsubscribe | undefined

  constructor(options: CaptureAgentOptions) {
    this.#options = options
    this.#clock = options.clock ?? SYSTEM_CLOCK
    this.#logger = options.logger ?? SILENT_LOGGER
    this.#gauges = options.metrics && new CaptureGauges(options.metrics)
    this.captureTypes = Object.keys(options.sources).sort()
  }

  async start(): Promise<void> {
    this.#unsubscribe ??= this.#options.events.subscribe(({ events }) => {
      for (const event of events) {
        if (event.kind === 'node-deleted') this.#forgetNode(event.node.id)
        else if (event.kind === 'node-updated') this.#lookForMoved(event.node)
      }
    })
  }

  async stop(): Promise<void> {
    this.#unsubscribe?.()
    this.#unsubscribe = undefined
    this.#clock.clearTimeout(this.#timer)
    const tasks = [...this.#tasks.values()]
    this.#tasks.clear()
    await this.#pool?.close()
    this.#pool = undefined
    for (const task of tasks) {
      this.#gauges?.remove(task.nodeId, task.capture.UUID)
      this.#writeCaptures(task, () => undefined)
    }
  }

  async startCapture({ NodeID: nodeId, Resource: resource }: OnDemandCommand): Promise<void> {
    const capture = captureOf(resource)
    const key = `${nodeId}|${capture.UUID}`
    const running = this.#tasks.get(key)
    if (running) {
      await running.started
      return
    }
    const plan = planCapture(nodeId, capture, this.#options)

    const taskId = ++this.#taskIds
    const started = this.#open(key, taskId, plan)
    const { nodeTid } = plan.table
    const task: Task = { taskId, nodeTid, nodeId, capture, started, figures: undefined, nodeKeys: new Set() }
    this.#tasks.set(key, task)
    try {
      task.figures = await started
    } catch (error) {
      if (this.#tasks.get(key) === task) this.#tasks.delete(key)
      throw error
    }
    // The node may have gone meanwhile; its task went with it then.
    if (this.#tasks.get(key) !== task) return
    this.#writeCaptures(task, () => captureState(task, 'active'))
    this.#armFigures()
  }

  async #open(key: string, taskId: number, { target, table, source, destination }: CapturePlan): Promise<CaptureFigures> {
    const [peers, to] = await Promise.all([
      resolvePeers([...(this.#options.ownPeers?.() ?? []), ...target.excludePeers], this.#logger),
      destination && resolveTarget(destination),
    ])
    const excludePeers = [...peers, ...(to?.excludePeers ?? [])]
    if (this.#tasks.get(key)?.taskId !== taskId) {
      throw new UnavailableError('the capture was stopped before it ran', { retryable: false })
    }
    const { updateMs = DEFAULT_UPDATE_MS, expireMs = DEFAULT_EXPIRE_MS } = this.#options.flow ?? {}
    const { module, options: moduleOptions } = source
    return this.#openPool().start({
      taskId,
      module,
      ...(moduleOptions !== undefined && { moduleOptions }),
      target: { ...target, excludePeers },
      table,
      ...(to && { sendTo: to.sendTo }),
      updateMs,
      expireMs,
    })
  }

  async stopCapture({ NodeID: nodeId, Resource: resource }: OnDemandCommand): Promise<void> {
    const key = `${nodeId}|${resource.UUID}`
    const task = this.#tasks.get(key)
    if (!task) {
      throw new NotFoundError(`capture ${resource.UUID} does not run on node ${nodeId}`, { capture: resource.UUID, node: nodeId })
    }
    this.#tasks.delete(key)
    await this.#pool?.stop(task.taskId)
    this.#gauges?.remove(nodeId, task.capture.UUID)
    this.#writeCaptures(task, () => undefined)
  }

  async queryFlowTable(query: Uint8Array): Promise<Uint8Array> {
    return this.#pool ? this.#pool.query(query) : encodeTableReply({ Status: 200, FlowSetBytes: [] })
  }

  #openPool(): CapturePool {
    const { metrics, workerUrl } = this.#options
    const sent = metrics?.counter('skydive_capture_flows_total', 'Flows that captures handed over')
    this.#pool ??= new CapturePool(
      {
        onBatch: (payload, flows) => {
          sent?.add(flows)
          this.#options.onBatch(payload, flows)
        },
        onFailed: (taskId, error) => this.#fail(taskId, error),
        onFigures: (figures) => this.#writeFigures(figures),
      },
      (events) => openCaptureThread(events, workerUrl, this.#logger),
    )
    return this.#pool
  }

  #forgetNode(nodeId: string): void {
    for (const [key, task] of this.#tasks) {
      if (task.nodeId !== nodeId) continue
      this.#tasks.delete(key)
      this.#gauges?.remove(nodeId, task.capture.UUID)
      void this.#pool?.stop(task.taskId)
    }
  }

  /** An interface that is in another namespace than before has another TID: what was opened where it was sees nothing of it any more. */
  #lookForMoved(node: GraphNode): void {
    for (const { ID: id } of capturesOf(node)) {
      const task = this.#tasks.get(`${node.id}|${String(id)}`)
      if (!task || task.nodeTid === node.metadata['TID']) continue
      this.#fail(task.taskId, new UnavailableError('the interface was moved to another network namespace', { retryable: true }))
      void this.#pool?.stop(task.taskId)
    }
  }

  /** The capture is over and stays visible as failed until it is stopped. */
  #fail(taskId: number, error: Error): void {
    for (const [key, task] of this.#tasks) {
      if (task.taskId !== taskId) continue
      this.#tasks.delete(key)
      this.#gauges?.remove(task.nodeId, task.capture.UUID)
      this.#logger.warn({ node: task.nodeId, capture: task.capture.UUID, reason: error.message }, 'capture failed')
      this.#writeCaptures(task, () => ({ ...captureState(task, 'error'), Error: error.message }))
    }
  }

  #armFigures(): void {
    if (this.#timer !== undefined) return
    const ask = () => {
      this.#timer = undefined
      if (this.#tasks.size === 0) return
      this.#pool?.askFigures()
      this.#armFigures()
    }
    this.#timer = this.#clock.setTimeout(ask, this.#options.statsUpdateMs ?? DEFAULT_STATS_MS)
  }

  #writeFigures(figures: readonly CaptureFigures[]): void {
    const byTask = new Map(figures.map((one) => [one.taskId, one]))
    for (const task of this.#tasks.values()) {
      const now = byTask.get(task.taskId)
      if (!now) continue
      this.#gauges?.set(task.nodeId, task.capture.UUID, now)
      task.figures = now
      this.#writeCaptures(task, (element) => element && withCounters(element, task))
    }
  }

  #writeCaptures(task: Task, change: ElementChange): void {
    writeCaptures(this.#options.graph, task, change)
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
