import type { SceneEdge, SceneElement } from '../engine/scene.ts'
import { CELL_HEIGHT, CELL_WIDTH } from '../engine/slot-layout.ts'
import { anchorOf, type SceneStore } from './scene-store.ts'
import type { Theme } from './theme.ts'
import type { Viewport } from './viewport.ts'

/** What the user looks at in particular. */
export interface Emphasis {
  readonly selected: string | undefined
  readonly hovered: string | undefined
  readonly highlighted: ReadonlySet<string>
  /** Unmerged lines of the selected or hovered element, between drawn elements. */
  readonly lines: readonly { readonly from: string; readonly to: string; readonly relation: string }[]
}

const CIRCLE_RADIUS = 15
const FOLDED_RADIUS = 20
/** Below this zoom elements are dots, then labels are left out, then arrows: detail that nobody could see costs nothing. */
const DOTS_BELOW = 0.22
const LABELS_FROM = 0.55
const TITLES_FROM = 0.12
const ARROWS_FROM = 0.35
const LABEL_CHARACTERS = 14

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

    const { open, cells } = scene.within(viewport.window)
    this.#areas(open, scene, viewport.zoom, theme, emphasis)
    this.#edges(scene, viewport, theme)
    this.#emphasisedLines(scene, emphasis, viewport.zoom, theme)
    this.#titles(open, viewport.zoom, theme)
    this.#cells(cells, viewport.zoom, theme, emphasis)
    this.frames += 1
  }

  #areas(open: readonly SceneElement[], scene: SceneStore, zoom: number, theme: Theme, emphasis: Emphasis): void {
    const context = this.#context
    const inset = 5
    for (const area of open) {
      context.fillStyle = theme.areas[Math.min(depthOf(area, scene), theme.areas.length - 1)]!
      context.strokeStyle =
        area.id === emphasis.selected ? theme.selected : emphasis.highlighted.has(area.id) ? theme.highlighted : theme.areaBorder
      context.lineWidth = (area.id === emphasis.selected || emphasis.highlighted.has(area.id) ? 3 : 1) / Math.max(zoom, 0.3)
      context.beginPath()
      context.roundRect(area.x + inset, area.y + inset, area.width - 2 * inset, area.height - 2 * inset, 10)
      context.fill()
      context.stroke()
    }
  }

  /** Above the lines, so that they don't strike through names. */
  #titles(open: readonly SceneElement[], zoom: number, theme: Theme): void {
    if (zoom < TITLES_FROM) return
    const context = this.#context
    // A title stays readable when everything is small, as long as its area is wide enough.
    const size = Math.min(40, Math.max(15, 13 / zoom))
    context.font = `600 ${size}px system-ui, sans-serif`
    context.textBaseline = 'middle'
    context.textAlign = 'left'
    context.fillStyle = theme.title
    for (const area of open) {
      const room = Math.floor((area.width - 28) / (size * 0.58))
      if (room >= 3) context.fillText(shorten(`${area.label}  ${area.type}`, room), area.x + 16, area.y + CELL_HEIGHT * 0.45)
    }
  }

  #edges(scene: SceneStore, viewport: Viewport, theme: Theme): void {
    const context = this.#context
    const window = viewport.window
    const plain = new Path2D()
    const dashed = new Path2D()
    const arrows = new Path2D()
    const counts: { x: number; y: number; count: number }[] = []
    for (const edge of scene.edges.values()) {
      const from = scene.elements.get(edge.from)
      const to = scene.elements.get(edge.to)
      if (!from || !to) continue
      const a = anchorOf(from)
      const b = anchorOf(to)
      if (
        Math.max(a.x, b.x) < window.left ||
        Math.min(a.x, b.x) > window.right ||
        Math.max(a.y, b.y) < window.top ||
        Math.min(a.y, b.y) > window.bottom
      )
        continue
      const path = edge.relation === 'layer2' ? plain : dashed
      path.moveTo(a.x, a.y)
      path.lineTo(b.x, b.y)
      if (edge.directed && viewport.zoom >= ARROWS_FROM) addArrow(arrows, a, b, radiusOf(to) + 3)
      if (edge.count > 1) counts.push({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, count: edge.count })
    }
    context.strokeStyle = theme.edge
    context.lineWidth = 1.5 / Math.max(viewport.zoom, 0.4)
    context.stroke(plain)
    context.setLineDash([6, 5])
    context.stroke(dashed)
    context.setLineDash([])
    context.fillStyle = theme.edge
    context.fill(arrows)
    if (viewport.zoom >= LABELS_FROM) this.#counts(counts, theme)
  }

  #counts(counts: readonly { x: number; y: number; count: number }[], theme: Theme): void {
    const context = this.#context
    context.font = '11px system-ui, sans-serif'
    context.textAlign = 'center'
    context.textBaseline = 'middle'
    for (const { x, y, count } of counts) {
      context.fillStyle = theme.background
      context.fillRect(x - 12, y - 8, 24, 16)
      context.fillStyle = theme.label
      context.fillText(`×${count}`, x, y)
    }
  }

  #emphasisedLines(scene: SceneStore, emphasis: Emphasis, zoom: number, theme: Theme): void {
    if (emphasis.lines.length === 0) return
    const context = this.#context
    context.strokeStyle = theme.edgeStrong
    context.lineWidth = 2.5 / Math.max(zoom, 0.4)
    context.beginPath()
    for (const line of emphasis.lines) {
      const from = scene.elements.get(line.from)
      const to = scene.elements.get(line.to)
      if (!from || !to) continue
      const a = anchorOf(from)
      const b = anchorOf(to)
      context.moveTo(a.x, a.y)
      context.lineTo(b.x, b.y)
    }
    context.stroke()
  }

  #cells(cells: readonly SceneElement[], zoom: number, theme: Theme, emphasis: Emphasis): void {
    if (zoom < DOTS_BELOW) this.#dots(cells, theme)
    else this.#circles(cells, zoom, theme)
    for (const id of emphasis.highlighted) this.#ring(cells, id, theme.highlighted, zoom)
    if (emphasis.hovered !== undefined) this.#ring(cells, emphasis.hovered, theme.edgeStrong, zoom)
    if (emphasis.selected !== undefined) this.#ring(cells, emphasis.selected, theme.selected, zoom)
    if (zoom < LABELS_FROM) return
    const context = this.#context
    context.font = '12px system-ui, sans-serif'
    context.textAlign = 'center'
    context.textBaseline = 'alphabetic'
    context.fillStyle = theme.label
    for (const cell of cells)
      context.fillText(shorten(cell.label, LABEL_CHARACTERS), cell.x + CELL_WIDTH / 2, cell.y + CELL_HEIGHT - 8)
  }

  #dots(cells: readonly SceneElement[], theme: Theme): void {
    const context = this.#context
    for (const state of ['up', 'down', 'none'] as const) {
      context.fillStyle = state === 'up' ? theme.outline : theme[state]
      context.beginPath()
      for (const cell of cells) if (cell.state === state && cell.kind === 'leaf') context.rect(cell.x + 30, cell.y + 14, 36, 36)
      context.fill()
    }
    context.fillStyle = theme.folded
    context.beginPath()
    for (const cell of cells) if (cell.kind === 'folded') context.rect(cell.x + 22, cell.y + 8, 52, 52)
    context.fill()
  }

  #circles(cells: readonly SceneElement[], zoom: number, theme: Theme): void {
    const context = this.#context
    context.lineWidth = 1.5
    context.strokeStyle = theme.outline
    for (const state of ['up', 'down', 'none'] as const) {
      context.fillStyle = theme[state]
      context.beginPath()
      for (const cell of cells) if (cell.state === state && cell.kind === 'leaf') addCircle(context, cell, CIRCLE_RADIUS)
      context.fill()
      context.stroke()
    }
    context.fillStyle = theme.folded
    context.beginPath()
    for (const cell of cells) if (cell.kind === 'folded') addCircle(context, cell, FOLDED_RADIUS)
    context.fill()
    context.fillStyle = theme.captured
    context.beginPath()
    for (const cell of cells) {
      if (!cell.captured) continue
      const { x, y } = anchorOf(cell)
      context.moveTo(x + 19, y - 12)
      context.arc(x + 14, y - 12, 5, 0, Math.PI * 2)
    }
    context.fill()
    if (zoom < LABELS_FROM) return
    context.font = '600 12px system-ui, sans-serif'
    context.textAlign = 'center'
    context.textBaseline = 'middle'
    context.fillStyle = theme.foldedText
    for (const cell of cells)
      if (cell.kind === 'folded') context.fillText(compact(cell.hidden), cell.x + CELL_WIDTH / 2, cell.y + CELL_HEIGHT * 0.4)
  }

  #ring(cells: readonly SceneElement[], id: string, color: string, zoom: number): void {
    const cell = cells.find((candidate) => candidate.id === id)
    if (!cell) return
    const context = this.#context
    context.strokeStyle = color
    context.lineWidth = 3 / Math.max(zoom, 0.3)
    context.beginPath()
    addCircle(context, cell, radiusOf(cell) + 4)
    context.stroke()
  }
}

function radiusOf(element: SceneElement): number {
  return element.kind === 'folded' ? FOLDED_RADIUS : CIRCLE_RADIUS
}

function addCircle(context: CanvasRenderingContext2D, cell: SceneElement, radius: number): void {
  const { x, y } = anchorOf(cell)
  context.moveTo(x + radius, y)
  context.arc(x, y, radius, 0, Math.PI * 2)
}

/** A filled head that ends `gap` before `to`. */
function addArrow(path: Path2D, from: { x: number; y: number }, to: { x: number; y: number }, gap: number): void {
  const length = Math.hypot(to.x - from.x, to.y - from.y)
  if (length <= gap) return
  const dx = (to.x - from.x) / length
  const dy = (to.y - from.y) / length
  const x = to.x - dx * gap
  const y = to.y - dy * gap
  path.moveTo(x, y)
  path.lineTo(x - dx * 9 - dy * 4, y - dy * 9 + dx * 4)
  path.lineTo(x - dx * 9 + dy * 4, y - dy * 9 - dx * 4)
  path.closePath()
}

function depthOf(area: SceneElement, scene: SceneStore): number {
  let depth = 0
  for (let parent = scene.elements.get(area.parent); parent && depth < 8; parent = scene.elements.get(parent.parent)) depth += 1
  return depth
}

function shorten(text: string, characters: number): string {
  return text.length <= characters ? text : `${text.slice(0, Math.max(1, characters - 1))}…`
}

function compact(count: number): string {
  return count < 1_000 ? String(count) : `${(count / 1_000).toFixed(count < 10_000 ? 1 : 0)}k`
}

/** The lines that a test or a screen reader needs: what is drawn between what. */
export function describeEdge(edge: SceneEdge): string {
  return `${edge.from} ${edge.directed ? '→' : '–'} ${edge.to} (${edge.relation}${edge.count > 1 ? `, ${edge.count}` : ''})`
}
