import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { SceneElement } from '../engine/scene.ts'
import { CELL_HEIGHT, CELL_WIDTH } from '../engine/slot-layout.ts'
import { anchorOf, CIRCLE_RADIUS } from './geometry.ts'
import { type Route, routeLine } from './line-router.ts'
import { SceneStore } from './scene-store.ts'

function scene(...lines: readonly string[]): SceneStore {
  const store = new SceneStore()
  const elements = lines.map((line): SceneElement => {
    const [id, parent, column, row, columns, rows] = line.split(' ') as [string, string, string, string, string?, string?]
    return {
      id,
      parent: parent === '-' ? '' : parent,
      kind: columns === undefined ? 'leaf' : 'open',
      label: id,
      type: '',
      state: 'up',
      hidden: 0,
      captured: false,
      x: Number(column) * CELL_WIDTH,
      y: Number(row) * CELL_HEIGHT,
      width: Number(columns ?? 1) * CELL_WIDTH,
      height: Number(rows ?? 1) * CELL_HEIGHT,
    }
  })
  store.apply({ whole: true, elements, removedElements: [], edges: [], removedEdges: [] })
  return store
}

/** The row of the table's interfaces: what is told of a route is relative to it. */
const ROW = 2

/** The points of a route in cells from the first one of {@link ROW}, lanes rounded away: `0.5,0.4 1.0,0.4 1.0,-1.0 …`. */
function inCells({ points }: Route): string {
  const shown: string[] = []
  for (let at = 0; at < points.length; at += 2) {
    shown.push(`${(points[at]! / CELL_WIDTH).toFixed(1)},${(points[at + 1]! / CELL_HEIGHT - ROW).toFixed(1)}`)
  }
  return shown.join(' ')
}

const HOST = [
  'host - 0 0 12 8',
  'ns1 host 0 1 3 3',
  'ns2 host 3 1 3 3',
  'a ns1 0 2',
  'b ns1 1 2',
  'c ns2 3 2',
  'd host 7 2',
  'e host 8 2',
  'f host 8 5',
]

describe('routeLine', () => {
  test.each<[string, string, string, string]>([
    ['neighbours: straight', 'a', 'b', '0.5,0.4 1.5,0.4'],
    ['over a free cell inside its own area: straight', 'c', 'd', '3.5,0.4 7.5,0.4'],
    ['below each other over free cells: straight', 'e', 'f', '8.5,0.4 8.5,3.4'],
    ['past a neighbour and a foreign area: above all of them', 'b', 'd', '1.5,0.4 2.0,0.4 2.0,-1.0 7.0,-1.0 7.0,0.4 7.5,0.4'],
    ['past a neighbour: through the row above', 'a', 'c', '0.5,0.4 1.0,0.4 1.0,-1.0 3.0,-1.0 3.0,0.4 3.5,0.4'],
    ['to a lower row: between the rows', 'd', 'f', '7.5,0.4 8.0,0.4 8.0,3.4 8.5,3.4'],
    ['to the container around: up to its border', 'b', 'host', '1.5,0.4 2.0,0.4 2.0,-1.9'],
    ['from the container around: down from its border', 'host', 'b', '2.0,-1.9 2.0,0.4 1.5,0.4'],
    ['between areas: from border to border', 'ns1', 'ns2', '2.0,-0.9 2.0,-0.9 2.0,-0.9 5.0,-0.9 5.0,-0.9 5.0,-0.9'],
  ])('%s', (_title, from, to, expected) => {
    expect(inCells(scene(...HOST).route(from, to, 'layer2')!)).toBe(expected)
  })

  test('lines never pass through the circle of a third element, and begin and end where they should', () => {
    const cell = fc.record({ column: fc.nat(9), row: fc.nat(9) })
    fc.assert(
      fc.property(
        fc.uniqueArray(cell, { minLength: 2, maxLength: 60, selector: ({ column, row }) => column * 10 + row }),
        (cells) => {
          const store = scene(...cells.map(({ column, row }, index) => `n${index} - ${column} ${row}`))
          const [from, to, ...others] = [...store.elements.values()] as [SceneElement, SceneElement, ...SceneElement[]]
          const { points } = store.route(from.id, to.id, 'layer2')!
          expect([points.slice(0, 2), points.slice(-2)]).toEqual([Object.values(anchorOf(from)), Object.values(anchorOf(to))])
          for (const other of others) expect(distance(points, anchorOf(other))).toBeGreaterThan(CIRCLE_RADIUS)
        },
      ),
    )
  })

  test('the box is around all points', () => {
    const store = scene(...HOST)
    const from = store.elements.get('b')!
    const { points, ...box } = routeLine(from, store.elements.get('d')!, 'key', {
      element: (id) => store.elements.get(id),
      cellAt: () => from,
      at: () => undefined,
    })
    const xs = points.filter((_value, index) => index % 2 === 0)
    const ys = points.filter((_value, index) => index % 2 === 1)
    expect(box).toEqual({ left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) })
  })
})

/** How near a polyline comes to a point. */
function distance(points: readonly number[], { x, y }: { x: number; y: number }): number {
  let nearest = Number.POSITIVE_INFINITY
  for (let at = 0; at < points.length - 2; at += 2) {
    const [ax, ay, bx, by] = points.slice(at, at + 4) as [number, number, number, number]
    const length = (bx - ax) ** 2 + (by - ay) ** 2
    const t = length === 0 ? 0 : Math.max(0, Math.min(1, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length))
    nearest = Math.min(nearest, Math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay)))
  }
  return nearest
}
