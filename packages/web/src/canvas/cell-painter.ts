import type { SceneElement, SceneState } from '../engine/scene.ts'
import { CELL_WIDTH } from '../engine/slot-layout.ts'
import type { Emphasis } from './emphasis.ts'
import { ANCHOR_Y, anchorOf, LABEL_Y, radiusOf } from './geometry.ts'
import { compact, shorten } from './labels.ts'
import { areaColor, type Theme } from './theme.ts'

/** Below these zooms elements are dots, then text is left out. */
const DOTS_BELOW = 0.22
const TEXT_FROM = 0.55
/** What fits a cell. */
const LABEL_CHARACTERS = 14
/** What is not highlighted, while something is. */
const DIMMED = 0.38

const STATES: readonly SceneState[] = ['up', 'down', 'waiting', 'none']

/** What stands in the circle of an interface: short, so that kinds are told apart at a glance. */
const SIGNS: Readonly<Record<string, string>> = {
  bridge: 'br',
  device: 'if',
  veth: 've',
  vlan: 'vl',
  vxlan: 'vx',
  macvlan: 'mv',
  macvtap: 'mt',
  ipvlan: 'iv',
  tuntap: 'tun',
  bond: 'bo',
  geneve: 'gnv',
  gre: 'gre',
  ovsbridge: 'ovs',
  ovsport: 'op',
  container: 'ctr',
  switch: 'sw',
  switchport: 'sp',
}

const signOf = (type: string): string => SIGNS[type] ?? type.slice(0, 2)

/** Leaves and folded containers: circles by state, signs, labels, marks. `depths` are those of the areas around them. */
export function drawCells(
  context: CanvasRenderingContext2D,
  cells: readonly SceneElement[],
  depths: ReadonlyMap<string, number>,
  zoom: number,
  theme: Theme,
  emphasis: Emphasis,
): void {
  const { highlighted, selected, hovered } = emphasis
  const marked = highlighted.size === 0 ? [] : cells.filter(({ id }) => highlighted.has(id))
  const isDimming = highlighted.size > 0
  const plain = isDimming ? cells.filter(({ id }) => !highlighted.has(id)) : cells
  halos(context, marked, zoom, theme)
  if (isDimming) cutOut(context, plain, depths, theme)
  context.globalAlpha = isDimming ? DIMMED : 1
  drawGroup(context, plain, depths, zoom, theme)
  context.globalAlpha = 1
  drawGroup(context, marked, depths, zoom, theme)
  rings(context, marked, theme.highlighted, zoom)
  for (const [id, color] of [
    [hovered, theme.edgeStrong],
    [selected, theme.selected],
  ] as const) {
    if (id !== undefined)
      rings(
        context,
        cells.filter((cell) => cell.id === id),
        color,
        zoom,
      )
  }
  if (zoom >= DOTS_BELOW) captureMarks(context, cells, theme)
}

function drawGroup(
  context: CanvasRenderingContext2D,
  cells: readonly SceneElement[],
  depths: ReadonlyMap<string, number>,
  zoom: number,
  theme: Theme,
): void {
  if (zoom < DOTS_BELOW) {
    dots(context, cells, theme)
    return
  }
  circles(context, cells, theme)
  if (zoom >= TEXT_FROM) texts(context, cells, depths, theme)
}

/** Clears the circles of what is drawn faintly, so that lines end there and don't shine through. */
function cutOut(
  context: CanvasRenderingContext2D,
  cells: readonly SceneElement[],
  depths: ReadonlyMap<string, number>,
  theme: Theme,
): void {
  for (const cell of cells) {
    context.fillStyle = areaColor(theme, depths.get(cell.parent))
    context.beginPath()
    addCircle(context, cell, radiusOf(cell))
    context.fill()
  }
}

function dots(context: CanvasRenderingContext2D, cells: readonly SceneElement[], theme: Theme): void {
  for (const state of STATES) {
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

function circles(context: CanvasRenderingContext2D, cells: readonly SceneElement[], theme: Theme): void {
  context.lineWidth = 1.5
  context.strokeStyle = theme.outline
  for (const state of STATES) {
    context.fillStyle = theme[state]
    context.beginPath()
    for (const cell of cells) if (cell.state === state && cell.kind === 'leaf') addCircle(context, cell, radiusOf(cell))
    context.fill()
    context.stroke()
  }
  context.fillStyle = theme.folded
  context.beginPath()
  for (const cell of cells) if (cell.kind === 'folded') addCircle(context, cell, radiusOf(cell))
  context.fill()
}

function captureMarks(context: CanvasRenderingContext2D, cells: readonly SceneElement[], theme: Theme): void {
  context.fillStyle = theme.captured
  context.strokeStyle = theme.background
  context.lineWidth = 2
  context.beginPath()
  for (const cell of cells) {
    if (!cell.captured) continue
    const { x, y } = anchorOf(cell)
    context.moveTo(x + 20, y - 12)
    context.arc(x + 14, y - 12, 6, 0, Math.PI * 2)
  }
  context.fill()
  context.stroke()
}

function texts(
  context: CanvasRenderingContext2D,
  cells: readonly SceneElement[],
  depths: ReadonlyMap<string, number>,
  theme: Theme,
): void {
  context.textAlign = 'center'
  context.textBaseline = 'middle'
  context.font = '600 12px system-ui, sans-serif'
  context.fillStyle = theme.foldedText
  for (const cell of cells)
    if (cell.kind === 'folded') context.fillText(compact(cell.hidden), cell.x + CELL_WIDTH / 2, cell.y + ANCHOR_Y)
  context.font = '10px system-ui, sans-serif'
  for (const state of STATES) {
    context.fillStyle = theme.signs[state]
    for (const cell of cells)
      if (cell.state === state && cell.kind === 'leaf')
        context.fillText(signOf(cell.type), cell.x + CELL_WIDTH / 2, cell.y + ANCHOR_Y + 0.5)
  }
  context.font = '12px system-ui, sans-serif'
  context.textBaseline = 'alphabetic'
  context.lineWidth = 4
  context.fillStyle = theme.label
  for (const cell of cells) {
    const text = shorten(cell.label, LABEL_CHARACTERS)
    // A border in the colour behind keeps lines from striking through.
    context.strokeStyle = areaColor(theme, depths.get(cell.parent))
    context.strokeText(text, cell.x + CELL_WIDTH / 2, cell.y + LABEL_Y)
    context.fillText(text, cell.x + CELL_WIDTH / 2, cell.y + LABEL_Y)
  }
}

/** A glow behind what is highlighted; it grows when everything is small, so that single hits are found in a large picture. */
function halos(context: CanvasRenderingContext2D, cells: readonly SceneElement[], zoom: number, theme: Theme): void {
  if (cells.length === 0) return
  context.fillStyle = theme.halo
  context.beginPath()
  for (const cell of cells) addCircle(context, cell, Math.max(radiusOf(cell) + 11, 9 / zoom))
  context.fill()
}

function rings(context: CanvasRenderingContext2D, cells: readonly SceneElement[], color: string, zoom: number): void {
  if (cells.length === 0) return
  context.strokeStyle = color
  context.lineWidth = 3 / Math.max(zoom, 0.3)
  context.beginPath()
  for (const cell of cells) addCircle(context, cell, radiusOf(cell) + 4)
  context.stroke()
}

function addCircle(context: CanvasRenderingContext2D, cell: SceneElement, radius: number): void {
  const { x, y } = anchorOf(cell)
  context.moveTo(x + radius, y)
  context.arc(x, y, radius, 0, Math.PI * 2)
}
