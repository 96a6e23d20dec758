import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  ExportedFlow,
  FIELD,
  IpfixEncoder,
  type IpfixEncoderOptions,
  Netflow5Encoder,
  type Netflow5EncoderOptions,
  NetflowDecoder,
} from '../src/netflow/index.ts'
import { hex } from './bytes-writer.ts'

const NOW_MS = 1_700_000_000_250
const STARTED_MS = NOW_MS - 60_000
const RUNS = { numRuns: 200, seed: Number(process.env['SKYDIVE_SEED'] ?? 20_261_127) }

type Init = Partial<Omit<ExportedFlow, 'addresses'>> & { readonly addresses?: readonly number[] }

function flow({ addresses = [0x0a000001, 0, 0, 0, 0x0a000002, 0, 0, 0], ...init }: Init = {}): ExportedFlow {
  const made = new ExportedFlow()
  made.addresses.set(addresses)
  return Object.assign(
    made,
    { protocol: 6, sourcePort: 1024, destinationPort: 80, packets: 3, bytes: 180, startMs: NOW_MS - 500, lastMs: NOW_MS - 100 },
    init,
  )
}

/** Encodes and keeps what came out. */
function netflow5(options: Partial<Netflow5EncoderOptions> = {}) {
  const sent: Uint8Array[] = []
  const records: number[] = []
  const encoder = new Netflow5Encoder({
    startedMs: STARTED_MS,
    now: () => NOW_MS,
    ...options,
    send: (bytes, count) => {
      sent.push(bytes.slice())
      records.push(count)
    },
  })
  return { encoder, sent, records }
}

function ipfix(options: Partial<IpfixEncoderOptions> = {}) {
  const sent: Uint8Array[] = []
  const records: number[] = []
  const encoder = new IpfixEncoder({
    domainId: 77,
    now: () => NOW_MS,
    ...options,
    send: (bytes, count) => {
      sent.push(bytes.slice())
      records.push(count)
    },
  })
  return { encoder, sent, records }
}

/** What our own decoder reads, with the fields that an encoder writes. */
function decode(datagrams: readonly Uint8Array[]) {
  const read: object[] = []
  const decoder = new NetflowDecoder({
    record: ({ values, addresses, ipVersion, domainId }) => {
      read.push({
        domainId,
        ipVersion,
        addresses: [...addresses],
        protocol: values[FIELD.PROTOCOL],
        ports: [values[FIELD.SOURCE_PORT], values[FIELD.DESTINATION_PORT]],
        icmp: values[FIELD.ICMP_TYPE_CODE],
        tcpFlags: values[FIELD.TCP_FLAGS],
        packets: values[FIELD.PACKETS],
        bytes: values[FIELD.BYTES],
        times: [values[FIELD.START_MS], values[FIELD.END_MS]],
        endReason: values[FIELD.END_REASON],
        macs: [values[FIELD.SOURCE_MAC], values[FIELD.DESTINATION_MAC]],
        vlanId: values[FIELD.VLAN_ID],
      })
    },
  })
  for (const bytes of datagrams) {
    decoder.decode(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length, 'r', NOW_MS)
  }
  const { datagrams: _, ...counts } = decoder.counts
  return { read, counts: Object.fromEntries(Object.entries(counts).filter(([, value]) => value !== 0)) }
}

/** The same of a flow, as far as IPFIX carries it. */
function shown(one: ExportedFlow) {
  const isIcmp = one.protocol === (one.ipVersion === 4 ? 1 : 58)
  return {
    domainId: 77,
    ipVersion: one.ipVersion,
    addresses: [...one.addresses],
    protocol: one.protocol,
    ports: isIcmp ? [0, 0] : [one.sourcePort, one.destinationPort],
    icmp: isIcmp ? (one.icmpType << 8) | one.icmpCode : 0,
    tcpFlags: isIcmp ? 0 : one.tcpFlags,
    packets: one.packets,
    bytes: one.bytes,
    times: [one.startMs, one.lastMs],
    endReason: one.endReason,
    macs: [one.sourceMac, one.destinationMac],
    vlanId: one.vlanId,
  }
}

const word = fc.integer({ min: -0x80000000, max: 0x7fffffff })
const anyFlow = fc
  .record({
    ipVersion: fc.constantFrom(4, 6),
    words: fc.array(word, { minLength: 8, maxLength: 8 }),
    protocol: fc.constantFrom(1, 6, 17, 47, 58, 132, 255),
    sourcePort: fc.nat(65_535),
    destinationPort: fc.nat(65_535),
    icmpType: fc.nat(255),
    icmpCode: fc.nat(255),
    tcpFlags: fc.nat(255),
    packets: fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 2 ** 26 })),
    bytesOfPacket: fc.integer({ min: 20, max: 1500 }),
    agoMs: fc.nat(50_000),
    lengthMs: fc.nat(5000),
    endReason: fc.integer({ min: 1, max: 5 }),
    sourceMac: fc.nat(2 ** 48 - 1),
    destinationMac: fc.nat(2 ** 48 - 1),
    vlanId: fc.nat(4095),
  })
  .map(({ words, bytesOfPacket, agoMs, lengthMs, ...rest }) => {
    const [a, b, c, d, e, f, g, h] = words as [number, number, number, number, number, number, number, number]
    const addresses = rest.ipVersion === 4 ? [a, 0, 0, 0, e, 0, 0, 0] : [a, b, c, d, e, f, g, h]
    const lastMs = NOW_MS - agoMs
    return flow({ ...rest, addresses, bytes: rest.packets * bytesOfPacket, lastMs, startMs: lastMs - Math.min(lengthMs, 9000) })
  })

describe('NetFlow 5', () => {
  test('a datagram, byte by byte', () => {
    const { encoder, sent, records } = netflow5()
    expect(encoder.add(flow({ tcpFlags: 0x13 }))).toBe(1)
    encoder.flush()
    encoder.flush()
    expect([sent, records]).toEqual([
      [
        hex(
          // Version, count, uptime, time in s and ns, sequence, engine, sampling.
          '0005 0001 0000ea60 6553f100 0ee6b280 00000000 00 01 0000' +
            // Addresses, next hop, interfaces, packets, bytes, first and last uptime.
            '0a000001 0a000002 00000000 0000 0000 00000003 000000b4 0000e86c 0000e9fc' +
            // Ports, padding, flags, protocol, service, systems, masks, padding.
            '0400 0050 00 13 06 00 0000 0000 ff ff 0000',
        ),
      ],
      [1],
    ])
  })

  test('20 records a datagram; the sequence number is that of the records sent before', () => {
    const { encoder, sent, records } = netflow5()
    for (let i = 0; i < 45; i++) encoder.add(flow({ sourcePort: i }))
    encoder.flush()
    expect(sent.map((bytes) => [bytes.length, new DataView(bytes.buffer).getUint32(16)])).toEqual([
      [24 + 20 * 48, 0],
      [24 + 20 * 48, 20],
      [24 + 5 * 48, 40],
    ])
    expect(records).toEqual([20, 20, 5])
    expect(decode(sent).counts).toEqual({ records: 45 })
  })

  test.each<[string, Init, number]>([
    ['IPv6', { ipVersion: 6 }, 0],
    ['no packets', { packets: 0, bytes: 0 }, 0],
    ['ICMP', { protocol: 1 }, 1],
    ['9 GB in a record', { packets: 7_000_000, bytes: 9_000_000_001 }, 3],
    ['more packets than 32 bits hold', { packets: 2 ** 32 + 1, bytes: 2 ** 32 + 1 }, 2],
  ])('%s makes so many records', (_, init, count) => {
    const { encoder } = netflow5()
    expect(encoder.add(flow(init))).toBe(count)
  })

  test.each([
    ['a packet before the exporter began', { startMs: STARTED_MS - 7, lastMs: STARTED_MS - 5 }, [60_000, 0, 0]],
    [
      'a clock that was set back: not before the packets',
      { startMs: NOW_MS + 10, lastMs: NOW_MS + 3000 },
      [63_000, 60_010, 63_000],
    ],
  ])('%s: uptime of the datagram, of first and of last packet', (_, times, expected) => {
    const { encoder, sent } = netflow5()
    encoder.add(flow(times))
    encoder.add(flow())
    encoder.flush()
    encoder.add(flow())
    encoder.flush()
    const [first, second] = sent.map((bytes) => new DataView(bytes.buffer))
    expect([4, 24 + 24, 24 + 28].map((at) => first!.getUint32(at))).toEqual(expected)
    // The time of the datagram and its uptime go together.
    expect(first!.getUint32(8) * 1000 + first!.getUint32(12) / 1e6 - expected[0]!).toBe(STARTED_MS)
    expect(second!.getUint32(4)).toBe(60_000)
  })

  test('ICMP tells its type in the destination port', () => {
    const { encoder, sent } = netflow5()
    encoder.add(flow({ protocol: 1, sourcePort: 0, destinationPort: 0, icmpType: 8, icmpCode: 3 }))
    encoder.flush()
    expect(new DataView(sent[0]!.buffer).getUint16(24 + 34)).toBe(0x0803)
  })

  test('whatever goes in comes out of our decoder, great counters in pieces', () => {
    fc.assert(
      fc.property(fc.array(anyFlow, { maxLength: 60 }), (flows) => {
        const { encoder, sent, records } = netflow5()
        const made = flows.map((one) => encoder.add(one))
        encoder.flush()
        const { read, counts } = decode(sent)
        const kept = flows.filter(({ ipVersion }) => ipVersion === 4)
        const total = made.reduce((sum, count) => sum + count, 0)
        expect(counts).toEqual(total === 0 ? {} : { records: total })
        expect(records.reduce((sum, count) => sum + count, 0)).toBe(total)
        const sum = (list: readonly object[], member: 'packets' | 'bytes') =>
          list.reduce((all, one) => all + (one as Record<typeof member, number>)[member], 0)
        expect([sum(read, 'packets'), sum(read, 'bytes')]).toEqual([sum(kept, 'packets'), sum(kept, 'bytes')])
        const simple = ({
          addresses,
          protocol,
          packets,
          bytes,
        }: Pick<ExportedFlow, 'protocol' | 'packets' | 'bytes'> & { addresses: Iterable<number> }) =>
          `${[...addresses]} ${protocol} ${packets} ${bytes}`
        const whole = kept.filter((one) => Math.max(one.packets, one.bytes) <= 0xffffffff).map(simple)
        const wholeRead = new Set(read.map((one) => simple(one as Parameters<typeof simple>[0])))
        expect(whole.filter((one) => !wholeRead.has(one))).toEqual([])
      }),
      RUNS,
    )
  })
})

describe('IPFIX', () => {
  test('a message, byte by byte: templates, then records by template', () => {
    const { encoder, sent } = ipfix({ domainId: 0x01020304 })
    encoder.add(flow({ tcpFlags: 2, sourceMac: 0x020000000001, destinationMac: 0x020000000002, vlanId: 7 }))
    encoder.flush()
    encoder.flush()
    const rest = '0004 0001 0088 0001 0002 0008 0001 0008 0038 0006 0050 0006 003a 0002'
    const times = '0098 0008 0099 0008'
    const ports = '0007 0002 000b 0002 0006 0001'
    expect(sent).toEqual([
      hex(
        '000a 0135 6553f100 00000000 01020304' +
          `0002 00e4 0100 000e ${times} 0008 0004 000c 0004 ${ports} ${rest}` +
          `0101 000c ${times} 0008 0004 000c 0004 0020 0002 ${rest}` +
          `0102 000e ${times} 001b 0010 001c 0010 ${ports} ${rest}` +
          `0103 000c ${times} 001b 0010 001c 0010 008b 0002 ${rest}` +
          '0100 0041 0000018bcfe56706 0000018bcfe56896 0a000001 0a000002 0400 0050 02 06 02' +
          '0000000000000003 00000000000000b4 020000000001 020000000002 0007',
      ),
    ])
  })

  test('sequence numbers count data records; templates come again in time and after so many messages', () => {
    let nowMs = NOW_MS
    const { encoder, sent, records } = ipfix({ templatePeriodMs: 1000, templateMessages: 3, now: () => nowMs })
    const heads: (readonly [number, boolean])[] = []
    for (const afterMs of [0, 10, 20, 30, 40, 999, 1040, 3000]) {
      nowMs = NOW_MS + afterMs
      for (let i = 0; i < 2; i++) encoder.add(flow())
      encoder.flush()
      const view = new DataView(sent.at(-1)!.buffer)
      heads.push([view.getUint32(8), view.getUint16(16) === 2])
    }
    expect(heads).toEqual([
      [0, true],
      [2, false],
      [4, false],
      [6, true],
      [8, false],
      [10, false],
      [12, true],
      [14, true],
    ])
    expect(records).toEqual([2, 2, 2, 2, 2, 2, 2, 2])
  })

  test('a record without packets is none', () => {
    const { encoder, sent } = ipfix()
    expect(encoder.add(flow({ packets: 0, bytes: 0 }))).toBe(0)
    encoder.flush()
    expect(sent).toEqual([])
  })

  test('whatever goes in comes out of our decoder in order, in messages that are not too long', () => {
    fc.assert(
      fc.property(fc.array(anyFlow, { maxLength: 80 }), fc.integer({ min: 0, max: 2000 }), (flows, maxMessageBytes) => {
        const { encoder, sent, records } = ipfix({ maxMessageBytes, templateMessages: 2 })
        for (const one of flows) expect(encoder.add(one)).toBe(1)
        encoder.flush()
        const { read, counts } = decode(sent)
        expect(read).toEqual(flows.map(shown))
        const { templates = 0, ...others } = counts
        expect(others).toEqual(flows.length === 0 ? {} : { records: flows.length })
        // Those that come again are no news.
        expect(templates).toBe(flows.length === 0 ? 0 : 4)
        expect(Math.max(0, ...sent.map(({ length }) => length))).toBeLessThanOrEqual(Math.max(512, maxMessageBytes))
        expect(records.reduce((sum, count) => sum + count, 0)).toBe(flows.length)
      }),
      RUNS,
    )
  })
})
