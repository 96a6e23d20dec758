import type { GraphView } from '@skydive/contracts'
import { InvariantError } from '@skydive/contracts'
import type { Predicate } from '@skydive/filter'
import type { RowKind } from '../stream.ts'
import type { Expansion } from './expansion.ts'
import { type Advance, ById, currentElement, type Element, type Move, netsOf } from './moves.ts'

/** Rows of a query at one step: how often each element is among them, kept up to date by what changes. */
export interface Stage {
  readonly kind: RowKind
  /** What the last advance moved: every element that is or was among the rows and was touched. */
  readonly moves: ById<Move>
  /** How often an element was among the rows before the last advance. */
  countBefore(id: string, advance: Advance): number
  /** How often it is among them. */
  count(id: string, view: GraphView): number
  /** Whether changes of this element matter here. */
  holds(id: string): boolean
  /** Every element of the rows with how often it is there. */
  forEach(view: GraphView, visit: (element: Element, count: number) => void): void
  /** Every element whose changes matter here. */
  forEachHeld(visit: (id: string) => void): void
  /** How many elements it remembers. */
  readonly size: number
}

/** `V` or `E` with the conditions that follow at once. */
export class SourceStage implements Stage {
  readonly kind: RowKind
  readonly moves = new ById<Move>()
  private readonly test: Predicate<Element> | undefined
  /** The ids that pass; nothing is kept where everything does. */
  private readonly members: Set<string> | undefined

  constructor(kind: RowKind, test: Predicate<Element> | undefined) {
    this.kind = kind
    this.test = test
    this.members = test && new Set()
  }

  get size(): number {
    return this.members?.size ?? 0
  }

  holds(id: string): boolean {
    return this.members?.has(id) ?? false
  }

  forEachHeld(visit: (id: string) => void): void {
    for (const id of this.members ?? []) visit(id)
  }

  count(id: string, view: GraphView): number {
    if (this.members) return this.members.has(id) ? 1 : 0
    return (this.kind === 'nodes' ? view.nodeOrdinal(id) : view.edgeOrdinal(id)) < 0 ? 0 : 1
  }

  countBefore(id: string, advance: Advance): number {
    return this.moves.get(id)?.old ?? this.count(id, advance.view)
  }

  /** Takes in an element that was found when the query began. */
  begin(element: Element, { membership }: Advance): void {
    if (this.members) {
      this.members.add(element.id)
      membership.joined(this.kind, element.id)
    }
    this.moves.push({ id: element.id, before: undefined, after: element, gone: undefined, old: 0, now: 1 })
  }

  advance(advance: Advance): void {
    this.moves.clear()
    for (const { id, before, after, gone } of netsOf(advance, this.kind).list) {
      const old = this.members ? (this.members.has(id) ? 1 : 0) : before ? 1 : 0
      const now = after && (!this.test || this.test(after)) ? 1 : 0
      if (old === 0 && now === 0) continue
      if (this.members && old !== now) this.note(id, now, advance)
      this.moves.push({ id, before, after, gone, old, now })
    }
  }

  forEach(view: GraphView, visit: (element: Element, count: number) => void): void {
    if (this.members) {
      for (const id of this.members) visit(currentElement(view, this.kind, id)!, 1)
    } else if (this.kind === 'nodes') {
      view.forEachNode((row) => {
        visit(view.node(row), 1)
        return true
      })
    } else {
      view.forEachEdge((row) => {
        visit(view.edge(row), 1)
        return true
      })
    }
  }

  private note(id: string, now: number, { membership }: Advance): void {
    if (now === 1) {
      this.members!.add(id)
      membership.joined(this.kind, id)
    } else {
      this.members!.delete(id)
      membership.left(this.kind, id)
    }
  }
}

/** Rows that are reached from those of another stage: how often each is reached, and whether it passes the conditions that follow. */
export class DerivedStage implements Stage {
  readonly kind: RowKind
  readonly moves = new ById<Move>()
  private readonly expansion: Expansion
  private readonly test: Predicate<Element> | undefined
  private readonly distinct: boolean
  /** How often each element is reached; negative when it does not pass. */
  private readonly reached = new Map<string, number>()
  private readonly sums = new Map<string, number>()
  private readonly add = (id: string, times: number): void => {
    this.sums.set(id, (this.sums.get(id) ?? 0) + times)
  }

  constructor(expansion: Expansion, test: Predicate<Element> | undefined, distinct: boolean) {
    this.kind = expansion.kind
    this.expansion = expansion
    this.test = test
    this.distinct = distinct
  }

  get size(): number {
    return this.reached.size
  }

  holds(id: string): boolean {
    return this.reached.has(id)
  }

  forEachHeld(visit: (id: string) => void): void {
    for (const id of this.reached.keys()) visit(id)
  }

  count(id: string): number {
    return this.visible(this.reached.get(id) ?? 0)
  }

  countBefore(id: string): number {
    return this.moves.get(id)?.old ?? this.count(id)
  }

  /**
   * What is reached now is what was, plus the new arrivals over all edges of now, plus those that were there before over the edges that came
   * or went.
   */
  advance(advance: Advance, previous: Stage): void {
    this.moves.clear()
    const { sums, add, expansion } = this
    for (const move of previous.moves.list) expansion.fromMove(move, advance, add)
    for (const edge of advance.edges.list) expansion.fromEdge(edge, (id) => previous.countBefore(id, advance), add)
    for (const { id } of netsOf(advance, this.kind).list) if (this.reached.has(id) && !sums.has(id)) sums.set(id, 0)
    for (const [id, times] of sums) this.settle(id, times, advance)
    if (sums.size > 0) sums.clear()
  }

  forEach(view: GraphView, visit: (element: Element, count: number) => void): void {
    for (const [id, held] of this.reached) {
      const count = this.visible(held)
      if (count > 0) visit(currentElement(view, this.kind, id)!, count)
    }
  }

  private settle(id: string, times: number, advance: Advance): void {
    const net = netsOf(advance, this.kind).get(id)
    const held = this.reached.get(id) ?? 0
    const raw = Math.abs(held) + times
    if (times === 0 && !net) return
    if (raw < 0) throw new InvariantError('a continuous query lost count of a row', { id, raw })
    const element = net ? net.after : currentElement(advance.view, this.kind, id)
    const passes = raw > 0 && element !== undefined && (!this.test || this.test(element))
    this.store(id, held, passes ? raw : -raw, advance)
    const old = this.visible(held)
    const now = passes ? this.visible(raw) : 0
    if (old === 0 && now === 0) return
    this.moves.push({ id, before: net ? net.before : element, after: element, gone: net?.gone, old, now })
  }

  private store(id: string, held: number, now: number, { membership }: Advance): void {
    if (now === 0) {
      if (!this.reached.delete(id)) return
      membership.left(this.kind, id)
      return
    }
    if (now !== held) this.reached.set(id, now)
    if (held === 0) membership.joined(this.kind, id)
  }

  private visible(held: number): number {
    return held <= 0 ? 0 : this.distinct ? 1 : held
  }
}
