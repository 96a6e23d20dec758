import { gzipSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import { SkydiveError } from '@skydive/contracts'
import { encodePcap, type PacketFilter } from '@skydive/packet'
import fc from 'fast-check'
import { PcapStream } from './pcap-stream.ts'

const NUM_RUNS = Number(process.env['SKYDIVE_FUZZ_RUNS'] ?? 100_000)
/** A run reads some hundred bytes through five layers. */
const RUNS = Math.ceil(NUM_RUNS / 50)
const NOW_MS = 1_000_000

interface Out {
  readonly timeMs: number
  readonly linkType: number
  readonly wireBytes: number
  readonly data: number[]
}

function open(over: { readonly snapLength?: number; readonly filterFor?: (linkType: number) => PacketFilter | undefined } = {}) {
  const stream = new PcapStream({ snapLength: 256, filterFor: () => undefined, ...over })
  const release = (nowMs: number): Out[] => {
    const out: Out[] = []
    const packets = stream.release(nowMs, ({ linkType, capturedBytes, wireBytes, offset }, bytes, timeMs) => {
      out.push({ timeMs, linkType, wireBytes, data: [...bytes.subarray(offset, offset + capturedBytes)] })
    })
    expect(packets).toBe(out.length)
    return out
  }
  return { stream, release }
}

const packet = (timeMs: number, ...data: number[]) => ({ timeMs, data: Uint8Array.from(data) })
const times = (out: readonly Out[]) => out.map(({ timeMs }) => timeMs)

/** The same stream in the other byte order and with the other unit of time. */
function rewrite(file: Uint8Array, littleEndian: boolean, nanoseconds: boolean): Uint8Array {
  const out = file.slice()
  const from = new DataView(file.buffer, file.byteOffset)
  const to = new DataView(out.buffer)
  to.setUint32(0, nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4, littleEndian)
  for (const at of [16, 20]) to.setUint32(at, from.getUint32(at, true), littleEndian)
  for (const at of [4, 6]) to.setUint16(at, from.getUint16(at, true), littleEndian)
  for (let at = 24; at < file.length; at += 16 + from.getUint32(at + 8, true)) {
    for (const field of [0, 8, 12]) to.setUint32(at + field, from.getUint32(at + field, true), littleEndian)
    to.setUint32(at + 4, from.getUint32(at + 4, true) * (nanoseconds ? 1000 : 1), littleEndian)
  }
  return out
}

describe('a stream', () => {
  const file = encodePcap([packet(5_000, 1), packet(5_000.5, 2), packet(7_250, 3)])

  test.each([
    ['little endian, µs', file],
    ['little endian, ns', rewrite(file, true, true)],
    ['big endian, µs', rewrite(file, false, false)],
    ['big endian, ns', rewrite(file, false, true)],
    ['packed by gzip', gzipSync(file)],
    ['whose first packet came between two seconds', encodePcap([packet(5_999.75, 1), packet(6_000.25, 2), packet(8_249.75, 3)])],
  ])('%s: gives packets as far apart as they were, from now on', (_title, bytes) => {
    const { stream, release } = open()
    stream.push(bytes, NOW_MS)
    const first = { timeMs: NOW_MS, linkType: 1, wireBytes: 1, data: [1] }
    expect([release(NOW_MS), stream.nextDueMs(NOW_MS), stream.waiting]).toEqual([[first], NOW_MS + 0.5, 2])
    expect(times(release(NOW_MS + 1))).toEqual([NOW_MS + 0.5])
    expect([release(NOW_MS + 2_249), release(NOW_MS + 2_250)]).toEqual([
      [],
      [{ timeMs: NOW_MS + 2_250, linkType: 1, wireBytes: 1, data: [3] }],
    ])
    stream.end()
  })

  test('that is late counts from now on anew, and keeps its distances', () => {
    const { stream, release } = open()
    stream.push(file.subarray(0, 24 + 17), NOW_MS)
    expect(times(release(NOW_MS))).toEqual([NOW_MS])
    stream.push(file.subarray(24 + 17), NOW_MS + 60_000)
    expect(times(release(NOW_MS + 60_000))).toEqual([NOW_MS + 60_000])
    expect(stream.nextDueMs(NOW_MS + 60_000)).toBe(NOW_MS + 62_249.5)
  })

  test.each([
    ['a second late keeps its time', 1_100, NOW_MS + 100],
    ['more than a second late is of now', 1_100.25, NOW_MS + 1_100.25],
  ])('that is %s', (_title, lateMs, timeMs) => {
    const { stream, release } = open()
    stream.push(encodePcap([packet(0, 1), packet(100, 2), packet(3_100, 3)]), NOW_MS)
    expect(times(release(NOW_MS))).toEqual([NOW_MS])
    expect(times(release(NOW_MS + lateMs))).toEqual([timeMs])
    expect(stream.nextDueMs(NOW_MS + lateMs)).toBe(timeMs + 3_000)
  })

  test('is asked for little until it is known to be plain, and as long as it is packed', () => {
    const [plain, packed] = [open().stream, open().stream]
    const before = [plain.wantedBytes, plain.hasPackets, plain.nextDueMs(NOW_MS)]
    plain.push(new Uint8Array(0), NOW_MS)
    const stillBefore = plain.wantedBytes
    plain.push(file.subarray(0, 24), NOW_MS)
    const withoutPackets = [plain.wantedBytes, plain.hasPackets]
    plain.push(file.subarray(24), NOW_MS)
    packed.push(gzipSync(file), NOW_MS)
    expect([before, stillBefore, withoutPackets, plain.hasPackets, packed.wantedBytes, packed.hasPackets]).toEqual([
      [1024, false, undefined],
      1024,
      [65_536, false],
      true,
      1024,
      true,
    ])
  })

  test('that has not begun may end', () => {
    expect(open().stream.end()).toBeUndefined()
  })

  test('of which the filter refuses the first packet counts from it all the same', () => {
    const filterFor = (): PacketFilter => (view, offset) => view.getUint8(offset) & 1
    const { stream, release } = open({ filterFor })
    stream.push(encodePcap([packet(0, 2), packet(40, 3)]), NOW_MS)
    expect([stream.hasPackets, stream.waiting, stream.nextDueMs(NOW_MS), release(NOW_MS + 39)]).toEqual([
      true,
      1,
      NOW_MS + 40,
      [],
    ])
  })

  test('what the filter throws ends it as it is', () => {
    const fault = new Error('no filter for this link type')
    const filterFor = () => {
      throw fault
    }
    expect(() => open({ filterFor }).stream.push(file, NOW_MS)).toThrow(fault)
  })

  test('whose clock was set back goes on at once', () => {
    const { stream, release } = open()
    stream.push(encodePcap([packet(100_000, 1), packet(10_000, 2), packet(10_100, 3)]), NOW_MS)
    expect(times(release(NOW_MS))).toEqual([NOW_MS, NOW_MS])
    expect(times(release(NOW_MS + 100))).toEqual([NOW_MS + 100])
  })

  test('is cut to the snap length, and filtered by its link type', () => {
    const asked: number[] = []
    const filterFor = (linkType: number): PacketFilter => {
      asked.push(linkType)
      return (view, offset) => view.getUint8(offset) & 1
    }
    const { stream, release } = open({ snapLength: 2, filterFor })
    stream.push(encodePcap([packet(0, 1, 2, 3), packet(0, 2, 2, 3), packet(0, 3, 4, 5)], 101), NOW_MS)
    expect(asked).toEqual([101])
    expect(release(NOW_MS).map(({ data, wireBytes, linkType }) => [data, wireBytes, linkType])).toEqual([
      [[1, 2], 3, 101],
      [[3, 4], 3, 101],
    ])
  })

  test.each([
    ['text', Uint8Array.from(Buffer.from('GET / HTTP/1.1\r\n'))],
    ['damaged gzip', Uint8Array.from([...gzipSync(file).subarray(0, 10), 255, 255, 255, 255, 255, 255])],
    ['something else in gzip', gzipSync('hello world')],
  ])('of %s is refused', (_title, bytes) => {
    expect(() => open().stream.push(bytes, NOW_MS)).toThrow(expect.objectContaining({ code: 'ERR_DECODE' }))
  })

  test('is packed only when it begins so', () => {
    const { stream, release } = open()
    const bytes = encodePcap([packet(0, 0x1f, 0x8b), packet(0, 2)])
    stream.push(bytes.subarray(0, 24 + 16), NOW_MS)
    stream.push(bytes.subarray(24 + 16), NOW_MS)
    expect(release(NOW_MS).map(({ data }) => data)).toEqual([[0x1f, 0x8b], [2]])
  })

  test('of something else in gzip is told as something else', () => {
    expect(() => open().stream.push(gzipSync('hello world, this is no capture file'), NOW_MS)).toThrow(
      expect.objectContaining({ message: expect.not.stringMatching(/gzip/) }),
    )
  })

  test('of damaged gzip says so', () => {
    const bytes = Uint8Array.from([...gzipSync(file).subarray(0, 10), 255, 255, 255, 255, 255, 255])
    expect(() => open().stream.push(bytes, NOW_MS)).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^the stream is packed by gzip and damaged: ./), offset: 0 }),
    )
  })

  test('that ends inside a packet is told, and what came before stays', () => {
    const { stream, release } = open()
    stream.push(file.subarray(0, file.length - 1), NOW_MS)
    expect(() => stream.end()).toThrow(expect.objectContaining({ code: 'ERR_DECODE' }))
    expect(release(NOW_MS + 1)).toHaveLength(2)
  })
})

test('however a stream is cut, its packets are the same', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(100_000), fc.uint8Array({ maxLength: 40 })), { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1, maxLength: 40 }),
      fc.boolean(),
      (records, pieces, isPacked) => {
        const plain = encodePcap(records.map(([timeMs, data]) => ({ timeMs, data })))
        const bytes = isPacked ? Uint8Array.from(gzipSync(plain)) : plain
        const { stream, release } = open()
        let at = 0
        for (let i = 0; at < bytes.length; i++) {
          const size = pieces[i % pieces.length]!
          stream.push(bytes.subarray(at, at + size), NOW_MS)
          at += size
        }
        stream.end()
        expect(stream.waiting).toBe(records.length)
        const out: Out[] = []
        for (let nowMs = NOW_MS; stream.waiting > 0; nowMs = Math.max(nowMs, stream.nextDueMs(nowMs) ?? nowMs))
          out.push(...release(nowMs))
        expect(out.map(({ data }) => data)).toEqual(records.map(([, data]) => [...data]))
      },
    ),
    { numRuns: 300 },
  )
})

test('whatever comes, it gives packets or refuses the stream', () => {
  const file = encodePcap(Array.from({ length: 6 }, (_, i) => packet(i * 100, i, i, i, i, i, i)))
  const bases = [file, Uint8Array.from(gzipSync(file))]
  fc.assert(
    fc.property(
      fc.constantFrom(...bases),
      fc.array(fc.tuple(fc.nat(300), fc.nat(255)), { maxLength: 8 }),
      fc.nat(300),
      (base, changes, cut) => {
        const bytes = base.slice(0, Math.max(1, base.length - (cut % base.length)))
        for (const [at, value] of changes) bytes[at % bytes.length] = value
        const { stream, release } = open()
        try {
          stream.push(bytes, NOW_MS)
          stream.end()
        } catch (error) {
          if (!SkydiveError.isInstance(error, 'ERR_DECODE')) throw error
        }
        expect(release(Number.MAX_SAFE_INTEGER).length).toBeLessThanOrEqual(bytes.length * 1032)
      },
    ),
    { numRuns: RUNS },
  )
}, 600_000)
