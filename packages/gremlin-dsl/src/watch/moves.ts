import type { GraphEdge, GraphElement, GraphNode, GraphView } from '@skydive/contracts'
import type { RowKind } from '../stream.ts'
import type { Net } from './changes.ts'

/** A node or an edge. */
export type Element = GraphNode | GraphEdge

/** How often an element was among the rows of a stage, and how often it is now. */
export interface Move {
  readonly id: string
  readonly before: Element | undefined
  readonly after: Element | undefined
  /** The deleted revision of an element that is gone. */
  readonly gone: Element | undefined
  readonly old: number
  readonly now: number
}

/** Up to this many are looked through one by one. */
const FEW = 8

/** A list that is looked up by id; the table is made only for long ones. */
export class ById<T extends { readonly id: string }> {
  readonly list: T[] = []
  private table: Map<string, T> | undefined

  push(item: T): void {
    this.list.push(item)
    this.table?.set(item.id, item)
  }

  get(id: string): T | undefined {
    if (this.list.length <= FEW) {
      for (const item of this.list) if (item.id === id) return item
      return undefined
    }
    this.table ??= new Map(this.list.map((item) => [item.id, item]))
    return this.table.get(id)
  }

  clear(): void {
    if (this.list.length === 0) return
    this.list.length = 0
    this.table = undefined
  }
}

/** Told when an element joins or leaves what a query has to hear of. */
export interface Membership {
  joined(kind: RowKind, id: string): void
  left(kind: RowKind, id: string): void
}

/** What the stages of one query work with while they take in changes. */
export interface Advance {
  /** The newest version; every change below is in it. */
  readonly view: GraphView
  readonly nodes: ById<Net<GraphNode>>
  readonly edges: ById<Net<GraphEdge>>
  readonly membership: Membership
}

/** The changes of one kind of element. */
export function netsOf(advance: Advance, kind: RowKind): ById<Net<GraphElement & Element>> {
  return (kind === 'nodes' ? advance.nodes : advance.edges) as ById<Net<Element>>
}

/** The present revision of an element. */
export function currentElement(view: GraphView, kind: RowKind, id: string): Element | undefined {
  if (kind === 'nodes') {
    const row = view.nodeOrdinal(id)
    return row < 0 ? undefined : view.node(row)
  }
  const row = view.edgeOrdinal(id)
  return row < 0 ? undefined : view.edge(row)
}
