import { describe, expect, test } from '@jest/globals'
import type { Flow, TcpMetric } from '@skydive/contracts'
import { encodePcap, LINK_TYPE } from '@skydive/packet'
import { createFlowTable, type FlowTable, type FlowTableOptions } from '../src/index.ts'
import * as p from './packet-builder.ts'

// TCP that lies about itself: what is counted, and how much waits.

const { SYN, FIN, RST, ACK } = p.TCP_FLAGS
const PCAP_HEADER_BYTES = 24
const T0 = 1_700_000_000_000

function feed(table: FlowTable, packets: readonly p.Bytes[]): FlowTable {
  const file = encodePcap(packets.map((bytes, i) => ({ timeMs: T0 + i, data: Uint8Array.from(bytes) })))
  const format = { layout: { format: 'pcap' as const, littleEndian: true, nanoseconds: false }, linkType: LINK_TYPE.ETHERNET }
  table.consumer(format)(file, PCAP_HEADER_BYTES, file.length - PCAP_HEADER_BYTES)
  return table
}

const made = (packets: readonly p.Bytes[], options: FlowTableOptions = {}) =>
  feed(createFlowTable({ reassembleTcp: true, extraTcpMetric: true, ...options }), packets)
const frame = (segment: p.Bytes, over: p.Ipv4Options = {}) => p.ethernet(p.ipv4(segment, 6, over))
const flowsOf = (table: FlowTable): readonly Flow[] => [...table.snapshot()].flat()

/** A segment whose header says that it has so many words. */
function withWords(words: number, payload: p.Bytes): number[] {
  const segment = p.tcp(payload, 1000, 80, ACK, 101)
  segment[12] = words << 4
  return segment
}

const syn = frame(p.tcp([], 1000, 80, SYN, 100))
const fin = (sequence: number) => frame(p.tcp([], 1000, 80, FIN | ACK, sequence))
const data = [1, 2, 3, 4, 5, 6, 7, 8]

describe('headers that lie', () => {
  test.each<readonly [string, readonly p.Bytes[], Partial<TcpMetric>]>([
    ['a true one', [syn, frame(withWords(5, data)), fin(109)], { ABPackets: 3, ABBytes: 8, ABSawStart: 1, ABSawEnd: 1 }],
    ['a header longer than the segment', [syn, frame(withWords(15, data)), fin(101)], { ABPackets: 2, ABBytes: 0, ABSawEnd: 1 }],
    ['a header of no length', [syn, frame(withWords(0, data)), fin(129)], { ABPackets: 3, ABBytes: 28, ABSawEnd: 1 }],
    ['SYN and FIN at once: the SYN counts', [frame(p.tcp([], 1000, 80, SYN | FIN, 100))], { ABSynStart: T0, ABFinStart: 0 }],
    [
      'all flags at once: the SYN counts',
      [frame(p.tcp([], 1000, 80, 0xff, 100))],
      { ABSynStart: T0, ABFinStart: 0, ABRstStart: 0 },
    ],
    ['FIN and RST at once: the FIN counts', [frame(p.tcp([], 1000, 80, FIN | RST, 100))], { ABFinStart: T0, ABRstStart: 0 }],
    ['no flag at all', [frame(p.tcp([], 1000, 80, 0, 100))], { ABSynStart: 0, ABFinStart: 0, ABRstStart: 0, ABPackets: 0 }],
    [
      'a reset that is of nobody’s sequence, which does not end what waits for the true one',
      [syn, frame(p.tcp([], 1000, 80, RST, 0x50000000)), frame(p.tcp(data, 1000, 80, ACK, 101)), fin(109)],
      { ABPackets: 3, ABBytes: 8, ABSawStart: 1, ABSawEnd: 1 },
    ],
  ])('%s', (_, packets, metric) => {
    const [flow, ...others] = flowsOf(made(packets))
    expect(others).toEqual([])
    expect(flow!.TCPMetric).toMatchObject(metric)
    expect(flow!.Metric!.ABPackets).toBe(packets.length)
  })
})

describe('too much that waits', () => {
  test('in all connections together: gaps are given up and counted', () => {
    const table = made([])
    const segments = 60
    for (let connection = 0; connection < 1500; connection++) {
      const [port, over] = [1000 + connection, { source: '10.1.0.1' }]
      const packets = [frame(p.tcp([], port, 80, SYN, 0), over)]
      for (let i = 0; i < segments; i++) packets.push(frame(p.tcp([1], port, 80, ACK, 1000 + 2 * i), over))
      feed(table, packets)
    }
    const { streams } = table.stats()
    expect(streams!.streams).toBe(1500)
    expect(streams!.queuedSegments).toBeLessThanOrEqual(65_536)
    expect(streams!.queuedSegments + streams!.evictedGaps).toBeGreaterThanOrEqual(65_536)
    expect(streams!.evictedGaps).toBeGreaterThan(0)
  })

  test('connections beyond the limit of the table take what waits in them with them', () => {
    const table = made([], { maxFlows: 10 })
    for (let connection = 0; connection < 500; connection++) {
      const port = 1000 + connection
      feed(table, [frame(p.tcp([], port, 80, SYN, 0)), frame(p.tcp([1], port, 80, ACK, 1000))])
    }
    const { streams, flows, evictedFlows } = table.stats()
    expect([flows, evictedFlows]).toEqual([10, 490])
    expect([streams!.streams, streams!.queuedSegments]).toEqual([10, 10])
  })
})

describe('fragments', () => {
  test('that never become a datagram: so many wait, the rest is given up and counted', () => {
    const table = createFlowTable({ ipDefrag: true })
    const fragment = (id: number) => p.ethernet(p.ipv4(p.udp(data), 17, { id, moreFragments: true }))
    feed(
      table,
      Array.from({ length: 300 }, (_, id) => fragment(id)),
    )
    expect([flowsOf(table), table.stats().fragments]).toEqual([
      [],
      { datagrams: 0, fragments: 300, errors: 0, evicted: 300 - 256, timedOut: 0 },
    ])
  })
})
