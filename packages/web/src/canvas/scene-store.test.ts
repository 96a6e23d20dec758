import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { SceneDelta, SceneElement } from '../engine/scene.ts'
import { CELL_HEIGHT, CELL_WIDTH } from '../engine/slot-layout.ts'
import { SceneStore } from './scene-store.ts'

/** An element at a cell, `columns` by `rows` of them when it is open. */
const element = (id: string, column: number, row: number, change: Partial<SceneElement> = {}): SceneElement => ({
  id,
  parent: '',
  kind: 'leaf',
  label: id,
  type: 'veth',
  state: 'up',
  hidden: 0,
  captured: false,
  x: column * CELL_WIDTH,
  y: row * CELL_HEIGHT,
  width: CELL_WIDTH,
  height: CELL_HEIGHT,
  ...change,
})
const area = (id: string, column: number, row: number, columns: number, rows: number, parent = ''): SceneElement =>
  element(id, column, row, { kind: 'open', parent, width: columns * CELL_WIDTH, height: rows * CELL_HEIGHT })

function store(...elements: SceneElement[]) {
  const scene = new SceneStore()
  const take = (change: Partial<SceneDelta>): void =>
    scene.apply({ whole: false, elements: [], removedElements: [], edges: [], removedEdges: [], ...change })
  take({ elements })
  return { scene, take }
}
const ids = (elements: readonly SceneElement[]): string[] => elements.map(({ id }) => id)

describe('SceneStore', () => {
  test('the window holds what touches it, containers before what is inside', () => {
    const { scene } = store(
      element('far', 40, 40),
      element('a', 1, 2, { parent: 'ns' }),
      area('ns', 1, 1, 3, 3, 'host'),
      area('host', 0, 0, 10, 10),
    )
    const { open, cells } = scene.within({ left: 0, top: 0, right: 500, bottom: 500 })
    expect([ids(open), ids(cells)]).toEqual([['host', 'ns'], ['a']])
  })

  test.each([
    ['a leaf', 1.5, 2.5, 'a'],
    ['the area between leaves', 2.5, 2.5, 'ns'],
    ['the area around', 5, 5, 'host'],
    ['nothing', 11, 5, undefined],
  ])('a point finds the innermost: %s', (_title, column, row, expected) => {
    const { scene } = store(area('host', 0, 0, 10, 10), area('ns', 1, 1, 3, 3, 'host'), element('a', 1, 2, { parent: 'ns' }))
    expect(scene.at(column * CELL_WIDTH, row * CELL_HEIGHT)?.id).toBe(expected)
  })

  test('what moved is found where it is, what went nowhere', () => {
    const { scene, take } = store(element('a', 0, 0), element('b', 1, 0))
    take({ elements: [element('a', 30, 30)], removedElements: ['b'] })
    const found = (column: number, row: number) => scene.at(column * CELL_WIDTH + 1, row * CELL_HEIGHT + 1)?.id
    expect([found(0, 0), found(1, 0), found(30, 30)]).toEqual([undefined, undefined, 'a'])
    expect(scene.bounds()).toEqual({ left: 2_880, top: 2_160, right: 2_976, bottom: 2_232 })
  })

  test('a change of state keeps the way of a line, a new neighbour does not', () => {
    const { scene, take } = store(element('a', 0, 0), element('b', 2, 0))
    const before = scene.route('a', 'b', 'layer2')
    take({ elements: [element('a', 0, 0, { state: 'down' })] })
    expect(scene.route('a', 'b', 'layer2')).toBe(before)
    take({ elements: [element('between', 1, 0)] })
    expect(scene.route('a', 'b', 'layer2')).not.toEqual(before)
    expect(scene.route('a', 'gone', 'layer2')).toBeUndefined()
  })

  test('a whole scene replaces everything', () => {
    const { scene, take } = store(element('a', 0, 0), element('b', 1, 0))
    take({ whole: true, elements: [element('c', 5, 5)] })
    expect([[...scene.elements.keys()], ids(scene.within({ left: 0, top: 0, right: 999, bottom: 999 }).cells)]).toEqual([
      ['c'],
      ['c'],
    ])
  })

  test('look-ups agree with a search through all elements, after any changes', () => {
    const place = fc.record({
      id: fc.nat(30),
      column: fc.nat(60),
      row: fc.nat(60),
      columns: fc.integer({ min: 1, max: 40 }),
      kind: fc.constantFrom('leaf' as const, 'open' as const, 'gone' as const),
    })
    fc.assert(
      fc.property(fc.array(place, { maxLength: 60 }), fc.nat(3_000), fc.nat(3_000), (places, left, top) => {
        const { scene, take } = store()
        for (const { id, column, row, columns, kind } of places) {
          if (kind === 'gone') take({ removedElements: [`e${id}`] })
          else take({ elements: [kind === 'leaf' ? element(`e${id}`, column, row) : area(`e${id}`, column, row, columns, 3)] })
        }
        const window = { left, top, right: left + 1_000, bottom: top + 700 }
        const { open, cells } = scene.within(window)
        const expected = [...scene.elements.values()].filter(
          ({ x, y, width, height }) => x <= window.right && y <= window.bottom && x + width >= left && y + height >= top,
        )
        expect(ids([...open, ...cells]).sort()).toEqual(ids(expected).sort())
      }),
    )
  })
})
