import { describe, expect, test } from '@jest/globals'
import type { Metadata, MetadataValue } from '@skydive/contracts'
import fc from 'fast-check'
import { copyMetadata, ValuePool } from './index.ts'

describe('copies with a pool', () => {
  test('equal small parts are one object, others are not', () => {
    const pool = new ValuePool()
    const input = (i: number): Metadata => ({
      Name: `n${i}`,
      Type: 'veth',
      MTU: 1500,
      State: 'UP',
      Driver: 'veth',
      Features: { gro: true },
      LinkFlags: ['UP'],
      Metric: { RxBytes: i },
      Nested: { inner: { gro: true } },
    })
    const [a, b] = [copyMetadata(input(1), pool), copyMetadata(input(2), pool)]
    const shared = Object.keys(a).filter((key) => typeof a[key] === 'object' && a[key] === b[key])
    expect([a, b, shared]).toEqual([input(1), input(2), ['Features', 'LinkFlags']])
    expect((a['Nested'] as Metadata)['inner']).toBe(b['Features'])
  })

  test('whole metadata of edges is one object, that of the caller is not', () => {
    const pool = new ValuePool()
    const given = { RelationType: 'layer2' }
    const copies = [copyMetadata(given, pool), copyMetadata({ ...given }, pool)]
    expect([copies[0] === copies[1], Object.is(copies[0], given)]).toEqual([true, false])
    given.RelationType = 'ownership'
    expect(copies[0]).toEqual({ RelationType: 'layer2' })
  })

  test.each([[{ a: Number.NaN }], [{ a: { b: Number.POSITIVE_INFINITY } }], [{ a: [new Date(0)] }], [{ a: new Map() }]])(
    '%p is refused as without one',
    (value) => {
      expect(() => copyMetadata(value as unknown as Metadata, new ValuePool())).toThrow('only what JSON can say')
    },
  )

  test.each<[held: Metadata | readonly MetadataValue[], asked: Metadata | readonly MetadataValue[]]>([
    [[1], [1, 2]],
    [[1, 2], [1]],
    [[1], { 0: 1 }],
    [{ 0: 1 }, [1]],
    [{ a: 1 }, { a: 1, b: 2 }],
    [{ a: 1, b: 2 }, { a: 1 }],
    [{ a: 1 }, { a: 2 }],
    [{ a: 1 }, { b: 1 }],
  ])('where two values have one place, %j is not found for %j', (held, asked) => {
    const pool = new ValuePool()
    pool.put(7, held)
    const equal = Array.isArray(held) ? [...held] : { ...held }
    expect([pool.find(7, asked), pool.find(7, equal) === held]).toEqual([undefined, true])
  })

  test.each<[title: string, value: Metadata | readonly MetadataValue[], isKept: boolean]>([
    ['a key of 64 characters', { ['k'.repeat(64)]: 1 }, true],
    ['a key of 65', { ['k'.repeat(65)]: 1 }, false],
    ['a text of 64', { k: 'v'.repeat(64) }, true],
    ['a text of 65', { k: 'v'.repeat(65) }, false],
    ['a list of 32', Array(32).fill(1), true],
    ['a list of 33', Array(33).fill(1), false],
    ['32 keys', Object.fromEntries(Array.from({ length: 32 }, (_, i) => [`k${i}`, 1])), true],
    ['33 keys', Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`k${i}`, 1])), false],
    ['a list in a list', [[1]], false],
  ])('whether there is a place for %s', (_title, value, isKept) => {
    expect(new ValuePool().placeOf(value) >= 0).toBe(isKept)
  })

  test('are what copies without one are, whatever was copied before', () => {
    const scalar = fc.oneof(
      fc.constantFrom('', 'x', 'UP', 0, 1, true, false, null, '__proto__'),
      fc.string(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    )
    const { tree } = fc.letrec<{ tree: MetadataValue }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small', maxDepth: 3 },
        scalar,
        fc.array(tie('tree'), { maxLength: 4 }),
        fc.dictionary(fc.constantFrom('a', 'b', 'constructor', 'toString'), tie('tree')),
      ),
    }))
    fc.assert(
      fc.property(fc.array(fc.dictionary(fc.constantFrom('a', 'b', 'c', 'valueOf'), tree), { maxLength: 12 }), (inputs) => {
        const pool = new ValuePool()
        const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
        for (const input of inputs) expect(plain(copyMetadata(input, pool))).toEqual(plain(copyMetadata(input)))
      }),
      { numRuns: 300 },
    )
  })
})
