import { afterEach, describe, expect, jest, test } from '@jest/globals'
import type { PacketFormat } from '@skydive/contracts'
import { Dissector, LINK_TYPE, TunnelPorts } from '@skydive/packet'
import * as fc from 'fast-check'
import { AddressPairs } from './address-pairs.ts'
import { BlockPackets } from './block-packets.ts'
import { FlowColumns } from './flow-columns.ts'
import { createFlowTable, type FlowTableOptions } from './flow-table.ts'
import { FLAG_PLAIN, MAX_ROWS, ROW_FLAGS, ROW_SHIFT } from './layout.ts'
import * as at from './loop-layout.ts'
import { NewFlows } from './new-flows.ts'
import { PacketLoop } from './packet-loop.ts'
import { RowKeys } from './row-keys.ts'
import { SequenceRows } from './sequence-rows.ts'
import { TableMemory } from './table-memory.ts'
import { TPACKET3 } from './tpacket.ts'

const PCAP = { layout: { format: 'pcap', littleEndian: true, nanoseconds: false }, linkType: LINK_TYPE.ETHERNET } as const
const RING = { layout: { format: 'tpacket-v3' }, linkType: LINK_TYPE.ETHERNET } as const
const PCAP_RECORD_BYTES = 16

/** Records of a pcap file. */
function records(frames: readonly Uint8Array[]): Uint8Array {
  const file = new Uint8Array(frames.reduce((sum, frame) => sum + PCAP_RECORD_BYTES + frame.length, 0))
  const view = new DataView(file.buffer)
  let to = 0
  for (const frame of frames) {
    view.setUint32(to, 1_700_000_000, true)
    view.setUint32(to + 8, frame.length, true)
    view.setUint32(to + 12, frame.length, true)
    file.set(frame, to + PCAP_RECORD_BYTES)
    to += PCAP_RECORD_BYTES + frame.length
  }
  return file
}

/** The same records in the other byte order. */
function swapped(file: Uint8Array): Uint8Array {
  const copy = file.slice()
  const view = new DataView(copy.buffer)
  for (let at = 0; at < copy.length; at += PCAP_RECORD_BYTES + view.getUint32(at + 8)) {
    for (let word = at; word < at + PCAP_RECORD_BYTES; word += 4) view.setUint32(word, view.getUint32(word, true))
  }
  return copy
}

/** A block of a ring with a frame every `stride` bytes. */
function ringBlock(frames: readonly Uint8Array[], stride: number): Uint8Array {
  const block = new Uint8Array(TPACKET3.BLOCK_HEADER_BYTES + frames.length * stride)
  const view = new DataView(block.buffer)
  view.setUint32(TPACKET3.BLOCK_PACKETS, frames.length, true)
  view.setUint32(TPACKET3.BLOCK_FIRST_PACKET, TPACKET3.BLOCK_HEADER_BYTES, true)
  frames.forEach((frame, i) => {
    const header = TPACKET3.BLOCK_HEADER_BYTES + i * stride
    view.setUint32(header, i === frames.length - 1 ? 0 : stride, true)
    view.setUint32(header + TPACKET3.CAPTURED_BYTES, frame.length, true)
    view.setUint32(header + TPACKET3.WIRE_BYTES, frame.length, true)
    view.setUint16(header + TPACKET3.MAC_OFFSET, TPACKET3.HEADER_BYTES, true)
    block.set(frame, header + TPACKET3.HEADER_BYTES)
  })
  return block
}

function udp(port: number, byteLength = 60): Uint8Array {
  const frame = new Uint8Array(byteLength)
  frame.set([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00, 0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2])
  new DataView(frame.buffer).setUint16(34, port)
  new DataView(frame.buffer).setUint16(36, 7)
  return frame
}

function flowsOf(feed: (table: ReturnType<typeof createFlowTable>) => void, options: FlowTableOptions = {}) {
  const table = createFlowTable(options)
  feed(table)
  const flows = [...table.snapshot()].flat().map(({ Transport, Metric }) => [Transport?.A, Metric?.ABPackets, Metric?.ABBytes])
  return { flows, stats: table.stats() }
}

describe('the straight line and the general dissector', () => {
  const octet = fc.integer({ min: 0, max: 255 })
  const mac = fc.constantFrom(
    [2, 0, 0, 0, 0, 1],
    [2, 0, 0, 0, 0, 2],
    [2, 0, 0, 1, 0, 1],
    [0xfe, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0],
  )
  const port = fc.oneof(
    fc.integer({ min: 0, max: 65_535 }),
    fc.constantFrom(53, 2152, 4789, 6081, 8472, 8471, 2151, 0, 2048, 2049),
  )
  const frame = fc
    .record({
      macs: fc.tuple(mac, mac),
      tag: fc.option(fc.tuple(octet, octet)),
      isIpv6: fc.boolean(),
      hosts: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
      protocol: fc.constantFrom(6, 17, 1),
      ports: fc.tuple(port, port),
      ttl: octet,
      flags: octet,
      fragment: fc.constantFrom(0, 0, 0, 0x40, 0x20),
      lengthSlack: fc.constantFrom(0, 0, 0, -8, 4),
      byteLength: fc.constantFrom(0, 0, 0, 45, 46, 61, 62, 74),
    })
    .map((given) => {
      const { macs, tag, isIpv6, hosts, protocol, ports, ttl, flags, fragment, lengthSlack } = given
      const upper = [ports[0] >> 8, ports[0] & 255, ports[1] >> 8, ports[1] & 255]
      const transport =
        protocol === 6 ? [...upper, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, flags, 0, 9, 0, 0, 0, 0] : [...upper, 0, 12, 0, 0]
      const body = [...transport, 1, 2, 3, 4]
      const length = body.length + lengthSlack
      const address = (host: number) => [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, host]
      const ip = isIpv6
        ? [0x60, 0, 0, 0, 0, length, protocol, ttl, ...address(hosts[0]), ...address(hosts[1])]
        : [0x45, 0, 0, 20 + length, 0, 1, fragment, 0, ttl, protocol, 0, 0, 10, 0, 0, hosts[0], 10, 0, 0, hosts[1]]
      const type = isIpv6 ? [0x86, 0xdd] : [0x08, 0x00]
      const whole = [
        ...macs.flat(),
        ...(tag ? [0x81, 0x00, ...tag] : []),
        ...type,
        ...ip,
        ...body,
        ...new Array<number>(20).fill(0),
      ]
      return Uint8Array.from(given.byteLength === 0 ? whole : whole.slice(0, given.byteLength))
    })

  test.each(['L2', 'L3'] as const)('make the same row of a packet, keyed by %s', (mode) => {
    const keysLink = mode === 'L2'
    const factors = Int32Array.from([3, 5, 7, 11, 13, 17, 19, 23])
    const memory = new TableMemory(1024, factors)
    const tunnelPorts = new TunnelPorts([4000])
    const pairs = new AddressPairs()
    const dissector = new Dissector({ tunnelPorts })
    const sequences = new SequenceRows(new RowKeys(memory, pairs, factors), dissector, keysLink, undefined)
    // Two tables that learn of each new flow: one as it comes, one that has to dissect it.
    const packets = new BlockPackets(memory, dissector)
    const learners = [-1, ~FLAG_PLAIN].map((mask) => {
      const columns = new FlowColumns(false, factors)
      return { mask, columns, flows: new NewFlows(columns, packets, true, { tcp: { 80: 'web' }, udp: { 53: 'names' } }) }
    })
    const learn = (row: number, flags: number) => {
      const [plain, dissected] = learners.map(({ mask, columns, flows }) => {
        if (columns.room === 0) columns.grow()
        const id = columns.insert(memory.rows, row)
        flows.fill(id, memory.rows, row, flags & mask)
        return [columns.records, columns.cold, columns.wide]
          .map((column) => column.slice(id << 4, (id + 1) << 4).join())
          .concat(`${columns.starts[id]}`)
          .join('\n')
      })
      expect(plain).toBe(dissected)
      return 0
    }
    let isGeneral = false
    const loop = new PacketLoop(memory, {
      keysLink,
      hasFilter: false,
      isFollowing: false,
      keepsFlagTimes: false,
      tunnelPorts,
      makeRoom: () => {},
      room: () => MAX_ROWS,
      plainRoom: () => 0,
      calls: {
        dissect: (row) => {
          isGeneral = true
          return sequences.fill(memory.view, row, LINK_TYPE.ETHERNET) + 1
        },
        pair: (first, second) => pairs.number(memory.view, first, second),
        filter: () => 1,
        create: learn,
        lookCloser: () => {},
        wrap: () => {},
        follow: () => {},
      },
    })
    let straight = 0
    fc.assert(
      fc.property(frame, (bytes) => {
        isGeneral = false
        const record = records([bytes])
        // What comes after a packet is nothing to it.
        memory.bytes.fill(bytes[bytes.length - 1]! ^ bytes.length, at.AT_WINDOW, at.AT_WINDOW + 512)
        expect(loop.consume(PCAP, record, 0, record.length, 1)).toBe(record.length)
        if (isGeneral) return
        straight++
        const row = memory.rows.slice(0, 1 << ROW_SHIFT)
        row[ROW_FLAGS]! &= ~FLAG_PLAIN
        expect(sequences.fill(memory.view, 0, LINK_TYPE.ETHERNET)).toBe(0)
        expect(row.join()).toBe(memory.rows.slice(0, 1 << ROW_SHIFT).join())
      }),
      { numRuns: 2500 },
    )
    // Else the comparison would say nothing.
    expect(straight).toBeGreaterThan(300)
  })

  test.each(['L2', 'L3'] as const)(
    'make the same flows of records, of the other byte order, of a ring and with a filter, keyed by %s',
    (mode) => {
      const flowsOf = (format: PacketFormat, block: Uint8Array, options: FlowTableOptions = {}) => {
        const table = createFlowTable({ layerKeyMode: mode, ...options })
        expect(table.consumer(format)(block, 0, block.length)).toBe(block.length)
        return [...table.snapshot()].flat()
      }
      fc.assert(
        fc.property(fc.array(frame, { minLength: 1, maxLength: 600 }), (frames) => {
          const file = records(frames)
          const flows = flowsOf(PCAP, file)
          expect(flowsOf({ ...PCAP, layout: { ...PCAP.layout, littleEndian: false } }, swapped(file))).toEqual(flows)
          expect(flowsOf(PCAP, file, { filter: () => 1 })).toEqual(flows)
          const ofRing = flowsOf(RING, ringBlock(frames, 160)).map(({ Metric, ...flow }) => [
            flow.Link,
            flow.Network,
            flow.Transport,
            Metric,
          ])
          const sinceZero = flows.map(({ Metric, ...flow }) => [
            flow.Link,
            flow.Network,
            flow.Transport,
            { ...Metric, Start: 0, Last: 0 },
          ])
          expect(ofRing).toEqual(sinceZero)
        }),
        { numRuns: 20 },
      )
    },
  )
})

describe('blocks longer than a piece', () => {
  const frames = Array.from({ length: 6000 }, (_, i) => udp(1000 + (i % 300)))
  const expected = {
    flows: Array.from({ length: 300 }, (_, i) => [1000 + i, 20, 1200]),
    stats: { flows: 300, packets: 6000, ignoredPackets: 0, filteredPackets: 0, evictedFlows: 0 },
  }
  const block = ringBlock(frames, 112)

  test('of a ring', () => {
    expect(flowsOf((table) => expect(table.consumer(RING)(block, 0, block.length)).toBe(block.length))).toEqual(expected)
  })

  test('of a ring, elsewhere in its memory', () => {
    const ring = new Uint8Array(block.length + 5000)
    ring.set(block, 5000)
    expect(flowsOf((table) => table.consumer(RING)(ring, 5000, block.length))).toEqual(expected)
  })

  test('of a file, cut anywhere', () => {
    const file = records(frames)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 200_000 }), { maxLength: 8 }), (cuts) => {
        const outcome = flowsOf((table) => {
          const consume = table.consumer(PCAP)
          let from = 0
          for (const cut of [...cuts, file.length]) from += consume(file, from, Math.min(cut, file.length - from))
          while (from < file.length) from += consume(file, from, file.length - from)
        })
        expect(outcome).toEqual(expected)
      }),
      { numRuns: 20 },
    )
  })

  test.each([
    ['the longest record there may be', 262_144, 3],
    ['one byte more', 262_145, 1],
  ])('%s', (_title, capturedBytes, packets) => {
    const file = records([udp(1), udp(2, capturedBytes), udp(3)])
    const taken = packets === 3 ? file.length : PCAP_RECORD_BYTES + 60
    const { stats } = flowsOf((table) => expect(table.consumer(PCAP)(file, 0, file.length)).toBe(taken))
    expect(stats.packets).toBe(packets)
  })
})

describe('blocks of a ring that lie', () => {
  const lie = (header: number, value: number) => {
    const block = ringBlock([udp(1), udp(2), udp(3)], 112)
    new DataView(block.buffer).setUint32(header, value, true)
    return block
  }
  const second = TPACKET3.BLOCK_HEADER_BYTES + 112

  test.each([
    ['the first packet lies beyond the end', lie(TPACKET3.BLOCK_FIRST_PACKET, 100_000), 0],
    ['more packets than there are', lie(TPACKET3.BLOCK_PACKETS, 1000), 3],
    ['no packets', lie(TPACKET3.BLOCK_PACKETS, 0), 0],
    ['a packet that leads back', lie(second, 0xffffff00), 2],
    ['a packet that leads beyond the end', lie(second, 10_000), 2],
    ['more captured than there is', lie(second + TPACKET3.CAPTURED_BYTES, 10_000), 1],
    ['captured bytes without measure', lie(second + TPACKET3.CAPTURED_BYTES, 0xffffffff), 1],
    ['a header that is cut', ringBlock([udp(1)], 112).subarray(0, 60), 0],
    ['not even a header', new Uint8Array(47), 0],
  ])('%s', (_title, block, packets) => {
    const { stats } = flowsOf((table) => expect(table.consumer(RING)(block, 0, block.length)).toBe(block.length))
    expect(stats.packets).toBe(packets)
  })
})

describe('more than a record can tell', () => {
  const RATE = 0x7fffffff

  test('packets beyond 2^32', async () => {
    const table = createFlowTable()
    const frame = udp(1)
    const other = udp(1)
    other.set([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2])
    other.set([10, 0, 0, 2, 10, 0, 0, 1, 0, 7, 0, 1], 26)
    const file = records([frame, frame, frame, frame, frame, other, other, other, udp(9)])
    table.consumer(PCAP)(file, 0, file.length, RATE)
    const [flow, plain] = [...table.snapshot()].flat()
    expect(flow?.Metric).toMatchObject({
      ABPackets: 5 * RATE,
      ABBytes: 5 * RATE * 60,
      BAPackets: 3 * RATE,
      BABytes: 3 * RATE * 60,
    })
    expect(plain?.Metric?.ABPackets).toBe(RATE)
    const { decodeFlowStream } = await import('@skydive/protocol/flow')
    const written = [...table.snapshotAsProtobuf()].flatMap((chunk) => decodeFlowStream(chunk))
    expect(written.map(({ Metric }) => Metric?.ABPackets)).toEqual([5 * RATE, RATE])
    expect([...table.update(1_700_000_001_000)].flat()[0]?.LastUpdateMetric?.ABPackets).toBe(5 * RATE)
    table.consumer(PCAP)(records([frame]), 0, 76)
    expect([...table.update(1_700_000_002_000)].flat()[0]?.LastUpdateMetric?.ABPackets).toBe(1)
    // The next flow with its number begins at 0.
    expect([...table.drain()].flat().length).toBe(2)
    table.consumer(PCAP)(records([frame]), 0, 76)
    expect([...table.snapshot()].flat()[0]?.Metric?.ABPackets).toBe(1)
  })
})

test('a number of IPv6 addresses that was given back means others from then on', () => {
  const ipv6 = (host: number) => {
    const address = (low: number) => [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, low >> 8, low & 255]
    const ip = [0x60, 0, 0, 0, 0, 12, 17, 64, ...address(host), ...address(1), 0, 9, 0, 7, 0, 12, 0, 0, 1, 2, 3, 4]
    return Uint8Array.from([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x86, 0xdd, ...ip])
  }
  const table = createFlowTable()
  const addressesOf = (hosts: readonly number[]) => {
    const file = records(hosts.map(ipv6))
    table.consumer(PCAP)(file, 0, file.length)
    return [...table.drain()]
      .flat()
      .map(({ Network, Metric }) => `${Network?.A} ${Metric?.ABPackets}`)
      .sort()
  }
  expect(addressesOf([2, 3, 2])).toEqual(['2001:db8::2 2', '2001:db8::3 1'])
  expect(addressesOf([4, 3, 2, 3])).toEqual(['2001:db8::2 1', '2001:db8::3 2', '2001:db8::4 1'])
  // More than are known in the loop: some are put out by others, none is mixed up.
  const many = Array.from({ length: 20_000 }, (_, i) => 2 + (i % 10_000))
  expect(addressesOf(many)).toEqual(Array.from({ length: 10_000 }, (_, i) => `2001:db8::${(i + 2).toString(16)} 2`).sort())
})

describe('no more memory', () => {
  afterEach(() => {
    jest.restoreAllMocks()
  })

  test('flows beyond what there is room for are evicted, and told', () => {
    jest.spyOn(WebAssembly.Memory.prototype, 'grow').mockImplementation(() => {
      throw new RangeError('WebAssembly.Memory.grow(): Unable to grow instance memory')
    })
    let evicted = 0
    const frames = Array.from({ length: 3000 }, (_, i) => udp(1000 + i))
    const { flows, stats } = flowsOf((table) => table.consumer(PCAP)(records(frames), 0, records(frames).length), {
      onEvicted: (gone) => {
        evicted += gone.length
      },
    })
    expect(stats).toMatchObject({ packets: 3000, evictedFlows: evicted, flows: flows.length })
    expect(evicted + flows.length).toBe(3000)
    expect(flows.length).toBeGreaterThan(500)
  })
})

test.each([
  ['there is none', undefined],
  [
    'it is forbidden',
    {
      ...Object.fromEntries(['Memory', 'Instance', 'CompileError'].map((name) => [name, Reflect.get(WebAssembly, name)])),
      Module: class {
        constructor() {
          throw new WebAssembly.CompileError('Refused to compile')
        }
      },
    },
  ],
])('WebAssembly: %s', (_, replaced) => {
  const saved = globalThis.WebAssembly
  globalThis.WebAssembly = replaced as unknown as typeof WebAssembly
  try {
    expect(() => createFlowTable()).toThrow(
      expect.objectContaining({ code: 'ERR_UNSUPPORTED', requires: { node: 'WebAssembly' } }) as unknown as Error,
    )
  } finally {
    globalThis.WebAssembly = saved
  }
})

test.each([0, 0.5, 1 - 2 ** -53])(
  'a secret of the hash that is %d throughout is a bad one, but the flows are the same',
  (drawn) => {
    let draws = 0
    const random = () => {
      draws++
      return drawn
    }
    const file = records(Array.from({ length: 500 }, (_, i) => udp(1000 + (i % 250))))
    const { flows } = flowsOf((table) => table.consumer(PCAP)(file, 0, file.length), { random })
    expect(draws).toBe(8)
    expect(flows).toEqual(Array.from({ length: 250 }, (_, i) => [1000 + i, 2, 120]))
  },
)

test('the parts of the memory follow one another without overlapping', () => {
  const parts = [
    [at.AT_FACTORS, 32],
    [at.AT_TUNNEL_BITS, 8192],
    [at.AT_ROWS, MAX_ROWS << (ROW_SHIFT + 2)],
    [at.AT_WINDOW - at.HELD_BYTES, at.HELD_BYTES],
    [at.AT_WINDOW, at.WINDOW_BYTES],
    [at.AT_PAIRS, at.PAIR_SLOTS * at.PAIR_BYTES],
    [at.AT_INDEX, 0],
  ] as const
  for (const [index, [begin, bytes]] of parts.slice(0, -1).entries())
    expect(begin + bytes).toBeLessThanOrEqual(parts[index + 1]![0])
  const memory = new TableMemory(1024, new Int32Array(8))
  expect(memory.index.byteOffset + memory.index.byteLength).toBe(memory.records.byteOffset)
  // A record is one cache line.
  expect(memory.records.byteOffset % 64).toBe(0)
  expect(Math.min(at.WINDOW_BYTES, at.HELD_BYTES)).toBeGreaterThanOrEqual(262_144 + PCAP_RECORD_BYTES)
})
