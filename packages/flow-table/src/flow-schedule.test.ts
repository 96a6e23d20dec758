// When flows are told and when they leave, at the very instants where that changes.
import { describe, expect, test } from '@jest/globals'
import type { Flow } from '@skydive/contracts'
import { encodePcap, LINK_TYPE } from '@skydive/packet'
import { ethernet, ipv4, tcp, udp } from '../test/packet-builder.ts'
import { createFlowTable, type FlowTable, type FlowTableOptions } from './index.ts'

const T0 = 1_700_000_000_000
const FORMAT = { layout: { format: 'pcap', littleEndian: true, nanoseconds: false }, linkType: LINK_TYPE.ETHERNET } as const
const [SYN, FIN, ACK] = [2, 0x11, 0x10]

function feed(table: FlowTable, timeMs: number, frame: readonly number[]): void {
  const bytes = encodePcap([{ timeMs, data: Uint8Array.from(frame) }])
  table.consumer(FORMAT)(bytes, 24, bytes.length - 24)
}
const datagram = (port: number) => ethernet(ipv4(udp([], port, 7), 17))
const segment = (flags: number, sequence = 1, payload: readonly number[] = []) =>
  ethernet(ipv4(tcp(payload, 1000, 80, flags, sequence), 6))
const told = (batches: Iterable<readonly Flow[]>) =>
  [...batches]
    .flat()
    .map(({ Transport, FinishType = 0, Metric, LastUpdateMetric: update }) => [
      Transport?.A,
      FinishType,
      Metric!.ABPackets,
      update && [update.ABPackets, update.Start - T0, update.Last - T0],
    ])
const table = (options: FlowTableOptions = {}) => createFlowTable(options)

describe('an application timeout of 10 s', () => {
  const options = { applicationTimeoutsMs: { uDp: 10_000 } }
  test.each([
    [10_000, [], 1],
    [10_001, [[1000, 1, 1, [0, 5_000, 10_001]]], 0],
  ])('%i ms after the last packet', (afterMs, expected, left) => {
    const made = table(options)
    feed(made, T0, datagram(1000))
    expect(told(made.update(T0 + 5_000))).toEqual([[1000, 0, 1, [1, 0, 5_000]]])
    expect([told(made.update(T0 + afterMs)), made.size]).toEqual([expected, left])
  })

  test('ends no flow that had packets since the last update, however late that is', () => {
    const made = table(options)
    feed(made, T0, datagram(1000))
    expect([told(made.update(T0 + 60_000)), made.size]).toEqual([[[1000, 0, 1, [1, 0, 60_000]]], 1])
    expect([told(made.update(T0 + 60_001)), made.size]).toEqual([[[1000, 1, 1, [0, 60_000, 60_001]]], 0])
  })
})

test('an expiry takes what had no packet since before the one before, and not at that very instant', () => {
  const made = table()
  for (const [port, ms] of [
    [1000, 599],
    [1001, 600],
    [1002, 601],
  ] as const)
    feed(made, T0 + ms, datagram(port))
  expect(told(made.expire(T0 + 600))).toEqual([])
  expect(told(made.expire(T0 + 1_200))).toEqual([[1000, 1, 1, [1, 599, 599]]])
  expect(made.size).toBe(2)
})

describe('a connection that was told with its end', () => {
  const ended = () => {
    const made = table()
    feed(made, T0, segment(SYN))
    feed(made, T0 + 10, segment(FIN))
    expect(told(made.update(T0 + 1_000))).toEqual([[1000, 2, 2, [2, 0, 1_000]]])
    return made
  }

  test.each([
    ['at the end of the capture', (made: FlowTable) => made.drain()],
    ['15 s after its last packet', (made: FlowTable) => made.update(T0 + 15_010)],
    ['by an expiry', (made: FlowTable) => [...made.expire(T0 + 1_000), ...made.expire(T0 + 2_000)]],
  ])('leaves without being told again %s', (_title, leave) => {
    const made = ended()
    expect([told(leave(made)), made.size]).toEqual([[], 0])
  })

  test('is told once more when something came after', () => {
    const made = ended()
    feed(made, T0 + 20, segment(ACK, 2))
    expect(told(made.drain())).toEqual([[1000, 2, 3, [1, 1_000, 20]]])
  })
})

test('a connection that leaves while it is open shows what was followed of it until then', () => {
  const made = table({ reassembleTcp: true })
  feed(made, T0, segment(SYN, 100))
  feed(made, T0 + 1, segment(ACK, 101, [1, 2, 3]))
  const [flow] = [...made.drain()].flat()
  expect(flow?.TCPMetric).toMatchObject({ ABPackets: 2, ABBytes: 3, ABSawStart: 1, ABSawEnd: 0 })
})
