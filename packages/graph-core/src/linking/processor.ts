import type { GraphNode, MetadataValue, Unsubscribe } from '@skydive/contracts'
import { tupleKey } from '@skydive/filter'
import { MetadataIndexer, type MetadataIndexerOptions } from './metadata-indexer.ts'

/** Does something with a node that was waited for. Answers whether it wants more nodes. */
export type NodeAction = (node: GraphNode) => boolean

/**
 * Does things with nodes that may come later (spec graph 1.12, Processor): an action runs on each node that is found under a tuple of values,
 * now and in the future, until it answers `false`. For links to devices that appear after what refers to them.
 */
export class Processor {
  private readonly index: MetadataIndexer
  private readonly waiting = new Map<string, NodeAction[]>()
  private unsubscribe: Unsubscribe | undefined

  /** By which values nodes are found; does nothing until {@link Processor.start}. */
  constructor(options: MetadataIndexerOptions) {
    this.index = new MetadataIndexer(options)
  }

  /** Follows the source. Calling it twice is a no-op. */
  start(): void {
    this.unsubscribe ??= this.index.subscribe((events) => {
      for (const { kind, node } of events) if (kind !== 'deleted') this.found(node)
    })
    this.index.start()
  }

  /** Stops; actions that wait are dropped. */
  stop(): void {
    this.unsubscribe?.()
    this.unsubscribe = undefined
    this.index.stop()
    this.waiting.clear()
  }

  /** Runs an action on what is there under the values, and later on what comes, until it answers `false`. */
  doAction(action: NodeAction, ...values: readonly MetadataValue[]): void {
    for (const { node } of this.index.get(...values)) if (!action(node)) return
    const key = tupleKey(values)
    const actions = this.waiting.get(key)
    if (actions) actions.push(action)
    else this.waiting.set(key, [action])
  }

  /** Drops the actions that wait under the values. */
  cancel(...values: readonly MetadataValue[]): void {
    this.waiting.delete(tupleKey(values))
  }

  /** How many actions wait. */
  get pending(): number {
    let count = 0
    for (const actions of this.waiting.values()) count += actions.length
    return count
  }

  private found(node: GraphNode): void {
    for (const key of this.index.keysOf(node.id)) {
      const actions = this.waiting.get(key)
      if (!actions) continue
      // Taken out first: an action may ask for further ones under the same values.
      this.waiting.delete(key)
      const kept = actions.filter((action) => action(node))
      const asked = this.waiting.get(key) ?? []
      if (kept.length + asked.length > 0) this.waiting.set(key, [...kept, ...asked])
    }
  }
}
