import { describe, expect, test } from '@jest/globals'
import type { EnhancedFlow, Filter, Flow, GraphEdge, GraphNode, Metadata } from '@skydive/contracts'
import fc from 'fast-check'
import {
  allOf,
  anyOf,
  compareValues,
  compileFilter,
  compileIpv4Range,
  elementField,
  enhancedFlowField,
  flowField,
  isNull,
  isPresent,
  needsRegex,
  not,
  nothing,
  parseIpv4,
  prepareFilter,
  readInteger,
  searchFlows,
  term,
} from './index.ts'

const node = (metadata: Metadata): GraphNode => ({
  kind: 'node',
  id: 'n1',
  metadata,
  host: 'alpha',
  origin: 'agent.alpha',
  createdAtMs: 1000,
  updatedAtMs: 2000,
  deletedAtMs: null,
  revision: 3,
})
const SUBJECT = node({
  Type: 'veth',
  MTU: 1500,
  Text: '80',
  Up: true,
  Float: 44.5,
  List: ['a', '7', 5, true],
  IPV4: ['10.0.0.1/24', '192.168.0.34'],
  Null: null,
})

describe('readInteger', () => {
  test.each<[value: unknown, integer: number | undefined]>([
    [42, 42],
    [44.9, 44],
    [-44.9, -44],
    [true, 1],
    [null, 0],
    ['42', 42],
    ['-7', -7],
    ['0x10', 16],
    ['0b101', 5],
    ['0o17', 15],
    ['042', 34],
    ['12.000', 12],
    ['12.5', undefined],
    ['', undefined],
    ['0x', undefined],
    ['12a', undefined],
    ['02:00:00:00:00:01', undefined],
    ['10.0.0.1', undefined],
    [[1], undefined],
    [Number.NaN, undefined],
  ])('%j is %j', (value, integer) => expect(readInteger(value)).toBe(integer))
})

describe('a filter over an element', () => {
  test.each<[filter: Filter, matches: boolean]>([
    [{}, true],
    [term('Type', 'veth'), true],
    [term('Type', 'device'), false],
    [{ TermStringFilter: { Key: 'Type' } }, false],
    [term('MTU', 1500), true],
    [term('MTU', '1500'), false],
    [term('Text', 80), true],
    [term('Up', 1), true],
    [term('Up', true), true],
    [term('Float', 44.5), true],
    [term('Null', 0), true],
    [term('List', 'a'), true],
    [term('List', 7), true],
    [term('List', true), true],
    [term('List', 'b'), false],
    [{ GtInt64Filter: { Key: 'MTU', Value: 1499 } }, true],
    [{ GtInt64Filter: { Key: 'MTU', Value: 1500 } }, false],
    [{ GteInt64Filter: { Key: 'MTU', Value: 1500 } }, true],
    [{ LtInt64Filter: { Key: 'MTU', Value: 1500 } }, false],
    [{ LteInt64Filter: { Key: 'MTU', Value: 1500 } }, true],
    [{ LtInt64Filter: { Key: 'Nope', Value: 1500 } }, false],
    [{ GtInt64Filter: { Key: 'MTU' } }, true],
    [isNull('Nope'), true],
    [isNull('Type'), false],
    [isPresent('Type'), true],
    [not(term('Type', 'veth')), false],
    [nothing(), false],
    [allOf([]), true],
    [anyOf([]), true],
    [{ BoolFilter: { Op: 2, Filters: [] } }, true],
    [{ BoolFilter: {} }, true],
    [anyOf([term('Type', 'x'), term('MTU', 1500)]), true],
    [allOf([term('Type', 'veth'), term('MTU', 1), term('Up', true)]), false],
    [allOf([term('Type', 'veth'), term('MTU', 1500), term('Up', true)]), true],
    [{ IPV4RangeFilter: { Key: 'IPV4', Value: '192.168.0.0/24' } }, true],
    [{ IPV4RangeFilter: { Key: 'IPV4', Value: '192.168.1.0/24' } }, false],
    [term('@ID', 'n1'), true],
    [term('@Host', 'alpha'), true],
    [term('@Origin', 'agent.alpha'), true],
    [term('@CreatedAt', 1000), true],
    [term('@UpdatedAt', 2000), true],
    [term('@Revision', 3), true],
    [isNull('@DeletedAt'), true],
    [isNull('ID'), true],
    [term('Metadata.Type', 'veth'), true],
    [isNull('Parent'), true],
  ])('%j', (filter, matches) => expect(compileFilter(filter, elementField)(SUBJECT)).toBe(matches))

  test('ends and lists of an edge are fields too', () => {
    const edge: GraphEdge = { ...SUBJECT, kind: 'edge', parent: 'a', child: 'b', metadata: { L: ['x'] } }
    const all = allOf([term('Parent', 'a'), term('Child', 'b'), term('L', 'x')])
    expect(compileFilter(all, elementField)(edge)).toBe(true)
  })

  test('regular expressions are unanchored, RE2, and loaded first', async () => {
    const filter: Filter = { RegexFilter: { Key: 'Type', Value: 'e(t|x)' } }
    expect([needsRegex(filter), needsRegex(not(filter)), needsRegex(term('a', 1))]).toEqual([true, true, false])
    expect((await prepareFilter(filter, elementField))(SUBJECT)).toBe(true)
    expect(() => compileFilter(filter, elementField)).toThrow(expect.objectContaining({ code: 'ERR_INVARIANT' }))
    await expect(prepareFilter({ RegexFilter: { Key: 'a', Value: '(?=x)' } }, elementField)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    })
  })

  test('a hostile pattern takes no longer than its text is long', async () => {
    const hostile = await prepareFilter({ RegexFilter: { Key: 'T', Value: '^(a+)+$' } }, elementField)
    const started = performance.now()
    expect(hostile(node({ T: `${'a'.repeat(5000)}b` }))).toBe(false)
    expect(performance.now() - started).toBeLessThan(2000)
  })

  test('a tree that is too deep is refused', () => {
    let filter: Filter = {}
    for (let i = 0; i < 100; i++) filter = not(filter)
    expect(() => compileFilter(filter, elementField)).toThrow('deeper than 64 levels')
  })
})

describe('IPv4', () => {
  test.each<[text: string, address: number]>([
    ['0.0.0.0', 0],
    ['255.255.255.255', 4294967295],
    ['10.0.0.1/24', 167772161],
    ['10.0.0.1/33', -1],
    ['10.0.0.1/', -1],
    ['10.0.0', -1],
    ['10.0.0.256', -1],
    ['10..0.1', -1],
    ['1.2.3.4.5', -1],
    ['::1', -1],
    ['', -1],
  ])('parseIpv4 %s', (text, address) => expect(parseIpv4(text)).toBe(address))

  test('A59 a network holds all its addresses and no others', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.integer({ min: 0, max: 32 }), fc.ipV4(), (network, length, address) => {
        const mask = 2 ** (32 - length)
        const expected = Math.floor(parseIpv4(address) / mask) === Math.floor(parseIpv4(network) / mask)
        expect(compileIpv4Range(`${network}/${length}`)(address)).toBe(expected)
        expect(compileIpv4Range(`${network}/${length}`)(`${network}/8`)).toBe(true)
      }),
    )
  })

  test.each(['10.0.0.0', '::/0', 'x', '10.0.0.0/33', '10.0.0.0/a'])('%s is no range', (cidr) => {
    expect(() => compileIpv4Range(cidr)).toThrow('invalid CIDR address')
  })
})

const FLOW: Flow = {
  UUID: 'f1',
  TrackingID: 'T1',
  NodeTID: 'tid',
  Link: { Protocol: 'ETHERNET', A: 'm1', B: 'm2', ID: 0 },
  Network: { Protocol: 'IPV4', A: '10.0.0.1', ID: 0 },
  Transport: { Protocol: 'TCP', A: 4000, B: 80, ID: 0 },
  ICMP: { Type: 'ECHO' },
  DNS: { ID: 7, op_code: 'Query', RD: true, questions: [{ name: 'a.example', type: 'A' }] },
  DHCPv4: { server_name: 's' },
  VRRPv2: { version: 2, VirtualRtrID: 9 },
  Start: 1,
  Last: 2,
  ParentUUID: '',
  RawPacketsCaptured: 0,
}

describe('flow fields', () => {
  test.each<[name: string, value: unknown]>([
    ['UUID', 'f1'],
    ['Network.A', '10.0.0.1'],
    ['IPV4.A', '10.0.0.1'],
    ['TCP.B', 80],
    ['Transport', [4000, 80]],
    ['Network', ['10.0.0.1', '']],
    ['ICMP.Type', 'ECHO'],
    ['ICMP.Code', 0],
    ['FinishType', 0],
    ['Application', ''],
    ['Metric.RTT', undefined],
    ['Metric.ABBytes', undefined],
    ['DNS.ID', 7],
    ['DNS.OpCode', 'Query'],
    ['DNS.op_code', 'Query'],
    ['DNS.RD', true],
    ['DNS.QR', false],
    ['DNS.ANCount', 0],
    ['DHCPv4.ServerName', 's'],
    ['DHCPv4.Xid', 0],
    ['VRRP.VirtualRtrID', 9],
    ['VRRPv2.Version', 2],
    ['NoSuch', undefined],
    ['@ID', undefined],
  ])('%s', (name, value) => expect(flowField(name)(FLOW)).toEqual(value))

  test('places of an enhanced flow', () => {
    const flow: EnhancedFlow = { flow: FLOW, places: { a: { tid: 't', name: 'eth0', type: 'device', host: 'alpha' } } }
    const names = ['Place.A.Name', 'Place.A.TID', 'Place.B.Name', 'Place.C.Name', 'Place.A.x', 'UUID']
    expect(names.map((name) => enhancedFlowField(name)(flow))).toEqual(['eth0', 't', undefined, undefined, undefined, 'f1'])
  })

  test('the exporter of an enhanced flow', () => {
    const input = { tid: 't', name: 'eth0', type: 'device', host: 'alpha' }
    const exporter = { address: '10.0.0.9', inputIndex: 3, outputIndex: 0, input }
    const names = ['Address', 'InputIndex', 'OutputIndex', 'Input.Name', 'Input.Host', 'Output.Name', 'Input', 'Input.x', 'x']
    const read = (flow: EnhancedFlow) => names.map((name) => enhancedFlowField(`Place.Exporter.${name}`)(flow))
    const nothing = Array(3).fill(undefined)
    expect(read({ flow: FLOW, places: { exporter } })).toEqual(['10.0.0.9', 3, 0, 'eth0', 'alpha', undefined, ...nothing])
    expect(read({ flow: FLOW, places: {} })).toEqual(names.map(() => undefined))
  })
})

describe('searchFlows', () => {
  const flows: EnhancedFlow[] = [3, 1, 2, 2].map((n, i) => ({
    flow: { ...FLOW, UUID: `f${i}`, TrackingID: `T${n}`, Last: n, NodeTID: i < 3 ? 'x' : 'y' },
    places: {},
  }))
  const found = (query: Parameters<typeof searchFlows>[1]): string =>
    searchFlows(flows, query, compileFilter(query.Filter ?? {}, enhancedFlowField))
      .map(({ flow }) => flow.UUID)
      .join(' ')

  test.each<[query: Parameters<typeof searchFlows>[1], uuids: string]>([
    [{}, 'f0 f1 f2 f3'],
    [{ Sort: true, SortBy: 'Last', SortOrder: 1 }, 'f1 f2 f3 f0'],
    [{ Sort: true, SortOrder: 2 }, 'f0 f2 f3 f1'],
    [{ Dedup: true }, 'f0 f1 f2'],
    [{ Sort: true, SortOrder: 1, Dedup: true, DedupBy: 'TrackingID', PaginationRange: { From: 1, To: 9 } }, 'f2 f0'],
    [{ Dedup: true, DedupBy: 'NoSuch' }, 'f0 f1 f2 f3'],
    [{ nodeTids: ['y'] }, 'f3'],
    [{ nodeTids: [] }, ''],
    [{ Filter: term('Last', 2) }, 'f2 f3'],
  ])('%j', (query, uuids) => expect(found(query)).toBe(uuids))
})

test('compareValues is a total order over whatever is mixed', () => {
  const value = fc.constantFrom(undefined, null, 0, 1, -5, 2.5, '', '10', '9', 'a', 'b', true, [1], { x: 1 })
  fc.assert(
    fc.property(value, value, value, (a, b, c) => {
      expect(Math.sign(compareValues(a, b)) + Math.sign(compareValues(b, a))).toBe(0)
      if (compareValues(a, b) <= 0 && compareValues(b, c) <= 0) expect(compareValues(a, c)).toBeLessThanOrEqual(0)
    }),
    { numRuns: 2000 },
  )
})
