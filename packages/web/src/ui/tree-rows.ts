import type { SceneDelta, SceneElement } from '../engine/scene.ts'
import { ROOT } from '../engine/slot-layout.ts'

/** One row of the tree. `level` counts from 1, `position` from 1 among `siblings`. */
export interface TreeRow {
  readonly id: string
  readonly level: number
  readonly position: number
  readonly siblings: number
}

const COLLATOR = new Intl.Collator(undefined, { numeric: true })

/** The visible elements as rows of a tree, by name within a container. A change of state costs nothing, a new element its siblings. */
export class TreeRows {
  readonly #elements: ReadonlyMap<string, SceneElement>
  readonly #children = new Map<string, Set<string>>()
  readonly #sorted = new Map<string, readonly string[]>()
  readonly #placed = new Map<string, { readonly parent: string; readonly label: string }>()
  #rows: readonly TreeRow[] | undefined

  constructor(elements: ReadonlyMap<string, SceneElement>) {
    this.#elements = elements
  }

  /** Takes what changed; call it after the elements were changed. */
  apply(delta: SceneDelta): void {
    if (delta.whole) {
      this.#children.clear()
      this.#sorted.clear()
      this.#placed.clear()
      this.#rows = undefined
    }
    for (const id of delta.removedElements) this.#take(id)
    for (const { id, parent, label, kind } of delta.elements) {
      const placed = this.#placed.get(id)
      // Opening and folding change what is listed below, also when no name does.
      if (kind !== 'leaf') this.#rows = undefined
      if (placed?.parent === parent && placed.label === label) continue
      this.#take(id)
      this.#placed.set(id, { parent, label })
      const siblings = this.#children.get(parent)
      if (siblings) siblings.add(id)
      else this.#children.set(parent, new Set([id]))
      this.#sorted.delete(parent)
      this.#rows = undefined
    }
  }

  #take(id: string): void {
    const placed = this.#placed.get(id)
    if (!placed) return
    this.#placed.delete(id)
    this.#children.get(placed.parent)?.delete(id)
    this.#sorted.delete(placed.parent)
    this.#rows = undefined
  }

  /** All rows from top to bottom. The same list until something comes, goes, opens or folds. */
  get rows(): readonly TreeRow[] {
    if (!this.#rows) {
      const rows: TreeRow[] = []
      this.#list(ROOT, 1, rows)
      this.#rows = rows
    }
    return this.#rows
  }

  #list(parent: string, level: number, into: TreeRow[]): void {
    const ids = this.#sortedChildren(parent)
    ids.forEach((id, index) => {
      into.push({ id, level, position: index + 1, siblings: ids.length })
      if (this.#elements.get(id)?.kind === 'open') this.#list(id, level + 1, into)
    })
  }

  #sortedChildren(parent: string): readonly string[] {
    let sorted = this.#sorted.get(parent)
    if (!sorted) {
      const label = (id: string): string => this.#placed.get(id)!.label
      sorted = [...(this.#children.get(parent) ?? [])].sort((a, b) => COLLATOR.compare(label(a), label(b)))
      this.#sorted.set(parent, sorted)
    }
    return sorted
  }
}
