import type { SceneElement } from '../engine/scene.ts'
import { CELL_HEIGHT, CELL_WIDTH } from '../engine/slot-layout.ts'
import { ANCHOR_Y, areaInset } from './geometry.ts'

/** What the router asks of the scene. */
export interface Surroundings {
  element(id: string): SceneElement | undefined
  /** The leaf or folded container in a cell of the grid. */
  cellAt(column: number, row: number): SceneElement | undefined
  /** The innermost element at a point of the world. */
  at(x: number, y: number): SceneElement | undefined
}

/** A way to draw a line: the points of a polyline `x0, y0, x1, y1, …` from the middle of `from` to that of `to`, and the box around it. */
export interface Route {
  readonly points: readonly number[]
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

/** A straight line may pass this many free cells; longer ones would be hard to follow among the others. */
const MOST_STRAIGHT_CELLS = 6
/** Lines side by side in one gutter, and how far they are apart: enough to tell neighbours, narrow enough for the gap between areas. */
const LANES = 4
const LANE_WIDTH = 3
const DEEPEST = 64

/**
 * Finds the way of a line on the grid that everything lies on. Neighbours, and elements with nothing between them in their row or column,
 * are joined straight. Other lines leave sideways and run in the gutters between columns and between rows, around the areas that neither
 * end belongs to, so that they pass through no circle. The same ends and `key` give the same way. O(depth).
 */
export function routeLine(from: SceneElement, to: SceneElement, key: string, surroundings: Surroundings): Route {
  const fromChain = chain(from, surroundings)
  const toChain = chain(to, surroundings)
  if (from.kind === 'open' && toChain.includes(from)) return reversed(toEnclosing(to, from, key, toChain))
  if (to.kind === 'open' && fromChain.includes(to)) return toEnclosing(from, to, key, fromChain)
  if (from.kind !== 'open' && to.kind !== 'open' && isFree(from, to, fromChain, toChain, surroundings)) {
    return route([middle(from), ANCHOR_Y + from.y, middle(to), ANCHOR_Y + to.y])
  }
  return throughGutters(from, to, outermostApart(fromChain, toChain), outermostApart(toChain, fromChain), key, {
    from: fromChain.length - 1,
    to: toChain.length - 1,
  })
}

const middle = (element: SceneElement): number => element.x + CELL_WIDTH / 2

/** From the element to the outermost container around it. */
function chain(element: SceneElement, { element: find }: Surroundings): SceneElement[] {
  const found = [element]
  for (let parent = find(element.parent); parent && found.length < DEEPEST; parent = find(parent.parent)) found.push(parent)
  return found
}

/** The outermost of a chain that the other end is not inside of. */
function outermostApart(own: readonly SceneElement[], other: readonly SceneElement[]): SceneElement {
  let outermost = own[0]!
  for (const element of own) {
    if (other.includes(element)) break
    outermost = element
  }
  return outermost
}

/** Whether a straight line between two cells passes nothing that it does not belong to. */
function isFree(
  from: SceneElement,
  to: SceneElement,
  fromChain: readonly SceneElement[],
  toChain: readonly SceneElement[],
  { cellAt, at }: Surroundings,
): boolean {
  const columns = Math.round((to.x - from.x) / CELL_WIDTH)
  const rows = Math.round((to.y - from.y) / CELL_HEIGHT)
  const steps = Math.max(Math.abs(columns), Math.abs(rows))
  if (steps <= 1) return true
  if ((columns !== 0 && rows !== 0) || steps - 1 > MOST_STRAIGHT_CELLS) return false
  for (let step = 1; step < steps; step++) {
    const x = from.x + Math.sign(columns) * step * CELL_WIDTH
    const y = from.y + Math.sign(rows) * step * CELL_HEIGHT
    if (cellAt(Math.round(x / CELL_WIDTH), Math.round(y / CELL_HEIGHT))) return false
    const area = at(x + CELL_WIDTH / 2, y + CELL_HEIGHT / 2)
    if (area && !fromChain.includes(area) && !toChain.includes(area)) return false
  }
  return true
}

/** Sideways out of the element, then up its column's gutter to the title of the container around it. */
function toEnclosing(from: SceneElement, container: SceneElement, key: string, around: readonly SceneElement[]): Route {
  const depth = around.length - 1 - around.indexOf(container)
  const top = container.y + areaInset(depth)
  if (from.kind === 'open')
    return route([from.x + from.width / 2, from.y + areaInset(around.length - 1), from.x + from.width / 2, top])
  const gutter = from.x + CELL_WIDTH + lane(key)
  return route([middle(from), from.y + ANCHOR_Y, gutter, from.y + ANCHOR_Y, gutter, top])
}

function throughGutters(
  from: SceneElement,
  to: SceneElement,
  fromArea: SceneElement,
  toArea: SceneElement,
  key: string,
  depth: { readonly from: number; readonly to: number },
): Route {
  const offset = lane(key)
  const row = sharedRow(fromArea, toArea) + offset
  const start = leave(from, to, row, depth.from, offset)
  const end = leave(to, from, row, depth.to, offset)
  // Both leave into the same gutter: no need to go to the row between.
  if (start.gutter === end.gutter && from.kind !== 'open' && to.kind !== 'open') {
    return route([start.x, start.y, start.gutter, start.y, end.gutter, end.y, end.x, end.y])
  }
  return route([start.x, start.y, start.gutter, start.y, start.gutter, row, end.gutter, row, end.gutter, end.y, end.x, end.y])
}

/** The border between rows that a line runs along: above both when they lie side by side, else between them. */
function sharedRow(a: SceneElement, b: SceneElement): number {
  if (a.y + a.height <= b.y) return b.y
  if (b.y + b.height <= a.y) return a.y
  return Math.min(a.y, b.y)
}

/** How a line leaves an element: sideways towards the other end into the gutter; an area at its upper or lower border. */
function leave(
  element: SceneElement,
  other: SceneElement,
  row: number,
  depth: number,
  offset: number,
): { readonly x: number; readonly y: number; readonly gutter: number } {
  if (element.kind === 'open') {
    const x = element.x + Math.round(element.width / CELL_WIDTH / 2) * CELL_WIDTH + offset
    const inset = areaInset(depth)
    const isAbove = row < element.y + element.height / 2
    return { x, y: isAbove ? element.y + inset : element.y + element.height - inset, gutter: x }
  }
  const target = other.kind === 'open' ? other.x + other.width / 2 : middle(other)
  const isLeft = target < middle(element) - 1
  return { x: middle(element), y: element.y + ANCHOR_Y, gutter: element.x + (isLeft ? 0 : CELL_WIDTH) + offset }
}

/** One of a few lanes in a gutter, the same for the same key; FNV-1a spreads them. */
function lane(key: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193)
  return (((hash >>> 0) % LANES) - (LANES - 1) / 2) * LANE_WIDTH
}

function reversed({ points, ...box }: Route): Route {
  const turned: number[] = []
  for (let at = points.length - 2; at >= 0; at -= 2) turned.push(points[at]!, points[at + 1]!)
  return { points: turned, ...box }
}

function route(points: readonly number[]): Route {
  let left = Number.POSITIVE_INFINITY
  let top = Number.POSITIVE_INFINITY
  let right = Number.NEGATIVE_INFINITY
  let bottom = Number.NEGATIVE_INFINITY
  for (let at = 0; at < points.length; at += 2) {
    left = Math.min(left, points[at]!)
    right = Math.max(right, points[at]!)
    top = Math.min(top, points[at + 1]!)
    bottom = Math.max(bottom, points[at + 1]!)
  }
  return { points, left, top, right, bottom }
}
