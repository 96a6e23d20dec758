import type { GraphEdge, GraphEvent, GraphNode, MetadataOp } from '@skydive/contracts'
import { getPath } from '@skydive/filter'
import { ADDED, UPDATED } from './change-columns.ts'
import { graphEvent } from './graph-event.ts'
import { MANY_KEYS } from './path-codes.ts'
import { undone } from './revision-walk.ts'
import type { RowTables } from './row-table.ts'

type Element = GraphNode | GraphEdge

/** Makes the events of remembered changes anew, from the newest to older ones without a gap. */
export class PastEvents {
  readonly #tables: RowTables
  /** The revisions of rows that it has gone back to: by row, nodes and edges apart. */
  readonly #reached = [new Map<number, Element>(), new Map<number, Element>()] as const

  constructor(tables: RowTables) {
    this.#tables = tables
  }

  /** The events of the changes `[first, end)`, in their order; the ones from `end` on must have been taken before. */
  takeBack(first: number, end: number): readonly GraphEvent[] {
    const events: GraphEvent[] = []
    for (let change = end - 1; change >= first; change--) events.push(this.#event(change))
    return events.reverse()
  }

  #event(change: number): GraphEvent {
    const { nodes, edges } = this.#tables
    const { columns } = nodes
    const row = columns.row(change)
    const kind = columns.kind(change)
    const isEdge = columns.isEdge(change)
    const reached = this.#reached[isEdge ? 1 : 0]
    const after = reached.get(row) ?? (isEdge ? edges : nodes).elements[row]!
    const before = kind === ADDED ? after : undone(columns, after, change, change)
    reached.set(row, before)
    return graphEvent(kind, after, before, kind === UPDATED ? this.#opsOf(change, after) : undefined)
  }

  #opsOf(change: number, after: Element): readonly MetadataOp[] {
    const { columns } = this.#tables.nodes
    const code = columns.key(change)
    if (code === MANY_KEYS) return columns.whole(change).ops
    const key = columns.path(code)
    return [{ op: 'set', key, value: getPath(after.metadata, key)! }]
  }
}
