import type { SceneDelta, SceneEdge, SceneElement } from '../engine/scene.ts'
import { CELL_HEIGHT, CELL_WIDTH } from '../engine/slot-layout.ts'

/** The rectangle around everything, in world units. */
export interface Bounds {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

/** Cells of the coarse grid that elements are found by: 16 by 16 slots. */
const TILE_WIDTH = CELL_WIDTH * 16
const TILE_HEIGHT = CELL_HEIGHT * 16

const tileKey = (column: number, row: number): number => row * 65_536 + column

/**
 * What the page draws, kept up by deltas, with the questions that drawing asks: what lies in this window, what is under this point.
 * Both cost what they find.
 */
export class SceneStore {
  readonly elements = new Map<string, SceneElement>()
  readonly edges = new Map<string, SceneEdge>()
  readonly #tiles = new Map<number, Set<SceneElement>>()

  apply(delta: SceneDelta): void {
    if (delta.whole) {
      this.elements.clear()
      this.edges.clear()
      this.#tiles.clear()
    }
    for (const id of delta.removedElements) {
      const known = this.elements.get(id)
      if (known) this.#index(known, false)
      this.elements.delete(id)
    }
    for (const element of delta.elements) {
      const known = this.elements.get(element.id)
      if (known) this.#index(known, false)
      this.elements.set(element.id, element)
      this.#index(element, true)
    }
    for (const id of delta.removedEdges) this.edges.delete(id)
    for (const edge of delta.edges) this.edges.set(edge.id, edge)
  }

  #index(element: SceneElement, add: boolean): void {
    const lastColumn = Math.floor((element.x + element.width - 1) / TILE_WIDTH)
    const lastRow = Math.floor((element.y + element.height - 1) / TILE_HEIGHT)
    for (let row = Math.floor(element.y / TILE_HEIGHT); row <= lastRow; row++) {
      for (let column = Math.floor(element.x / TILE_WIDTH); column <= lastColumn; column++) {
        const key = tileKey(column, row)
        let tile = this.#tiles.get(key)
        if (!tile) {
          tile = new Set()
          this.#tiles.set(key, tile)
        }
        if (add) tile.add(element)
        else tile.delete(element)
      }
    }
  }

  /** Everything that touches the window, containers before what is inside them. */
  within(window: Bounds): { open: SceneElement[]; cells: SceneElement[] } {
    const open = new Set<SceneElement>()
    const cells = new Set<SceneElement>()
    const lastColumn = Math.floor(window.right / TILE_WIDTH)
    const lastRow = Math.floor(window.bottom / TILE_HEIGHT)
    for (let row = Math.max(0, Math.floor(window.top / TILE_HEIGHT)); row <= lastRow; row++) {
      for (let column = Math.max(0, Math.floor(window.left / TILE_WIDTH)); column <= lastColumn; column++) {
        for (const element of this.#tiles.get(tileKey(column, row)) ?? []) {
          if (
            element.x > window.right ||
            element.y > window.bottom ||
            element.x + element.width < window.left ||
            element.y + element.height < window.top
          )
            continue
          if (element.kind === 'open') open.add(element)
          else cells.add(element)
        }
      }
    }
    return { open: [...open].sort((a, b) => b.width * b.height - a.width * a.height), cells: [...cells] }
  }

  /** The innermost element at a point of the world. */
  at(x: number, y: number): SceneElement | undefined {
    let found: SceneElement | undefined
    for (const element of this.#tiles.get(tileKey(Math.floor(x / TILE_WIDTH), Math.floor(y / TILE_HEIGHT))) ?? []) {
      if (x < element.x || y < element.y || x >= element.x + element.width || y >= element.y + element.height) continue
      if (!found || element.width * element.height < found.width * found.height) found = element
    }
    return found
  }

  bounds(): Bounds {
    let left = Number.POSITIVE_INFINITY
    let top = Number.POSITIVE_INFINITY
    let right = 0
    let bottom = 0
    for (const element of this.elements.values()) {
      left = Math.min(left, element.x)
      top = Math.min(top, element.y)
      right = Math.max(right, element.x + element.width)
      bottom = Math.max(bottom, element.y + element.height)
    }
    return this.elements.size === 0 ? { left: 0, top: 0, right: CELL_WIDTH, bottom: CELL_HEIGHT } : { left, top, right, bottom }
  }
}

/** Where lines end: the middle of the circle of a cell, or of an area's title. */
export function anchorOf(element: SceneElement): { x: number; y: number } {
  if (element.kind === 'open') return { x: element.x + element.width / 2, y: element.y + CELL_HEIGHT * 0.35 }
  return { x: element.x + CELL_WIDTH / 2, y: element.y + CELL_HEIGHT * 0.4 }
}
