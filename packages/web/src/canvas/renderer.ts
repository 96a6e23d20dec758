import type { SceneElement } from '../engine/scene.ts'
import { drawCells } from './cell-painter.ts'
import type { Emphasis } from './emphasis.ts'
import { areaInset, TITLE_Y } from './geometry.ts'
import { shorten } from './labels.ts'
import { drawEdges, drawStrongLines } from './line-painter.ts'
import type { SceneStore } from './scene-store.ts'
import { areaColor, type Theme } from './theme.ts'
import type { Viewport } from './viewport.ts'

/** Below this zoom titles are left out: detail that nobody could see costs nothing. */
const TITLES_FROM = 0.12
/** A title is drawn when there is room for this many characters. */
const SHORTEST_TITLE = 3

/** Draws a scene onto a canvas. Paths are gathered by style, so that a frame needs few strokes whatever the number of elements. */
export class CanvasRenderer {
  readonly #context: CanvasRenderingContext2D
  /** Frames drawn so far: what tests and the performance figures count. */
  frames = 0

  constructor(context: CanvasRenderingContext2D) {
    this.#context = context
  }

  draw(scene: SceneStore, viewport: Viewport, emphasis: Emphasis, theme: Theme, pixelRatio: number): void {
    const context = this.#context
    context.setTransform(pixelRatio, 0, 0, pixelRatio, 0, 0)
    context.fillStyle = theme.background
    context.fillRect(0, 0, viewport.width, viewport.height)
    const scale = viewport.zoom * pixelRatio
    context.setTransform(scale, 0, 0, scale, -viewport.left * scale, -viewport.top * scale)
    context.lineJoin = 'round'

    const { open, cells } = scene.within(viewport.window)
    const depths = new Map(open.map((area) => [area.id, scene.depthOf(area)]))
    this.#areas(open, depths, viewport.zoom, theme, emphasis)
    drawEdges(context, scene, viewport, theme, emphasis)
    drawStrongLines(context, scene, viewport, emphasis.lines, theme.edgeStrong)
    drawStrongLines(context, scene, viewport, emphasis.way, theme.way)
    // Above the lines, so that they don't strike through names.
    this.#titles(open, depths, viewport.zoom, theme)
    drawCells(context, cells, depths, viewport.zoom, theme, emphasis)
    this.frames += 1
  }

  #areas(
    open: readonly SceneElement[],
    depths: ReadonlyMap<string, number>,
    zoom: number,
    theme: Theme,
    emphasis: Emphasis,
  ): void {
    const context = this.#context
    for (const area of open) {
      const depth = depths.get(area.id)!
      const inset = areaInset(depth)
      const isMarked = area.id === emphasis.selected || emphasis.highlighted.has(area.id)
      context.fillStyle = areaColor(theme, depth)
      context.strokeStyle = borderColor(area.id, theme, emphasis)
      context.lineWidth = (isMarked ? 3 : 1) / Math.max(zoom, 0.3)
      context.beginPath()
      context.roundRect(area.x + inset, area.y + inset, area.width - 2 * inset, area.height - 2 * inset, 8)
      context.fill()
      context.stroke()
    }
  }

  #titles(open: readonly SceneElement[], depths: ReadonlyMap<string, number>, zoom: number, theme: Theme): void {
    if (zoom < TITLES_FROM) return
    const context = this.#context
    // A title stays readable when everything is small, as long as its area is wide enough.
    const size = Math.min(40, Math.max(15, 13 / zoom))
    context.font = `600 ${size}px system-ui, sans-serif`
    context.textBaseline = 'middle'
    context.textAlign = 'left'
    context.lineWidth = 5
    for (const area of open) {
      const depth = depths.get(area.id)!
      const x = area.x + areaInset(depth) + 10
      const characters = Math.floor((area.width - 2 * areaInset(depth) - 16) / (size * 0.58))
      if (characters < SHORTEST_TITLE) continue
      context.strokeStyle = areaColor(theme, depth)
      const name = shorten(area.label, characters)
      context.strokeText(name, x, area.y + TITLE_Y)
      context.fillStyle = theme.title
      context.fillText(name, x, area.y + TITLE_Y)
      // The type is told beside the name, when both fit.
      if (characters < area.label.length + area.type.length + 2) continue
      const typeX = x + context.measureText(`${name}  `).width
      context.strokeText(area.type, typeX, area.y + TITLE_Y)
      context.fillStyle = theme.faint
      context.fillText(area.type, typeX, area.y + TITLE_Y)
    }
  }
}

function borderColor(id: string, theme: Theme, { selected, hovered, highlighted }: Emphasis): string {
  if (id === selected) return theme.selected
  if (highlighted.has(id)) return theme.highlighted
  return id === hovered ? theme.edgeStrong : theme.areaBorder
}
