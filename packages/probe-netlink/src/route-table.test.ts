import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { aRoute } from '../test/samples.ts'
import { RouteTable } from './route-table.ts'
import { AF_INET6, NLM_F_APPEND, NLM_F_REPLACE } from './rtnetlink.ts'

const prefixes = (table: RouteTable, index: number) => table.routesOf(index).map(({ prefix }) => prefix)

describe('RouteTable', () => {
  test('what is told is kept, sorted, by interface', () => {
    const table = new RouteTable()
    expect([...table.add(aRoute('b', 1))]).toEqual([1])
    table.add(aRoute('a', 1))
    table.add(aRoute('a', 2, { table: 7 }))
    expect([prefixes(table, 1), prefixes(table, 2), table.uncertain]).toEqual([['a', 'b'], ['a'], false])
  })

  test('a route that is told twice is one', () => {
    const table = new RouteTable()
    table.add(aRoute('a', 1))
    expect([...table.add(aRoute('a', 1))]).toEqual([])
    expect(prefixes(table, 1)).toEqual(['a'])
  })

  test('a replaced route is gone; which of several was replaced is not known', () => {
    const table = new RouteTable()
    table.add(aRoute('a', 1))
    expect([...table.add(aRoute('a', 2), NLM_F_REPLACE)].sort()).toEqual([1, 2])
    expect([prefixes(table, 1), prefixes(table, 2), table.uncertain]).toEqual([[], ['a'], false])
    table.add(aRoute('a', 3), NLM_F_APPEND)
    table.add(aRoute('a', 4), NLM_F_REPLACE)
    expect(table.uncertain).toBe(true)
  })

  test.each<[string, (table: RouteTable) => void]>([
    ['a route that was not known is deleted beside one that is', (table) => table.remove(aRoute('a', 9))],
    ['an IPv6 route joins others', (table) => table.add(aRoute('a6', 1, { family: AF_INET6 }), NLM_F_APPEND)],
    ['an IPv6 route is replaced', (table) => table.add(aRoute('a6', 1, { family: AF_INET6 }), NLM_F_REPLACE)],
    ['one of several ways on is gone', (table) => table.removeInterface(2)],
  ])('it says that it does not know when %s', (_, happen) => {
    const table = new RouteTable()
    table.add(aRoute('a', 1))
    table.add(
      aRoute('m', 0, {
        hops: [
          { index: 1, gateway: '' },
          { index: 2, gateway: '' },
        ],
      }),
    )
    happen(table)
    expect(table.uncertain).toBe(true)
    table.replaceAll([aRoute('a', 1)])
    expect([table.uncertain, prefixes(table, 1)]).toEqual([false, ['a']])
  })

  test('cached exceptions are no routes', () => {
    const table = new RouteTable()
    table.add(aRoute('a', 1, { cloned: true }))
    table.replaceAll([aRoute('a', 1, { cloned: true })])
    expect(prefixes(table, 1)).toEqual([])
  })

  test('a route that many interfaces share: only its own interface is concerned', () => {
    const table = new RouteTable()
    for (let index = 1; index <= 3; index++) table.add(aRoute('fe80::/64', index, { family: AF_INET6 }))
    expect([...table.remove(aRoute('fe80::/64', 2, { family: AF_INET6 }))]).toEqual([2])
    table.removeInterface(3)
    expect([[1, 2, 3].map((index) => table.routeCount(index)), table.uncertain]).toEqual([[1, 0, 0], false])
    const read = [1, 2].map((index) => aRoute('fe80::/64', index, { family: AF_INET6 }))
    expect([...table.replaceAll(read)]).toEqual([2])
  })

  test('reading the same again touches nothing', () => {
    const routes = [aRoute('a', 1), aRoute('a', 2), aRoute('b', 1)]
    const table = new RouteTable()
    expect([...table.replaceAll(routes)].sort()).toEqual([1, 2])
    expect([...table.replaceAll(routes)]).toEqual([])
  })

  const seed = Number(process.env['SKYDIVE_SEEDS']?.split(',')[0] ?? Date.now() % 1_000_000)
  test(`after plain additions and deletions it equals a model that is a list (SKYDIVE_SEEDS=${seed})`, () => {
    const step = fc.record({ add: fc.boolean(), prefix: fc.constantFrom('a', 'b', 'c'), index: fc.integer({ min: 1, max: 3 }) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const table = new RouteTable()
        const model = new Set<string>()
        for (const { add, prefix, index } of steps) {
          if (add) table.add(aRoute(prefix, index))
          else table.remove(aRoute(prefix, index))
          if (add) model.add(`${prefix}${index}`)
          else model.delete(`${prefix}${index}`)
        }
        const held = [1, 2, 3].flatMap((index) => prefixes(table, index).map((prefix) => `${prefix}${index}`))
        expect(held.sort()).toEqual([...model].sort())
      }),
      { seed },
    )
  })
})
