import { describe, expect, test } from '@jest/globals'
import type { MetadataObject, MetadataValue } from '@skydive/contracts'
import * as filter from '@skydive/filter'
import fc from 'fast-check'
import * as nextHop from './next-hop.ts'

const nextHopOf = (metadata: MetadataObject, ip: string) => nextHop.nextHopOf(metadata, ip, filter)

interface RouteInit {
  readonly Prefix: string
  readonly NextHops: readonly MetadataValue[]
}

const via = (Prefix: string, IP: string, IfIndex = 1): RouteInit => ({ Prefix, NextHops: [{ Priority: 0, IP, IfIndex }] })
const link = (Prefix: string, IfIndex = 1): RouteInit => ({ Prefix, NextHops: [{ Priority: 7, IfIndex }] })
const table = (...Routes: readonly RouteInit[]): MetadataObject => ({ ID: 254, Routes }) as unknown as MetadataObject

describe('nextHopOf', () => {
  test.each<[item: string, tables: MetadataValue, ip: string, hop: unknown]>([
    ['A94 by a route', [table(via('10.1.0.0/16', '10.0.0.1'))], '10.1.2.3', { Priority: 0, IP: '10.0.0.1', IfIndex: 1 }],
    ['A94 by default', [table(via('0.0.0.0/0', '10.0.0.9'))], '8.8.8.8', { Priority: 0, IP: '10.0.0.9', IfIndex: 1 }],
    [
      'A94 a route before the default',
      [table(via('0.0.0.0/0', '10.0.0.9'), via('10.1.0.0/16', '10.0.0.1', 4))],
      '10.1.2.3',
      { Priority: 0, IP: '10.0.0.1', IfIndex: 4 },
    ],
    ['A94 connected', [table(link('10.0.0.0/24', 3))], '10.0.0.7', { Priority: 7, IP: '10.0.0.7', IfIndex: 3 }],
    [
      'the first route with a gateway, not the longest prefix',
      [table(via('10.0.0.0/8', '1.1.1.1'), via('10.1.2.0/24', '2.2.2.2'))],
      '10.1.2.3',
      { Priority: 0, IP: '1.1.1.1', IfIndex: 1 },
    ],
    [
      'the last connected route',
      [table(link('10.0.0.0/8', 3), link('10.1.0.0/16', 4))],
      '10.1.2.3',
      { Priority: 7, IP: '10.1.2.3', IfIndex: 4 },
    ],
    [
      'a gateway before what is connected',
      [table(link('10.0.0.0/8', 3), via('10.1.0.0/16', '1.1.1.1'))],
      '10.1.2.3',
      { Priority: 0, IP: '1.1.1.1', IfIndex: 1 },
    ],
    ['a default route without a hop', [table({ Prefix: '0.0.0.0/0', NextHops: [] })], '8.8.8.8', undefined],
    ['a default route without a gateway', [table(link('0.0.0.0/0', 5))], '8.8.8.8', { Priority: 7, IP: '8.8.8.8', IfIndex: 5 }],
    [
      'the next table, where one knows no way',
      [table(via('10.0.0.0/8', '1.1.1.1')), table(via('0.0.0.0/0', '2.2.2.2'))],
      '8.8.8.8',
      { Priority: 0, IP: '2.2.2.2', IfIndex: 1 },
    ],
    [
      'IPv6',
      [table(via('0.0.0.0/0', '10.0.0.9'), via('::/0', 'fe80::1', 6))],
      '2001:db8::1',
      { Priority: 0, IP: 'fe80::1', IfIndex: 6 },
    ],
    ['no route', [table(via('10.0.0.0/8', '1.1.1.1'))], '8.8.8.8', undefined],
    ['no table', [], '8.8.8.8', undefined],
    ['tables that are none', 'x', '8.8.8.8', undefined],
    [
      'routes that are none',
      [5, null, { Routes: 'x' }, { Routes: [1, {}, { Prefix: 7, NextHops: [{}] }] }],
      '8.8.8.8',
      undefined,
    ],
    ['a prefix that is none', [table(via('nonsense', '1.1.1.1'), via('10.0.0.0/99', '1.1.1.1'))], '10.0.0.1', undefined],
  ])('%s', (_item, RoutingTables, ip, hop) => expect(nextHopOf({ RoutingTables }, ip)).toEqual(hop))

  test('tells the address of the neighbour, when it is known', () => {
    const RoutingTables = [table(via('0.0.0.0/0', '10.0.0.9'))]
    const Neighbors = ['x', { IP: '10.0.0.8', MAC: 'b' }, { IP: '10.0.0.9' }, { IP: '10.0.0.9', MAC: 'c' }]
    expect(nextHopOf({ RoutingTables, Neighbors }, '8.8.8.8')).toEqual({ Priority: 0, IP: '10.0.0.9', MAC: 'c', IfIndex: 1 })
  })

  test('takes whatever a node holds', () => {
    const value = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<MetadataValue>
    const routes = fc.array(fc.record({ Prefix: fc.constantFrom('0.0.0.0/0', '::/0', 'x'), NextHops: value }))
    fc.assert(
      fc.property(fc.oneof(value, fc.array(fc.record({ Routes: routes }))), value, (RoutingTables, Neighbors) => {
        const hop = nextHopOf({ RoutingTables: RoutingTables as MetadataValue, Neighbors }, '8.8.8.8')
        if (hop) expect([typeof hop.IP, Number.isInteger(hop.IfIndex)]).toEqual(['string', true])
      }),
      { numRuns: 2000 },
    )
  })
})
