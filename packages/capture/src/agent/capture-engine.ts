import {
  type CaptureSource,
  type CaptureSourceModule,
  type CaptureStats,
  type Clock,
  type Flow,
  InvalidArgumentError,
  SkydiveError,
} from '@skydive/contracts'
import { decodeTableQuery, encodeFlowMessage, encodeFlowSet, encodeTableReply } from '@skydive/protocol/flow'
import type { CaptureTable, FlowOutput } from './capture-feed.ts'
import { type CaptureParts, openParts } from './capture-parts.ts'
import { shareOf } from './capture-share.ts'
import type { CaptureFigures, CaptureStart, FromCaptureThread, PlainError, ToCaptureThread } from './messages.ts'
import type { OpenSender } from './target/open-target.ts'

/** What the engine stands on; the thread gives the real things. */
export interface CaptureEngineOptions {
  /** Loads a source's module by its name. */
  loadModule(name: string): Promise<{ readonly captureSource?: CaptureSourceModule }>
  /** Handed to the sources. */
  readonly ledger?: SharedArrayBuffer
  /** Calls back again and again for as long as a descriptor can be read; answers how to stop. */
  watch(fd: number, listener: () => void): () => void
  /** Opens a socket to a target. */
  readonly openSender: OpenSender
  /** Lets whatever else is due run first. */
  yieldTurn(): Promise<void>
  readonly clock: Clock
  emit(message: FromCaptureThread): void
}

/** Period of statistics messages (spec flows 2.11). */
const STATISTICS_MS = 10_000
/** An update and an expiry of a table, and one more that waits for them. */
const MAX_WALKS = 3
/** For so long the end of a capture keeps to the pace of where its flows go, ms. */
const LONGEST_DRAIN_MS = 5000
/** Flows in one message: a frame that a line takes in one go. */
const FLOWS_PER_MESSAGE = 1000

interface Task extends CaptureParts {
  readonly start: CaptureStart
  readonly unwatch: readonly (() => void)[]
  readonly timers: Set<unknown>
  reported: { source: CaptureStats; evictedFlows: number }
  /** The chain of everything that takes flows out of the table, so that two such walks never overlap. */
  walk: Promise<void>
  /** Walks of the chain that are not over. */
  walks: number
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
  readonly #toAnalyzer: FlowOutput = {
    send: (flows) => {
      this.#send(flows)
      return undefined
    },
    sendEvicted: (flows) => this.#send(flows),
    flush() {},
  }
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
          figures: [...this.#tasks.values()].map(figuresOf),
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
      const { members = [], warning } = source.kind === 'packets' ? source : {}
      const figures = figuresOf(this.#run(shareOf(start, members.length), source))
      this.#options.emit({ kind: 'started', taskId, figures, members, ...(warning !== undefined && { warning }) })
    } catch (error) {
      this.#cancelled.delete(taskId)
      this.#options.emit({ kind: 'start-failed', taskId, error: plain(error) })
    } finally {
      this.#opening.delete(taskId)
    }
  }

  async #open({ module, moduleOptions, target }: CaptureStart): Promise<CaptureSource> {
    const { captureSource } = await this.#options.loadModule(module)
    if (!captureSource) {
      throw new InvalidArgumentError(`capture source "${module}": the module does not export captureSource`, { module })
    }
    return captureSource.open(target, moduleOptions, this.#options.ledger)
  }

  #run(start: CaptureStart, source: CaptureSource): Task {
    const parts = openParts(start, source, this.#toAnalyzer, this.#options)
    const { readyFds, table } = parts.feed
    const task: Task = {
      start,
      ...parts,
      unwatch: readyFds.map((fd) => this.#options.watch(fd, () => this.#poll(task))),
      timers: new Set(),
      reported: { source: { packetsReceived: 0, packetsDropped: 0, packetsIfDropped: 0 }, evictedFlows: 0 },
      walk: Promise.resolve(),
      walks: 0,
      isStopping: false,
    }
    this.#tasks.set(start.taskId, task)
    if (table) {
      this.#every(task, start.updateMs, () => this.#walk(task, (nowMs) => table.update(nowMs)))
      this.#every(task, start.expireMs, () => this.#walk(task, (nowMs) => table.expire(nowMs)))
      if (!task.target) this.#every(task, STATISTICS_MS, () => this.#sendStatistics(task, table))
    }
    this.#poll(task)
    return task
  }

  #poll(task: Task): void {
    if (task.isStopping) return
    try {
      task.feed.poll()
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

  /**
   * Takes flows out batch by batch, with a turn for the packets between two, and at the pace of where they go. A walk that would only wait
   * for others is left out: the next one tells what it would have told.
   */
  #walk(task: Task, batches: (nowMs: number) => Iterable<readonly Flow[]>): void {
    if (task.walks >= MAX_WALKS) return
    task.walks++
    this.#walks++
    task.walk = task.walk.then(async () => {
      for (const batch of this.#tasks.has(task.start.taskId) ? batches(this.#options.clock.now()) : []) {
        const pause = task.output.send(batch)
        if (pause && !task.isStopping) await this.#pause(pause)
        else await this.#options.yieldTurn()
      }
      task.output.flush()
      this.#walks--
      task.walks--
    })
  }

  /** Waits for what a timer ends; the thread may sleep meanwhile. */
  async #pause(pause: Promise<void>): Promise<void> {
    this.#walks--
    await pause
    this.#walks++
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
    const { source } = task.feed
    if (source.kind === 'packets') source.halt?.()
    await task.walk
    // What the ring still holds belongs to the capture.
    await this.#wait(holdsBackMs(source))
    for (const unwatch of task.unwatch) unwatch()
    try {
      task.feed.poll()
    } catch {
      // A source that broke has nothing more to give.
    }
    source.close()
    const { table } = task.feed
    const lastPauseMs = this.#options.clock.now() + LONGEST_DRAIN_MS
    for (const batch of table?.drain() ?? []) {
      const pause = task.output.send(batch)
      if (pause && this.#options.clock.now() < lastPauseMs) await pause
    }
    if (task.target) await task.target.close()
    else if (table) this.#sendStatistics(task, table)
    this.#tasks.delete(taskId)
    this.#options.emit({ kind: 'stopped', taskId })
  }

  #wait(ms: number): Promise<void> {
    if (ms === 0) return Promise.resolve()
    return new Promise((resolve) => void this.#options.clock.setTimeout(resolve, ms))
  }

  async #query(requestId: number, bytes: Uint8Array): Promise<void> {
    try {
      const { Type: type, Query: query } = decodeTableQuery(bytes)
      if (type !== 'SearchQuery') throw new InvalidArgumentError(`flow table query: type "${type}" is not known`, { type })
      const sets: Uint8Array[] = []
      for (const { feed, target } of this.#tasks.values()) {
        const { table } = feed
        // Flows that go elsewhere are not those of the analyzer.
        if (!table || target) continue
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
  #sendStatistics(task: Task, counted: CaptureTable): void {
    const { source, evictedFlows } = task.reported
    const now = task.feed.source.stats()
    const table = counted.stats()
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

function figuresOf({ start: { taskId }, feed: { source, table }, target }: Task): CaptureFigures {
  const description = source.describe?.()
  return {
    taskId,
    source: source.stats(),
    ...(table && { table: table.stats() }),
    ...(target && { sentTo: target.stats() }),
    ...(description && { description }),
  }
}

function plain(error: unknown): PlainError {
  if (SkydiveError.isInstance(error)) return { message: error.message, code: error.code, fault: error.fault }
  return { message: error instanceof Error ? error.message : String(error), code: 'ERR_INVARIANT', fault: 'ours' }
}

function holdsBackMs(source: CaptureSource): number {
  return source.kind === 'packets' ? (source.holdsBackMs ?? 0) : 0
}
