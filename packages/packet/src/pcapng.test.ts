// Blocks of pcapng that are rare: old ones, and those with which a file is damaged.
import { describe, expect, test } from '@jest/globals'
import { type CaptureFileOptions, createCaptureFileReader, walkPcapRecords } from './index.ts'

/** A little-endian block; `repeated` is the length that it ends with. */
function block(type: number, body: Buffer, repeated?: number): Buffer {
  const padded = Buffer.concat([body, Buffer.alloc(-body.length & 3)])
  const bytes = Buffer.alloc(12 + padded.length)
  bytes.writeUInt32LE(type, 0)
  bytes.writeUInt32LE(bytes.length, 4)
  padded.copy(bytes, 8)
  bytes.writeUInt32LE(repeated ?? bytes.length, bytes.length - 4)
  return bytes
}

const SECTION = block(0x0a0d0d0a, Buffer.from('4d3c2b1a01000000ffffffffffffffff', 'hex'))
const ETHERNET = block(1, Buffer.from('0100000000000000', 'hex'))

/** A packet of two bytes at `microseconds`. The old kind has its interface in 16 bits and then how many packets were lost. */
function packet(kind: 'old' | 'enhanced', interfaceId: number, microseconds: number, capturedBytes = 2): Buffer {
  const body = Buffer.alloc(22, 7)
  if (kind === 'old') {
    body.writeUInt16LE(interfaceId, 0)
    body.writeUInt16LE(0xffff, 2)
  } else body.writeUInt32LE(interfaceId, 0)
  body.writeUInt32LE(0, 4)
  body.writeUInt32LE(microseconds, 8)
  body.writeUInt32LE(capturedBytes, 12)
  body.writeUInt32LE(60, 16)
  return block(kind === 'old' ? 2 : 6, body)
}

/** A packet of two bytes without a time. */
const SIMPLE = block(3, Buffer.from('020000000707', 'hex'))

/** A reader that puts the times of all packets into `times`, in µs. */
function timesInto(times: number[], options?: CaptureFileOptions) {
  return createCaptureFileReader(
    (buffer, offset, byteLength) =>
      walkPcapRecords(new DataView(buffer.buffer), offset, byteLength, true, (_at, _captured, _wire, seconds, nanoseconds) =>
        times.push(seconds * 1e6 + nanoseconds / 1000),
      ),
    options,
  )
}

/** The times of all packets in µs, and the error that ended it. */
function read(...blocks: readonly Buffer[]) {
  const times: number[] = []
  const reader = timesInto(times)
  try {
    reader.push(Buffer.concat([SECTION, ETHERNET, ...blocks]))
    reader.end()
  } catch (error) {
    return { times, error: (error as Error).message }
  }
  return { times }
}

test('packet blocks of the old kind are packets like others', () => {
  expect(read(packet('old', 0, 5), packet('enhanced', 0, 6), packet('old', 0, 7))).toEqual({ times: [5, 6, 7] })
})

describe('what came before the damage is handed over:', () => {
  test.each([
    [
      'a packet of an interface that is not described',
      packet('enhanced', 7, 9),
      'its packet names interface 7, which is not described',
    ],
    ['an old packet of such an interface', packet('old', 7, 9), 'its packet names interface 7, which is not described'],
    ['a packet longer than its block', packet('enhanced', 0, 9, 5000), 'its packet claims 5000 captured bytes'],
    ['a block of 4 bytes', Buffer.from('060000000400000004000000', 'hex'), 'its block claims 4 bytes'],
    ['a block whose two lengths differ', block(0xbad, Buffer.alloc(4), 99), 'its block of 16 bytes ends with the length 99'],
    ['a section without a byte order', block(0x0a0d0d0a, Buffer.alloc(16)), 'its section has no byte-order magic'],
  ])('%s', (_title, bad, why) => {
    const at = SECTION.length + ETHERNET.length + 2 * packet('enhanced', 0, 1).length
    expect(read(packet('enhanced', 0, 5), packet('enhanced', 0, 6), bad, packet('enhanced', 0, 7))).toEqual({
      times: [5, 6],
      error: `the capture file is damaged at byte ${at}: ${why}`,
    })
  })
})

describe('a packet without a time has', () => {
  const BAD = block(0xbad, Buffer.alloc(4), 99)

  test.each<[string, readonly Buffer[], readonly number[]]>([
    ['that of the packet before it', [packet('enhanced', 0, 5), SIMPLE, SIMPLE, packet('old', 0, 9), SIMPLE], [5, 5, 5, 9, 9]],
    ['that, also when it comes after a later one', [packet('enhanced', 0, 9), packet('enhanced', 0, 5), SIMPLE], [9, 5, 5]],
    ['that, in another section as well', [packet('enhanced', 0, 5), SECTION, ETHERNET, SIMPLE], [5, 5]],
    ['the first of the file, when none came before', [SIMPLE, SIMPLE, packet('enhanced', 0, 5), SIMPLE], [5, 5, 5, 5]],
    ['none, when no packet of the file has one', [SIMPLE, SIMPLE], [0, 0]],
    ['none, when the damage came before the first time', [SIMPLE, BAD, packet('enhanced', 0, 5)], [0]],
  ])('%s', (_title, blocks, times) => expect(read(...blocks).times).toEqual(times))

  test('the same, in whatever pieces the file comes', () => {
    const file = Buffer.concat([SECTION, ETHERNET, SIMPLE, SIMPLE, packet('enhanced', 0, 5), SIMPLE])
    for (let pieceBytes = 1; pieceBytes <= file.length; pieceBytes++) {
      const times: number[] = []
      const reader = timesInto(times)
      for (let at = 0; at < file.length; at += pieceBytes) reader.push(file.subarray(at, at + pieceBytes))
      reader.end()
      expect([pieceBytes, times]).toEqual([pieceBytes, [5, 5, 5, 5]])
    }
  })

  test('none in a stream that is live, which waits for nothing', () => {
    const times: number[] = []
    const reader = timesInto(times, { isLive: true })
    reader.push(Buffer.concat([SECTION, ETHERNET, SIMPLE]))
    const atOnce = [...times]
    reader.push(Buffer.concat([packet('enhanced', 0, 5), SIMPLE]))
    expect([atOnce, times]).toEqual([[0], [0, 5, 5]])
  })
})
