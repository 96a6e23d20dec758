import { describe, expect, test } from '@jest/globals'
import type { Filter, MetadataValue } from '@skydive/contracts'
import fc from 'fast-check'
import { compileFilter, elementField, equalValues } from './index.ts'

describe('equalValues', () => {
  test.each<[a: MetadataValue | undefined, b: MetadataValue | undefined, isEqual: boolean]>([
    [['a', 'b'], ['a', 'b'], true],
    [['a', 'b'], ['c', 'b'], false],
    [['a', 'b'], ['a', 'c'], false],
    [['a'], ['a', 'b'], false],
    [['a', 'b'], ['b', 'a'], false],
    [{ x: 1, y: [2] }, { y: [2], x: 1 }, true],
    [{ x: 1 }, { x: 2 }, false],
    [{ x: 1 }, { y: 1 }, false],
    [{ x: 1 }, { x: 1, y: 1 }, false],
    [{}, [], false],
    [[], {}, false],
    [null, {}, false],
    [null, null, true],
    [undefined, null, false],
    [1, '1', false],
    [{ toString: 1 }, { valueOf: 1 }, false],
  ])('%j and %j: %s', (a, b, isEqual) => expect([equalValues(a, b), equalValues(b, a)]).toEqual([isEqual, isEqual]))

  test('says what toEqual says', () => {
    const value = fc.jsonValue({ maxDepth: 3, noUnicodeString: true }) as fc.Arbitrary<MetadataValue>
    const agrees = (a: MetadataValue, b: MetadataValue): void => {
      let isEqual = true
      try {
        expect(a).toStrictEqual(b)
      } catch {
        isEqual = false
      }
      expect(equalValues(a, b)).toBe(isEqual)
    }
    fc.assert(
      fc.property(value, value, fc.nat(), (a, b, at) => {
        agrees(a, b)
        agrees(a, structuredClone(a))
        // One leaf differs.
        agrees(a, withOther(a, at))
      }),
      { numRuns: 500 },
    )
  })
})

/** The same tree with one of its leaves, lists or objects replaced. */
function withOther(value: MetadataValue, at: number): MetadataValue {
  if (typeof value !== 'object' || value === null) return 'other'
  const entries = Object.entries(value)
  if (entries.length === 0) return 'other'
  const [key, inner] = entries[at % entries.length]!
  const copy = structuredClone(value) as Record<string, MetadataValue>
  copy[key] = withOther(inner as MetadataValue, Math.floor(at / entries.length))
  return copy as MetadataValue
}

describe('a value that is left out of a filter is zero', () => {
  const passes = (filter: unknown, N: MetadataValue): boolean =>
    compileFilter(filter as Filter, elementField)({ kind: 'node', metadata: { N } } as never)
  test.each<[filter: unknown, passing: MetadataValue, failing: MetadataValue]>([
    [{ TermInt64Filter: { Key: 'N' } }, 0, 1],
    [{ TermStringFilter: { Key: 'N' } }, '', 'x'],
    [{ TermBoolFilter: { Key: 'N' } }, false, true],
    [{ GtInt64Filter: { Key: 'N' } }, 1, 0],
    [{ GteInt64Filter: { Key: 'N' } }, 0, -1],
    [{ LtInt64Filter: { Key: 'N' } }, -1, 0],
    [{ LteInt64Filter: { Key: 'N' } }, 0, 1],
    [{ BoolFilter: { Filters: [{ TermInt64Filter: { Key: 'N' } }, { TermInt64Filter: { Key: 'N', Value: 5 } }] } }, 5, 4],
  ])('%j', (filter, passing, failing) => expect([passes(filter, passing), passes(filter, failing)]).toEqual([true, false]))
})
