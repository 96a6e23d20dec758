// Which records are of one flow.
import { describe, expect, test } from '@jest/globals'
import type { FlowRecord } from '@skydive/contracts'
import { A, all, consume, counters, NOW_MS, type Over, record } from '../../test/record-builder.ts'
import { createRecordTable } from './index.ts'

describe('which end is A in the key', () => {
  const V6 = [0xfd000000, 0, 0, 1]
  test.each<[title: string, over: Over]>([
    ['addresses beyond 127.255.255.255', { source: [0x80000000], destination: [0x7fffffff] }],
    ['one address, ports apart', { destination: [A], sourcePort: 65_535, destinationPort: 1 }],
    ['one address and one port', { destination: [A], sourcePort: 53, destinationPort: 53 }],
    ['ports beyond 32,767', { sourcePort: 40_000, destinationPort: 65_535 }],
    ...[0, 1, 2, 3].map((word): [string, Over] => [
      `IPv6 addresses that differ in word ${word}`,
      { source: V6, destination: V6.map((value, i) => (i === word ? value + 0x7fffffff : value)), protocol: 47 },
    ]),
    [
      'IPv6 addresses one apart in the upper half of the last word',
      { source: [0xfd000000, 0, 0, 0xfffffffe], destination: [0xfd000000, 0, 0, 0xffffffff], protocol: 47 },
    ],
    ['a protocol whose ports mean nothing', { protocol: 47, sourcePort: 1, destinationPort: 2 }],
  ])('%s: both directions are one flow', (_title, over) => {
    for (const isBackFirst of [false, true]) {
      const there = record(over)
      const addresses = Int32Array.from([...there.addresses.subarray(4), ...there.addresses.subarray(0, 4)])
      const opposite: FlowRecord = {
        ...there,
        ...{ addresses, sourcePort: there.destinationPort, destinationPort: there.sourcePort, packets: 7, bytes: 700 },
      }
      const table = createRecordTable()
      consume(table, isBackFirst ? [opposite, there] : [there, opposite])
      const [flow, ...others] = all(table.snapshot())
      const isOneWay = there.sourcePort === there.destinationPort && addresses.every((word, i) => word === there.addresses[i])
      // A conversation of a port with itself has one direction only.
      const expected = isOneWay ? [17, 1700, 0, 0] : isBackFirst ? [7, 700, 10, 1000] : [10, 1000, 7, 700]
      expect([others, counters(flow!)]).toEqual([[], expected])
      const { A: first, B: second } = flow!.Network!
      const [source] = all(tableOf(isBackFirst ? opposite : there).snapshot())
      expect([first, second]).toEqual([source!.Network!.A, source!.Network!.B])
    }
  })

  const tableOf = (one: FlowRecord) => {
    const table = createRecordTable()
    table.consume(one, NOW_MS)
    return table
  }

  test.each<[title: string, one: Over, other: Over, isOne: boolean]>([
    ['the observer', {}, { observer: 1 }, false],
    ['the protocol', {}, { protocol: 17 }, false],
    ['the port of the source', {}, { sourcePort: 1025 }, false],
    ['the port of the destination', {}, { destinationPort: 81 }, false],
    ['the port of UDP', { protocol: 17 }, { protocol: 17, sourcePort: 1025 }, false],
    ['the port of SCTP', { protocol: 132 }, { protocol: 132, sourcePort: 1025 }, false],
    ['ports of a protocol without them', { protocol: 47 }, { protocol: 47, sourcePort: 1025, destinationPort: 81 }, true],
    ['the kind of ICMP', { protocol: 1, icmpType: 8 }, { protocol: 1, icmpType: 3 }, false],
    ['the code of ICMP', { protocol: 1, icmpType: 3, icmpCode: 1 }, { protocol: 1, icmpType: 3, icmpCode: 3 }, false],
    [
      'more than a byte of the code',
      { protocol: 1, icmpType: 3, icmpCode: 1 },
      { protocol: 1, icmpType: 3, icmpCode: 257 },
      true,
    ],
    ['request and reply of ICMPv4', { protocol: 1, icmpType: 8 }, { protocol: 1, icmpType: 0 }, true],
    ['request and reply of ICMPv6', { protocol: 58, icmpType: 128 }, { protocol: 58, icmpType: 129 }, true],
    [
      'ICMP of a protocol that is none',
      { protocol: 47, icmpType: 8, icmpCode: 1 },
      { protocol: 47, icmpType: 3, icmpCode: 2 },
      true,
    ],
    [
      'the version of IP',
      { source: [0, 0, 0, 1], destination: [0, 0, 0, 2] },
      { source: [0, 0, 0, 1], destination: [0, 0, 0, 2], ipVersion: 4 },
      false,
    ],
  ])('records that differ in %s', (_title, one, other, isOne) => {
    const table = createRecordTable()
    consume(table, [record(one), record(other)])
    expect(table.size).toBe(isOne ? 1 : 2)
  })
})
