import type { GraphEdge, GraphElement, GraphNode, MetadataValue } from '@skydive/contracts'
import { InvariantError } from '@skydive/contracts'
import { tupleKey } from '@skydive/filter'
import type { GremlinResult } from '../result.ts'
import type { ElementDelta, WatchDelta } from './delta.ts'

/** Elements with how often each is there. */
class ElementBag<E extends GraphElement> {
  private readonly held = new Map<string, { element: E; count: number }>()

  apply({ added, removed, changed }: ElementDelta<E>): void {
    for (const element of removed) this.take(element)
    for (const { before, after } of changed) {
      const held = this.held.get(before.id)
      if (!held) throw unknown(before.id)
      held.element = after
    }
    for (const element of added) this.put(element)
  }

  get isEmpty(): boolean {
    return this.held.size === 0
  }

  list(order: readonly string[] | undefined): readonly E[] {
    if (order) return order.map((id) => this.held.get(id)!.element)
    return [...this.held.values()].flatMap(({ element, count }) => new Array<E>(count).fill(element))
  }

  private put(element: E): void {
    const held = this.held.get(element.id)
    if (!held) this.held.set(element.id, { element, count: 1 })
    else {
      held.count++
      held.element = element
    }
  }

  private take({ id }: E): void {
    const held = this.held.get(id)
    if (!held) throw unknown(id)
    held.count--
    if (held.count === 0) this.held.delete(id)
  }
}

function unknown(id: string): InvariantError {
  return new InvariantError(`a delta speaks of "${id}", which is not in the result; begin with a delta that has reset set`, {
    id,
  })
}

/** What a continuous query answers now, put together from its deltas. */
export interface WatchedResult {
  /** Takes in the next delta, in the order in which they came. @throws ERR_INVARIANT when one is missing. */
  apply(delta: WatchDelta): void
  /**
   * The result as of the last delta; `undefined` before the first. Lists without a declared order come in any. O(result).
   */
  current(): GremlinResult | undefined
  /** The version of the graph of the last delta; 0 before the first. */
  readonly version: number
}

/** Keeps the result of one watch. Shape: `for await (const delta of watch) { result.apply(delta); draw(result.current()) }`. */
export function createWatchedResult(): WatchedResult {
  return new Accumulated()
}

class Accumulated implements WatchedResult {
  version = 0
  private kind: WatchDelta['kind'] | undefined
  private nodes = new ElementBag<GraphNode>()
  private edges = new ElementBag<GraphEdge>()
  private groups = new Map<string, ElementBag<GraphNode | GraphEdge>>()
  private values = new Map<string, { readonly value: MetadataValue; count: number }>()
  private order: readonly string[] | undefined
  private whole: GremlinResult | undefined

  apply(delta: WatchDelta): void {
    if (delta.reset) this.clear()
    this.version = delta.version
    this.kind = delta.kind
    switch (delta.kind) {
      case 'nodes':
        this.nodes.apply(delta)
        this.order = delta.order
        break
      case 'edges':
        this.edges.apply(delta)
        this.order = delta.order
        break
      case 'graph':
        this.edges.apply(delta.edges)
        this.nodes.apply(delta.nodes)
        break
      case 'groups':
        for (const [group, change] of delta.groups) this.changeGroup(group, change)
        break
      case 'values':
        for (const value of delta.removed) this.countValue(value, -1)
        for (const value of delta.added) this.countValue(value, 1)
        break
      case 'number':
        this.whole = { kind: 'number', value: delta.value }
        break
      case 'result':
        this.whole = delta.result
        break
    }
  }

  current(): GremlinResult | undefined {
    switch (this.kind) {
      case undefined:
        return undefined
      case 'nodes':
        return { kind: 'nodes', nodes: this.nodes.list(this.order) }
      case 'edges':
        return { kind: 'edges', edges: this.edges.list(this.order) }
      case 'graph':
        return { kind: 'graph', nodes: this.nodes.list(undefined), edges: this.edges.list(undefined) }
      case 'groups':
        return {
          kind: 'elementgroups',
          groups: new Map(Array.from(this.groups, ([group, bag]) => [group, bag.list(undefined)])),
        }
      case 'values':
        return {
          kind: 'values',
          values: [...this.values.values()].flatMap(({ value, count }) => new Array<MetadataValue>(count).fill(value)),
        }
      default:
        return this.whole
    }
  }

  private clear(): void {
    this.nodes = new ElementBag()
    this.edges = new ElementBag()
    this.groups = new Map()
    this.values = new Map()
    this.order = undefined
    this.whole = undefined
  }

  private changeGroup(group: string, change: ElementDelta<GraphNode | GraphEdge>): void {
    const bag = this.groups.get(group) ?? new ElementBag<GraphNode | GraphEdge>()
    bag.apply(change)
    if (bag.isEmpty) this.groups.delete(group)
    else this.groups.set(group, bag)
  }

  private countValue(value: MetadataValue, by: 1 | -1): void {
    const key = tupleKey([value])
    const held = this.values.get(key) ?? { value, count: 0 }
    held.count += by
    if (held.count < 0) throw new InvariantError('a delta removes a value that is not in the result', { value })
    if (held.count === 0) this.values.delete(key)
    else this.values.set(key, held)
  }
}
