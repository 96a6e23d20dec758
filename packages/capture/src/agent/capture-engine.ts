import {
  type CaptureSourceModule,
  type CaptureStats,
  type Clock,
  type Flow,
  InvalidArgumentError,
  type PacketSource,
  SkydiveError,
  UnsupportedError,
} from '@skydive/contracts'
import { type BlockConsumer, createFlowTable, type FlowTable } from '@skydive/flow-table'
import { decodeTableQuery, encodeFlowMessage, encodeFlowSet, encodeTableReply } from '@skydive/protocol/flow'
import type { CaptureStart, FromCaptureThread, PlainError, ToCaptureThread } from './messages.ts'

/** What the engine stands on; the thread gives the real things. */
export interface CaptureEngineOptions {
  /** Loads a source's module by its name. */
  loadModule(name: string): Promise<{ readonly captureSource?: CaptureSourceModule }>
  /** Calls back again and again for as long as a descriptor can be read; answers how to stop. */
  watch(fd: number, listener: () => void): () => void
  /** Lets whatever else is due run first. */
  yieldTurn(): Promise<void>
  readonly clock: Clock
  emit(message: FromCaptureThread): void
}

/** Period of statistics messages (spec flows 2.11). */
const STATISTICS_MS = 10_000
/** Flows in one message: a frame that a line takes in one go. */
const FLOWS_PER_MESSAGE = 1000

interface Task {
  readonly start: CaptureStart
  readonly source: PacketSource
  readonly table: FlowTable
  readonly consume: BlockConsumer
  readonly unwatch: () => void
  readonly timers: Set<unknown>
  reported: { source: CaptureStats; evictedFlows: number }
  /** The chain of everything that takes flows out of the table, so that two such walks never overlap. */
  walk: Promise<void>
  isStopping: boolean
}

/**
 * Runs captures: many sources and their flow tables in one thread. Blocks are fed to the tables in place; flows leave as encoded messages.
 */
export class CaptureEngine {
  readonly #options: CaptureEngineOptions
  readonly #tasks = new Map<number, Task>()
  /** Stops that came while a capture was still being opened. */
  readonly #cancelled = new Set<number>()
  readonly #opening = new Set<number>()
  #walks = 0

  constructor(options: CaptureEngineOptions) {
    this.#options = options
  }

  /** Whether flows are being taken out of a table, which goes on in turns of the event loop. */
  get isWalking(): boolean {
    return this.#walks > 0
  }

  /** Does what a message asks. Never throws: what goes wrong is told by a message. */
  async handle(message: ToCaptureThread): Promise<void> {
    switch (message.kind) {
      case 'start':
        await this.#start(message.start)
        break
      case 'stop':
        await this.#stop(message.taskId)
        break
      case 'query':
        await this.#query(message.requestId, message.query)
        break
      case 'figures':
        this.#options.emit({
          kind: 'figures',
          figures: [...this.#tasks].map(([taskId, { source, table }]) => ({
            taskId,
            source: source.stats(),
            table: table.stats(),
          })),
        })
        break
      case 'close':
        await Promise.all([...this.#tasks.keys()].map((taskId) => this.#stop(taskId)))
        this.#options.emit({ kind: 'closed' })
        break
    }
  }

  async #start(start: CaptureStart): Promise<void> {
    const { taskId } = start
    this.#opening.add(taskId)
    try {
      const source = await this.#open(start)
      if (this.#cancelled.delete(taskId)) {
        source.close()
        this.#options.emit({ kind: 'stopped', taskId })
        return
      }
      this.#run(start, source)
      this.#options.emit({ kind: 'started', taskId })
    } catch (error) {
      this.#cancelled.delete(taskId)
      this.#options.emit({ kind: 'start-failed', taskId, error: plain(error) })
    } finally {
      this.#opening.delete(taskId)
    }
  }

  async #open({ module, moduleOptions, target }: CaptureStart): Promise<PacketSource> {
    const { captureSource } = await this.#options.loadModule(module)
    if (!captureSource) {
      throw new InvalidArgumentError(`capture source "${module}": the module does not export captureSource`, { module })
    }
    const source = captureSource.open(target, moduleOptions)
    if (source.kind === 'packets') return source
    source.close()
    throw new UnsupportedError(`capture source "${module}": it counts by itself, which no table takes yet`, {})
  }

  #run(start: CaptureStart, source: PacketSource): void {
    const table = createFlowTable({ ...start.table, onEvicted: (flows) => this.#send(flows) })
    table.warmUp()
    const consume = table.consumer(source.format)
    const task: Task = {
      start,
      source,
      table,
      consume,
      unwatch: this.#options.watch(source.readyFd, () => this.#poll(task)),
      timers: new Set(),
      reported: { source: { packetsReceived: 0, packetsDropped: 0, packetsIfDropped: 0 }, evictedFlows: 0 },
      walk: Promise.resolve(),
      isStopping: false,
    }
    this.#tasks.set(start.taskId, task)
    this.#every(task, start.updateMs, () => this.#walk(task, (nowMs) => table.update(nowMs)))
    this.#every(task, start.expireMs, () => this.#walk(task, (nowMs) => table.expire(nowMs)))
    this.#every(task, STATISTICS_MS, () => this.#sendStatistics(task))
    this.#poll(task)
  }

  #poll(task: Task): void {
    if (task.isStopping) return
    try {
      task.source.poll(task.consume)
    } catch (error) {
      this.#options.emit({ kind: 'failed', taskId: task.start.taskId, error: plain(error) })
      void this.#stop(task.start.taskId)
    }
  }

  #every(task: Task, periodMs: number, action: () => void): void {
    const { clock } = this.#options
    const arm = () => {
      const timer = clock.setTimeout(() => {
        task.timers.delete(timer)
        if (task.isStopping) return
        action()
        arm()
      }, periodMs)
      task.timers.add(timer)
    }
    arm()
  }

  /** Takes flows out batch by batch, with a turn for the packets between two. */
  #walk(task: Task, batches: (nowMs: number) => Iterable<readonly Flow[]>): void {
    this.#walks++
    task.walk = task.walk.then(async () => {
      for (const batch of this.#tasks.has(task.start.taskId) ? batches(this.#options.clock.now()) : []) {
        this.#send(batch)
        await this.#options.yieldTurn()
      }
      this.#walks--
    })
  }

  async #stop(taskId: number): Promise<void> {
    const task = this.#tasks.get(taskId)
    if (!task) {
      if (this.#opening.has(taskId)) this.#cancelled.add(taskId)
      else this.#options.emit({ kind: 'stopped', taskId })
      return
    }
    if (task.isStopping) return
    task.isStopping = true
    for (const timer of task.timers) this.#options.clock.clearTimeout(timer)
    await task.walk
    task.unwatch()
    // What the ring still holds belongs to the capture.
    try {
      task.source.poll(task.consume)
    } catch {
      // A source that broke has nothing more to give.
    }
    task.source.close()
    for (const batch of task.table.drain()) this.#send(batch)
    this.#sendStatistics(task)
    this.#tasks.delete(taskId)
    this.#options.emit({ kind: 'stopped', taskId })
  }

  async #query(requestId: number, bytes: Uint8Array): Promise<void> {
    try {
      const { Type: type, Query: query } = decodeTableQuery(bytes)
      if (type !== 'SearchQuery') throw new InvalidArgumentError(`flow table query: type "${type}" is not known`, { type })
      const sets: Uint8Array[] = []
      for (const { table } of this.#tasks.values()) {
        const kept = table.rawPackets()
        const flows = (await table.search(query)).map((flow) => {
          const packets = kept.get(flow.UUID)
          return packets ? { ...flow, LastRawPackets: packets } : flow
        })
        sets.push(encodeFlowSet(flows))
      }
      this.#options.emit({ kind: 'answer', requestId, reply: encodeTableReply({ Status: 200, FlowSetBytes: sets }) })
    } catch (error) {
      this.#options.emit({ kind: 'refused', requestId, error: plain(error) })
    }
  }

  #send(flows: readonly Flow[]): void {
    for (let from = 0; from < flows.length; from += FLOWS_PER_MESSAGE) {
      const some = flows.slice(from, from + FLOWS_PER_MESSAGE)
      this.#options.emit({ kind: 'batch', flows: some.length, payload: encodeFlowMessage({ Flows: some }) })
    }
  }

  /** Differences since the message before: receivers add them up. */
  #sendStatistics(task: Task): void {
    const { source, evictedFlows } = task.reported
    const now = task.source.stats()
    const table = task.table.stats()
    task.reported = { source: now, evictedFlows: table.evictedFlows }
    const payload = encodeFlowMessage({
      Flows: [],
      Stats: {
        CaptureID: task.start.table.captureId,
        FlowCount: table.flows,
        FlowDropped: table.evictedFlows - evictedFlows,
        KernelFlowDropped: 0,
        PacketsDropped: now.packetsDropped - source.packetsDropped,
        PacketsReceived: now.packetsReceived - source.packetsReceived,
      },
    })
    this.#options.emit({ kind: 'batch', flows: 0, payload })
  }
}

function plain(error: unknown): PlainError {
  if (SkydiveError.isInstance(error)) return { message: error.message, code: error.code, fault: error.fault }
  return { message: error instanceof Error ? error.message : String(error), code: 'ERR_INVARIANT', fault: 'ours' }
}
