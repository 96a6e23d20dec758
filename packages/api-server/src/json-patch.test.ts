import { describe, expect, it } from '@jest/globals'
import type { JsonPatch } from '@skydive/protocol'
import fc from 'fast-check'
import { applyJsonPatch, equalJson } from './json-patch.ts'

describe('applyJsonPatch (RFC 6902, appendix A)', () => {
  it.each<[string, unknown, JsonPatch, unknown]>([
    ['A.1 add a member', { foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux' }], { foo: 'bar', baz: 'qux' }],
    [
      'A.2 add an element',
      { foo: ['bar', 'baz'] },
      [{ op: 'add', path: '/foo/1', value: 'qux' }],
      { foo: ['bar', 'qux', 'baz'] },
    ],
    ['A.3 remove a member', { baz: 'qux', foo: 'bar' }, [{ op: 'remove', path: '/baz' }], { foo: 'bar' }],
    ['A.4 remove an element', { foo: ['bar', 'qux', 'baz'] }, [{ op: 'remove', path: '/foo/1' }], { foo: ['bar', 'baz'] }],
    ['A.5 replace', { baz: 'qux' }, [{ op: 'replace', path: '/baz', value: 'boo' }], { baz: 'boo' }],
    [
      'A.6 move a value',
      { foo: { bar: 1 }, qux: {} },
      [{ op: 'move', from: '/foo/bar', path: '/qux/x' }],
      { foo: {}, qux: { x: 1 } },
    ],
    ['A.7 move an element', { foo: ['a', 'b', 'c'] }, [{ op: 'move', from: '/foo/0', path: '/foo/2' }], { foo: ['b', 'c', 'a'] }],
    ['A.8 test', { baz: 'qux' }, [{ op: 'test', path: '/baz', value: 'qux' }], { baz: 'qux' }],
    ['A.10 add a nested member', {}, [{ op: 'add', path: '/child', value: { grandchild: {} } }], { child: { grandchild: {} } }],
    ['A.14 escapes', { '/': 9, '~1': 10 }, [{ op: 'test', path: '/~01', value: 10 }], { '/': 9, '~1': 10 }],
    ['A.16 add at the end', { foo: ['bar'] }, [{ op: 'add', path: '/foo/-', value: ['x'] }], { foo: ['bar', ['x']] }],
    ['the whole document', { a: 1 }, [{ op: 'replace', path: '', value: 7 }], 7],
    ['copy', { a: { b: 1 } }, [{ op: 'copy', from: '/a', path: '/c' }], { a: { b: 1 }, c: { b: 1 } }],
  ])('%s', (_name, document, patch, expected) => {
    const before = structuredClone(document)
    expect(applyJsonPatch(document, patch)).toEqual(expected)
    expect(document).toEqual(before)
  })

  it.each<[string, JsonPatch]>([
    ['A.9 a test that fails', [{ op: 'test', path: '/a', value: 2 }]],
    ['A.12 a parent that is missing', [{ op: 'add', path: '/b/c', value: 1 }]],
    ['a member that is missing', [{ op: 'remove', path: '/b' }]],
    ['an index out of range', [{ op: 'add', path: '/list/9', value: 1 }]],
    ['an index with a leading zero', [{ op: 'replace', path: '/list/00', value: 1 }]],
    ['a path without a slash', [{ op: 'add', path: 'a', value: 1 }]],
    ['a move into itself', [{ op: 'move', from: '/list', path: '/list/0' }]],
    ['a value that is missing', [{ op: 'add', path: '/x' }]],
    ['__proto__', [{ op: 'add', path: '/__proto__/polluted', value: 1 }]],
  ])('%s is refused', (_name, patch) => {
    expect(() => applyJsonPatch({ a: 1, list: [1] }, patch)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }))
  })
})

it('equalJson agrees with what JSON says of sorted members', () => {
  const sorted = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(sorted)
      : typeof value === 'object' && value !== null
        ? Object.entries(value)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, inner]) => [key, sorted(inner)])
        : value
  const isPlain = (value: unknown): boolean =>
    !JSON.stringify(value).includes('__proto__') && !JSON.stringify(value).includes('-0')
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      fc.pre(isPlain(a) && isPlain(b))
      expect(equalJson(a, structuredClone(a))).toBe(true)
      const expected = Array.isArray(a) === Array.isArray(b) && JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))
      if (typeof a !== 'object' || typeof b !== 'object') expect(equalJson(a, b)).toBe(expected)
    }),
  )
})
