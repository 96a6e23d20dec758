import type { GraphEdge, GraphEvent, GraphNode, MetadataOp } from '@skydive/contracts'
import { ADDED, type ChangeColumns, UPDATED } from './change-columns.ts'
import { graphEvent } from './graph-event.ts'

type Element = GraphNode | GraphEdge

/**
 * The objects of the transaction that runs, beside its changes in the columns: so that an undone row has its very revision again, and that
 * events cost something only when somebody listens.
 */
export class Journal {
  #elements: Element[] = []
  /** For each change that was no addition the revision before it. */
  #previous: Element[] = []
  /** For each update what it did. */
  #ops: (readonly MetadataOp[])[] = []

  added(element: Element): void {
    this.#elements.push(element)
  }

  updated(element: Element, previous: Element, ops: readonly MetadataOp[]): void {
    this.#elements.push(element)
    this.#previous.push(previous)
    this.#ops.push(ops)
  }

  deleted(element: Element, previous: Element): void {
    this.#elements.push(element)
    this.#previous.push(previous)
  }

  /** Takes the newest change back, which was of this kind, and answers the revision before it. */
  pop(kind: number): Element | undefined {
    this.#elements.pop()
    if (kind === UPDATED) this.#ops.pop()
    return kind === ADDED ? undefined : this.#previous.pop()
  }

  clear(): void {
    if (this.#elements.length > 0) this.#elements = []
    if (this.#previous.length > 0) this.#previous = []
    if (this.#ops.length > 0) this.#ops = []
  }

  /** The events of what was noted; `first` is the number of the first change. */
  events(columns: ChangeColumns, first: number): readonly GraphEvent[] {
    let previous = 0
    let ops = 0
    return this.#elements.map((element, i) => {
      const kind = columns.kind(first + i)
      const before = kind === ADDED ? undefined : this.#previous[previous++]
      return graphEvent(kind, element, before, kind === UPDATED ? this.#ops[ops++] : undefined)
    })
  }
}
