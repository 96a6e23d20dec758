import { describe, expect, test } from '@jest/globals'
import type { SceneElement } from '../engine/scene.ts'
import { afterKey, afterTyping, type KeyEffect, type TreeSight } from './tree-keys.ts'

// 0 alpha (open) ⊃ 1 db (folded), 2 eth0, 3 web (open) ⊃ 4 lo, 5 lan; 6 beta (folded)
const ROWS: readonly (readonly [id: string, level: number, kind: SceneElement['kind'], parent: string])[] = [
  ['alpha', 1, 'open', ''],
  ['db', 2, 'folded', 'alpha'],
  ['eth0', 2, 'leaf', 'alpha'],
  ['web', 2, 'open', 'alpha'],
  ['lo', 3, 'leaf', 'web'],
  ['lan', 3, 'leaf', 'web'],
  ['beta', 1, 'folded', ''],
]
const sight: TreeSight = {
  rows: ROWS.map(([id, level]) => ({ id, level, position: 1, siblings: 1 })),
  element: (wanted) => {
    const row = ROWS.find(([id]) => id === wanted)
    return row && ({ id: row[0], label: row[0], kind: row[2], parent: row[3] } as SceneElement)
  },
  page: 3,
}

describe('afterKey', () => {
  test.each<[string, string, number, KeyEffect]>([
    ['down', 'ArrowDown', 0, { go: 1 }],
    ['down at the end', 'ArrowDown', 6, { go: 6 }],
    ['up', 'ArrowUp', 3, { go: 2 }],
    ['up at the start', 'ArrowUp', 0, { go: 0 }],
    ['a page down', 'PageDown', 1, { go: 4 }],
    ['a page up', 'PageUp', 1, { go: 0 }],
    ['home', 'Home', 4, { go: 0 }],
    ['end', 'End', 0, { go: 6 }],
    ['right opens what is folded', 'ArrowRight', 1, { open: { ids: ['db'], open: true } }],
    ['right enters what is open', 'ArrowRight', 3, { go: 4 }],
    ['right does nothing on a leaf', 'ArrowRight', 2, {}],
    ['left folds what is open', 'ArrowLeft', 3, { open: { ids: ['web'], open: false } }],
    ['left leaves for the container', 'ArrowLeft', 5, { go: 3 }],
    ['left does nothing at the top', 'ArrowLeft', 6, {}],
    ['a star opens all folded siblings', '*', 2, { open: { ids: ['db'], open: true } }],
    ['other keys are not ours', 'Tab', 2, {}],
  ])('%s', (_title, key, at, expected) => {
    expect(afterKey(key, at, sight)).toEqual(expected)
  })

  test('an empty tree takes no key', () => {
    expect(afterKey('ArrowDown', 0, { ...sight, rows: [] })).toEqual({})
  })
})

describe('afterTyping', () => {
  test.each<[string, string, number, number | undefined]>([
    ['the next row that begins so', 'l', 0, 4],
    ['and the one after it', 'l', 4, 5],
    ['going round', 'a', 3, 0],
    ['a longer word may stay', 'la', 5, 5],
    ['whatever the case', 'WEB', 0, 3],
    ['nothing', 'zz', 0, undefined],
  ])('%s', (_title, typed, at, expected) => {
    expect(afterTyping(typed, at, sight)).toBe(expected)
  })
})
