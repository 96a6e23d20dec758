import {
  type Cursor,
  type GraphBatch,
  type GraphEvents,
  type GraphSource,
  type GraphView,
  type Logger,
  type Metrics,
  toWireEdge,
  toWireNode,
} from '@skydive/contracts'
import { encodeGraphEvent, formatCursor, GRAPH_NAMESPACE, OutgoingMessage } from '@skydive/protocol'

/** Elements of one part of a snapshot: about a megabyte. */
const PART_ELEMENTS = 1000

/** Where a forwarder writes. */
export interface ForwardTarget {
  readonly isCongested: boolean
  send(message: OutgoingMessage): boolean
  /** What `body` sends leaves the process in one piece, before this returns. */
  together(body: () => void): void
  whenDrained(): Promise<void>
}

/** What a forwarder reads. */
export interface ForwarderOptions {
  readonly graph: GraphEvents & GraphSource
  readonly logger: Logger
  readonly metrics?: Metrics
}

/**
 * Sends a graph to one peer: a snapshot or what it missed, then every batch. There is no queue of its own: the event log of the graph is
 * the buffer, and the place in it is all that is kept. A peer that falls behind what the log remembers gets a snapshot, which is counted.
 */
export class GraphForwarder {
  readonly #options: ForwarderOptions
  #target: ForwardTarget | undefined
  /** Whether the peer knows cursors and parts; an original analyzer gets one `Sync` and no cursors. */
  #knowsCursors = false
  #sent: Cursor | undefined
  #sending = false
  #unsubscribe: (() => void) | undefined

  constructor(options: ForwarderOptions) {
    this.#options = options
  }

  /** Begins to send to `target` after `cursor`, or from a snapshot when there is none. */
  begin(target: ForwardTarget, cursor: Cursor | undefined, knowsCursors: boolean): void {
    this.end()
    this.#target = target
    this.#sent = cursor
    this.#knowsCursors = knowsCursors
    this.#unsubscribe = this.#options.graph.subscribe(() => this.#pump(target))
    this.#pump(target)
  }

  /** Sends a snapshot next, because the peer asked for it. */
  resend(): void {
    this.#sent = undefined
    if (this.#target) this.#pump(this.#target)
  }

  end(): void {
    this.#unsubscribe?.()
    this.#unsubscribe = undefined
    this.#target = undefined
  }

  /** On an idle line a batch goes out inside the call that committed it; behind a congested one the log waits. */
  #pump(target: ForwardTarget): void {
    if (this.#sending) return
    const { graph } = this.#options
    if (this.#sent !== undefined && !target.isCongested) {
      const batches = graph.since(this.#sent)
      if (batches !== undefined) {
        for (const batch of batches) {
          if (target.isCongested) break
          this.#sendBatch(target, batch)
        }
        if (!this.#isBehind()) return
      }
    }
    this.#sending = true
    void this.#catchUp(target)
  }

  async #catchUp(target: ForwardTarget): Promise<void> {
    try {
      await target.whenDrained()
      if (this.#target === target && (this.#sent === undefined || this.#options.graph.since(this.#sent) === undefined)) {
        await this.#sendSnapshot(target)
      }
    } catch (error) {
      this.#options.logger.error({ err: error }, 'snapshot of the graph failed')
      return
    } finally {
      this.#sending = false
    }
    const next = this.#target
    if (next !== undefined && (next !== target || this.#isBehind())) this.#pump(next)
  }

  #isBehind(): boolean {
    return this.#sent === undefined || this.#sent.version < this.#options.graph.cursor.version
  }

  #sendBatch(target: ForwardTarget, batch: GraphBatch): void {
    const cursor = { epoch: this.#options.graph.cursor.epoch, version: batch.version }
    const last = batch.events.length - 1
    // The peer applies the batch when it has the last event: a system call for each would only wake it for nothing.
    target.together(() => {
      for (const [index, event] of batch.events.entries()) {
        const { type, body } = encodeGraphEvent(event, 'partial')
        const place = this.#knowsCursors && index === last ? { cursor: formatCursor(cursor) } : {}
        target.send(new OutgoingMessage({ namespace: GRAPH_NAMESPACE, type, body, ...place }))
      }
    })
    this.#sent = cursor
  }

  async #sendSnapshot(target: ForwardTarget): Promise<void> {
    const { graph, metrics, logger } = this.#options
    const view = await graph.open()
    metrics?.counter('skydive_sync_snapshots_total', 'Snapshots sent to analyzers').add(1)
    logger.info({ nodes: view.nodeCount, edges: view.edgeCount }, 'sending a snapshot of the graph')
    const cursor = { epoch: graph.cursor.epoch, version: view.version }
    const parts = snapshotParts(view, this.#knowsCursors ? PART_ELEMENTS : Number.POSITIVE_INFINITY)
    for (const [index, part] of parts.entries()) {
      const isLast = index === parts.length - 1
      const numbers = this.#knowsCursors ? { Part: index, Parts: parts.length } : {}
      target.send(
        new OutgoingMessage({
          namespace: GRAPH_NAMESPACE,
          type: 'Sync',
          body: {
            Nodes: part.nodes.map((row) => toWireNode(view.node(row))),
            Edges: part.edges.map((row) => toWireEdge(view.edge(row))),
            ...numbers,
          },
          ...(this.#knowsCursors && isLast && { cursor: formatCursor(cursor) }),
        }),
      )
      await target.whenDrained()
      if (this.#target !== target) return
    }
    this.#sent = cursor
  }
}

/** The rows of a view in parts, nodes first; at least one part. */
function snapshotParts(view: GraphView, elements: number): { readonly nodes: number[]; readonly edges: number[] }[] {
  const parts = [{ nodes: [] as number[], edges: [] as number[] }]
  let room = elements
  const take = (kind: 'nodes' | 'edges') => (row: number) => {
    if (room === 0) {
      parts.push({ nodes: [], edges: [] })
      room = elements
    }
    parts.at(-1)![kind].push(row)
    room--
    return undefined
  }
  view.forEachNode(take('nodes'))
  view.forEachEdge(take('edges'))
  return parts
}
