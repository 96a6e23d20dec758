import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import type { Filter, SearchQuery } from '@skydive/contracts'
import fc from 'fast-check'
import protobuf from 'protobufjs'
import { decodeTableQuery, decodeTableReply, encodeTableQuery, encodeTableReply } from './index.ts'

// protobufjs reads flow.proto by itself. Ranges of IPv6 are ours: the original's schema does not have them.
const text = readFileSync(join(import.meta.dirname, 'flow.proto'), 'utf8').replace(
  'TermStringFilter IPV4RangeFilter = 11;',
  'TermStringFilter IPV4RangeFilter = 11; TermStringFilter IPV6RangeFilter = 12;',
)
const schema = protobuf.parse(text, { keepCase: true }).root
/** The same with two more fields in every message. */
const later = protobuf.parse(text.replace(/(message \w+ \{)/g, '$1 string laterText = 1990; int64 laterNumber = 1991;'), {
  keepCase: true,
}).root

const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const key = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' })
const leaf = <T>(value: fc.Arbitrary<T>) => fc.record({ Key: key, Value: value })
const words = leaf(key)
const numbers = leaf(fc.maxSafeInteger().map((value) => value || 1))
const { filter } = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3 },
    fc.record({ TermStringFilter: words }),
    fc.record({ TermInt64Filter: numbers }),
    fc.record({ TermBoolFilter: leaf(fc.constant(true)) }),
    fc.record({ GtInt64Filter: numbers }),
    fc.record({ LtInt64Filter: numbers }),
    fc.record({ GteInt64Filter: numbers }),
    fc.record({ LteInt64Filter: numbers }),
    fc.record({ RegexFilter: words }),
    fc.record({ NullFilter: fc.record({ Key: key }) }),
    fc.record({ IPV4RangeFilter: words }),
    fc.record({ IPV6RangeFilter: words }),
    fc.record({
      BoolFilter: fc.record({ Op: fc.constantFrom(0, 1, 2), Filters: fc.array(tie('filter'), { maxLength: 3 }) }),
    }) as fc.Arbitrary<Filter>,
  ),
}))
const query = fc.record(
  {
    Filter: filter,
    PaginationRange: fc.record({ From: fc.nat(), To: fc.nat() }),
    Sort: fc.constant(true),
    Dedup: fc.constant(true),
    DedupBy: key,
    SortBy: key,
    SortOrder: fc.constantFrom(1, 2),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<SearchQuery>

/** A message with values for the two more fields in it and in all that it holds. */
function withLaterFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withLaterFields)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).map(([name, member]) => [name, withLaterFields(member)])
  return { ...Object.fromEntries(members), laterText: 'later', laterNumber: 7 }
}

describe('a table query', () => {
  test('any is given back, is what protobufjs reads, and is read with the fields of a later version', () => {
    fc.assert(
      fc.property(key, query, (type, one) => {
        const whole = { Type: type, Query: one }
        const bytes = encodeTableQuery(whole)
        expect(decodeTableQuery(bytes)).toEqual(whole)
        const TableQuery = schema.lookupType('flow.TableQuery')
        const read = TableQuery.toObject(TableQuery.decode(bytes), { longs: Number, arrays: true })
        expect(withoutZeros(read)).toEqual(withoutZeros(whole))
        const Later = later.lookupType('flow.TableQuery')
        expect(decodeTableQuery(Later.encode(Later.fromObject(withLaterFields(whole) as object)).finish())).toEqual(whole)
      }),
    )
  })

  test.each<readonly [string, string, object]>([
    ['nothing', '', { Type: '', Query: {} }],
    ['an empty query', '1200', { Type: '', Query: {} }],
    ['an empty filter', '1202 0a00', { Type: '', Query: { Filter: {} } }],
    ['an empty range', '1202 1200', { Type: '', Query: { PaginationRange: { From: 0, To: 0 } } }],
    ['flags that are not set', '1204 1800 2000', { Type: '', Query: { Sort: false, Dedup: false } }],
    ['an order that is none', '1202 3803', { Type: '', Query: { SortOrder: 0 } }],
    ['an order below zero', '120b 38ffffffffffffffffff01', { Type: '', Query: { SortOrder: 0 } }],
    ['an order of none', '1202 3800', { Type: '', Query: { SortOrder: 0 } }],
    ['an empty text filter', '1204 0a02 0a00', { Type: '', Query: { Filter: { TermStringFilter: { Key: '', Value: '' } } } }],
    ['an empty number filter', '1204 0a02 1200', { Type: '', Query: { Filter: { TermInt64Filter: { Key: '', Value: 0 } } } }],
    ['an empty flag filter', '1204 0a02 1a00', { Type: '', Query: { Filter: { TermBoolFilter: { Key: '', Value: false } } } }],
    ['an empty filter of what is missing', '1204 0a02 5200', { Type: '', Query: { Filter: { NullFilter: { Key: '' } } } }],
    ['an empty tree', '1204 0a02 4200', { Type: '', Query: { Filter: { BoolFilter: { Op: 0, Filters: [] } } } }],
  ])('%s: %s', (_title, hex, expected) => {
    expect(decodeTableQuery(bytesOf(hex))).toStrictEqual(expected)
  })

  test.each<readonly [string, Filter, string]>([
    ['text without a value', { TermStringFilter: { Key: 'a' } }, '0a03 0a0161'],
    ['a number without a value', { TermInt64Filter: { Key: 'a' } }, '1203 0a0161'],
    ['a flag without a value', { TermBoolFilter: { Key: 'a' } }, '1a03 0a0161'],
    ['a flag that is not set', { TermBoolFilter: { Key: 'a', Value: false } }, '1a03 0a0161'],
    ['a tree without an operator and filters', { BoolFilter: {} }, '4200'],
  ])('a filter of %s is written without it', (_title, one, hex) => {
    const inner = bytesOf(hex)
    const expected = Uint8Array.from([0x12, inner.length + 2, 0x0a, inner.length, ...inner])
    expect(encodeTableQuery({ Type: '', Query: { Filter: one } })).toEqual(expected)
  })

  test('without flags and texts it is empty', () => {
    expect(encodeTableQuery({ Type: '', Query: { Sort: false, Dedup: false } })).toEqual(bytesOf('1200'))
  })

  test.each([
    ['3', '0803'],
    ['4', '0804'],
    ['6', '0806'],
    ['-1', '08ffffffffffffffffff01'],
  ])('a tree with the operator %s, which is none, is refused', (_title, hex) => {
    const op = bytesOf(hex)
    const bytes = Uint8Array.from([0x12, op.length + 4, 0x0a, op.length + 2, 0x42, op.length, ...op])
    expect(() => decodeTableQuery(bytes)).toThrow(
      expect.objectContaining({ code: 'ERR_DECODE', message: expect.stringMatching(/BoolFilter\.Op/) }),
    )
  })

  test('a filter nested without end is refused', () => {
    let deep: Filter = {}
    for (let depth = 0; depth < 100; depth++) deep = { BoolFilter: { Op: 2, Filters: [deep] } }
    const bytes = encodeTableQuery({ Type: 'SearchQuery', Query: { Filter: deep } })
    expect(() => decodeTableQuery(bytes)).toThrow(expect.objectContaining({ code: 'ERR_DECODE' }))
  })
})

/** Without what proto3 leaves out. */
function withoutZeros(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, inner: unknown) => (inner === 0 || inner === '' || inner === false ? undefined : inner)),
  )
}

describe('a table reply', () => {
  test.each<readonly [string, number, readonly Uint8Array[], string]>([
    ['sets, empty ones too', 200, [Uint8Array.of(1, 2), new Uint8Array(0)], '08c801 12020102 1200'],
    ['no set', 404, [], '089403'],
    ['a status of zero', 0, [], ''],
  ])('%s', (_title, status, sets, hex) => {
    const reply = { Status: status, FlowSetBytes: sets }
    expect(encodeTableReply(reply)).toEqual(bytesOf(hex))
    expect(decodeTableReply(bytesOf(hex))).toStrictEqual(reply)
  })

  test('fields that are not known are skipped', () => {
    expect(decodeTableReply(bytesOf('1a0161 08c801 2007 120101 2d01020304'))).toStrictEqual({
      Status: 200,
      FlowSetBytes: [Uint8Array.of(1)],
    })
  })
})
