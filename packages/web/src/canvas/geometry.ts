import type { SceneElement } from '../engine/scene.ts'
import { CELL_HEIGHT, CELL_WIDTH } from '../engine/slot-layout.ts'

// Measures of what is drawn, in world units: CSS pixels at zoom 1.

/** The middle of a circle below the upper border of its cell; the label is below. */
export const ANCHOR_Y = 29
export const CIRCLE_RADIUS = 15
export const FOLDED_RADIUS = 20
/** The base line of a label below the upper border of its cell. */
export const LABEL_Y = CELL_HEIGHT - 8
/** The middle of an area's title below the area's upper border. */
export const TITLE_Y = CELL_HEIGHT * 0.45

const FIRST_INSET = 4
const INSET_STEP = 5
const LARGEST_INSET = 19

/** The gap between the border of an area and that of its cells; deeper areas are smaller, so that borders never coincide. */
export function areaInset(depth: number): number {
  return Math.min(FIRST_INSET + depth * INSET_STEP, LARGEST_INSET)
}

export function radiusOf(element: SceneElement): number {
  return element.kind === 'folded' ? FOLDED_RADIUS : CIRCLE_RADIUS
}

/** What stands for an element when something points at it: the middle of the circle, or of an area's title. */
export function anchorOf(element: SceneElement): { x: number; y: number } {
  if (element.kind === 'open') return { x: element.x + element.width / 2, y: element.y + TITLE_Y }
  return { x: element.x + CELL_WIDTH / 2, y: element.y + ANCHOR_Y }
}
