import { expect, test } from '@jest/globals'
import type { Flow } from '@skydive/contracts'
import { encodePcap, readPcapFormat } from '@skydive/packet'
import { createFlowTable } from '../src/index.ts'
import * as p from './packet-builder.ts'

const HEADER_BYTES = 24
const MAX_FLOWS = 128

const frame = (port: number) => Uint8Array.from(p.ethernet(p.ipv4(p.udp([], port, 9), 17)))

// From 128 flows on more are evicted than are made: the id of one is free while rows wait that were looked up before. What is gone must not
// count their packets.
test('a packet of a flow that was evicted earlier in the same batch makes a new flow', () => {
  const evicted: Flow[] = []
  const table = createFlowTable({ maxFlows: MAX_FLOWS, onEvicted: (flows) => evicted.push(...flows) })
  const count = (ports: readonly number[], fromMs: number) => {
    const file = encodePcap(ports.map((port, i) => ({ timeMs: fromMs + i, data: frame(port) })))
    table.consumer(readPcapFormat(file)!)(file, HEADER_BYTES, file.length - HEADER_BYTES)
  }
  const ports = Array.from({ length: MAX_FLOWS }, (_, i) => 1_000 + i)
  count(ports, 10_000)
  count([2_000, 1_000, 1_001], 20_000)
  const shown = (flows: Iterable<readonly Flow[]>) =>
    [...flows].flat().map(({ Transport, Metric, Start }) => [Transport!.A, Metric!.ABPackets, Start])
  expect(shown([evicted]).slice(0, 2)).toEqual([
    [1_000, 1, 10_000],
    [1_001, 1, 10_001],
  ])
  expect(
    shown(table.snapshot())
      .filter(([port]) => port! < 1_002 || port === 2_000)
      .sort(),
  ).toEqual([
    [1_000, 1, 20_001],
    [1_001, 1, 20_002],
    [2_000, 1, 20_000],
  ])
  expect(table.stats()).toMatchObject({ packets: MAX_FLOWS + 3, flows: table.size })
})
