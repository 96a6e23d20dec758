import type { SceneElement, SceneLine } from '../engine/scene.ts'
import type { Emphasis } from './emphasis.ts'
import { radiusOf } from './geometry.ts'
import type { Route } from './line-router.ts'
import type { SceneStore } from './scene-store.ts'
import type { Theme } from './theme.ts'
import type { Viewport } from './viewport.ts'

/** Below these zooms arrows, counts and round corners are left out. */
const ARROWS_FROM = 0.35
const COUNTS_FROM = 0.55
const ROUND_FROM = 0.5
const CORNER_RADIUS = 7

/** How relations are told apart: what carries frames is solid, tunnels dotted, everything else dashed. */
const DASHES: Readonly<Record<string, readonly number[]>> = { layer2: [], vlayer2: [2, 4] }
const OTHER_DASHES = [7, 5]

const isInside = (route: Route, { left, top, right, bottom }: Viewport['window']): boolean =>
  route.right >= left && route.left <= right && route.bottom >= top && route.top <= bottom

interface Counted {
  readonly route: Route
  readonly count: number
}

/** All lines of the scene that touch the window; faint while something is highlighted. */
export function drawEdges(
  context: CanvasRenderingContext2D,
  scene: SceneStore,
  viewport: Viewport,
  theme: Theme,
  { highlighted, way }: Emphasis,
): void {
  const window = viewport.window
  const paths = new Map<readonly number[], Path2D>()
  const arrows = new Path2D()
  const counted: Counted[] = []
  for (const { from, to, relation, directed, count } of scene.edges.values()) {
    const route = scene.route(from, to, relation)
    if (!route || !isInside(route, window)) continue
    const dashes = DASHES[relation] ?? OTHER_DASHES
    let path = paths.get(dashes)
    if (!path) {
      path = new Path2D()
      paths.set(dashes, path)
    }
    trace(path, route, viewport.zoom)
    if (directed && viewport.zoom >= ARROWS_FROM) addArrow(arrows, route, scene.elements.get(to)!)
    if (count > 1) counted.push({ route, count })
  }
  context.globalAlpha = highlighted.size + way.length > 0 ? 0.45 : 1
  context.strokeStyle = theme.edge
  context.lineWidth = 1.5 / Math.max(viewport.zoom, 0.4)
  for (const [dashes, path] of paths) {
    context.setLineDash([...dashes])
    context.stroke(path)
  }
  context.setLineDash([])
  context.fillStyle = theme.edge
  context.fill(arrows)
  context.globalAlpha = 1
  if (viewport.zoom >= COUNTS_FROM) drawCounts(context, counted, theme)
}

/** The lines of what is looked at, over all others, with a border that sets them off from what they cross. */
export function drawStrongLines(
  context: CanvasRenderingContext2D,
  scene: SceneStore,
  viewport: Viewport,
  lines: readonly SceneLine[],
  color: string,
): void {
  if (lines.length === 0) return
  const path = new Path2D()
  for (const { from, to, relation } of lines) {
    const route = scene.route(from, to, relation)
    if (route) trace(path, route, viewport.zoom)
  }
  context.strokeStyle = color
  context.lineWidth = 3 / Math.max(viewport.zoom, 0.4)
  context.stroke(path)
}

function drawCounts(context: CanvasRenderingContext2D, counted: readonly Counted[], theme: Theme): void {
  context.font = '600 11px system-ui, sans-serif'
  context.textAlign = 'center'
  context.textBaseline = 'middle'
  for (const { route, count } of counted) {
    const { x, y } = middleOf(route.points)
    const text = `×${count}`
    const width = 10 + text.length * 6
    context.fillStyle = theme.background
    context.beginPath()
    context.roundRect(x - width / 2, y - 8, width, 16, 8)
    context.fill()
    context.fillStyle = theme.label
    context.fillText(text, x, y)
  }
}

/** The middle of the middle part of a line. */
function middleOf(points: readonly number[]): { x: number; y: number } {
  const part = Math.floor((points.length / 2 - 1) / 2) * 2
  return { x: (points[part]! + points[part + 2]!) / 2, y: (points[part + 1]! + points[part + 3]!) / 2 }
}

function trace(path: Path2D, { points }: Route, zoom: number): void {
  const last = points.length - 2
  path.moveTo(points[0]!, points[1]!)
  for (let at = 2; at < last; at += 2) {
    if (zoom >= ROUND_FROM) path.arcTo(points[at]!, points[at + 1]!, points[at + 2]!, points[at + 3]!, CORNER_RADIUS)
    else path.lineTo(points[at]!, points[at + 1]!)
  }
  path.lineTo(points[last]!, points[last + 1]!)
}

/** A filled head that ends at the border of what the line leads to. */
function addArrow(path: Path2D, { points }: Route, to: SceneElement): void {
  const last = points.length - 2
  const fromX = points[last - 2]!
  const fromY = points[last - 1]!
  const gap = to.kind === 'open' ? 0 : radiusOf(to) + 3
  const length = Math.hypot(points[last]! - fromX, points[last + 1]! - fromY)
  if (length <= gap) return
  const dx = (points[last]! - fromX) / length
  const dy = (points[last + 1]! - fromY) / length
  const x = points[last]! - dx * gap
  const y = points[last + 1]! - dy * gap
  path.moveTo(x, y)
  path.lineTo(x - dx * 9 - dy * 4.5, y - dy * 9 + dx * 4.5)
  path.lineTo(x - dx * 9 + dy * 4.5, y - dy * 9 - dx * 4.5)
  path.closePath()
}
