import { afterEach, describe, expect, test } from '@jest/globals'
import { encodePcap, LINK_TYPE } from '@skydive/packet'
import { decodeFlowStream, FlowStreamWriter } from '@skydive/protocol/flow'
import fc from 'fast-check'
import * as layout from './encoder-layout.ts'
import { ENCODER_PROGRAM } from './encoder-program.ts'
import { createFlowTable, type FlowTable, type FlowTableOptions } from './index.ts'

const PCAP_HEADER_BYTES = 24
const ETHERNET_BYTES = 14
const T0 = 1_700_000_000_000
const TCP = 6
const UDP = 17
const SCTP = 132
const ICMP = 1
const ICMPV6 = 58

interface Packet {
  readonly timeMs: number
  readonly kind: 'ipv4' | 'ipv6' | 'arp'
  readonly macs: readonly [Uint8Array, Uint8Array]
  readonly addresses: readonly [Uint8Array, Uint8Array]
  readonly isReply: boolean
  readonly protocol: number
  readonly ports: readonly [number, number]
  readonly tcpFlags: number
  readonly ttl: number
  readonly tags: readonly number[]
  readonly wireBytes: number
}

const ZEROS = new Uint8Array(16)
const PACKET: Packet = {
  timeMs: T0,
  kind: 'ipv4',
  macs: [Uint8Array.of(2, 0, 0, 0, 0, 1), Uint8Array.of(2, 0, 0, 0, 0, 2)],
  addresses: [new Uint8Array([10, 0, 0, 1, ...ZEROS.subarray(4)]), new Uint8Array([10, 0, 0, 2, ...ZEROS.subarray(4)])],
  isReply: false,
  protocol: UDP,
  ports: [1000, 53],
  tcpFlags: 0,
  ttl: 64,
  tags: [],
  wireBytes: 0,
}

/** An Ethernet frame: the addresses' first 4 bytes are those of IPv4. */
function frame(packet: Packet): Uint8Array {
  const [from, to] = packet.isReply ? [1, 0] : [0, 1]
  const tags = packet.tags.flatMap((tag) => [0x81, 0x00, tag >>> 8, tag & 0xff])
  const etherType = { ipv4: [0x08, 0x00], ipv6: [0x86, 0xdd], arp: [0x08, 0x06] }[packet.kind]
  const [source, destination] = [packet.addresses[from]!, packet.addresses[to]!]
  const [sourcePort, destinationPort] = [packet.ports[from]!, packet.ports[to]!]
  const transport = new Uint8Array(20)
  const view = new DataView(transport.buffer)
  view.setUint16(0, sourcePort)
  view.setUint16(2, destinationPort)
  view.setUint32(4, sourcePort)
  if (packet.protocol === TCP) transport.set([0x50, packet.tcpFlags], 12)
  const { protocol, ttl } = packet
  const network = {
    ipv4: [0x45, 0, 0, 40, 0, 0, 0, 0, ttl, protocol, 0, 0, ...source.subarray(0, 4), ...destination.subarray(0, 4)],
    ipv6: [0x60, 0, 0, 0, 0, 20, protocol, ttl, ...source, ...destination],
    arp: [0, 1, 8, 0, 6, 4, 0, 1],
  }[packet.kind]
  return new Uint8Array([...packet.macs[to]!, ...packet.macs[from]!, ...tags, ...etherType, ...network, ...transport])
}

/** Without a link the packets begin with IP. */
function feed(table: FlowTable, packets: readonly Packet[], hasLink = true): void {
  const file = encodePcap(
    packets.map((packet) => {
      const data = frame(packet).subarray(hasLink ? 0 : ETHERNET_BYTES + 4 * packet.tags.length)
      return { timeMs: packet.timeMs, data, wireBytes: Math.max(packet.wireBytes, data.length) }
    }),
  )
  const format = {
    layout: { format: 'pcap' as const, littleEndian: true, nanoseconds: false },
    linkType: hasLink ? LINK_TYPE.ETHERNET : LINK_TYPE.RAW,
  }
  const bytes = file.length - PCAP_HEADER_BYTES
  expect(table.consumer(format)(file, PCAP_HEADER_BYTES, bytes)).toBe(bytes)
}

const hex = (chunks: Iterable<Uint8Array>) => Buffer.concat([...chunks]).toString('hex')
/** What the objects give. */
const expected = (table: FlowTable) => hex([new FlowStreamWriter().encode([...table.snapshot()].flat())])

// Few values, so that packets meet in flows, and the shapes that text has branches for.
const octet = fc.constantFrom(0, 1, 9, 10, 99, 100, 109, 199, 200, 255)
const word = fc.array(octet, { minLength: 4, maxLength: 4 })
const address = fc
  .oneof(
    fc.tuple(word, word, word, word).map((words) => words.flat()),
    fc
      .array(fc.constantFrom([0, 0], [0, 0], [0, 0], [0, 1], [0x10, 0], [0x0f, 0xff]), { minLength: 8, maxLength: 8 })
      .map((groups) => groups.flat()),
    word.map((end) => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, ...end]),
  )
  .map((bytes) => Uint8Array.from(bytes))
const mac = fc.uint8Array({ minLength: 6, maxLength: 6 })
const port = fc.constantFrom(0, 1, 80, 127, 128, 16_383, 16_384, 65_535)
const packet: fc.Arbitrary<Packet> = fc.record({
  timeMs: fc.oneof(fc.integer({ min: 0, max: 4_294_967_295_000 }), fc.integer({ min: T0, max: T0 + 100 })),
  kind: fc.constantFrom('ipv4', 'ipv4', 'ipv6', 'ipv6', 'arp'),
  macs: fc.tuple(mac, mac),
  addresses: fc.tuple(address, address),
  isReply: fc.boolean(),
  protocol: fc.constantFrom(TCP, TCP, UDP, SCTP, ICMP, ICMPV6, 50),
  ports: fc.tuple(port, port),
  tcpFlags: fc.constantFrom(0, 0x01, 0x02, 0x04, 0x10, 0x12),
  ttl: fc.constantFrom(1, 64, 255),
  tags: fc.array(fc.integer({ min: 0, max: 4095 }), { maxLength: 2 }),
  wireBytes: fc.constantFrom(0, 1500, 65_535),
})
/** Each packet may be answered and sent again. */
const conversation = fc
  .array(
    packet.chain((one) =>
      fc
        .array(
          fc.record({
            isReply: fc.boolean(),
            laterMs: fc.integer({ min: -5, max: 5000 }),
            tcpFlags: fc.constantFrom(0, 1, 2, 4, 18),
          }),
          { maxLength: 3 },
        )
        .map((more) => [
          one,
          ...more.map(({ isReply, laterMs, tcpFlags }) => ({
            ...one,
            isReply,
            tcpFlags,
            timeMs: Math.max(0, one.timeMs + laterMs),
          })),
        ]),
    ),
    { maxLength: 20 },
  )
  .map((lists) => lists.flat())
const options: fc.Arbitrary<FlowTableOptions> = fc.record({
  nodeTid: fc.constantFrom('', 'tid', 'Knoten ä 節点', 'x'.repeat(200)),
  captureId: fc.constantFrom('', 'c1', 'y'.repeat(130)),
  layerKeyMode: fc.constantFrom('L2', 'L3'),
  rawPacketLimit: fc.constantFrom(0, 2),
  extraTcpMetric: fc.boolean(),
  applicationPorts: fc.constantFrom({}, { tcp: { 80: 'http' }, udp: { 80: 'größe', 1: 'z'.repeat(130) } }),
})

describe('protobuf straight from the columns', () => {
  test('equals what the objects give, byte for byte, for any table', () => {
    fc.assert(
      fc.property(
        options,
        conversation,
        conversation,
        fc.double({ min: 1, max: 5e12, noNaN: true }),
        (given, before, after, nowMs) => {
          const table = createFlowTable(given)
          feed(table, before)
          expect(hex(table.snapshotAsProtobuf())).toBe(expected(table))
          expect([...table.update(nowMs)].flat().length).toBeLessThanOrEqual(before.length)
          feed(table, after)
          expect(hex(table.snapshotAsProtobuf())).toBe(expected(table))
          // What is taken out leaves holes among the rows.
          expect([...table.expire(T0)]).toEqual([])
          expect([...table.expire(nowMs)].flat().every(({ Last }) => Last < T0)).toBe(true)
          expect(hex(table.snapshotAsProtobuf())).toBe(expected(table))
        },
      ),
      { numRuns: 200 },
    )
  })

  test('flows without a link, some of them so short that their length has one byte', () => {
    fc.assert(
      fc.property(options, conversation, (given, packets) => {
        const table = createFlowTable(given)
        feed(table, [{ ...PACKET, timeMs: 0, protocol: 50 }, ...packets], false)
        expect(hex(table.snapshotAsProtobuf())).toBe(expected(table))
      }),
      { numRuns: 100 },
    )
    const table = createFlowTable()
    feed(table, [{ ...PACKET, timeMs: 0, protocol: 50 }], false)
    const [chunk] = table.snapshotAsProtobuf()
    expect(chunk?.[0]).toBe(chunk!.length - 1)
  })

  test('an empty table gives nothing', () => {
    expect([...createFlowTable().snapshotAsProtobuf()]).toEqual([])
  })

  test('many flows come in chunks of whole flows, each of its own memory', () => {
    const table = createFlowTable({ nodeTid: 'tid' })
    feed(
      table,
      Array.from({ length: 5000 }, (_, i): Packet => ({ ...PACKET, ports: [i + 1, 53] })),
    )
    const chunks = [...table.snapshotAsProtobuf()]
    expect(chunks.length).toBeGreaterThan(1)
    expect(chunks.every(({ byteLength, buffer }) => byteLength === buffer.byteLength && byteLength <= layout.OUTPUT_BYTES)).toBe(
      true,
    )
    const ports = chunks.flatMap((chunk) => decodeFlowStream(chunk).map(({ Transport }) => Transport?.A))
    expect(ports).toEqual(Array.from({ length: 5000 }, (_, i) => i + 1))
    expect(hex(chunks)).toBe(expected(table))
  })

  test('what comes between two chunks is in the chunks after it; two readers do not disturb each other', () => {
    const table = createFlowTable()
    const many = Array.from({ length: 3000 }, (_, i): Packet => ({ ...PACKET, ports: [i + 1, 53] }))
    feed(table, many)
    const [one, other] = [table.snapshotAsProtobuf(), table.snapshotAsProtobuf()].map((chunks) => chunks[Symbol.iterator]())
    const [first, same] = [one!.next().value as Uint8Array, other!.next().value as Uint8Array]
    expect(hex([first])).toBe(hex([same]))
    const before = decodeFlowStream(first).length
    feed(table, many)
    const rest = decodeFlowStream(Buffer.concat([...{ [Symbol.iterator]: () => one! }]))
    expect(rest.map(({ Metric }) => Metric?.ABPackets)).toEqual(new Array(3000 - before).fill(2))
  })
})

describe('flows that are written from objects', () => {
  const saved = globalThis.WebAssembly
  afterEach(() => {
    globalThis.WebAssembly = saved
  })
  const two = [PACKET, { ...PACKET, kind: 'ipv6' as const }]

  test.each([
    ['a TID that is too long', { nodeTid: 'x'.repeat(layout.MAX_TID_BYTES + 1) }],
    ['a capture id that is too long', { captureId: 'x'.repeat(layout.MAX_ORIGIN_BYTES) }],
    ['a TID that just fits', { nodeTid: 'x'.repeat(layout.MAX_TID_BYTES) }],
    ['an application that is too long', { applicationPorts: { udp: { 53: 'x'.repeat(layout.TEXTS_BYTES) } } }],
    ['an application that nearly fills the room', { applicationPorts: { udp: { 53: 'x'.repeat(layout.TEXTS_BYTES - 100) } } }],
  ])('%s', (_, given) => {
    const table = createFlowTable(given)
    feed(table, two)
    expect(hex(table.snapshotAsProtobuf())).toBe(expected(table))
  })

  test('more sequences of layers than there is room for', () => {
    const table = createFlowTable()
    feed(
      table,
      Array.from({ length: 300 }, (_, i): Packet => ({ ...PACKET, ports: [i + 1, 53], tags: new Array<number>(i).fill(7) })),
    )
    expect(hex(table.snapshotAsProtobuf())).toBe(expected(table))
    expect(hex(table.snapshotAsProtobuf())).toBe(expected(table))
  })

  test('no memory for the encoder', () => {
    const table = createFlowTable()
    feed(table, two)
    globalThis.WebAssembly = {
      Module: class {
        constructor() {
          throw new RangeError('could not allocate memory')
        }
      },
    } as unknown as typeof WebAssembly
    expect(hex(table.snapshotAsProtobuf())).toBe(expected(table))
  })
})

describe('the memory of the encoder', () => {
  test('its parts follow one another without overlapping and fill the pages', () => {
    const rows = layout.ENCODER_ROWS
    const parts = [
      [layout.AT_LENGTH, 16],
      [layout.AT_KEY, 96],
      [layout.AT_UUID_INPUT, 8 + layout.MAX_TID_BYTES],
      [layout.AT_ORIGIN, layout.MAX_ORIGIN_BYTES],
      [layout.AT_REFERENCES, rows * 16],
      [layout.AT_RECORDS, rows * 64],
      [layout.AT_COLD, rows * 64],
      [layout.AT_WIDE, rows * 128],
      [layout.AT_TCP, rows * 64],
      [layout.AT_PAIRS, rows * 32],
      [layout.AT_TEXTS, layout.TEXTS_BYTES],
      [layout.AT_OUTPUT, layout.OUTPUT_BYTES],
      [layout.ENCODER_PAGES * 65_536, 0],
    ] as const
    for (const [index, [at, bytes]] of parts.slice(0, -1).entries()) expect(at + bytes).toBeLessThanOrEqual(parts[index + 1]![0])
    const code = Uint8Array.from(Buffer.from(ENCODER_PROGRAM, 'base64'))
    const { memory } = new WebAssembly.Instance(new WebAssembly.Module(code)).exports
    expect((memory as WebAssembly.Memory).buffer.byteLength).toBe(layout.ENCODER_PAGES * 65_536)
    expect(layout.AT_OUTPUT + layout.OUTPUT_BYTES).toBe(layout.ENCODER_PAGES * 65_536)
    expect(layout.FIXED_BYTES + layout.TEXTS_BYTES + layout.MAX_ORIGIN_BYTES).toBeLessThan(layout.OUTPUT_BYTES)
  })
})
