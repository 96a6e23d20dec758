import type { GraphElement, GraphView, MetadataValue } from '@skydive/contracts'
import { equalValues } from '@skydive/filter'
import type { RowKind } from '../stream.ts'
import type { ElementDelta, ElementUpdate, WatchDelta } from './delta.ts'
import type { Advance, Element, Move } from './moves.ts'
import type { Stage } from './stage.ts'
import { valueDelta } from './value-delta.ts'

type WithoutBase<T> = T extends unknown ? Omit<T, 'version' | 'reset'> : never

/** A delta before it is known when it holds. */
export type DeltaBody = WithoutBase<WatchDelta>

/** The end of a continuous query: turns moves of rows into what is told. */
export interface Sink {
  readonly name: string
  /** Whether edges matter to it besides the rows. */
  readonly readsEdges?: boolean
  /** What the last moves of the stage mean for the result; `undefined` when nothing. @throws what the query itself would. */
  advance(stage: Stage, advance: Advance): DeltaBody | undefined
  /** The whole result, told as if all of it were new. */
  whole(stage: Stage, view: GraphView): DeltaBody
  /** Elements other than those of the stage whose changes matter. */
  holds?(kind: RowKind, id: string): boolean
  forEachHeld?(visit: (kind: RowKind, id: string) => void): void
  /** How many elements it remembers besides those of the stage. */
  readonly size: number
}

/** Collects an {@link ElementDelta}. */
export class DeltaBuilder<E extends GraphElement> implements ElementDelta<E> {
  readonly added: E[] = []
  readonly removed: E[] = []
  readonly changed: ElementUpdate<E>[] = []

  get isEmpty(): boolean {
    return this.added.length === 0 && this.removed.length === 0 && this.changed.length === 0
  }

  move({ before, after, gone, old, now }: Move): void {
    if (old > 0 && now > 0 && before !== after) this.changed.push({ before, after } as unknown as ElementUpdate<E>)
    for (let times = old; times < now; times++) this.added.push(after as unknown as E)
    for (let times = now; times < old; times++) this.removed.push((gone ?? before) as unknown as E)
  }

  get delta(): ElementDelta<E> {
    return { added: this.added, removed: this.removed, changed: this.changed }
  }
}

function rowsBody(kind: RowKind, rows: DeltaBuilder<Element>): DeltaBody {
  return { kind, ...rows.delta } as unknown as DeltaBody
}

/** The rows themselves. */
export const ROWS_SINK: Sink = {
  name: 'rows',
  size: 0,
  advance(stage) {
    const rows = new DeltaBuilder<Element>()
    for (const move of stage.moves.list) rows.move(move)
    return rows.isEmpty ? undefined : rowsBody(stage.kind, rows)
  },
  whole(stage, view) {
    const rows = new DeltaBuilder<Element>()
    stage.forEach(view, (element, count) => {
      for (let times = 0; times < count; times++) rows.added.push(element)
    })
    return rowsBody(stage.kind, rows)
  },
}

/** A number that is the sum over the rows of what each weighs. `weigh` may refuse an element, as the query would. */
export function totalSink(name: string, weigh: (element: Element) => number): Sink {
  let total = 0
  return {
    name,
    size: 0,
    advance(stage) {
      const known = total
      for (const { before, after, old, now } of stage.moves.list) {
        if (now > 0) total += now * weigh(after!)
        if (old > 0) total -= old * weigh(before!)
      }
      return total === known ? undefined : { kind: 'number', value: total }
    },
    whole: () => ({ kind: 'number', value: total }),
  }
}

/** Rows by the groups that they are in. */
export function groupsSink(name: string, groupsOf: (element: Element) => readonly string[]): Sink {
  return {
    name,
    size: 0,
    advance(stage) {
      const groups = new Map<string, DeltaBuilder<Element>>()
      for (const move of stage.moves.list) {
        const were = move.old > 0 ? groupsOf(move.before!) : []
        const are = move.now > 0 ? groupsOf(move.after!) : []
        for (const group of new Set([...were, ...are])) {
          const old = were.includes(group) ? move.old : 0
          builderOf(groups, group).move({ ...move, old, now: are.includes(group) ? move.now : 0 })
        }
      }
      return groupsBody(groups)
    },
    whole(stage, view) {
      const groups = new Map<string, DeltaBuilder<Element>>()
      stage.forEach(view, (element, count) => {
        for (const group of groupsOf(element)) {
          for (let times = 0; times < count; times++) builderOf(groups, group).added.push(element)
        }
      })
      return groupsBody(groups) ?? { kind: 'groups', groups: new Map() }
    },
  }
}

function builderOf(groups: Map<string, DeltaBuilder<Element>>, group: string): DeltaBuilder<Element> {
  let builder = groups.get(group)
  if (!builder) {
    builder = new DeltaBuilder()
    groups.set(group, builder)
  }
  return builder
}

function groupsBody(groups: ReadonlyMap<string, DeltaBuilder<Element>>): DeltaBody | undefined {
  const changed = [...groups].filter(([, builder]) => !builder.isEmpty)
  if (changed.length === 0) return undefined
  return { kind: 'groups', groups: new Map(changed.map(([group, builder]) => [group, builder.delta])) }
}

/** A multiset of values; rows without one are left out. */
export function valuesSink(name: string, readValue: (element: Element) => MetadataValue | undefined): Sink {
  return {
    name,
    size: 0,
    advance(stage) {
      const added: MetadataValue[] = []
      const removed: MetadataValue[] = []
      for (const { before, after, old, now } of stage.moves.list) {
        const was = old > 0 ? readValue(before!) : undefined
        const is = now > 0 ? readValue(after!) : undefined
        const stays = was !== undefined && is !== undefined && equalValues(was, is) ? Math.min(old, now) : 0
        if (was !== undefined) for (let times = stays; times < old; times++) removed.push(was)
        if (is !== undefined) for (let times = stays; times < now; times++) added.push(is)
      }
      // What one element takes away another may bring.
      const net = added.length === 0 || removed.length === 0 ? { added, removed } : valueDelta(removed, added)
      return net.added.length === 0 && net.removed.length === 0 ? undefined : { kind: 'values', ...net }
    },
    whole(stage, view) {
      const added: MetadataValue[] = []
      stage.forEach(view, (element, count) => {
        const value = readValue(element)
        if (value !== undefined) for (let times = 0; times < count; times++) added.push(value)
      })
      return { kind: 'values', added, removed: [] }
    },
  }
}
