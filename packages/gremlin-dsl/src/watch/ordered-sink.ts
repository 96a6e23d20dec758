import type { GraphView, MetadataValue } from '@skydive/contracts'
import { compareValues, type FieldReader } from '@skydive/filter'
import { byAge } from '../steps-element.ts'
import type { RowKind } from '../stream.ts'
import type { Element } from './moves.ts'
import { type DeltaBody, DeltaBuilder, type Sink } from './sink.ts'
import { SortedList } from './sorted-list.ts'
import type { Stage } from './stage.ts'

/** Which part of which order is wanted: elements [from, to). */
export interface OrderedRange {
  readonly read: FieldReader<Element>
  readonly descending: boolean
  readonly from: number
  readonly to: number
}

interface Entry {
  readonly id: string
  readonly value: MetadataValue | undefined
  readonly element: Element
  readonly count: number
}

/** `Sort` with `Limit` or `Range`: the rows are kept in order, and a change behind the window costs only its place. */
export class OrderedSink implements Sink {
  readonly name: string
  private readonly kind: RowKind
  private readonly range: OrderedRange
  private readonly entries = new Map<string, Entry>()
  private readonly sorted: SortedList<Entry>
  private readonly compare: (a: Entry, b: Entry) => number
  /** An entry for each place of the window. */
  private window: readonly Entry[] = []

  constructor(kind: RowKind, range: OrderedRange) {
    this.kind = kind
    this.range = range
    this.name = `rows ${range.from} to ${range.to} in order`
    const sign = range.descending ? -1 : 1
    this.compare = (a, b) => sign * compareValues(a.value, b.value) || byAge(a.element, b.element)
    this.sorted = new SortedList(this.compare)
  }

  get size(): number {
    return this.entries.size
  }

  advance(stage: Stage): DeltaBody | undefined {
    let matters = false
    for (const { id, after, now } of stage.moves.list) {
      const known = this.entries.get(id)
      if (known) this.sorted.remove(known)
      const entry = now > 0 ? { id, value: this.range.read(after!), element: after!, count: now } : undefined
      if (entry) {
        this.entries.set(id, entry)
        this.sorted.insert(entry)
      } else {
        this.entries.delete(id)
      }
      matters ||= (known !== undefined && this.isInFront(known)) || (entry !== undefined && this.isInFront(entry))
    }
    if (!matters) return undefined
    const old = this.window
    this.window = this.readWindow()
    return this.difference(old, this.window)
  }

  whole(_stage: Stage, _view: GraphView): DeltaBody {
    return this.bodyOf({ added: this.window.map(({ element }) => element), removed: [], changed: [] })
  }

  /** Whether an entry stands, or stood, where it can move the window. */
  private isInFront(entry: Entry): boolean {
    const last = this.window.at(-1)
    if (last === undefined || this.window.length < this.range.to - this.range.from) return true
    return this.compare(entry, last) <= 0
  }

  private readWindow(): readonly Entry[] {
    const { from, to } = this.range
    const window: Entry[] = []
    let place = 0
    this.sorted.walk((entry) => {
      for (let times = 0; times < entry.count && place < to; times++, place++) if (place >= from) window.push(entry)
      return place < to
    })
    return window
  }

  private difference(old: readonly Entry[], now: readonly Entry[]): DeltaBody | undefined {
    const moves = new Map<string, { before?: Element; after?: Element; old: number; now: number }>()
    for (const { id, element } of old) {
      const move = moves.get(id)
      if (move) move.old++
      else moves.set(id, { before: element, old: 1, now: 0 })
    }
    for (const { id, element } of now) {
      const move = moves.get(id)
      if (!move) moves.set(id, { after: element, old: 0, now: 1 })
      else {
        move.after = element
        move.now++
      }
    }
    const rows = new DeltaBuilder<Element>()
    for (const [id, { before, after, old: was, now: is }] of moves) {
      rows.move({ id, before, after, gone: undefined, old: was, now: is })
    }
    const isMoved = now.some(({ id }, place) => old[place]?.id !== id)
    return rows.isEmpty && !isMoved ? undefined : this.bodyOf(rows.delta)
  }

  private bodyOf(delta: DeltaBuilder<Element>['delta']): DeltaBody {
    return { kind: this.kind, ...delta, order: this.window.map(({ id }) => id) } as unknown as DeltaBody
  }
}
