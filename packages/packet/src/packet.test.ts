import { describe, expect, test } from '@jest/globals'
import type { PacketFormat } from '@skydive/contracts'
import fc from 'fast-check'
import {
  BPF,
  type BpfInstruction,
  createCaptureFileReader,
  createPacketFilter,
  Dissector,
  decodeBpfProgram,
  encodeBpfProgram,
  encodePcap,
  encodePcapng,
  ipv4Text,
  ipv6Text,
  LINK_TYPE,
  macText,
  walkPcapRecords,
} from './index.ts'

const hex = (text: string) => Uint8Array.from(text.replace(/\s/g, '').match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
const MACS = '020000000002 020000000001'
const IP4 = (protocol: string, length = '0054') => `4500 ${length} 0000 0000 40 ${protocol} 0000 0a000001 0a000002`
const IP6 = (next: string, length: string) =>
  `60000000 ${length} ${next} 40 fd00000000000000 0000000000000001 fd00000000000000 0000000000000002`

function pathOf(bytes: Uint8Array, linkType: number = LINK_TYPE.ETHERNET): string {
  const dissector = new Dissector()
  dissector.dissect(new DataView(bytes.buffer, bytes.byteOffset), 0, bytes.length, linkType)
  return dissector.paths.text(dissector.path)
}

describe('dissector', () => {
  test.each([
    ['ARP', `${MACS} 0806 0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002`, 'Ethernet/ARP'],
    ['ARP that is cut', `${MACS} 0806 0001 0800 06 04 0001 020000000001`, 'Ethernet'],
    ['TCP', `${MACS} 0800 ${IP4('06', '0028')} 03e8 0050 00000000 00000000 5010 0000 0000 0000`, 'Ethernet/IPv4/TCP'],
    ['TCP that is cut', `${MACS} 0800 ${IP4('06')} 03e8`, 'Ethernet/IPv4/TCP'],
    ['IPv4 that is cut', `${MACS} 0800 4500 0054`, 'Ethernet/IPv4'],
    ['ICMP that is cut', `${MACS} 0800 ${IP4('01')} 0800`, 'Ethernet/IPv4'],
    ['two tags', `${MACS} 88a8 000a 8100 0008 0800 ${IP4('01', '001c')} 0800 0000 0007 0001`, 'Ethernet/Dot1Q/Dot1Q/IPv4/ICMPv4'],
    ['a fragment', `${MACS} 0800 4500 0054 0000 2000 40 11 0000 0a000001 0a000002 03e80050`, 'Ethernet/IPv4/Fragment'],
    ['an inner IP header', `${MACS} 0800 ${IP4('04')} ${IP4('11', '001c')} 03e8 0050 0008 0000`, 'Ethernet/IPv4/IPv4/UDP'],
    [
      'neighbour solicitation',
      `${MACS} 86dd ${IP6('3a', '0018')} 87000000 00000000 fd00000000000000 0000000000000002`,
      'Ethernet/IPv6/ICMPv6/ICMPv6NeighborSolicitation',
    ],
    ['IPv6 echo', `${MACS} 86dd ${IP6('3a', '0008')} 80000000 00070001`, 'Ethernet/IPv6/ICMPv6/ICMPv6Echo'],
    [
      'hop by hop before a report',
      `${MACS} 86dd ${IP6('00', '0010')} 3a000502 00000100 8f000000 00000000`,
      'Ethernet/IPv6/IPv6HopByHop/ICMPv6/MLDv2MulticastListenerReport',
    ],
    [
      'IPv6 fragment',
      `${MACS} 86dd ${IP6('2c', '0010')} 11000001 00000000 03e80050 00000000`,
      'Ethernet/IPv6/IPv6Fragment/Fragment',
    ],
    [
      'SCTP',
      `${MACS} 0800 ${IP4('84', '0034')} 03e80050 00000000 00000000 01000014 00000001 00000000 00010001 00000000`,
      'Ethernet/IPv4/SCTP/SCTPInit',
    ],
    [
      'DNS',
      `${MACS} 0800 ${IP4('11', '0031')} 03e8 0035 001d 0000 0001 0100 0001 0000 0000 0000 03777777 00 0001 0001 000000`,
      'Ethernet/IPv4/UDP/DNS',
    ],
    [
      'DNS that lacks a record',
      `${MACS} 0800 ${IP4('11', '0031')} 03e8 0035 001d 0000 0001 0100 0001 0001 0000 0000 03777777 00 0001 0001 000000`,
      'Ethernet/IPv4/UDP',
    ],
    ['GRE', `${MACS} 0800 ${IP4('2f', '0018')} 00000800`, 'Ethernet/IPv4/GRE'],
    ['spanning tree', `${MACS} 0026 424203 0000000000`, 'Ethernet/LLC/STP'],
    [
      'SNAP',
      `${MACS} 0026 aaaa03 000000 0806 0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002`,
      'Ethernet/LLC/SNAP/ARP',
    ],
    ['nothing', '', ''],
  ])('%s', (_, bytes, path) => {
    expect(pathOf(hex(bytes))).toBe(path)
  })

  test.each([
    [LINK_TYPE.RAW, `${IP4('01', '001c')}0800 0000 0007 0001`, 'IPv4/ICMPv4'],
    [LINK_TYPE.IPV6, `${IP6('11', '0008')} 03e8 0050 0008 0000`, 'IPv6/UDP'],
    [LINK_TYPE.NULL, `02000000 ${IP4('06', '0028')} 03e8 0050 00000000 00000000 5010 0000 0000 0000`, 'IPv4/TCP'],
    [LINK_TYPE.LINUX_SLL, `0000 0001 0006 020000000001 0000 0800 ${IP4('11', '001c')} 03e8 0050 0008 0000`, 'IPv4/UDP'],
    [LINK_TYPE.LINUX_SLL2, `0800 0000 00000001 0001 00 06 0200000000010000 ${IP4('11', '001c')} 03e8 0050 0008 0000`, 'IPv4/UDP'],
    [147, '00112233', ''],
  ])('link type %d', (linkType, bytes, path) => {
    expect(pathOf(hex(bytes), linkType)).toBe(path)
  })

  test('VLAN ids are packed with the outermost in the low bits', () => {
    const dissector = new Dissector()
    const bytes = hex(`${MACS} 8100 0008 8100 000a 0800 ${IP4('01', '001c')} 0800 0000 0007 0001`)
    dissector.dissect(new DataView(bytes.buffer), 0, bytes.length, LINK_TYPE.ETHERNET)
    expect(dissector.vlanId).toBe(8 + 10 * 4096)
  })

  test('never throws and never reads past what was captured, whatever the bytes (fuzz)', () => {
    const dissector = new Dissector()
    const heads = [
      `${MACS} 0800`,
      `${MACS} 86dd`,
      `${MACS} 8100`,
      `${MACS} 0800 ${IP4('11')}`,
      `${MACS} 0800 ${IP4('84')}`,
      `${MACS} 86dd ${IP6('00', '00ff')}`,
    ].map(hex)
    fc.assert(
      fc.property(fc.constantFrom(...heads), fc.uint8Array({ maxLength: 200 }), fc.nat(), (head, tail, cut) => {
        const whole = Uint8Array.from([...head, ...tail])
        const bytes = whole.slice(0, 1 + (cut % whole.length))
        // The view ends where the packet ends: reading on would throw.
        dissector.dissect(new DataView(bytes.buffer), 0, bytes.length, LINK_TYPE.ETHERNET)
      }),
      { numRuns: 2000 },
    )
  })

  test('endless stacks of tags and headers do not fill the memory of paths', () => {
    const dissector = new Dissector()
    const tags = hex(`${MACS} ${'8100 0001 '.repeat(3000)}`)
    dissector.dissect(new DataView(tags.buffer), 0, tags.length, LINK_TYPE.ETHERNET)
    expect(dissector.paths.text(dissector.path).split('/').length).toBeLessThan(4096)
  })
})

describe('addresses', () => {
  test.each([
    [[0xfd4937c8, 0x52290000, 0, 2], 'fd49:37c8:5229::2'],
    [[0, 0, 0, 0], '::'],
    [[0, 0, 0, 1], '::1'],
    [[0x20010db8, 0, 0x00010000, 1], '2001:db8::1:0:0:1'],
    [[0x20010db8, 0x00010000, 0x00010001, 0x00010001], '2001:db8:1:0:1:1:1:1'],
    [[0, 0, 0xffff, 0x0a000001], '::ffff:10.0.0.1'],
    [[0xfe800000, 0, 0, 0], 'fe80::'],
  ] as const)('%j is %s', ([a, b, c, d], text) => {
    expect(ipv6Text(a, b, c, d)).toBe(text)
  })

  test('MAC and IPv4', () => {
    expect([macText(0x020000ff, 0x0102), ipv4Text(0xc0a80001 | 0)]).toEqual(['02:00:00:ff:01:02', '192.168.0.1'])
  })
})

describe('capture files', () => {
  const packets = Array.from({ length: 50 }, (_, i) => ({
    timeMs: 1_000_000 + i,
    data: new Uint8Array(20 + i).fill(i),
    wireBytes: 2000 + i,
  }))

  function readAll(pieces: readonly Uint8Array[]): { sizes: number[]; formats: PacketFormat[] } {
    const sizes: number[] = []
    const formats: PacketFormat[] = []
    const reader = createCaptureFileReader((buffer, offset, byteLength, format) => {
      formats.push(format)
      const { layout } = format
      if (layout.format !== 'pcap') return byteLength
      const view = new DataView(buffer.buffer, buffer.byteOffset)
      return walkPcapRecords(view, offset, byteLength, layout.littleEndian, (_at, capturedBytes) => sizes.push(capturedBytes))
    })
    for (const piece of pieces) reader.push(piece)
    reader.end()
    return { sizes, formats }
  }

  test('a file in pieces of any size gives the same packets (property)', () => {
    const file = encodePcap(packets)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 30 }), (steps) => {
        const pieces: Uint8Array[] = []
        for (let at = 0, i = 0; at < file.length; at += steps[i % steps.length]!, i++)
          pieces.push(file.subarray(at, Math.min(file.length, at + steps[i % steps.length]!)))
        expect(readAll(pieces).sizes).toEqual(packets.map(({ data }) => data.length))
      }),
    )
  })

  /** A pcapng file, big or little endian: a section, two interfaces (µs and 2^-10 s), packets on both. */
  function pcapng(littleEndian: boolean): Uint8Array {
    const blocks: Uint8Array[] = []
    const block = (type: number, body: readonly number[]) => {
      const padded = [...body, ...Array.from({ length: (4 - (body.length % 4)) % 4 }, () => 0)]
      const bytes = new Uint8Array(12 + padded.length)
      const view = new DataView(bytes.buffer)
      view.setUint32(0, type, littleEndian)
      view.setUint32(4, bytes.length, littleEndian)
      bytes.set(padded, 8)
      view.setUint32(bytes.length - 4, bytes.length, littleEndian)
      blocks.push(bytes)
    }
    const u16 = (value: number) => (littleEndian ? [value & 255, value >> 8] : [value >> 8, value & 255])
    const u32 = (value: number) =>
      littleEndian ? [...u16(value & 0xffff), ...u16(value >>> 16)] : [...u16(value >>> 16), ...u16(value & 0xffff)]
    block(0x0a0d0d0a, [...u32(0x1a2b3c4d), ...u16(1), ...u16(0), ...u32(0xffffffff), ...u32(0xffffffff)])
    block(1, [...u16(1), ...u16(0), ...u32(0)])
    block(1, [...u16(101), ...u16(0), ...u32(0), ...u16(9), ...u16(1), 0x8a, 0, 0, 0, ...u16(0), ...u16(0)])
    block(0x0bad, [1, 2, 3, 4])
    block(6, [...u32(0), ...u32(0), ...u32(2_000_003), ...u32(3), ...u32(60), 1, 2, 3])
    block(6, [...u32(1), ...u32(0), ...u32(5 * 1024 + 512), ...u32(2), ...u32(40), 4, 5])
    return Uint8Array.from(blocks.flatMap((bytes) => [...bytes]))
  }

  test.each([true, false])('pcapng, little endian %s: link types, times, unknown blocks', (littleEndian) => {
    const seen: unknown[] = []
    const reader = createCaptureFileReader((buffer, offset, byteLength, { linkType }) =>
      walkPcapRecords(new DataView(buffer.buffer), offset, byteLength, true, (at, captured, wire, seconds, nanoseconds) =>
        seen.push([linkType, [...buffer.subarray(at, at + captured)], wire, seconds, nanoseconds]),
      ),
    )
    const file = pcapng(littleEndian)
    reader.push(file.subarray(0, 77))
    reader.push(file.subarray(77))
    reader.end()
    expect(seen).toEqual([
      [1, [1, 2, 3], 60, 2, 3000],
      [101, [4, 5], 40, 5, 500_000_000],
    ])
  })

  test('what is written as pcapng is read again: link types, times, lengths, bytes (property)', () => {
    const written = fc.record({
      linkType: fc.constantFrom(1, 101, 228, 229),
      timeMs: fc.integer({ min: 0, max: 4_102_444_800_000 }),
      data: fc.uint8Array({ maxLength: 9 }),
      wireBytes: fc.integer({ min: 9, max: 70_000 }),
    })
    fc.assert(
      fc.property(fc.array(written, { minLength: 1, maxLength: 10 }), (all) => {
        const seen: unknown[] = []
        const reader = createCaptureFileReader((buffer, offset, byteLength, { linkType }) =>
          walkPcapRecords(
            new DataView(buffer.buffer),
            offset,
            byteLength,
            true,
            (at, captured, wireBytes, seconds, nanoseconds) =>
              seen.push({
                linkType,
                timeMs: seconds * 1000 + nanoseconds / 1e6,
                data: buffer.slice(at, at + captured),
                wireBytes,
              }),
          ),
        )
        reader.push(encodePcapng(all))
        reader.end()
        expect(seen).toEqual(all)
      }),
    )
  })

  test.each([
    ['nothing', new Uint8Array(0), /is empty/, 0],
    ['another file', hex('7f454c46 00000000'), /not a pcap or pcapng file \(it begins with 7f454c46\)/, 0],
    ['a gzipped file', hex('1f8b0800 00000000'), /compressed by gzip/, 0],
    [
      'a file cut in a record',
      encodePcap(packets).subarray(0, 24 + 16 + 20 + 16 + 5),
      /is cut: the record at byte 60 has only 21 bytes/,
      60,
    ],
    ['a file cut in its header', encodePcap(packets).subarray(0, 10), /is cut: the record at byte 0/, 0],
    [
      'a record with an impossible length',
      Uint8Array.from([...encodePcap(packets.slice(0, 1)), ...hex('00000000 00000000 ffffff7f 00000000')]),
      /damaged: the record at byte 60 claims/,
      60,
    ],
    [
      'a pcapng block with an impossible length',
      Uint8Array.from([...pcapng(true).subarray(0, 28), ...hex('06000000 03000000 00000000')]),
      /damaged at byte 28/,
      28,
    ],
  ])('%s is refused with its offset', (_, bytes, message, offset) => {
    expect(() => readAll([bytes])).toThrow(
      expect.objectContaining({ code: 'ERR_DECODE', offset, message: expect.stringMatching(message) }),
    )
  })

  test('foreign bytes are read or refused, never anything else (fuzz)', () => {
    const heads = [hex('d4c3b2a1 0200 0400 00000000 00000000 00000400 01000000'), pcapng(true).slice(0, 60), new Uint8Array(0)]
    fc.assert(
      fc.property(fc.constantFrom(...heads), fc.uint8Array({ maxLength: 300 }), (head, tail) => {
        try {
          readAll([head, tail])
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_DECODE' })
        }
      }),
      { numRuns: 1000 },
    )
  })
})

describe('classic BPF', () => {
  const op = (code: number, k = 0, jt = 0, jf = 0): BpfInstruction => ({ code, jt, jf, k })
  const run = (program: readonly BpfInstruction[], bytes = hex('01020304 05060708')) =>
    createPacketFilter(program)(new DataView(bytes.buffer), 0, bytes.length, 100)

  test.each([
    ['word', [op(BPF.LD | BPF.W | BPF.ABS, 0), op(BPF.RET | BPF.A)], 0x01020304],
    ['half', [op(BPF.LD | BPF.H | BPF.ABS, 2), op(BPF.RET | BPF.A)], 0x0304],
    ['byte by index', [op(BPF.LDX | BPF.W | BPF.IMM, 2), op(BPF.LD | BPF.B | BPF.IND, 1), op(BPF.RET | BPF.A)], 4],
    ['length on the wire', [op(BPF.LD | BPF.W | BPF.LEN), op(BPF.RET | BPF.A)], 100],
    ['beyond the packet', [op(BPF.LD | BPF.W | BPF.ABS, 6), op(BPF.RET | BPF.K, 1)], 0],
    ['header length', [op(BPF.LDX | BPF.B | BPF.MSH, 4), op(0x87), op(BPF.RET | BPF.A)], 20],
    [
      'memory',
      [op(BPF.LD | BPF.IMM, 7), op(BPF.ST, 3), op(BPF.LD | BPF.IMM, 1), op(BPF.LD | BPF.MEM, 3), op(BPF.RET | BPF.A)],
      7,
    ],
    [
      'unsigned comparison',
      [op(BPF.LD | BPF.IMM, 0x80000000), op(BPF.JMP | BPF.JGT | BPF.K, 1, 0, 1), op(BPF.RET | BPF.K, 5), op(BPF.RET | BPF.K, 6)],
      5,
    ],
    ['unsigned division', [op(BPF.LD | BPF.IMM, 0xfffffffe), op(BPF.ALU | 0x30 | BPF.K, 2), op(BPF.RET | BPF.A)], 0x7fffffff],
    ['division by a zero X', [op(BPF.ALU | 0x30 | BPF.X), op(BPF.RET | BPF.K, 1)], 0],
    ['jump', [op(BPF.JMP | BPF.JA, 1), op(BPF.RET | BPF.K, 1), op(BPF.RET | BPF.K, 2)], 2],
  ])('%s', (_, program, result) => {
    expect(run(program)).toBe(result)
  })

  test.each([
    ['an empty program', []],
    ['no return', [op(BPF.LD | BPF.IMM)]],
    ['a jump out of it', [op(BPF.JMP | BPF.JEQ | BPF.K, 0, 9, 0), op(BPF.RET | BPF.K)]],
    ['memory that is not there', [op(BPF.ST, 16), op(BPF.RET | BPF.K)]],
    ['division by zero', [op(BPF.ALU | 0x30 | BPF.K, 0), op(BPF.RET | BPF.K)]],
    ['an unknown opcode', [op(0x1234), op(BPF.RET | BPF.K)]],
  ])('%s is refused', (_, program) => {
    expect(() => createPacketFilter(program)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }))
  })

  test('what is accepted always ends, on any packet (property)', () => {
    const instruction = fc.record({
      code: fc.constantFrom(
        0x00,
        0x20,
        0x28,
        0x30,
        0x40,
        0x80,
        0xa1 | 0x10,
        0x02,
        0x60,
        0x04,
        0x0c,
        0x54,
        0x84,
        0x15,
        0x1d,
        0x25,
        0x35,
        0x45,
        0x05,
        0x06,
        0x16,
        0x07,
        0x87,
      ),
      jt: fc.integer({ min: 0, max: 5 }),
      jf: fc.integer({ min: 0, max: 5 }),
      k: fc.integer({ min: 0, max: 12 }),
    })
    fc.assert(
      fc.property(fc.array(instruction, { maxLength: 20 }), fc.uint8Array({ maxLength: 30 }), (body, packet) => {
        const program = [...body, op(BPF.RET | BPF.K, 7)]
        let filter: ReturnType<typeof createPacketFilter>
        try {
          filter = createPacketFilter(program)
        } catch {
          return
        }
        expect(filter(new DataView(Uint8Array.from(packet).buffer), 0, packet.length, packet.length)).toBeGreaterThanOrEqual(0)
        expect(decodeBpfProgram(encodeBpfProgram(program))).toEqual(program)
      }),
      { numRuns: 500 },
    )
  })
})
