import { describe, expect, test } from '@jest/globals'
import type { SceneDelta, SceneElement } from '../engine/scene.ts'
import { TreeRows } from './tree-rows.ts'

const element = (id: string, parent: string, kind: SceneElement['kind'], label = id): SceneElement => ({
  id,
  parent,
  kind,
  label,
  type: '',
  state: 'none',
  hidden: 0,
  captured: false,
  x: 0,
  y: 0,
  width: 1,
  height: 1,
})

/** Rows that follow a scene made of deltas. */
function following() {
  const elements = new Map<string, SceneElement>()
  const tree = new TreeRows(elements)
  return {
    tree,
    take(change: Partial<SceneDelta>): void {
      const delta = { whole: false, elements: [], removedElements: [], edges: [], removedEdges: [], ...change }
      for (const id of delta.removedElements) elements.delete(id)
      for (const item of delta.elements) elements.set(item.id, item)
      tree.apply(delta)
    },
    shown: () => tree.rows.map(({ id, level, position, siblings }) => `${'  '.repeat(level - 1)}${id} ${position}/${siblings}`),
  }
}

describe('TreeRows', () => {
  test('children come below their container, by name, numbers by value', () => {
    const { take, shown } = following()
    take({
      elements: [element('h', '', 'open'), element('eth10', 'h', 'leaf'), element('eth9', 'h', 'leaf'), element('a', '', 'leaf')],
    })
    expect(shown()).toEqual(['a 1/2', 'h 2/2', '  eth9 1/2', '  eth10 2/2'])
  })

  test('a folded container lists nothing below', () => {
    const { take, shown } = following()
    take({ elements: [element('h', '', 'open'), element('e', 'h', 'leaf')] })
    take({ elements: [element('h', '', 'folded')], removedElements: ['e'] })
    expect(shown()).toEqual(['h 1/1'])
  })

  test('a change of state keeps the list, a new name sorts again, a new container moves', () => {
    const { tree, take, shown } = following()
    take({ elements: [element('x', '', 'open'), element('y', '', 'open'), element('a', 'x', 'leaf'), element('b', 'x', 'leaf')] })
    const before = tree.rows
    take({ elements: [{ ...element('a', 'x', 'leaf'), state: 'down' }] })
    expect(tree.rows).toBe(before)
    take({ elements: [element('a', 'x', 'leaf', 'z')] })
    expect(shown()).toEqual(['x 1/2', '  b 1/2', '  a 2/2', 'y 2/2'])
    take({ elements: [element('b', 'y', 'leaf')] })
    expect(shown()).toEqual(['x 1/2', '  a 1/1', 'y 2/2', '  b 1/1'])
  })
})
