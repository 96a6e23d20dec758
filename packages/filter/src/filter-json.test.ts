import { describe, expect, test } from '@jest/globals'
import type { Filter, GraphNode, Metadata } from '@skydive/contracts'
import { SkydiveError } from '@skydive/contracts'
import fc from 'fast-check'
import {
  allOf,
  compileFilter,
  elementField,
  isPresent,
  loadRegex,
  MAX_FILTER_DEPTH,
  someLeaf,
  term,
  widenFilter,
} from './index.ts'
import { MAX_FILTER_NODES, readFilter, writeFilter } from './json.ts'

const NUM_RUNS = Number(process.env['SKYDIVE_FUZZ_RUNS'] ?? 10_000)

describe('readFilter', () => {
  test.each<[json: string, filter: Filter]>([
    ['{}', {}],
    ['{"TermStringFilter":{"Key":"Type","Value":"host"}}', { TermStringFilter: { Key: 'Type', Value: 'host' } }],
    ['{"TermStringFilter":{"Key":"Type"}}', { TermStringFilter: { Key: 'Type', Value: '' } }],
    ['{"TermStringFilter":{}}', { TermStringFilter: { Key: '', Value: '' } }],
    ['{"TermInt64Filter":{"Key":"MTU","Value":null}}', { TermInt64Filter: { Key: 'MTU', Value: 0 } }],
    ['{"TermBoolFilter":{"Key":"Up"}}', { TermBoolFilter: { Key: 'Up', Value: false } }],
    ['{"NullFilter":{"Key":"a","Value":5}}', { NullFilter: { Key: 'a' } }],
    ['{"IPV6RangeFilter":{"Key":"IPV6","Value":"::/0"}}', { IPV6RangeFilter: { Key: 'IPV6', Value: '::/0' } }],
    ['{"BoolFilter":{}}', { BoolFilter: { Op: 0, Filters: [] } }],
    ['{"BoolFilter":{"Op":1,"Filters":[null,{}]}}', { BoolFilter: { Op: 1, Filters: [{}] } }],
    ['{"BoolFilter":null,"NullFilter":{"Key":"a"}}', { NullFilter: { Key: 'a' } }],
    // Of several members the first of the table counts.
    ['{"NullFilter":{"Key":"a"},"TermInt64Filter":{"Key":"b","Value":1}}', { TermInt64Filter: { Key: 'b', Value: 1 } }],
    ['{"TermInt64Filter":{"Key":"__proto__","Value":1}}', { TermInt64Filter: { Key: '__proto__', Value: 1 } }],
  ])('%s', (json, filter) => expect(readFilter(JSON.parse(json))).toEqual(filter))

  const deep = `${'{"BoolFilter":{"Op":2,"Filters":['.repeat(MAX_FILTER_DEPTH + 1)}{}${']}}'.repeat(MAX_FILTER_DEPTH + 1)}`
  const wide = JSON.stringify({ BoolFilter: { Filters: Array.from({ length: MAX_FILTER_NODES }, () => ({})) } })
  test.each<[json: string, reason: string]>([
    ['null', 'the filter must be an object'],
    ['[]', 'the filter must be an object'],
    ['{"Nope":{}}', 'the filter has the member "Nope", which is no filter'],
    ['{"__proto__":{"TermStringFilter":{"Key":"a"}}}', 'the filter has the member "__proto__", which is no filter'],
    ['{"TermStringFilter":5}', 'the filter at TermStringFilter must be an object'],
    ['{"TermStringFilter":{"Key":5}}', 'the filter at TermStringFilter.Key must be a string'],
    ['{"TermInt64Filter":{"Key":"a","Value":1.5}}', 'must be an integer'],
    ['{"TermInt64Filter":{"Key":"a","Value":9007199254740993}}', 'must be an integer'],
    ['{"TermBoolFilter":{"Key":"a","Value":"x"}}', 'must be true or false'],
    ['{"BoolFilter":{"Op":3}}', 'the filter at BoolFilter.Op must be 0 (OR), 1 (AND) or 2 (NOT)'],
    ['{"BoolFilter":{"Filters":{}}}', 'the filter at BoolFilter.Filters must be a list'],
    ['{"BoolFilter":{"Filters":[{},{"NullFilter":7}]}}', 'the filter at BoolFilter.Filters[1].NullFilter must be an object'],
    [deep, `is deeper than ${MAX_FILTER_DEPTH} levels; write it flatter`],
    [wide, `the filter has more than ${MAX_FILTER_NODES} conditions`],
    [`{"NullFilter":{"Key":"${'x'.repeat(70_000)}"}}`, 'the filter at NullFilter.Key is longer than 65536 characters'],
  ])('%#: is refused', (json, reason) => {
    expect(() => readFilter(JSON.parse(json))).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', message: expect.stringContaining(reason) }),
    )
  })
})

test.each<[filter: Filter, json: string]>([
  [{}, '{}'],
  [
    allOf([term('Type', 'device'), isPresent('State')]),
    '{"BoolFilter":{"Op":1,"Filters":[{"TermStringFilter":{"Key":"Type","Value":"device"}},{"BoolFilter":{"Op":2,"Filters":[{"NullFilter":{"Key":"State"}}]}}]}}',
  ],
  [{ BoolFilter: { Op: 0, Filters: [] } }, '{"BoolFilter":{}}'],
  [term('MTU', 0), '{"TermInt64Filter":{"Key":"MTU"}}'],
])('writeFilter %#', (filter, json) => expect(JSON.stringify(writeFilter(filter))).toBe(json))

const key = fc.constantFrom('Type', 'MTU', 'a.b', '@ID', '__proto__', 'constructor', '')
const integer = fc.constantFrom(0, 1, -5, 1500, Number.MAX_SAFE_INTEGER)
const leaf: fc.Arbitrary<Filter> = fc.oneof(
  fc.record({ TermStringFilter: fc.record({ Key: key, Value: fc.constantFrom('', 'veth', '7') }) }),
  fc.record({ TermInt64Filter: fc.record({ Key: key, Value: integer }) }),
  fc.record({ TermBoolFilter: fc.record({ Key: key, Value: fc.boolean() }) }),
  fc.record({ GteInt64Filter: fc.record({ Key: key, Value: integer }) }),
  fc.record({ NullFilter: fc.record({ Key: key }) }),
  fc.record({ IPV6RangeFilter: fc.record({ Key: key, Value: fc.constantFrom('::/0', 'fe80::/10') }) }),
  fc.constant({}),
)
const { tree } = fc.letrec<{ tree: Filter }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.record({
      BoolFilter: fc.record({
        Op: fc.constantFrom(0 as const, 1 as const, 2 as const),
        Filters: fc.array(tie('tree'), { maxLength: 3 }),
      }),
    }),
  ),
}))
const metadata: fc.Arbitrary<Metadata> = fc.dictionary(
  key,
  fc.constantFrom<Metadata[string]>('veth', '7', 7, 1500, true, 'fe80::1', ['veth', 7], null),
)
const node = (own: Metadata): GraphNode => ({
  kind: 'node',
  id: 'n1',
  metadata: own,
  host: 'h',
  origin: 'o',
  createdAtMs: 1,
  updatedAtMs: 1,
  deletedAtMs: null,
  revision: 1,
})

test('what is written and read back matches the same', () => {
  fc.assert(
    fc.property(tree, metadata, (filter, own) => {
      const back = readFilter(JSON.parse(JSON.stringify(writeFilter(filter))))
      expect(compileFilter(back, elementField)(node(own))).toBe(compileFilter(filter, elementField)(node(own)))
    }),
    { numRuns: 2000 },
  )
})

test('a widened filter finds all that the filter finds, for those who know a condition and for those who do not', () => {
  const isForeign = (own: Filter): boolean => own.IPV6RangeFilter !== undefined
  /** The filter as somebody reads it who takes what he does not know for true. */
  const unknowing = (filter: Filter): Filter =>
    filter.BoolFilter
      ? { BoolFilter: { ...filter.BoolFilter, Filters: (filter.BoolFilter.Filters ?? []).map(unknowing) } }
      : isForeign(filter)
        ? {}
        : filter
  fc.assert(
    fc.property(tree, metadata, (filter, own) => {
      if (!compileFilter(filter, elementField)(node(own))) return
      const asked = widenFilter(filter, isForeign) ?? {}
      expect(compileFilter(asked, elementField)(node(own))).toBe(true)
      expect(compileFilter(unknowing(asked), elementField)(node(own))).toBe(true)
      expect(someLeaf(unknowing(asked), isForeign)).toBe(false)
    }),
    { numRuns: 2000 },
  )
})

test('under a fuzzer reading, compiling and matching raise nothing but own errors', async () => {
  const regex = await loadRegex()
  const names = fc.constantFrom('BoolFilter', 'TermStringFilter', 'RegexFilter', 'IPV4RangeFilter', 'IPV6RangeFilter', 'Op')
  const anything = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom<unknown>(null, 0, 1, 2, 1.5, -1, '', '(', '::/0', '10.0.0.0/8', '[a', true, Number.MAX_VALUE),
      fc.string({ maxLength: 6 }),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.oneof(names, fc.constantFrom('Filters', 'Key', 'Value', '__proto__', 'constructor')), tie('value'), {
        maxKeys: 3,
      }),
      fc.record({
        BoolFilter: fc.record({ Op: fc.constantFrom(0, 1, 2, 3), Filters: fc.array(tie('value'), { maxLength: 3 }) }),
      }),
      fc.tuple(names, key, tie('value')).map(([name, Key, Value]) => ({ [name]: { Key, Value } })),
    ),
  })).value
  fc.assert(
    fc.property(anything, metadata, (json, own) => {
      try {
        compileFilter(readFilter(json), elementField, regex)(node(own))
      } catch (error) {
        expect(SkydiveError.isInstance(error, 'ERR_INVALID_ARGUMENT')).toBe(true)
      }
    }),
    { numRuns: NUM_RUNS },
  )
})
