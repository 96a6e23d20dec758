import { describe, expect, test } from '@jest/globals'
import type { EnhancedFlow, FlowQuery } from '@skydive/contracts'
import fc from 'fast-check'
import { arrangeFlows, compareValues } from './flow-search.ts'

const flow = (UUID: string, TrackingID: string, Last: number): EnhancedFlow => ({
  flow: { UUID, TrackingID, Start: 0, Last, ParentUUID: '', RawPacketsCaptured: 0 },
  places: {},
})
const uuids = (flows: readonly EnhancedFlow[]): string => flows.map(({ flow: { UUID } }) => UUID).join('')

/** What two agents answer to a query, each for itself, and what becomes of it together. */
function merged(query: FlowQuery): string {
  const one = arrangeFlows([flow('a', 'x', 5), flow('b', 'x', 9), flow('c', 'y', 7)], query)
  const other = arrangeFlows([flow('d', 'y', 8), flow('e', 'z', 1), flow('f', 'x', 6)], query)
  return uuids(arrangeFlows([...one, ...other], query))
}

describe('A83 two answers together', () => {
  test.each<[query: FlowQuery, uuids: string]>([
    [{}, 'abcdef'],
    [{ Dedup: true }, 'ace'],
    [{ Dedup: true, DedupBy: 'UUID' }, 'abcdef'],
    [{ Sort: true }, 'eafcdb'],
    [{ Sort: true, SortOrder: 2 }, 'bdcfae'],
    // The most recent of each.
    [{ Sort: true, SortOrder: 2, Dedup: true }, 'bde'],
    [{ Sort: true, SortOrder: 1, Dedup: true }, 'eac'],
    [{ Sort: true, SortOrder: 2, Dedup: true, DedupBy: 'ParentUUID' }, 'b'],
  ])('%j', (query, expected) => expect(merged(query)).toBe(expected))

  test('are as one answer of everything, in their order', () => {
    const one = fc.tuple(fc.constantFrom('x', 'y', 'z'), fc.nat(5))
    const query = fc.record({ Sort: fc.boolean(), SortOrder: fc.constantFrom<1 | 2>(1, 2), Dedup: fc.boolean() })
    fc.assert(
      fc.property(fc.array(one, { maxLength: 8 }), fc.nat(8), query, (items, cut, asked) => {
        const flows = items.map(([tracking, last], i) => flow(String(i), tracking, last))
        const parts = [flows.slice(0, cut), flows.slice(cut)].flatMap((part) => arrangeFlows(part, asked))
        expect(uuids(arrangeFlows(parts, asked))).toBe(uuids(arrangeFlows(flows, asked)))
      }),
    )
  })
})

test('values are ordered: numbers and what reads as one, absent ones as 0, then texts', () => {
  const mixed = ['b', 7, undefined, '10', 'a', -1, 7.5]
  // `sort` of the language puts undefined last, whatever the order is.
  const order = mixed.map((item) => [item] as const).sort(([a], [b]) => compareValues(a, b))
  expect(order.map(([item]) => item)).toEqual([-1, undefined, 7, 7.5, '10', 'a', 'b'])
})
