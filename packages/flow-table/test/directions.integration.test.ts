import { describe, expect, test } from '@jest/globals'
import type { Flow, FlowRecord, PacketFormat } from '@skydive/contracts'
import { LINK_TYPE } from '@skydive/packet'
import { type ExportedFlow, FLOW_END } from '@skydive/packet/netflow'
import fc from 'fast-check'
import { createFlowTable, type DirectionSink, type FlowTable, type FlowTableOptions } from '../src/index.ts'
import { createRecordTable } from '../src/records/index.ts'
import { DirectionsOfFlow } from './directions-of-flow.ts'
import { ethernet, ipv4, tcp, vlan } from './packet-builder.ts'
import { randomCaptures } from './random-captures.ts'
import { type RingPacket, ringBlock } from './ring-block.ts'

// What a table tells its sink is what the flows of a second table say, which has the same packets and makes objects.

const FORMAT: PacketFormat = { layout: { format: 'tpacket-v3' }, linkType: LINK_TYPE.ETHERNET }
const T0 = 1_700_000_000_000
const RUNS = { numRuns: 15, seed: Number(process.env['SKYDIVE_SEED'] ?? 20_261_128) }
const SKIPPED = 'skipped'

type Told = (Omit<ExportedFlow, 'addresses'> & { readonly addresses: readonly number[] }) | typeof SKIPPED

const copy = (record: ExportedFlow): Told => ({ ...record, addresses: [...record.addresses] })

/** Keeps what it is told. */
function listSink(): { readonly told: Told[]; readonly sink: DirectionSink } {
  const told: Told[] = []
  return { told, sink: { add: (record) => told.push(copy(record)), skip: () => told.push(SKIPPED) } }
}

/** The same of objects. */
function ofFlows(flows: readonly Flow[], endReason?: number): readonly Told[] {
  const told: Told[] = []
  const directions = new DirectionsOfFlow()
  for (const flow of flows) if (!directions.visit(flow, (record) => told.push(copy(record)), endReason)) told.push(SKIPPED)
  return told
}

/** Two tables that get the same: one has a sink, the other one makes objects. */
function pair(options: FlowTableOptions = {}) {
  const { told, sink } = listSink()
  const expected: Told[] = []
  const random = () => 0.5
  const table = createFlowTable({ ...options, random, directions: sink, onEvicted: (flows) => expect(flows).toEqual([]) })
  const twin = createFlowTable({
    ...options,
    random,
    onEvicted: (flows) => expected.push(...ofFlows(flows, FLOW_END.RESOURCES)),
  })
  const feed = (packets: readonly RingPacket[]) => {
    const block = ringBlock(packets)
    for (const one of [table, twin]) one.consumer(FORMAT)(block, 0, block.length)
  }
  const walk = (batches: (of: FlowTable) => Iterable<readonly Flow[]>) => {
    expect([...batches(table)].flat()).toEqual([])
    for (const flows of batches(twin)) expected.push(...ofFlows(flows))
  }
  return { told, expected, feed, walk, table, twin }
}

const segment = (port: number, flags = 16) => Uint8Array.from(ethernet(ipv4(tcp([], port, 80, flags), 6)))

describe('records straight from the columns are those of objects', () => {
  test.each<[string, FlowTableOptions]>([
    ['as a capture is by default', {}],
    ['flag times, L3', { extraTcpMetric: true, layerKeyMode: 'L3' }],
    ['all that is followed besides', { ipDefrag: true, reassembleTcp: true, extraLayers: 255, rawPacketLimit: 2 }],
    ['a table that is full', { maxFlows: 7 }],
  ])('packets of all shapes: %s (property)', (_, options) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.array(fc.nat(40_000), { minLength: 1, maxLength: 4 }), (seed, walksAt) => {
        const { told, expected, feed, walk } = pair({ ...options, nodeTid: 'tid' })
        const packets = randomCaptures(seed, 0, 12).flatMap((capture) => capture.packets)
        let timeMs = T0
        for (const at of walksAt) {
          feed(packets.map((data) => ({ data, timeMs: timeMs++ })))
          timeMs += at
          walk((table) => table.update(timeMs))
          walk((table) => table.expire(timeMs))
        }
        feed(packets.map((data) => ({ data, timeMs: timeMs++ })))
        walk((table) => table.drain())
        expect(told).toEqual(expected)
        expect(told.length).toBeGreaterThan(0)
      }),
      RUNS,
    )
  })

  test('ARP is skipped, once each time that it is told of', () => {
    const { told, expected, feed, walk } = pair()
    feed([{ data: Uint8Array.from(ethernet(new Array<number>(28).fill(1), 0x0806)), timeMs: T0 }])
    walk((table) => table.update(T0 + 1000))
    walk((table) => table.drain())
    expect([told, expected]).toEqual([
      [SKIPPED, SKIPPED],
      [SKIPPED, SKIPPED],
    ])
  })
})

test('a flow longer than updates: each tells what came since, to the ms, and nothing twice', () => {
  const { told, feed, walk } = pair({ extraTcpMetric: true })
  const at = (ms: number, data: Uint8Array) => ({ data, timeMs: T0 + ms })
  feed([at(1, segment(1024, 2)), at(17, segment(1024))])
  walk((table) => table.update(T0 + 60_000))
  walk((table) => table.update(T0 + 120_000))
  feed([at(130_123, segment(1024))])
  walk((table) => table.update(T0 + 180_000))
  walk((table) => table.drain())
  const shown = told.map((one) => one !== SKIPPED && [one.packets, one.bytes, one.startMs - T0, one.lastMs - T0, one.tcpFlags])
  expect(shown).toEqual([
    [2, 80, 1, 17, 2],
    [1, 40, 120_000, 130_123, 2],
  ])
})

test('batches come when so many flows were told, with nothing in them', () => {
  const { sink, told } = listSink()
  const table = createFlowTable({ directions: sink })
  const block = ringBlock(Array.from({ length: 600 }, (_, port) => ({ data: segment(1000 + port), timeMs: T0 })))
  table.consumer(FORMAT)(block, 0, block.length)
  const counts: number[] = []
  for (const batch of table.update(T0 + 1)) counts.push(batch.length, told.length)
  expect(counts).toEqual([0, 250, 0, 500, 0, 600])
})

test('queries find objects of a table that has a sink', async () => {
  const { feed, table, twin } = pair()
  feed([{ data: Uint8Array.from(ethernet(vlan(ipv4(tcp([]), 6), 7), 0x8100)), timeMs: T0 }])
  expect(await table.search({})).toEqual(await twin.search({}))
  expect((await table.search({})).length).toBe(1)
})

describe('a table of records', () => {
  const word = fc.integer({ min: -0x80000000, max: 0x7fffffff })
  const record = fc
    .record({
      ipVersion: fc.constantFrom(4, 6),
      ends: fc.array(fc.tuple(word, word, word, word), { minLength: 2, maxLength: 2 }),
      protocol: fc.constantFrom(1, 2, 6, 17, 47, 50, 58, 132),
      sourcePort: fc.nat(65_535),
      destinationPort: fc.nat(65_535),
      icmpType: fc.nat(255),
      icmpCode: fc.nat(255),
      packets: fc.integer({ min: 0, max: 2 ** 33 }),
      bytes: fc.integer({ min: 0, max: 2 ** 40 }),
      reversePackets: fc.nat(10),
      startMs: fc.integer({ min: T0 - 5000, max: T0 }),
      lengthMs: fc.nat(5000),
      tcpFlags: fc.nat(255),
      // Objects have no VLAN without MAC addresses.
      sourceMac: fc.integer({ min: 1, max: 2 ** 48 - 1 }),
      destinationMac: fc.nat(2 ** 48 - 1),
      vlanId: fc.nat(4095),
      isEgress: fc.boolean(),
    })
    .map(({ ends, lengthMs, reversePackets, ...rest }): FlowRecord => {
      const [source, destination] = ends.map((words) => (rest.ipVersion === 4 ? [words[0], 0, 0, 0] : words))
      return {
        observer: 0,
        exporterAddress: '',
        inputIndex: 0,
        outputIndex: 0,
        isTotal: false,
        addresses: Int32Array.of(...source!, ...destination!),
        ...rest,
        // Objects tell ICMP of the version that the addresses have.
        protocol: rest.protocol === (rest.ipVersion === 4 ? 58 : 1) ? 17 : rest.protocol,
        lastMs: rest.startMs + lengthMs,
        reversePackets,
        reverseBytes: reversePackets * 100,
      }
    })

  test('its records are those of its objects (property)', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 30 }), fc.boolean(), (records, isFull) => {
        const { told, sink } = listSink()
        const expected: Told[] = []
        const options = isFull ? { maxFlows: 5 } : {}
        const table = createRecordTable({ ...options, directions: sink, onEvicted: (flows) => expect(flows).toEqual([]) })
        const twin = createRecordTable({
          ...options,
          onEvicted: (flows) => expected.push(...ofFlows(flows, FLOW_END.RESOURCES)),
        })
        for (const nowMs of [T0, T0 + 60_000]) {
          for (const one of records) for (const side of [table, twin]) side.consume(one, nowMs)
          expect([...table.update(nowMs)].flat()).toEqual([])
          for (const flows of twin.update(nowMs)) expected.push(...ofFlows(flows))
        }
        expect([...table.drain()].flat()).toEqual([])
        for (const flows of twin.drain()) expected.push(...ofFlows(flows))
        expect(told).toEqual(expected)
      }),
      RUNS,
    )
  })

  test('what objects have no member for goes on: a VLAN without MAC addresses, any protocol', () => {
    const { told, sink } = listSink()
    const table = createRecordTable({ directions: sink })
    const base = fc.sample(record, { numRuns: 1, seed: 1 })[0]!
    for (const protocol of [4, 41, 46])
      table.consume({ ...base, protocol, packets: 1, sourceMac: 0, destinationMac: 0, vlanId: 7 }, T0)
    expect([...table.update(T0)].flat()).toEqual([])
    const shown = told.map((one) => one !== SKIPPED && `${one.protocol} in VLAN ${one.vlanId}`)
    expect([...new Set(shown)]).toEqual(['4 in VLAN 7', '41 in VLAN 7', '46 in VLAN 7'])
  })
})
