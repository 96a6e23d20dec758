import type { SceneDelta, SceneEdge, SceneElement } from '../engine/scene.ts'
import { CELL_HEIGHT, CELL_WIDTH } from '../engine/slot-layout.ts'
import { type Route, routeLine } from './line-router.ts'

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
const cellKey = ({ x, y }: SceneElement): number => tileKey(Math.round(x / CELL_WIDTH), Math.round(y / CELL_HEIGHT))

function isSamePlace(a: SceneElement, b: SceneElement): boolean {
  return a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height && a.kind === b.kind && a.parent === b.parent
}

/**
 * What the page draws, kept up by deltas, with the questions that drawing asks: what lies in this window, what is under this point.
 * Both cost what they find.
 */
export class SceneStore {
  readonly elements = new Map<string, SceneElement>()
  readonly edges = new Map<string, SceneEdge>()
  readonly #tiles = new Map<number, Set<SceneElement>>()
  readonly #cells = new Map<number, SceneElement>()
  /** Ways of lines, found when they are first drawn, until something gets another place. */
  readonly #routes = new Map<string, Route>()
  readonly #surroundings = {
    element: (id: string) => this.elements.get(id),
    cellAt: (column: number, row: number) => this.#cells.get(tileKey(column, row)),
    at: (x: number, y: number) => this.at(x, y),
  }

  apply(delta: SceneDelta): void {
    if (delta.whole) {
      this.elements.clear()
      this.edges.clear()
      this.#tiles.clear()
      this.#cells.clear()
      this.#routes.clear()
    }
    for (const id of delta.removedElements) {
      const known = this.elements.get(id)
      if (known) this.#index(known, false)
      this.elements.delete(id)
    }
    for (const element of delta.elements) {
      const known = this.elements.get(element.id)
      if (known && isSamePlace(known, element)) this.#replace(known, element)
      else {
        if (known) this.#index(known, false)
        this.#index(element, true)
      }
      this.elements.set(element.id, element)
    }
    for (const id of delta.removedEdges) this.edges.delete(id)
    for (const edge of delta.edges) this.edges.set(edge.id, edge)
  }

  /** The way of the line between two elements, `undefined` when one is not drawn. */
  route(from: string, to: string, relation: string): Route | undefined {
    const key = `${from}|${to}|${relation}`
    let route = this.#routes.get(key)
    if (!route) {
      const start = this.elements.get(from)
      const end = this.elements.get(to)
      if (!start || !end) return undefined
      route = routeLine(start, end, key, this.#surroundings)
      this.#routes.set(key, route)
    }
    return route
  }

  /** How many containers are around an element. */
  depthOf(element: SceneElement): number {
    let depth = 0
    for (let parent = this.elements.get(element.parent); parent && depth < 64; parent = this.elements.get(parent.parent))
      depth += 1
    return depth
  }

  #replace(known: SceneElement, element: SceneElement): void {
    this.#eachTile(known, (tile) => {
      tile.delete(known)
      tile.add(element)
    })
    if (element.kind !== 'open') this.#cells.set(cellKey(element), element)
  }

  #index(element: SceneElement, add: boolean): void {
    this.#routes.clear()
    this.#eachTile(element, (tile) => {
      if (add) tile.add(element)
      else tile.delete(element)
    })
    if (element.kind === 'open') return
    if (add) this.#cells.set(cellKey(element), element)
    else if (this.#cells.get(cellKey(element)) === element) this.#cells.delete(cellKey(element))
  }

  #eachTile(element: SceneElement, visit: (tile: Set<SceneElement>) => void): void {
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
        visit(tile)
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
