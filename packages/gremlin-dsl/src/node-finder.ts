import type { GraphView, IndexValue } from '@skydive/contracts'
import type { Budget } from './budget.ts'

/** Finds the node that has a value in one of a few keys: by index where the view has one, else by one scan for all look-ups. */
export class NodeFinder {
  readonly #view: GraphView
  readonly #budget: Budget
  readonly #newest: boolean
  readonly #scanned = new Map<string, Map<IndexValue, number>>()

  constructor(view: GraphView, budget: Budget) {
    this.#view = view
    this.#budget = budget
    this.#newest = view.slice !== undefined && view.slice.startMs < view.slice.lastMs
  }

  /** The first node in order of creation (in a duration: the newest revision), or -1. */
  find(key: string, value: string): number {
    const view = this.#view
    if (value === '') return -1
    if (view.nodeCardinality(key, value) < 0) return this.#scan(key).get(value) ?? -1
    let found = -1
    view.forEachNodeWith(key, value, (row) => {
      this.#budget.visit()
      found = row
      return this.#newest
    })
    return found
  }

  #scan(key: string): Map<IndexValue, number> {
    let index = this.#scanned.get(key)
    if (!index) {
      const rows = new Map<IndexValue, number>()
      this.#view.forEachNode((row) => {
        this.#budget.visit()
        const value = this.#view.nodeValue(row, key)
        if (typeof value === 'string' && (this.#newest || !rows.has(value))) rows.set(value, row)
        return true
      })
      index = rows
      this.#scanned.set(key, index)
    }
    return index
  }
}
