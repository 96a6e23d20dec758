import { describe, expect, test } from '@jest/globals'
import type { Metadata, MetadataValue } from '@skydive/contracts'
import { SkydiveError } from '@skydive/contracts'
import fc from 'fast-check'
import {
  copyMetadata,
  deletePath,
  diffMetadata,
  equalValues,
  getPath,
  isMetadataObject,
  joinPath,
  listPaths,
  normaliseMetadata,
  parseMetadataDefinition,
  setPath,
  splitPath,
} from './index.ts'

const TREE = {
  a: { b: { c: true } },
  d: { f: [{ name: 'x' }, { name: 'y', extra: { g: 1 } }, { name: 'z', list: [1, 2] }] },
  n: [[{ x: 1 }], [{ x: 2 }]],
  s: 'text',
}

describe('A24 getPath', () => {
  test.each<[path: string, value: unknown]>([
    ['a.b', { c: true }],
    ['a.b.c', true],
    ['a.b.c.d', undefined],
    ['s.x', undefined],
    ['d.f.name', ['x', 'y', 'z']],
    ['d.f.extra.g', [1]],
    ['d.f.list', [1, 2]],
    ['d.f.nope', undefined],
    ['n.x', [1, 2]],
    ['nope', undefined],
    ['constructor', undefined],
    ['a.__proto__', undefined],
    ['', undefined],
  ])('%s', (path, value) => expect(getPath(TREE, path)).toEqual(value))

  test('a key with a dot is written with a backslash', () => {
    expect(getPath({ Labels: { 'com.docker': { 'a\\b': 1 } } }, 'Labels.com\\.docker.a\\\\b')).toBe(1)
  })
})

describe('A22 setPath', () => {
  test.each<[path: string, result: unknown]>([
    ['a.b.c', undefined],
    ['a.b', { a: { b: 9 } }],
    ['a.d.c', { a: { b: true, d: { c: 9 } } }],
    ['x', { a: { b: true }, x: 9 }],
  ])('%s', (path, result) => expect(setPath({ a: { b: true } }, path, 9)).toEqual(result))

  test('shares what it does not change, and changes nothing in place', () => {
    const before = { a: { x: 1 }, b: { y: 2 } }
    const after = setPath(before, 'a.x', 5)
    expect([before, after, after?.['b'] === before.b]).toEqual([{ a: { x: 1 }, b: { y: 2 } }, { a: { x: 5 }, b: { y: 2 } }, true])
  })
})

describe('A23 deletePath', () => {
  const tree = { a: { b: { c: 1 } }, d: { e: 1, f: 2 }, l: [{ x: 1 }] }
  test.each<[path: string, result: unknown]>([
    ['a.b.c', { d: { e: 1, f: 2 }, l: [{ x: 1 }] }],
    ['d.e', { a: { b: { c: 1 } }, d: { f: 2 }, l: [{ x: 1 }] }],
    ['d.g', undefined],
    ['l.x', undefined],
    ['nope.x', undefined],
  ])('%s', (path, result) => expect(deletePath(tree, path)).toEqual(result))
})

test('listPaths names inner objects and leaves, through arrays too', () => {
  expect(listPaths({ Features: { gro: true }, Ports: [{ Name: 'a' }, { Speed: 1 }], 'x.y': 1 })).toEqual([
    'Features',
    'Features.gro',
    'Ports',
    'Ports.Name',
    'Ports.Speed',
    'x\\.y',
  ])
})

describe('A21 normaliseMetadata', () => {
  test.each<[value: unknown, result: unknown]>([
    [
      { 'a.b': 1, c: null },
      { a: { b: 1 }, c: '' },
    ],
    [{ 'a.b': 1, 'a.c': [{ 'd.e': null }] }, { a: { b: 1, c: [{ d: { e: '' } }] } }],
    [{ a: 1, 'a.b': 2 }, { a: { b: 2 } }],
    [
      { f: () => 1, u: undefined, n: 5n, d: new Date(0) },
      { n: 5, d: '1970-01-01T00:00:00.000Z' },
    ],
    [Number.NaN, ''],
  ])('%#', (value, result) => expect(normaliseMetadata(value)).toEqual(result))
})

describe('parseMetadataDefinition', () => {
  test('splits pairs, trims spaces and quotes', () => {
    expect(parseMetadataDefinition('Name=eth0, "Deep.Key" = "v" ')).toEqual({ Name: 'eth0', Deep: { Key: 'v' } })
  })

  test.each(['Name', 'a=1,b', 'a=1,a.b=2'])('%s is refused', (text) => {
    expect(() => parseMetadataDefinition(text)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }))
  })
})

describe('copyMetadata', () => {
  test.each<[name: string, metadata: unknown, path: string]>([
    ['a function', { f: () => 1 }, 'f'],
    ['infinity', { a: { b: Number.POSITIVE_INFINITY } }, 'a.b'],
    ['a date', { d: new Date(0) }, 'd'],
    ['a map', { m: new Map() }, 'm'],
    ['a symbol in a list', { l: [1, Symbol('x')] }, 'l[1]'],
    ['a gap in a list', { l: [1, undefined] }, 'l'],
  ])('refuses %s, naming %j', (_name, metadata, path) => {
    expect(() => copyMetadata(metadata as Metadata)).toThrow(expect.objectContaining({ fields: { path } }))
  })

  test('leaves out what is undefined', () => {
    expect(copyMetadata({ a: 1, b: undefined, c: { d: undefined } } as unknown as Metadata)).toStrictEqual({ a: 1, c: {} })
  })

  test('refuses a tree without end', () => {
    const loop: Record<string, unknown> = {}
    loop['x'] = loop
    expect(() => copyMetadata(loop as Metadata)).toThrow('deeper than 64 levels')
  })
})

const key = fc.constantFrom('a', 'b', 'c', 'x.y', '__proto__')
const value: fc.Arbitrary<MetadataValue> = fc.letrec<{ value: MetadataValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<MetadataValue>(1, 2, 'x', true, null),
    fc.array(tie('value'), { maxLength: 2 }),
    fc.dictionary(key, tie('value'), { maxKeys: 3 }),
  ),
})).value
const tree = fc.dictionary(key, value, { maxKeys: 4 }) as fc.Arbitrary<Metadata>

describe('for any trees', () => {
  test('the difference leads from one to the other', () => {
    fc.assert(
      fc.property(tree, tree, (before, after) => {
        let result = before
        const ops = diffMetadata(before, after)
        for (const op of ops) {
          result =
            op.op === 'replace'
              ? op.value
              : op.op === 'set'
                ? setPath(result, op.key, op.value)!
                : (deletePath(result, op.key) ?? result)
        }
        expect(equalValues(withoutEmpty(result), withoutEmpty(after))).toBe(true)
        expect(ops.length === 0).toBe(equalValues(before, after))
      }),
      { numRuns: 2000 },
    )
  })

  test('a copy is equal and shares nothing that can be written', () => {
    fc.assert(
      fc.property(tree, (metadata) => {
        const copy = copyMetadata(metadata)
        expect(equalValues(copy, metadata)).toBe(true)
        for (const name of Object.keys(metadata))
          if (typeof metadata[name] === 'object' && metadata[name] !== null) expect(copy[name]).not.toBe(metadata[name])
      }),
      { numRuns: 500 },
    )
  })

  test('what is set is read back, or refused', () => {
    fc.assert(
      fc.property(tree, fc.array(fc.constantFrom('a', 'b', 'x.y', '\\'), { minLength: 1, maxLength: 3 }), (metadata, keys) => {
        const path = joinPath(keys)
        expect(splitPath(path)).toEqual(keys)
        const changed = setPath(metadata, path, 'new')
        if (changed) expect(getPath(changed, path)).toBe('new')
      }),
      { numRuns: 1000 },
    )
  })
})

/** Deleting the last key of an object takes the object along, so an object that became empty may be missing. */
function withoutEmpty(metadata: Metadata): Metadata {
  const entries: (readonly [string, MetadataValue])[] = []
  for (const [name, item] of Object.entries(metadata)) {
    const value = isMetadataObject(item) ? withoutEmpty(item) : item
    if (!isMetadataObject(value) || Object.keys(value).length > 0) entries.push([name, value])
  }
  return Object.fromEntries(entries)
}

test('errors are of the family', () => {
  try {
    parseMetadataDefinition('x')
  } catch (error) {
    expect(SkydiveError.isInstance(error, 'ERR_INVALID_ARGUMENT')).toBe(true)
  }
})
